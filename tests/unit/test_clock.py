"""Arithmetic of promises, against references that walk second by second, and in working hours minute by minute."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crm.sla.calendar import ALWAYS, Calendar, CalendarError
from crm.sla.clock import Interval, Pause, elapsed, explained, merged, reached
from tests.unit.minutes import END, EXAMPLES, MINUTE, Case, cases, instants, lengths

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
SPAN = 240


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def standing(second: int, pauses: list[Pause]) -> bool:
    """Whether the clock stands during the second that begins then."""
    return any(p.start <= at(second) and (p.end is None or at(second) < p.end) for p in pauses)


def slow_reached(budget: int, pauses: list[Pause]) -> datetime | None:
    run, second = 0, 0
    while run < budget:
        if second > 3 * SPAN:
            return None
        run += not standing(second, pauses)
        second += 1
    return at(second)


def slow_elapsed(begin: int, until: int, pauses: list[Pause]) -> int:
    return sum(not standing(second, pauses) for second in range(begin, until))


@st.composite
def ledgers(draw: st.DrawFn) -> list[Pause]:
    """Pauses as they may ever lie: overlapping, touching, empty, unordered, before the start, one perhaps open."""
    pairs = draw(st.lists(st.tuples(st.integers(-30, SPAN), st.integers(0, 80)), max_size=6))
    found = [Pause(at(start), at(start + length)) for start, length in pairs]
    if draw(st.booleans()):
        found.append(Pause(at(draw(st.integers(-30, SPAN))), None))
    return draw(st.permutations(found))


@given(ledgers(), st.integers(1, SPAN))
def test_reached_is_what_a_clock_of_seconds_would_show(pauses: list[Pause], budget: int) -> None:
    assert reached(START, budget, pauses) == slow_reached(budget, pauses)


@given(ledgers(), st.integers(0, SPAN), st.integers(0, SPAN))
def test_elapsed_is_what_a_clock_of_seconds_would_show(pauses: list[Pause], begin: int, until: int) -> None:
    assert elapsed(at(begin), at(until), pauses) == slow_elapsed(begin, until, pauses)


@given(ledgers(), st.integers(1, SPAN))
def test_a_promise_is_due_when_exactly_its_budget_has_run(pauses: list[Pause], budget: int) -> None:
    due = reached(START, budget, pauses)
    if due is not None:
        assert elapsed(START, due, pauses) == budget


@given(ledgers())
def test_merged_pauses_are_apart_and_stand_for_the_same_seconds(pauses: list[Pause]) -> None:
    found = merged(pauses)
    for before, after in itertools.pairwise(found):
        assert before.end is not None
        assert before.end < after.start
    assert [standing(s, found) for s in range(SPAN)] == [standing(s, pauses) for s in range(SPAN)]


def test_an_open_pause_stops_the_clock_for_good() -> None:
    assert reached(START, 600, [Pause(at(599), None)]) is None
    assert reached(START, 600, [Pause(at(600), None)]) == at(600)


def test_a_pause_moves_the_promise_by_its_length() -> None:
    assert reached(START, 600, [Pause(at(100), at(400))]) == at(900)


def test_nothing_runs_backwards() -> None:
    assert elapsed(at(10), at(5)) == 0
    assert elapsed(at(10), at(5), [Pause(at(0), at(20))]) == 0


def t(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:00")


OFFICE = Calendar.from_plain(
    {
        "timezone": "Asia/Almaty",
        "hours": {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": ["2026-03-23", "2026-03-24"],
        "overrides": {"2026-03-25": []},
    }
)
FRIDAY = t("2026-03-20T17:00")
MINUTES = 60


def test_working_hours_move_a_promise_and_pauses_outside_them_do_not() -> None:
    assert reached(FRIDAY, 90 * MINUTES, (), OFFICE) == t("2026-03-26T09:30")
    night = [Pause(t("2026-03-20T19:00"), t("2026-03-26T08:00")), Pause(t("2026-03-19T09:00"), t("2026-03-20T09:00"))]
    assert reached(FRIDAY, 90 * MINUTES, night, OFFICE) == t("2026-03-26T09:30")
    assert elapsed(FRIDAY, t("2026-03-26T09:30"), night, OFFICE) == 90 * MINUTES


def test_a_pause_over_closed_hours_costs_its_open_hours_only() -> None:
    twice = [
        Pause(t("2026-03-20T17:30"), t("2026-03-26T09:10:05")),
        Pause(t("2026-03-26T09:00"), t("2026-03-26T09:10")),
    ]
    assert reached(FRIDAY, 60 * MINUTES, twice, OFFICE) == t("2026-03-26T09:40:05")


@pytest.mark.parametrize(
    ("begins", "due"),
    [
        ("2026-03-20T17:59:59", None),
        ("2026-03-20T18:00", "2026-03-20T18:00"),  # at the very moment
        ("2026-03-22T12:00", "2026-03-20T18:00"),
        ("2026-03-19T12:00", None),  # before the start
    ],
)
def test_an_open_pause_counts_only_before_the_budget_is_used_up(begins: str, due: str | None) -> None:
    assert reached(FRIDAY, 60 * MINUTES, [Pause(t(begins), None)], OFFICE) == (due and t(due))


def test_a_calendar_that_has_run_out_says_so_unless_the_clock_stands_anyway() -> None:
    once = Calendar.from_plain({"timezone": "UTC", "hours": {}, "overrides": {"2026-03-02": [["09:00", "10:00"]]}})
    assert reached(START, 3600, (), once) == datetime(2026, 3, 2, 10, tzinfo=UTC)
    with pytest.raises(CalendarError):
        reached(START, 3601, (), once)
    assert reached(START, 3601, [Pause(datetime(2027, 1, 1, tzinfo=UTC), None)], once) is None


def test_joined_pauses_keep_the_first_kind() -> None:
    assert merged([Pause(at(5), at(9), "on_hold"), Pause(at(0), at(6))]) == [Pause(at(0), at(9), "pending")]


def test_an_explanation_names_each_stretch() -> None:
    pauses = [Pause(t("2026-03-20T15:00"), t("2026-03-20T17:30")), Pause(t("2026-03-20T17:00"), None, "on_hold")]
    until = t("2026-03-25T09:30")
    assert explained(t("2026-03-20T12:30"), until, pauses[:1], OFFICE) == [
        Interval(t("2026-03-20T12:30"), t("2026-03-20T13:00"), "running"),
        Interval(t("2026-03-20T13:00"), t("2026-03-20T14:00"), "closed"),
        Interval(t("2026-03-20T14:00"), t("2026-03-20T15:00"), "running"),
        Interval(t("2026-03-20T15:00"), t("2026-03-20T17:30"), "pending"),
        Interval(t("2026-03-20T17:30"), t("2026-03-20T18:00"), "running"),
        Interval(t("2026-03-20T18:00"), t("2026-03-23T09:00"), "closed"),
        Interval(t("2026-03-23T09:00"), t("2026-03-23T13:00"), "holiday"),
        Interval(t("2026-03-23T13:00"), t("2026-03-23T14:00"), "closed"),
        Interval(t("2026-03-23T14:00"), t("2026-03-23T18:00"), "holiday"),
        Interval(t("2026-03-23T18:00"), t("2026-03-24T09:00"), "closed"),
        Interval(t("2026-03-24T09:00"), t("2026-03-24T13:00"), "holiday"),
        Interval(t("2026-03-24T13:00"), t("2026-03-24T14:00"), "closed"),
        Interval(t("2026-03-24T14:00"), t("2026-03-24T18:00"), "holiday"),
        Interval(t("2026-03-24T18:00"), t("2026-03-25T09:00"), "closed"),
        Interval(t("2026-03-25T09:00"), until, "holiday"),  # an override without windows
    ]
    assert explained(t("2026-03-20T16:00"), until, pauses, OFFICE) == [
        Interval(t("2026-03-20T16:00"), t("2026-03-20T17:30"), "pending"),
        Interval(t("2026-03-20T17:30"), until, "on_hold"),
    ]
    assert explained(START, START, pauses) == explained(at(1), at(0), pauses) == []
    assert explained(at(0), at(9)) == [Interval(at(0), at(9), "running")]


KINDS = ("pending", "on_hold", "maintenance")
standings = st.lists(
    st.tuples(instants, st.none() | lengths, st.sampled_from(KINDS)), max_size=4, unique_by=lambda p: p[0]
)


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), instants, lengths, standings, st.booleans())
@pytest.mark.timeout(3600)
def test_a_clock_of_minutes_shows_the_same(
    case: Case, start: int, run: int, stands: list[tuple[int, int | None, str]], exact: bool
) -> None:
    assume(case.has_windows and any(case.open))
    calendar = Calendar.from_plain(case.plain)
    spans = [(a, None if length is None else a + length) for a, length, _ in stands]
    pauses = [Pause(case.at(a), None if length is None else case.at(a + length), kind) for a, length, kind in stands]
    until = min(start + run, END)
    assert elapsed(case.at(start), case.at(until), pauses, calendar) == case.elapsed(start, until, spans) / 1e6

    if exact and spans:
        # Used up at the very moment at which a pause begins, or at the closing before it.
        run = case.elapsed(start, spans[0][0], spans) or run
    slow = case.reached(start, run, spans)
    try:
        due = reached(case.at(start), run / 1e6, pauses, calendar)
    except CalendarError:
        assert slow is None
    else:
        if slow is not None or any(end is None for _, end in spans):
            assert due == (None if slow is None else case.at(slow))
        else:
            assert due is None or due >= case.at(END)

    story = explained(case.at(start), case.at(until), pauses, calendar)
    assert [i.start for i in story] == [case.at(start), *(i.end for i in story[:-1])]
    assert story[-1].end == case.at(until)
    assert all(a.kind != b.kind for a, b in itertools.pairwise(story))
    for interval in story:
        first = (interval.start - case.at(0)) // timedelta(microseconds=1)
        last = (interval.end - case.at(0)) // timedelta(microseconds=1) - 1
        within = {first, last, *(edge for edge in (a for a, _ in spans) if first <= edge <= last)}
        within |= {minute * MINUTE for minute in range(first // MINUTE + 1, last // MINUTE + 1)}
        assert {kind_at(case, stands, micros) for micros in within} == {interval.kind}


def kind_at(case: Case, stands: list[tuple[int, int | None, str]], micros: int) -> str:
    over = [(a, kind) for a, length, kind in stands if a <= micros and (length is None or micros < a + length)]
    if over:
        return min(over)[1]
    minute = micros // MINUTE
    return "running" if case.open[minute] else "holiday" if case.taken[minute] else "closed"


def test_round_the_clock_nothing_has_changed() -> None:
    pauses = [Pause(at(100), at(400)), Pause(at(50), at(60))]
    assert reached(START, 600.5, pauses) == reached(START, 600.5, pauses, ALWAYS) == at(910.5)

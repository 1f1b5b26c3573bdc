"""Explanations: no gap, no overlap, and sums that give the deadline; over any calendars, pauses and maintenance."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crm.sla.calendar import ALWAYS, WEEKDAYS, Calendar, CalendarError
from crm.sla.clock import Interval, Pause, elapsed
from crm.sla.explain import Account, Days, Piece, Promise, account, in_days, running
from crm.sla.policy import ENDINGS, USUAL_STEPS, Terms
from crm.sla.windows import Recurring, Weekly, leaves_time
from tests.unit.minutes import EXAMPLES, Case, cases, instants

STOPS = frozenset({"pending", "on_hold", "maintenance"}) | ENDINGS
WEEK = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in WEEKDAYS[:5]}
OFFICE = Calendar.from_plain({"timezone": "Asia/Almaty", "hours": WEEK, "holidays": ["2026-03-23"]})
FRIDAY = datetime(2026, 3, 20, 11, 0, tzinfo=UTC)  # 16:00 in Almaty
THURSDAYS = Recurring.model_validate({"weekday": "thu", "from": "18:00", "to": "20:00", "timezone": "Europe/Moscow"})

recurring = st.builds(
    lambda weekday, begin, length, zone: Recurring.model_validate(
        {"weekday": weekday, "from": f"{begin:02}:00", "to": f"{(begin + length) % 24:02}:00", "timezone": zone}
    ),
    st.sampled_from(WEEKDAYS),
    st.integers(0, 23),
    st.integers(1, 5),
    st.sampled_from(["Europe/Moscow", "Europe/Berlin", "America/New_York"]),
)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def promise(
    calendar: Calendar, start: datetime, budget: timedelta, weekly: Weekly = (), met: datetime | None = None
) -> Promise:
    terms = Terms(calendar, STOPS, "resume", USUAL_STEPS, weekly)
    return Promise("resolution", terms, start, int(budget.total_seconds()), start, met, None)


@st.composite
def ledgers(draw: st.DrawFn) -> list[tuple[int, int | None, str]]:
    kinds = st.sampled_from(["pending", "on_hold", "maintenance", "resolved", "unknown"])
    closed = st.tuples(instants, st.integers(0, 3 * 1440 * 60_000_000), kinds)
    found: list[tuple[int, int | None, str]] = [
        (a, a + length, k) for a, length, k in draw(st.lists(closed, max_size=4))
    ]
    return found + ([(draw(instants), None, draw(kinds))] if draw(st.booleans()) else [])


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    cases(), ledgers(), instants, st.integers(1, 4 * 86_400), instants, st.lists(recurring, max_size=2), st.booleans()
)
def test_the_account_is_without_gaps_and_its_sums_are_those_of_the_clock(
    case: Case,
    ledger: list[tuple[int, int | None, str]],
    start: int,
    budget: int,
    now: int,
    windows: list[Recurring],
    met: bool,
) -> None:
    assume(case.has_windows)
    pauses = [Pause(case.at(a), None if b is None else case.at(b), kind) for a, b, kind in ledger]
    weekly = tuple(window.calendar for window in windows)
    try:
        calendar = Calendar.from_plain(case.plain)
        assume(not weekly or leaves_time(calendar, weekly))
        made = promise(
            calendar, case.at(start), timedelta(seconds=budget), weekly, case.at(max(start, now)) if met else None
        )
        found = account(made, pauses, case.at(now))
    except CalendarError:
        assume(False)
        raise
    here, whole = max(case.at(start), case.at(now)), [*found.past, *found.ahead]
    ends = [case.at(start), here, found.due_at]
    assert [i.start for i in whole[:1]] == [case.at(start)] * bool(whole)
    assert all(a.end == b.start for a, b in pairwise(whole))
    assert all(i.start < i.end for i in whole)
    assert all(a.kind != b.kind for part in (found.past, found.ahead) for a, b in pairwise(part))
    assert not whole or whole[-1].end in ends
    standing = made.terms.standing(pauses, case.at(start), max(here, found.due_at or here))
    assert found.ran.total_seconds() == elapsed(case.at(start), here, standing, calendar)
    if found.due_at is not None and not met and found.due_at > here:
        assert running(whole) == found.budget
        assert elapsed(case.at(start), found.due_at, standing, calendar) == budget
    lines = in_days(whole, "Asia/Almaty")
    assert sum((length for line in lines for _, length in line.lengths), timedelta()) == sum(
        (i.end - i.start for i in whole), timedelta()
    )
    assert sum(
        (length for line in lines for kind, length in line.lengths if kind == "running"), timedelta()
    ) == running(whole)


def test_a_deadline_over_a_weekend_and_a_holiday() -> None:
    """Friday 16:00, six hours: two on Friday, the rest on Tuesday, around the lunch break."""
    found = account(promise(OFFICE, FRIDAY, hours(6)), [], FRIDAY + hours(1))
    kinds = [(i.kind, i.end - i.start) for i in found.ahead]
    assert [(i.kind, i.end - i.start) for i in found.past] == [("running", hours(1))]
    assert kinds == [
        ("running", hours(1)),
        ("closed", hours(15 + 48)),
        ("holiday", hours(4)),
        ("closed", hours(1)),
        ("holiday", hours(4)),
        ("closed", hours(15)),
        ("running", hours(4)),
    ]
    assert found.due_at == datetime(2026, 3, 24, 8, 0, tzinfo=UTC)
    assert (found.ran, found.stands, found.late) == (hours(1), None, False)


def test_while_it_waits_the_account_ends_now_and_says_since_when() -> None:
    waits = [Pause(FRIDAY + hours(1), None, "pending")]
    found = account(promise(ALWAYS, FRIDAY, hours(4)), waits, FRIDAY + hours(3))
    assert (found.due_at, found.ahead, found.ran) == (None, (), hours(1))
    assert found.stands == Interval(FRIDAY + hours(1), FRIDAY + hours(3), "pending")
    assert not found.late


def test_maintenance_that_goes_on_is_named_to_its_end_and_the_wait_that_has_none_before_it() -> None:
    works = Pause(FRIDAY + hours(1), FRIDAY + hours(5), "maintenance")
    found = account(promise(ALWAYS, FRIDAY, hours(4)), [works], FRIDAY + hours(3))
    assert found.stands == Interval(works.start, FRIDAY + hours(5), "maintenance")
    assert found.due_at == FRIDAY + hours(8)
    waits = Pause(FRIDAY + hours(2), None, "on_hold")
    both = account(promise(ALWAYS, FRIDAY, hours(4)), [works, waits], FRIDAY + hours(3))
    assert (both.due_at, both.stands) == (None, Interval(waits.start, FRIDAY + hours(3), "on_hold"))


def test_a_promise_that_was_met_is_explained_until_then() -> None:
    met = FRIDAY + hours(1)
    found = account(promise(ALWAYS, FRIDAY, hours(4), met=met), [], FRIDAY + hours(99))
    assert found.past == (Interval(FRIDAY, met, "running"),)
    assert (found.ahead, found.late) == ((), False)


def test_what_runs_after_it_was_due_is_in_the_account() -> None:
    found = account(promise(ALWAYS, FRIDAY, hours(4)), [], FRIDAY + hours(6))
    assert (found.ran, found.due_at, found.late) == (hours(6), FRIDAY + hours(4), True)


def test_a_weekly_window_stands_in_the_account_and_is_not_counted_twice() -> None:
    """Thursday 20:00–22:00 in Almaty; another announced over half of it adds one hour."""
    thursday = datetime(2026, 3, 26, 14, 0, tzinfo=UTC)  # 19:00 in Almaty
    extra = Pause(thursday + hours(2), thursday + hours(4), "maintenance")
    found = account(promise(ALWAYS, thursday, hours(4), (THURSDAYS.calendar,)), [extra], thursday)
    assert [(i.kind, i.end - i.start) for i in found.ahead] == [
        ("running", hours(1)),
        ("maintenance", hours(3)),
        ("running", hours(3)),
    ]


def test_a_request_that_was_closed_is_not_taken_for_closed_hours() -> None:
    ended = [Pause(FRIDAY + hours(1), FRIDAY + hours(2), "closed"), Pause(FRIDAY + hours(3), None, "declined")]
    found = account(promise(ALWAYS, FRIDAY, hours(4)), ended, FRIDAY + hours(4))
    assert [i.kind for i in found.past] == ["running", "ended", "running", "ended"]
    assert found.stands == Interval(FRIDAY + hours(3), FRIDAY + hours(4), "ended")


def lines(found: Account) -> list[Days]:
    return in_days([*found.past, *found.ahead], "Asia/Almaty")


def test_a_month_is_a_line_for_each_run_of_days() -> None:
    found = lines(account(promise(OFFICE, FRIDAY, hours(8 * 20)), [], FRIDAY))
    assert [(line.first.day, line.last.day) for line in found[:7]] == [
        (20, 20), (21, 22), (23, 23), (24, 27), (28, 29), (30, 3), (4, 5)
    ]  # fmt: skip
    assert len(found) == 12
    week = found[5]
    assert week.first == date(2026, 3, 30)
    assert dict(week.lengths) == {"closed": hours(16 * 5), "running": hours(8 * 5)}
    assert [piece for piece in week.pieces if piece.kind == "running"] == [
        Piece(time(9), time(13), "running"),
        Piece(time(14), time(18), "running"),
    ]

"""Working time: the traps by name, and everything else against a clock that walks minute by minute."""

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.sla.calendar import ALWAYS, WEEKDAYS, Calendar, CalendarError
from tests.unit.minutes import END, EXAMPLES, MINUTE, Case, cases, instants, lengths


def weekly(*windows: list[str], days: tuple[str, ...] = WEEKDAYS[:5]) -> dict[str, list[list[str]]]:
    return {day: list(windows) for day in days}


OFFICE = {
    "timezone": "Asia/Almaty",
    "hours": weekly(["09:00", "18:00"]),
    "holidays": ["2026-03-23", "2026-03-24", "2026-03-25"],
    "overrides": {"2026-03-28": [["09:00", "13:00"]]},
}


def calendar(**changed: Any) -> Calendar:
    return Calendar.from_plain(OFFICE | changed)


def berlin(hours: Any, **more: Any) -> Calendar:
    return Calendar.from_plain({"timezone": "Europe/Berlin", "hours": hours, **more})


def daily(*windows: list[str]) -> dict[str, list[list[str]]]:
    return weekly(*windows, days=WEEKDAYS)


def t(text: str) -> datetime:
    return datetime.fromisoformat(text)


LUNCH = calendar(hours=weekly(["09:00", "13:00"], ["14:00", "18:00"]))
NIGHT = calendar(hours={"fri": [["22:00", "06:00"]], "sun": [["20:00", "24:00"]]}, holidays=[], overrides={})


@pytest.mark.parametrize(
    ("case", "start", "minutes", "due"),
    [
        (calendar(), "2026-03-20T10:00+05:00", 60, "2026-03-20T11:00+05:00"),
        (calendar(), "2026-03-20T17:30+05:00", 30, "2026-03-20T18:00+05:00"),  # ends at closing: due at closing
        (calendar(), "2026-03-20T17:30+05:00", 60, "2026-03-26T09:30+05:00"),  # a weekend and three holidays
        (calendar(), "2026-03-20T18:00+05:00", 1, "2026-03-26T09:01+05:00"),  # starts at closing
        (calendar(), "2026-03-21T12:00+05:00", 1, "2026-03-26T09:01+05:00"),  # starts outside hours
        (calendar(), "2026-03-20T08:00+05:00", 1, "2026-03-20T09:01+05:00"),
        (calendar(), "2026-03-27T17:59+05:00", 241, "2026-03-28T13:00+05:00"),  # a working Saturday, half a day
        (calendar(), "2026-03-27T17:59+05:00", 242, "2026-03-30T09:01+05:00"),
        (calendar(), "2026-03-20T17:59:59.999999+05:00", 1, "2026-03-26T09:00:59.999999+05:00"),
        (LUNCH, "2026-03-20T12:30+05:00", 30, "2026-03-20T13:00+05:00"),
        (LUNCH, "2026-03-20T12:30+05:00", 31, "2026-03-20T14:01+05:00"),
        (LUNCH, "2026-03-20T13:30+05:00", 1, "2026-03-20T14:01+05:00"),
        (NIGHT, "2026-03-20T12:00+05:00", 8 * 60, "2026-03-21T06:00+05:00"),
        (NIGHT, "2026-03-20T12:00+05:00", 8 * 60 + 1, "2026-03-22T20:01+05:00"),
        (NIGHT, "2026-03-22T23:00+05:00", 60, "2026-03-23T00:00+05:00"),  # until 24:00
        (ALWAYS, "2026-03-20T12:00+05:00", 60, "2026-03-20T13:00+05:00"),
        # Almaty, midnight of 1 March 2024 at +06: the hour from 23:00 came twice.
        (calendar(), "2024-02-29T17:59+06:00", 2, "2024-03-01T09:01+05:00"),
        (calendar(hours="24/7"), "2024-02-29T23:30+06:00", 60, "2024-02-29T23:30+05:00"),
        (calendar(hours=daily(["22:00", "24:00"])), "2024-02-29T22:00+06:00", 180, "2024-03-01T00:00+05:00"),
        # Berlin skips 02:00 to 03:00 on 29 March and repeats it on 25 October.
        (berlin(daily(["00:00", "06:00"])), "2026-03-29T00:00+01:00", 300, "2026-03-29T06:00+02:00"),
        (berlin(daily(["00:00", "06:00"])), "2026-10-25T00:00+02:00", 420, "2026-10-25T06:00+01:00"),
        (berlin(daily(["02:00", "03:00"])), "2026-03-28T02:30+01:00", 31, "2026-03-30T02:01+02:00"),
        (berlin(daily(["02:15", "02:45"])), "2026-10-25T00:00+02:00", 31, "2026-10-25T02:16+01:00"),
        (berlin(daily(["09:00", "18:00"])), "2026-03-28T17:00+01:00", 61, "2026-03-29T09:01+02:00"),
        # Lord Howe moves by half an hour: 02:00 to 01:30 on 5 April, 02:00 to 02:30 on 4 October.
        (
            Calendar.from_plain({"timezone": "Australia/Lord_Howe", "hours": daily(["01:00", "03:00"])}),
            *("2026-04-05T01:00+11:00", 150, "2026-04-05T03:00+10:30"),
        ),
        (
            Calendar.from_plain({"timezone": "Australia/Lord_Howe", "hours": daily(["01:00", "03:00"])}),
            *("2026-10-04T01:00+10:30", 90, "2026-10-04T03:00+11:00"),
        ),
        # Apia had no 30 December 2011: the evening of the 29th is followed by the morning of the 31st.
        (
            Calendar.from_plain({"timezone": "Pacific/Apia", "hours": daily(["09:00", "18:00"])}),
            *("2011-12-29T17:00-10:00", 61, "2011-12-31T09:01+14:00"),
        ),
    ],
)
def test_a_budget_ends_when_it_should(case: Calendar, start: str, minutes: int, due: str) -> None:
    found = case.add(t(start), timedelta(minutes=minutes))
    assert found == t(due)
    assert found.tzinfo is UTC
    assert case.measure(t(start), found) == timedelta(minutes=minutes)


def test_the_night_shift_of_the_evening_before_a_holiday_ends_in_the_morning() -> None:
    nights = berlin(daily(["22:00", "06:00"]), holidays=["2026-05-01"])
    assert nights.is_open(t("2026-05-01T05:59+02:00"))
    assert not nights.is_open(t("2026-05-01T23:00+02:00"))
    assert not nights.is_open(t("2026-05-02T05:00+02:00"))
    assert nights.next_opening(t("2026-05-01T06:00+02:00")) == t("2026-05-02T22:00+02:00")


def test_an_override_beats_a_holiday_and_an_empty_one_is_a_holiday() -> None:
    both = calendar(
        holidays=["2026-03-23", "2026-03-24"], overrides={"2026-03-23": [["10:00", "11:00"]], "2026-03-24": []}
    )
    assert both.windows(date(2026, 3, 23)) == ((600, 660),)
    assert both == calendar(holidays=["2026-03-24"], overrides={"2026-03-23": [["10:00", "11:00"]]})


def test_round_the_clock_still_keeps_explicit_holidays() -> None:
    most = berlin("24/7", holidays=["2026-12-25"], overrides={"2026-12-24": [["00:00", "12:00"]]})
    assert most.measure(t("2026-12-24T00:00+01:00"), t("2026-12-27T00:00+01:00")) == timedelta(hours=36)
    assert most.next_opening(t("2026-12-24T12:00+01:00")) == t("2026-12-26T00:00+01:00")


def test_windows_that_overlap_or_touch_count_once() -> None:
    mess = calendar(hours={"mon": [["12:00", "15:00"], ["09:00", "13:00"], ["15:00", "18:00"], ["10:00", "11:00"]]})
    assert mess.windows(date(2026, 3, 30)) == ((540, 1080),)
    # Sunday's night shift lies over Monday's early one.
    early = calendar(hours={"sun": [["22:00", "06:00"]], "mon": [["05:00", "07:00"]]}, overrides={})
    assert early.measure(t("2026-03-29T00:00+05:00"), t("2026-03-31T00:00+05:00")) == timedelta(hours=9)
    [whole] = early.intervals(t("2026-03-29T00:00+05:00"), t("2026-03-31T00:00+05:00"))
    assert whole == (t("2026-03-29T22:00+05:00"), t("2026-03-30T07:00+05:00"))


def test_measured_backwards_nothing_runs() -> None:
    assert calendar().measure(t("2026-03-20T12:00Z"), t("2026-03-20T08:00Z")) == timedelta()
    assert calendar().intervals(t("2026-03-20T12:00Z"), t("2026-03-20T08:00Z")) == []


def test_no_budget_is_used_up_at_once() -> None:
    assert calendar().add(t("2026-03-21T12:00Z"), timedelta()) == t("2026-03-21T12:00Z")


@pytest.mark.parametrize("overrides", [{}, {"2026-03-28": []}, {"2026-03-29": [["02:00", "03:00"]]}])
def test_a_calendar_that_never_opens_is_refused(overrides: dict[str, list[list[str]]]) -> None:
    with pytest.raises(CalendarError, match="no opening, ever"):
        berlin({"mon": []}, overrides=overrides)


def test_openings_that_run_out_end_in_none_or_in_an_error() -> None:
    once = calendar(hours={}, overrides={"2026-03-28": [["09:00", "13:00"]], "2030-01-01": [["23:00", "01:00"]]})
    assert once.next_opening(t("2026-03-28T13:00+05:00")) == t("2030-01-01T23:00+05:00")
    assert once.next_opening(t("2030-01-02T01:00+05:00")) is None
    assert once.add(t("2020-01-01T00:00Z"), timedelta(hours=6)) == t("2030-01-02T01:00+05:00")
    with pytest.raises(CalendarError, match="no such working time left"):
        once.add(t("2020-01-01T00:00Z"), timedelta(hours=6, microseconds=1))
    assert not once.is_open(t("2500-01-01T00:00Z"))


@pytest.mark.parametrize("case", [ALWAYS, calendar(), berlin("24/7", holidays=["2026-01-01"]), NIGHT])
def test_the_first_and_the_last_year_overflow_nothing(case: Calendar) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert case.measure(first, last) > timedelta(days=100_000)
    assert case.next_opening(first) is not None
    for start, run in ((last, 1.0), (first, 1e12), (t("2026-01-01T00:00Z"), 1e12), (last, 8e13)):
        with pytest.raises(CalendarError):
            case.add(start, timedelta(seconds=run))
    for at in (first, last):
        assert len(case.intervals(at, at)) == 0


def test_years_are_alike_after_four_centuries() -> None:
    office = berlin(weekly(["09:00", "18:00"]))
    for year in (2100, 2369, 2370, 2769, 2770, 9000):
        start, end = (datetime(year + n, 3, 1, tzinfo=UTC) for n in (0, 1))
        found = office.intervals(start, end)
        assert office.measure(start, end) == sum((b - a for a, b in found), timedelta())
        assert {b.astimezone(ZoneInfo("Europe/Berlin")).hour for _, b in found} == {18}


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), instants, instants, lengths)
@pytest.mark.timeout(3600)
def test_a_clock_of_minutes_shows_the_same(case: Case, start: int, until: int, run: int) -> None:
    try:
        engine = Calendar.from_plain(case.plain)
    except CalendarError:
        assert not any(case.open)
        return
    assert case.has_windows
    assert engine.measure(case.at(start), case.at(until)) == timedelta(microseconds=case.elapsed(start, until))
    assert engine.is_open(case.at(start)) == case.open[start // MINUTE]
    assert engine.intervals(case.at(start), case.at(until)) == joined(case, start, until)
    compare(case, case.reached(start, 1), engine.next_opening(case.at(start)), 1)
    # The second budget is used up at `until`, or at the closing before it.
    for budget in (run, case.elapsed(start, until)):
        try:
            due = engine.add(case.at(start), timedelta(microseconds=budget))
        except CalendarError:
            due = None
        compare(case, case.reached(start, budget) if budget else start, due, 0)


def compare(case: Case, slow: int | None, fast: datetime | None, less: int) -> None:
    """What the slow clock does not reach in its ten days must come after them or never."""
    if slow is None:
        assert fast is None or fast >= case.at(END - less)
    else:
        assert fast == case.at(slow - less)


def joined(case: Case, start: int, until: int) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for a, b in ((case.at(a), case.at(min(b, until))) for a, b in case.running(start) if a < until):
        if found and found[-1][1] == a:
            found[-1] = found[-1][0], b
        else:
            found.append((a, b))
    return found


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_plain_form_is_complete_and_the_only_one(case: Case) -> None:
    try:
        engine = Calendar.from_plain(case.plain)
    except CalendarError:
        return
    again = Calendar.from_plain(json.loads(json.dumps(engine.as_plain())))
    assert again == engine
    assert hash(again) == hash(engine)
    assert json.dumps(again.as_plain()) == json.dumps(engine.as_plain())


def test_however_it_is_written_the_plain_form_is_one() -> None:
    tidy = calendar()
    untidy = calendar(
        hours={
            "sun": [],
            **dict(itertools.islice(reversed(OFFICE["hours"].items()), 4)),
            "mon": [["12:00", "18:00"], ["09:00", "12:00"]],
        },
        holidays=["2026-03-25", "2026-03-23", "2026-03-23"],
        overrides={"2026-03-28": [["10:00", "13:00"], ["09:00", "10:30"]], "2026-03-24": []},
    )
    assert untidy == tidy
    assert tidy.as_plain() == OFFICE
    assert calendar(hours=daily(["00:00", "24:00"])) == calendar(hours="24/7")
    assert calendar(hours=daily(["00:00", "24:00"])).as_plain()["hours"] == "24/7"
    assert calendar(hours={"mon": [["18:00", "00:00"]]}).as_plain()["hours"] == {"mon": [["18:00", "24:00"]]}


def test_more_than_a_day_of_one_date_survives_its_plain_form() -> None:
    long = calendar(hours={"mon": [["00:00", "24:00"], ["22:00", "06:00"]]})
    assert long.windows(date(2026, 3, 30)) == ((0, 1800),)
    assert Calendar.from_plain(long.as_plain()) == long


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"timezone": "Asia/Nowhere"}, "no time zone 'Asia/Nowhere'"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
        ({"timezone": "Asia"}, "no time zone"),
        ({"timezone": ""}, "no time zone"),
        ({"timezone": None}, "no time zone"),
        ({"timezone": "\ud800"}, "no time zone"),
        ({"hours": "24/5"}, "hours: .* not '24/5'"),
        ({"hours": None}, "hours: "),
        ({"hours": {"Mon": []}}, "hours: unknown 'Mon'"),
        ({"hours": {"mon": None}}, "hours mon: a list"),
        ({"hours": {"mon": ["09:00", "18:00"]}}, "hours mon: a window is like"),
        ({"hours": {"mon": [["09:00"]]}}, "hours mon: a window is like"),
        ({"hours": {"mon": [["09:00", "25:00"]]}}, "hours mon: .* not '25:00'"),
        ({"hours": {"mon": [["9:00", "18:00"]]}}, "hours mon: .* not '9:00'"),
        ({"hours": {"mon": [["09:00", "18:60"]]}}, "hours mon: .* not '18:60'"),
        ({"hours": {"mon": [["09:00", 18]]}}, "hours mon: .* not 18"),
        ({"hours": {"mon": [["09:00", "18:00\n"]]}}, "hours mon: "),
        ({"hours": {"mon": [["09:00", "09:00"]]}}, "cannot run from 09:00 to 09:00"),
        ({"hours": {"mon": [["24:00", "09:00"]]}}, "cannot run from 24:00 to 09:00"),
        ({"holidays": None}, "holidays: a list"),
        ({"holidays": {"2026-03-23": []}}, "holidays: a list"),
        ({"holidays": ["2026-02-30"]}, "holidays: .* not '2026-02-30'"),
        ({"holidays": ["20260323"]}, "holidays: "),
        ({"holidays": [20260323]}, "holidays: "),
        ({"overrides": []}, "overrides: an object"),
        ({"overrides": {"soon": []}}, "overrides: .* not 'soon'"),
        ({"overrides": {"2026-03-28": [["09:00", "24:01"]]}}, "overrides 2026-03-28: "),
        ({"colour": "red"}, "calendar: unknown 'colour'"),
    ],
)
def test_a_bad_calendar_is_refused_in_one_line_that_names_the_place(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(CalendarError, match=words) as refusal:
        calendar(**changed)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("plain", [None, [], "24/7", {}, {"timezone": "UTC"}, {"hours": "24/7"}])
def test_what_is_no_calendar_is_refused(plain: Any) -> None:
    with pytest.raises(CalendarError, match="calendar: "):
        Calendar.from_plain(plain)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(anything)
def test_nothing_but_a_calendar_error_comes_of_anything(value: Any) -> None:
    for key in ("timezone", "hours", "holidays", "overrides"):
        try:
            calendar(**{key: value})
        except CalendarError as error:
            assert "\n" not in str(error)  # noqa: PT017

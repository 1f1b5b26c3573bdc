"""Maintenance: weekly windows in the arithmetic, and windows as a lead writes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.windows import parse
from crm.desks import load_profile
from crm.errors import ProfileError, WrongInput
from crm.sla.calendar import ALWAYS, WEEKDAYS, Calendar
from crm.sla.clock import Pause
from crm.sla.policy import ENDINGS, USUAL_STEPS, Policies, Policy, Promise, Terms, terms_from
from crm.sla.spec import CalendarSpec
from crm.sla.windows import Recurring, between, reached
from tests.factories import NOW
from tests.unit.test_desks import GOOD

# meo: every Thursday 18:00–20:00 Moscow, which is 15:00–17:00 UTC all year.
THURSDAYS = Recurring.model_validate({"weekday": "thu", "from": "18:00", "to": "20:00", "timezone": "Europe/Moscow"})
THURSDAY = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
STOPS = frozenset({"pending", "maintenance"}) | ENDINGS


def at(hour: float) -> datetime:
    return THURSDAY + timedelta(hours=hour)


def due(budget: float, *pauses: Pause, calendar: Calendar = ALWAYS) -> datetime | None:
    return reached(THURSDAY, budget * 3600, pauses, calendar, (THURSDAYS.calendar,))


def test_the_clock_stands_for_the_weekly_window() -> None:
    assert due(1) == at(1)
    assert due(1.5) == at(3.5)
    assert due(1 + 166) == at(1 + 2 + 166)
    assert due(1 + 166 + 0.5) == at(1 + 2 + 166 + 2 + 0.5)


def test_another_pause_over_the_window_is_not_counted_twice() -> None:
    assert due(2, Pause(at(0.5), at(2), "pending")) == at(4.5)
    assert due(2, Pause(at(2), at(5), "maintenance")) == at(6)
    assert due(2, Pause(at(2), None, "pending")) is None


def test_what_starts_in_the_window_runs_from_its_end() -> None:
    assert reached(at(2), 60, (), ALWAYS, (THURSDAYS.calendar,)) == at(3) + timedelta(minutes=1)


def test_the_window_follows_its_zone() -> None:
    berlin = Recurring.model_validate({"weekday": "sun", "from": "01:00", "to": "04:00", "timezone": "Europe/Berlin"})
    found = between([berlin.calendar], datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    # An hour of it is skipped that night.
    assert [(p.start.hour, p.end and p.end.hour, p.kind) for p in found] == [(0, 2, "maintenance")]


def slow(start: datetime, minutes: int, opened: range, days: tuple[int, ...], begin: int, end: int) -> datetime:
    """Minute by minute, in UTC: work in the hours `opened` of each day, but not in the window of those weekdays."""
    instant = start
    while minutes:
        working = instant.hour in opened and not (instant.weekday() in days and begin <= instant.hour < end)
        minutes -= working
        instant += timedelta(minutes=1)
    return instant


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 7 * 1440),
    st.integers(1, 14 * 600),
    st.sets(st.integers(0, 6), min_size=1, max_size=6),
    st.integers(0, 22),
    st.integers(1, 6),
)
def test_many_windows_a_week_against_a_clock_of_minutes(
    offset: int, minutes: int, days: set[int], begin: int, length: int
) -> None:
    end = min(begin + length, 23)
    entry = {"from": f"{begin:02}:00", "to": f"{end:02}:00", "timezone": "UTC"}
    weekly = tuple(Recurring.model_validate({**entry, "weekday": WEEKDAYS[day]}).calendar for day in sorted(days))
    office = Calendar.from_plain({"timezone": "UTC", "hours": {day: [["08:00", "18:00"]] for day in WEEKDAYS}})
    start = THURSDAY + timedelta(minutes=offset)
    expected = slow(start, minutes, range(8, 18), tuple(days), begin, end)
    assert reached(start, minutes * 60, (), office, weekly) == expected


# --- frozen into the terms -------------------------------------------------------------------------------------------

SPEC = CalendarSpec(timezone="Asia/Almaty", hours="24/7")


def terms(*weekly: Calendar) -> Terms:
    return Terms(ALWAYS, STOPS, "resume", USUAL_STEPS, weekly)


def test_terms_keep_the_windows_and_those_without_keep_their_hash() -> None:
    frozen = terms(THURSDAYS.calendar)
    assert terms_from(frozen.body()) == frozen
    assert frozen.hash != terms().hash
    assert "weekly" not in terms().body()
    # What was stored before there were windows.
    assert Terms(ALWAYS, frozenset({"pending", "on_hold", "maintenance"}) | ENDINGS, "resume", USUAL_STEPS).hash == (
        "6db9b24a4f684157bf40a9f15406ba3f"
    )


@pytest.mark.parametrize(("stops", "windows"), [({"maintenance"}, 1), ({"pending"}, 0)])
def test_only_a_clock_that_stops_for_maintenance_has_windows(stops: set[str], windows: int) -> None:
    policy = Policy(resolution=Promise(minutes=60), stops=frozenset(stops))
    made = Policies((policy,), (("always", SPEC),), "always", USUAL_STEPS, (THURSDAYS.calendar,))
    [found] = made.all_terms(NOW).values()
    assert len(found.weekly) == windows


def profile(folder: Path, words: str) -> None:
    (folder / "test.toml").write_text(GOOD + words)
    load_profile("test", folder)


WINDOW = '[[maintenance]]\nweekday = "{}"\nfrom = "{}"\nto = "{}"\ntimezone = "{}"\n'


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (WINDOW.format("thursday", "18:00", "20:00", "Europe/Moscow"), "maintenance.0.weekday"),
        (WINDOW.format("thu", "18:00", "18:00", "Europe/Moscow"), "maintenance.0"),
        (WINDOW.format("thu", "6pm", "20:00", "Europe/Moscow"), "maintenance.0"),
        (WINDOW.format("thu", "18:00", "20:00", "Moscow"), "maintenance.0.timezone"),
        ("".join(WINDOW.format(day, "00:00", "24:00", "Asia/Almaty") for day in WEEKDAYS), "no working time of always"),
        ('[[queues]]\nkey = "cloud"\n', "queues"),
        ('[[queues]]\nkey = "support"\n[[queues]]\nkey = "support"\n', "queues"),
        ('[[queues]]\nkey = "Support"\n', "queues.0.key"),
        ('[[queues]]\nkey = "support"\naccept = { minutes = 5, calendar = "night" }\n', "night"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(tmp_path: Path, words: str, named: str) -> None:
    load_profile.cache_clear()
    with pytest.raises(ProfileError) as error:
        profile(tmp_path, words)
    assert named in str(error.value)


def test_a_right_profile_loads(tmp_path: Path) -> None:
    load_profile.cache_clear()
    queues = '[[queues]]\nkey = "support"\n[[queues]]\nkey = "x"\naccept = { minutes = 5 }\n'
    profile(tmp_path, WINDOW.format("thu", "18:00", "20:00", "Europe/Moscow") + queues)


# --- as a lead writes them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "begin", "hours", "reason"),
    [
        ("2h диски", NOW, 2, "диски"),
        ("90m new  disks\nand more ", NOW, 1.5, "new  disks\nand more"),
        ("1H30M x", NOW, 1.5, "x"),
        ("2026-12-03 18:00-20:00 диски", datetime(2026, 12, 3, 13, tzinfo=UTC), 2, "диски"),
        ("2026-12-03 22:00 – 02:00 x", datetime(2026, 12, 3, 17, tzinfo=UTC), 4, "x"),
    ],
)
def test_a_window_is_understood(words: str, begin: datetime, hours: float, reason: str) -> None:
    found = parse(words, "Asia/Almaty", NOW)
    assert (found.start, found.end, found.reason) == (begin, begin + timedelta(hours=hours), reason)


@pytest.mark.parametrize(
    "words",
    [
        *("2h", "2h ", "h x", "0h x", "999h x", "2 x", "-2h x", "tomorrow", "2026-13-03 18:00-20:00 x", "2h30 x"),
        *("2026-12-03 18:00-25:00 x", "2026-12-03 18:00 x", "9999-12-31 23:00-22:00 x", "2026-12-03 18:00-20:00"),
    ],
)
def test_what_is_no_window_is_refused(words: str) -> None:
    with pytest.raises(WrongInput):
        parse(words, "Asia/Almaty", NOW)

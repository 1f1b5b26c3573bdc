"""Working days after a solution, and what a profile may say of them."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from crm.desks import load_profile
from crm.sla.calendar import Calendar, CalendarError
from crm.sla.closing import Closing, working_day
from crm.sla.spec import CalendarSpec
from tests.factories import NOW


def office(zone: str = "Asia/Almaty", country: str | None = "KZ", **more: Any) -> Calendar:
    spec = CalendarSpec(timezone=zone, hours={"mon-fri": [["09:00", "18:00"]]}, country=country, **more)
    return spec.frozen(2023, 2030)


KZ = office()
ALWAYS = CalendarSpec(timezone="Asia/Almaty", hours="24/7").frozen(2023, 2030)
NIGHTS = CalendarSpec(timezone="Asia/Almaty", hours={"mon-fri": [["22:00", "06:00"]]}).frozen(2023, 2030)
BERLIN = office("Europe/Berlin", None)


def local(words: str, zone: str = "Asia/Almaty") -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("calendar", "start", "days", "expected"),
    [
        (KZ, "2026-11-23 15:00", 0, "2026-11-23 15:00"),
        (KZ, "2026-11-23 15:00", 1, "2026-11-24 15:00"),
        (KZ, "2026-11-23 15:00", 5, "2026-11-30 15:00"),
        # Neither the hour of a window nor that it was open at all matters for the beginning.
        (KZ, "2026-11-23 23:59:59.000001", 1, "2026-11-24 23:59:59.000001"),
        (KZ, "2026-11-21 03:00", 1, "2026-11-23 03:00"),
        (KZ, "2026-11-22 14:00", 5, "2026-11-27 14:00"),
        # Independence Day is a Wednesday; the New Year takes two days, Nauryz three and what they move.
        (KZ, "2026-12-14 10:00", 2, "2026-12-17 10:00"),
        (KZ, "2026-12-31 10:00", 1, "2027-01-05 10:00"),
        # A Saturday and a Sunday that were worked in exchange.
        (KZ, "2024-05-03 12:00", 1, "2024-05-04 12:00"),
        (KZ, "2025-01-03 12:00", 1, "2025-01-05 12:00"),
        # The offset went from +06 to +05 on 1 March 2024: the clock on the wall stays.
        (KZ, "2024-02-29 15:00", 1, "2024-03-01 15:00"),
        (ALWAYS, "2026-11-20 15:00", 5, "2026-11-25 15:00"),
        # A night shift belongs to the date on which it begins: Saturday's morning is no working day.
        (NIGHTS, "2026-11-20 15:00", 1, "2026-11-23 15:00"),
        (BERLIN, "2026-03-27 15:00", 1, "2026-03-30 15:00"),
        (BERLIN, "2026-10-23 15:00", 1, "2026-10-26 15:00"),
    ],
)
def test_the_same_local_time_on_a_later_working_day(calendar: Calendar, start: str, days: int, expected: str) -> None:
    found = working_day(calendar, local(start, calendar.timezone).astimezone(UTC), days)
    assert found.tzinfo is UTC
    assert found.astimezone(ZoneInfo(calendar.timezone)).replace(tzinfo=None) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # 02:30 is skipped on 29 March, and comes twice on 25 October, of which the first is meant.
        ("2026-03-28T02:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"),
    ],
)
def test_an_hour_that_there_is_not_or_twice(start: str, expected: str) -> None:
    daily = CalendarSpec(timezone="Europe/Berlin", hours="24/7").frozen(2026, 2026)
    assert working_day(daily, datetime.fromisoformat(start), 1) == datetime.fromisoformat(expected)


def test_a_calendar_that_ends_has_no_more_working_days() -> None:
    once = Calendar("UTC", ((),) * 7, overrides=((date(2026, 12, 1), ((540, 600),)),))
    assert working_day(once, NOW, 1).date() == date(2026, 12, 1)
    with pytest.raises(CalendarError):
        working_day(once, NOW, 2)


def test_a_profile_that_says_nothing_reminds_twice_and_closes_after_five_days() -> None:
    closing = Closing()
    assert (closing.remind, closing.close, closing.reopen_days, closing.calendar) == ((2, 4), 5, 14, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"close": 0},
        {"remind": (0, 2)},
        {"remind": (4, 2)},
        {"remind": (2, 2)},
        {"remind": (2, 5)},
        {"remind": (2, 6), "close": 5},
        {"reopen_days": 0},
        {"days": 3},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Closing(**wrong)


def test_without_reminders_it_is_just_closed() -> None:
    assert Closing(remind=(), close=1).moments(NOW, ALWAYS) == [working_day(ALWAYS, NOW, 1)]


@pytest.mark.parametrize("desk", ["genesys", "prodata"])
def test_days_are_those_of_an_office(desk: str) -> None:
    """Where support works around the clock as well: nobody has to confirm on a Sunday."""
    friday = local("2026-11-27 15:00").astimezone(UTC)
    found = [moment.astimezone(ZoneInfo("Asia/Almaty")).isoformat() for moment in load_profile(desk).silence(friday)]
    assert found == ["2026-12-01T15:00:00+05:00", "2026-12-03T15:00:00+05:00", "2026-12-04T15:00:00+05:00"]

"""A clock that walks minute by minute, to hold the engine's arithmetic against. It shares nothing with the engine.

A case is a calendar in its plain form and ten days of UTC minutes around something odd that a zone once did. For each
minute the zone is asked for the local time, and the strings of the calendar for whether that is open.
Instants are microseconds since the case's first minute.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

EXAMPLES = 10_000 if os.environ.get("KEZEKSHI_SOAK") else 300
DAYS = 10
MINUTE = 60_000_000
END = DAYS * 1440 * MINUTE
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOWS = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]
Span = tuple[int, int]
Pause = tuple[int, int | None]
Windows = list[list[str]]

ODDITIES = [
    ("UTC", "2026-02-27"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/Sao_Paulo", "2018-11-04"),  # midnight itself is skipped
    ("America/Havana", "2026-11-01"),  # and here repeated
    ("America/St_Johns", "2011-03-13"),  # at one minute past midnight
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Almaty", "2024-03-01"),  # a zone that moves for good
    ("Asia/Pyongyang", "2018-05-05"),
    ("Asia/Kathmandu", "2025-12-31"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Antarctica/Troll", "2026-03-29"),  # two hours
    ("Pacific/Apia", "2011-12-30"),  # a day that was not
    ("Pacific/Kwajalein", "1969-10-01"),  # and one that was twice
    ("Pacific/Auckland", "2040-04-01"),  # by rule, not by list
]


@lru_cache(maxsize=len(ODDITIES))
def labels(zone: str, day: str) -> list[tuple[date, int]]:
    """Local date and minute of the day of each UTC minute; no zone that is used has seconds in its offset."""
    first, there = begin(day), ZoneInfo(zone)
    found = [(first + timedelta(minutes=m)).astimezone(there) for m in range(DAYS * 1440)]
    return [(local.date(), local.hour * 60 + local.minute) for local in found]


def begin(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(days=3)


@dataclass(frozen=True)
class Case:
    plain: dict[str, Any]
    day: str

    def at(self, micros: int) -> datetime:
        return begin(self.day) + timedelta(microseconds=micros)

    @property
    def has_windows(self) -> bool:
        hours, overrides = self.plain["hours"], self.plain["overrides"]
        return hours == "24/7" or any(hours.values()) or any(overrides.values())

    @cached_property
    def open(self) -> list[bool]:
        """For each minute, whether the calendar is open."""
        return self._minutes(self._own)

    @cached_property
    def taken(self) -> list[bool]:
        """For each minute, whether it lies in a window of the week that a holiday takes away."""
        return self._minutes(lambda day: [] if self._own(day) else self._usual(day))

    def _minutes(self, windows: Callable[[date], Windows]) -> list[bool]:
        where = labels(self.plain["timezone"], self.day)
        days = {
            day: whole_day(*(tuple(map(tuple, windows(day - timedelta(days=n)))) for n in (0, 1)))
            for day in {day for day, _ in where}
        }
        return [days[day][minute] for day, minute in where]

    def _own(self, day: date) -> Windows:
        if str(day) in self.plain["overrides"]:
            return self.plain["overrides"][str(day)]
        return [] if str(day) in self.plain["holidays"] else self._usual(day)

    def _usual(self, day: date) -> Windows:
        hours = self.plain["hours"]
        return [["00:00", "24:00"]] if hours == "24/7" else hours.get(WEEKDAYS[day.weekday()], [])

    def running(self, start: int, pauses: Sequence[Pause] = ()) -> Iterator[Span]:
        """What of each minute after `start` is open and under no pause."""
        for minute in range(start // MINUTE, len(self.open)):
            if self.open[minute]:
                pieces = [(max(minute * MINUTE, start), (minute + 1) * MINUTE)]
                for a, b in pauses:
                    pieces = [
                        piece for x, y in pieces for piece in ((x, min(y, a)), (max(x, END if b is None else b), y))
                    ]
                    pieces = [(x, y) for x, y in pieces if x < y]
                yield from pieces

    def elapsed(self, start: int, until: int, pauses: Sequence[Pause] = ()) -> int:
        return sum(min(b, until) - a for a, b in takewhile(lambda span: span[0] < until, self.running(start, pauses)))

    def reached(self, start: int, budget: int, pauses: Sequence[Pause] = ()) -> int | None:
        """None if it is not within the ten days."""
        for a, b in self.running(start, pauses):
            if budget <= b - a:
                return a + budget
            budget -= b - a
        return None


@lru_cache(maxsize=1000)
def whole_day(own: tuple[tuple[str, str], ...], evening_before: tuple[tuple[str, str], ...]) -> list[bool]:
    """Each minute of a day. Times compare as text: what does not end after it began ends on the next day."""
    return [
        any(a <= now and (now < b or b <= a) for a, b in own) or any(b <= a and now < b for a, b in evening_before)
        for now in NOWS
    ]


TIMES = st.sampled_from(["00:00", "01:00", "01:30", "02:00", "02:30", "03:00", "09:00", "18:00", "23:00"])
times = TIMES | st.integers(0, 1439).map(lambda m: f"{m // 60:02}:{m % 60:02}")
windows = st.lists(
    st.tuples(times, times | st.just("24:00")).filter(lambda w: w[0] != w[1]).map(list),
    max_size=3,
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Calendars of any hours, with holidays and overrides near the oddity of a zone."""
    zone, day = draw(st.sampled_from(ODDITIES))
    dates = st.integers(-4, 7).map(lambda n: str(date.fromisoformat(day) + timedelta(days=n)))
    hours = draw(st.just("24/7") | st.dictionaries(st.sampled_from(WEEKDAYS), windows) | alike)
    holidays, overrides = draw(st.lists(dates, max_size=3)), draw(st.dictionaries(dates, windows, max_size=3))
    return Case({"timezone": zone, "hours": hours, "holidays": holidays, "overrides": overrides}, day)


alike = windows.filter(bool).map(lambda w: dict.fromkeys(WEEKDAYS, w))
# An instant around the oddity, often on an hour or a minute; a length, from a microsecond to two days.
instants = (
    st.integers(0, 6 * 24).map(lambda h: h * 60 * MINUTE)
    | st.integers(0, 6 * 1440).map(lambda m: m * MINUTE)
    | st.integers(0, 6 * 1440 * MINUTE)
)
lengths = st.integers(1, 2880).map(lambda m: m * MINUTE) | st.integers(1, 2880 * MINUTE)

"""Working time: a week of opening hours in a time zone, with holidays and special days. Pure.

What "open" means:

- A window belongs to the local date on which it begins. It may end at 24:00 or run over midnight; several a day are
  allowed, and what overlaps is one.
- A holiday takes away the windows that begin on its date: the night shift of the evening before still ends in the
  morning. An override replaces them and beats a holiday; without windows it is a holiday. 24/7 is no exception.
- The calendar is open at an instant exactly if the local wall-clock time of that instant lies in a window, its start
  included, its end not. So the hour that a clock change skips is no working time, and the hour it repeats counts twice.

Instants go in as aware datetimes of any zone and come out in UTC. Inside they are whole microseconds since 1970, and
sums are kept per block of four years, so that a far deadline costs hardly more than a near one.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crm.sla.hours import (
    DAY,
    NO_WINDOWS,
    WHOLE_DAY,
    CalendarError,
    Hours,
    Windows,
    parse_windows,
    plain_windows,
    shown,
    united,
)
from crm.sla.offsets import BLOCK, END, EPOCH, at, length, micros, stretches

__all__ = ["ALWAYS", "WEEKDAYS", "Calendar", "CalendarError", "parse_date", "parse_zone"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALL_WEEK = (WHOLE_DAY,) * 7


class _Block(NamedTuple):
    """Four years: stretches of one offset each. At an instant of a stretch, `Hours.run(instant + offset) + base` is
    the working time since the block began; `through` is that at the stretch's end."""

    ends: list[int]
    offsets: list[int]
    bases: list[int]
    through: list[int]


@dataclass(frozen=True)
class Calendar:
    """Opening hours. `hours` has seven entries, Monday first. Equal calendars have equal fields and one plain form.

    Raises CalendarError for an unknown zone and for a calendar that never opens.
    """

    timezone: str
    hours: tuple[Windows, ...]
    holidays: tuple[date, ...] = ()
    overrides: tuple[tuple[date, Windows], ...] = ()

    def __post_init__(self) -> None:
        parse_zone(self.timezone)
        overrides = dict(self.overrides)
        closed = {*self.holidays, *(day for day, windows in overrides.items() if not windows)}
        opened = sorted((day, united(windows)) for day, windows in overrides.items() if windows)
        object.__setattr__(self, "hours", tuple(united(windows) for windows in self.hours))
        object.__setattr__(self, "holidays", tuple(sorted(closed - dict(opened).keys())))
        object.__setattr__(self, "overrides", tuple(opened))
        if not any(self.hours) and (not opened or self._reach((_number(opened[0][0]) - 2) * DAY, 1) is None):
            raise CalendarError("the calendar has no opening, ever")

    def is_open(self, instant: datetime) -> bool:
        return self.next_opening(instant) == instant

    def next_opening(self, instant: datetime) -> datetime | None:
        """The instant itself if it is open; None if no opening is left before the year 10000."""
        reached = self._reach(micros(instant), 1)
        return None if reached is None else at(reached - 1)

    def measure(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two instants, exactly; none if `end` is not after `start`."""
        since, until = micros(start), micros(end)
        if until <= since:
            return timedelta()
        if self._always:
            return timedelta(microseconds=until - since)
        (first, before), (last, after) = self._place(since), self._place(until)
        whole = sum(self._block(number).through[-1] for number in range(first, last))
        return timedelta(microseconds=whole + after - before)

    def add(self, start: datetime, run: timedelta) -> datetime:
        """The first instant, not before `start`, by which `run` of working time has passed.

        So time that is used up at closing is up at closing, and not at the next opening.
        Raises CalendarError if there is not so much before the year 10000.
        """
        reached = self._reach(micros(start), length(run))
        if reached is None:
            raise CalendarError("the calendar has no such working time left before the year 10000")
        return at(reached)

    def intervals(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Open stretches between two instants, in UTC, in order and apart."""
        return self._spans(self._hours, micros(start), micros(end))

    def taken(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Stretches between two instants in which the week would be open, on dates that a holiday closes."""
        return self._spans(self._taken, micros(start), micros(end)) if self.holidays else []

    def windows(self, day: date) -> Windows:
        """The windows that begin on a date, in minutes since its midnight, exceptions considered."""
        return self._exceptions.get(_number(day), self.hours[day.weekday()])

    @classmethod
    def from_plain(cls, plain: Any) -> "Calendar":
        """From the JSON form: `timezone`, `hours` ("24/7", or windows for each weekday that is not closed), and
        perhaps `holidays` (dates) and `overrides` (windows by date). Times are `HH:MM`, dates `YYYY-MM-DD`.

        Raises CalendarError, which names the place.
        """
        known = ("timezone", "hours", "holidays", "overrides")
        _object(plain, "calendar", known)
        for key in known[:2]:
            if key not in plain:
                raise CalendarError(f"calendar: {key} is missing")
        holidays, overrides = plain.get("holidays", []), plain.get("overrides", {})
        if not isinstance(holidays, list):
            raise CalendarError(f"holidays: a list of dates is needed, not {shown(holidays)}")
        _object(overrides, "overrides")
        return cls(
            parse_zone(plain["timezone"]),
            _week(plain["hours"]),
            tuple(parse_date(day, "holidays") for day in holidays),
            tuple((parse_date(day, "overrides"), parse_windows(w, f"overrides {day}")) for day, w in overrides.items()),
        )

    def as_plain(self) -> dict[str, Any]:
        """The JSON form, complete and in one order: equal calendars give equal text."""
        week = {name: plain_windows(w) for name, w in zip(WEEKDAYS, self.hours, strict=True) if w}
        return {
            "timezone": self.timezone,
            "hours": "24/7" if self.hours == _ALL_WEEK else week,
            "holidays": [day.isoformat() for day in self.holidays],
            "overrides": {day.isoformat(): plain_windows(windows) for day, windows in self.overrides},
        }

    @cached_property
    def _always(self) -> bool:
        return self.hours == _ALL_WEEK and not self.holidays and not self.overrides

    @cached_property
    def _exceptions(self) -> dict[int, Windows]:
        closed = dict.fromkeys(map(_number, self.holidays), NO_WINDOWS)
        return closed | {_number(day): windows for day, windows in self.overrides}

    @cached_property
    def _hours(self) -> Hours:
        return Hours(self.hours, self._exceptions)

    @cached_property
    def _taken(self) -> Hours:
        return Hours((NO_WINDOWS,) * 7, {_number(day): self.hours[day.weekday()] for day in self.holidays})

    @cached_property
    def _last_block(self) -> int:
        """After it nothing opens, or the years have no number."""
        return (END if any(self.hours) else (_number(self.overrides[-1][0]) + 3) * DAY) // BLOCK

    @cached_property
    def _blocks(self) -> dict[int, _Block]:
        return {}

    def _block(self, number: int) -> _Block:
        found = self._blocks.get(number)
        if found is None:
            found, done = _Block([], [], [], []), 0
            for begin, end, offset in stretches(self.timezone, number):
                base = done - self._hours.run(begin + offset)
                done = self._hours.run(end + offset) + base
                for column, value in zip(found, (end, offset, base, done), strict=True):
                    column.append(value)
            self._blocks[number] = found
        return found

    def _place(self, instant: int) -> tuple[int, int]:
        """The block of an instant, and the working time from the block's beginning to it."""
        number = instant // BLOCK
        block = self._block(number)
        i = bisect_right(block.ends, instant)
        return number, self._hours.run(instant + block.offsets[i]) + block.bases[i]

    def _reach(self, start: int, run: int) -> int | None:
        """The first instant by which `run` has passed since `start`; None if there is none."""
        if run <= 0:
            return start
        if start + run >= END:
            return None
        if self._always:
            return start + run
        number, done = self._place(start)
        run += done
        while run > (block := self._block(number)).through[-1]:
            run -= block.through[-1]
            number += 1
            if number > self._last_block:
                return None
        i = bisect_left(block.through, run)
        reached = self._hours.reach(run - block.bases[i]) - block.offsets[i]
        return reached if reached < END else None

    def _spans(self, hours: Hours, since: int, until: int) -> list[tuple[datetime, datetime]]:
        found: list[tuple[int, int]] = []
        for number in range(since // BLOCK, until // BLOCK + 1):
            for begin, end, offset in stretches(self.timezone, number):
                for a, b in hours.spans(max(begin, since) + offset, min(end, until) + offset):
                    if found and found[-1][1] == a - offset:
                        found[-1] = found[-1][0], b - offset
                    else:
                        found.append((a - offset, b - offset))
        return [(at(a), at(b)) for a, b in found]


def parse_zone(value: Any) -> str:
    """The name of a time zone that there is. Raises CalendarError."""
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        raise CalendarError(f"no time zone {shown(value)}") from None


def parse_date(value: Any, place: str) -> date:
    """A date from `YYYY-MM-DD`. Raises CalendarError, which names `place`."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
    except (ValueError, TypeError):
        pass
    raise CalendarError(f"{place}: a date is like 2026-03-23, not {shown(value)}")


def _week(value: Any) -> tuple[Windows, ...]:
    if value == "24/7":
        return _ALL_WEEK
    if not isinstance(value, dict):
        raise CalendarError(f'hours: "24/7" or windows by weekday are needed, not {shown(value)}')
    _object(value, "hours", WEEKDAYS)
    return tuple(parse_windows(value.get(name, []), f"hours {name}") for name in WEEKDAYS)


def _object(value: Any, place: str, known: tuple[str, ...] | None = None) -> None:
    if not isinstance(value, dict):
        raise CalendarError(f"{place}: an object is needed, not {shown(value)}")
    for key in value:
        if known is not None and key not in known:
            raise CalendarError(f"{place}: unknown {shown(key)}; there are {', '.join(known)}")


def _number(day: date) -> int:
    """Counted from 1970-01-01, as in `crm.sla.hours`."""
    return day.toordinal() - EPOCH.toordinal()


ALWAYS = Calendar("UTC", _ALL_WEEK)

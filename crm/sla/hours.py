"""Opening hours on a wall clock: how much of a week, with its exceptions, is open. Pure.

There is no time zone in here: an instant ("wall") is microseconds of wall-clock time since 1970-01-01 00:00, days are
numbered from that date, and each has 24 hours. `crm.sla.calendar` puts the time zone around it.

Nothing is enumerated: whole weeks are multiplied, and a sorted list of the days that differ says what to add.
"""

import re
import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
MIDNIGHT = 24 * 60
_FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday

# Open stretches that begin on one date: minutes since its midnight, in order, apart; past 1440 is the next date.
Windows = tuple[tuple[int, int], ...]
NO_WINDOWS: Windows = ()
WHOLE_DAY: Windows = ((0, MIDNIGHT),)


class CalendarError(ValueError):
    """A calendar is wrong or has run out of openings; the text says where and why in one line."""


class Day(NamedTuple):
    """What is open between two midnights, in microseconds: stretches, and how much was open before each of them."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def run(self, rest: int) -> int:
        """How much of the day is open before `rest`."""
        i = bisect_right(self.starts, rest) - 1
        return self.before[i] + min(rest, self.ends[i]) - self.starts[i] if i >= 0 else 0

    def reach(self, amount: int) -> int:
        """When `amount`, more than nothing and at most the total, has been open."""
        i = bisect_left(self.before, amount) - 1
        return self.starts[i] + amount - self.before[i]


class Hours:
    """A week of windows, Monday first, and days with windows of their own."""

    def __init__(self, week: Sequence[Windows], exceptions: Mapping[int, Windows]) -> None:
        self._windows, self._exceptions = week, exceptions
        self._week = [_day(week[n - 1], week[n]) for n in range(7)]
        self._week_before = list(accumulate((day.total for day in self._week), initial=0))
        # A night shift reaches into the day after, so that day differs as well.
        self._numbers = sorted({*exceptions, *(day + 1 for day in exceptions)})
        self._days = {n: _day(self._begins_on(n - 1), self._begins_on(n)) for n in self._numbers}
        differences = (self._days[n].total - self._week[weekday(n)].total for n in self._numbers)
        self._extra = list(accumulate(differences, initial=0))
        self._reached = [self._weekly(n) + extra for n, extra in zip(self._numbers, self._extra, strict=False)]

    def day(self, number: int) -> Day:
        """What is open between the midnights of that day, the end of a night shift included."""
        return self._days.get(number) or self._week[weekday(number)]

    def run(self, wall: int) -> int:
        """Open microseconds from a fixed origin to `wall`: the difference of two is what was open between them."""
        number, rest = divmod(wall, DAY)
        return self._weekly(number) + self._extra[bisect_left(self._numbers, number)] + self.day(number).run(rest)

    def reach(self, amount: int) -> int:
        """The first wall time at which `run` is `amount`; there must be one."""
        i = bisect_left(self._reached, amount)
        if i and amount - self._reached[i - 1] <= self._days[self._numbers[i - 1]].total:
            return self._numbers[i - 1] * DAY + self._days[self._numbers[i - 1]].reach(amount - self._reached[i - 1])
        # Counted from 1, so that what is used up at the end of a week belongs to that week.
        weeks, rest = divmod(amount - self._extra[i] - 1, self._week_before[7])
        n = bisect_left(self._week_before, rest + 1) - 1
        number = weeks * 7 + n - _FIRST_WEEKDAY
        return number * DAY + self._week[n].reach(rest + 1 - self._week_before[n])

    def spans(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Open stretches between two wall times, in order, cut at midnight."""
        for number in range(begin // DAY, -(-end // DAY)):
            day, midnight = self.day(number), number * DAY
            for start, stop in zip(day.starts, day.ends, strict=True):
                span = max(midnight + start, begin), min(midnight + stop, end)
                if span[0] < span[1]:
                    yield span

    def _begins_on(self, number: int) -> Windows:
        return self._exceptions.get(number, self._windows[weekday(number)])

    def _weekly(self, number: int) -> int:
        weeks, n = divmod(number + _FIRST_WEEKDAY, 7)
        return weeks * self._week_before[7] + self._week_before[n]


def weekday(number: int) -> int:
    """Of a day counted from 1970-01-01; Monday is 0."""
    return (number + _FIRST_WEEKDAY) % 7


def united(windows: Iterable[tuple[int, int]]) -> Windows:
    """The same time in order and apart: what overlaps or touches is one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return tuple(found)


@lru_cache(maxsize=1000)
def _day(evening_before: Windows, own: Windows) -> Day:
    nights = [(0, end - MIDNIGHT) for _, end in evening_before if end > MIDNIGHT]
    pieces = united([*nights, *((start, min(end, MIDNIGHT)) for start, end in own)])
    lengths = [(end - start) * MINUTE for start, end in pieces]
    *before, total = accumulate(lengths, initial=0)
    starts, ends = tuple(p[0] * MINUTE for p in pieces), tuple(p[1] * MINUTE for p in pieces)
    return Day(starts, ends, tuple(before), total)


def parse_windows(value: Any, place: str) -> Windows:
    """Windows from `[["22:00", "06:00"], …]`: two digits each; an end not after its start is on the next date.

    `24:00` may only end a window; equal times are refused, a whole day is `["00:00", "24:00"]`.
    Raises CalendarError, which names `place`.
    """
    if not isinstance(value, list | tuple):
        raise CalendarError(f"{place}: a list of windows is needed, not {shown(value)}")
    found = []
    for window in value:
        if not isinstance(window, list | tuple) or len(window) != 2:
            raise CalendarError(f'{place}: a window is like ["09:00", "18:00"], not {shown(window)}')
        start, end = (_minutes(time, place) for time in window)
        if start in (MIDNIGHT, end):
            raise CalendarError(f"{place}: a window cannot run from {window[0]} to {window[1]}")
        found.append((start, end if end > start else end + MIDNIGHT))
    return united(found)


def plain_windows(windows: Windows) -> list[list[str]]:
    """What `parse_windows` reads back as the same windows."""
    found = []
    for start, end in windows:
        if end > MIDNIGHT and end - MIDNIGHT >= start:
            # More than a day cannot be said in one pair of times; any two that overlap across midnight say it.
            found += [[_time(start), "24:00"], ["23:59", _time(end)]]
        else:
            found.append([_time(start), _time(end)])
    return found


def shown(value: Any) -> str:
    """A value from outside, short and in one line, for the text of an error."""
    return reprlib.repr(value)


def _minutes(value: Any, place: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", value):
        raise CalendarError(f"{place}: a time is from 00:00 to 24:00, not {shown(value)}")
    return int(value[:2]) * 60 + int(value[3:])


def _time(minutes: int) -> str:
    hour, minute = divmod(minutes if minutes <= MIDNIGHT else minutes - MIDNIGHT, 60)
    return f"{hour:02}:{minute:02}"

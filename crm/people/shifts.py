"""When an agent is on duty: the weekly shifts, and what was said otherwise. Pure.

Shifts are wall-clock time of the desk's zone, as opening hours are, so a night in which the clocks change is shorter or
longer by an hour. Public holidays take none away: whoever has a shift then is on duty. Instants are aware UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm.sla.calendar import Calendar
from crm.sla.hours import NO_WINDOWS

# Any week has its shifts in it, even one that lost a night to a change of the clocks.
FORTNIGHT = timedelta(days=14)
Stretch = tuple[datetime, datetime]


class Shift(NamedTuple):
    """Minutes since midnight of the weekday (Monday is 0) on which it begins; past 1440 is the next day."""

    weekday: int
    starts: int
    ends: int


class Override(NamedTuple):
    """On or off duty for a stretch, whatever the shifts say; without an end until somebody says otherwise."""

    on: bool
    starts_at: datetime
    ends_at: datetime | None

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant and (self.ends_at is None or instant < self.ends_at)


@lru_cache(maxsize=1000)
def week(timezone: str, shifts: tuple[Shift, ...]) -> Calendar | None:
    """The shifts as opening hours; None if there are none."""
    if not shifts:
        return None
    return Calendar(timezone, tuple(tuple((s.starts, s.ends) for s in shifts if s.weekday == n) for n in range(7)))


@dataclass(frozen=True, slots=True)
class Duty:
    """What decides for one agent: of the overrides that cover an instant the last counts, then the shifts, and for
    an agent without any the plain word `otherwise`."""

    shifts: Calendar | None
    overrides: tuple[Override, ...]
    otherwise: bool

    @property
    def plain(self) -> bool:
        """Nothing but a word: neither shifts nor anything for a stretch."""
        return self.shifts is None and not self.overrides

    def on(self, instant: datetime) -> bool:
        for override in reversed(self.overrides):
            if override.covers(instant):
                return override.on
        return self.otherwise if self.shifts is None else self.shifts.is_open(instant)

    def changes_at(self, instant: datetime) -> datetime | None:
        """When it is next the other way round; None if never."""
        last = max([instant, *self._said()]) + FORTNIGHT
        return next((at for at in self._edges(instant, last) if self.on(at) != self.on(instant)), None)

    def stretches(self, since: datetime, until: datetime) -> list[Stretch]:
        """When the agent is on duty between two instants, in order and apart."""
        found: list[Stretch] = []
        edges = [since, *self._edges(since, until), until]
        for begin, end in pairwise(edges):
            if self.on(begin):
                joined = found.pop()[0] if found and found[-1][1] == begin else begin
                found.append((joined, end))
        return found

    def begun_on(self, day: date) -> list[Stretch]:
        """The shifts of the week that begin on a date, whatever was said otherwise."""
        if self.shifts is None or not self.shifts.hours[day.weekday()]:
            return []
        alone = tuple(w if n == day.weekday() else NO_WINDOWS for n, w in enumerate(self.shifts.hours))
        midnight = datetime.combine(day, time(), ZoneInfo(self.shifts.timezone)).astimezone(UTC)
        return Calendar(self.shifts.timezone, alone).intervals(midnight, midnight + timedelta(days=3))

    def _said(self) -> Iterable[datetime]:
        return (at for override in self.overrides for at in (override.starts_at, override.ends_at) if at is not None)

    def _edges(self, since: datetime, until: datetime) -> list[datetime]:
        """Moments strictly between the two at which something may change."""
        moments = {*self._said()}
        if self.shifts is not None:
            moments |= {at for stretch in self.shifts.intervals(since, until) for at in stretch}
        return sorted(at for at in moments if since < at < until)

"""Pure arithmetic of promises: budgets of running time, pauses, deadlines, and how they came about.

No database and no clock in here. All instants are aware UTC; budgets are in seconds. The clock runs while the calendar
is open and no pause lies over it: a pause stops it, and neither adds wall time nor counts twice.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from crm.sla.calendar import ALWAYS, Calendar


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stood from `start` until `end`; an open pause has no end. `kind` says what was waited for."""

    start: datetime
    end: datetime | None
    kind: str = "pending"


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a ticket's time: `running`, `closed`, `holiday`, or the kind of the pause that lies over it."""

    start: datetime
    end: datetime
    kind: str


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The same standing time without overlaps, in order; of pauses that are joined the first gives its kind."""
    result: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: p.start):
        last = result[-1] if result else None
        if last is None or (last.end is not None and pause.start > last.end):
            result.append(pause)
        elif last.end is not None and (pause.end is None or pause.end > last.end):
            result[-1] = replace(last, end=pause.end)
    return result


def known_at(moment: datetime, pauses: Iterable[Pause]) -> list[Pause]:
    """The pauses up to a moment, as if nothing waited any longer from then on."""
    return [replace(p, end=min(p.end or moment, moment)) for p in pauses if p.start <= moment]


def reached(
    start: datetime, seconds: float, pauses: Iterable[Pause] = (), calendar: Calendar = ALWAYS
) -> datetime | None:
    """When the clock, running from `start`, has run `seconds`; None if an open pause comes before.

    Used up at closing means due at closing; an open pause that begins at that very moment changes nothing.
    Raises CalendarError if the calendar has not so much working time left.
    """
    at, left = start, timedelta(seconds=seconds)
    for pause in merged(pauses):
        if pause.end is not None and pause.end <= at:
            continue
        run = calendar.measure(at, pause.start)
        if run >= left:
            break
        if pause.end is None:
            return None
        left -= run
        at = max(at, pause.end)
    return calendar.add(at, left)


def elapsed(start: datetime, until: datetime, pauses: Iterable[Pause] = (), calendar: Calendar = ALWAYS) -> float:
    """Seconds that the clock ran between the two instants."""
    run = calendar.measure(start, until)
    for pause in merged(pauses):
        run -= calendar.measure(max(pause.start, start), until if pause.end is None else min(pause.end, until))
    return run.total_seconds()


def explained(
    start: datetime, until: datetime, pauses: Iterable[Pause] = (), calendar: Calendar = ALWAYS
) -> list[Interval]:
    """What the time between the two instants was, without gaps or overlaps; what ran adds up to `elapsed`.

    Where pauses overlap, the one that began first is named, also over closed hours. A holiday is only what the week
    would have been open: the night around it is `closed` as any other.
    """
    ledger = sorted(pauses, key=lambda p: p.start)
    opened, taken = calendar.intervals(start, until), calendar.taken(start, until)
    spans = [*((p.start, p.end or until) for p in ledger), *opened, *taken]
    bounds = {at for span in spans for at in span if start < at < until}
    result: list[Interval] = []
    for begin, end in pairwise([start, *sorted(bounds), until] if start < until else []):
        standing = next((p.kind for p in ledger if p.start <= begin < (p.end or until)), None)
        kind = standing or ("running" if _covered(opened, begin) else "holiday" if _covered(taken, begin) else "closed")
        if result and result[-1].kind == kind:
            result[-1] = replace(result[-1], end=end)
        else:
            result.append(Interval(begin, end, kind))
    return result


def _covered(spans: Sequence[tuple[datetime, datetime]], instant: datetime) -> bool:
    """Whether one of the spans, which are in order and apart, holds the instant."""
    i = bisect_right(spans, instant, key=lambda span: span[0]) - 1
    return i >= 0 and instant < spans[i][1]

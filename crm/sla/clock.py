"""Pure arithmetic of promises: budgets of running time, pauses, deadlines.

No database and no clock in here. All instants are aware UTC; budgets are in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# Shares of the budget at which the engineers are warned; after them comes the breach (design).
WARNINGS = (0.5, 0.8)
BREACH = len(WARNINGS)


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stood from `start` until `end`; an open pause has no end."""

    start: datetime
    end: datetime | None


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The same standing time without overlaps, in order."""
    result: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: p.start):
        last = result[-1] if result else None
        if last is None or (last.end is not None and pause.start > last.end):
            result.append(pause)
        elif last.end is not None and (pause.end is None or pause.end > last.end):
            result[-1] = Pause(last.start, pause.end)
    return result


def reached(start: datetime, seconds: float, pauses: Iterable[Pause] = ()) -> datetime | None:
    """When the clock, running from `start`, has run `seconds`; None if an open pause comes before."""
    at, left = start, timedelta(seconds=seconds)
    for pause in merged(pauses):
        if pause.end is not None and pause.end <= at:
            continue
        run = pause.start - at
        if run >= left:
            break
        if pause.end is None:
            return None
        left -= max(run, timedelta())
        at = max(at, pause.end)
    return at + left


def elapsed(start: datetime, until: datetime, pauses: Iterable[Pause] = ()) -> float:
    """Seconds that the clock ran between the two instants."""
    standing = timedelta()
    for pause in merged(pauses):
        begin, end = max(pause.start, start), min(pause.end or until, until)
        standing += max(end - begin, timedelta())
    return (max(until - start, timedelta()) - standing).total_seconds()


def step_at(start: datetime, budget: int, stage: int, pauses: Iterable[Pause] = ()) -> datetime | None:
    """When the step after `stage` falls: a warning, or the breach; None if none is left or the clock stands."""
    if stage > BREACH:
        return None
    share = WARNINGS[stage] if stage < BREACH else 1.0
    return reached(start, budget * share, pauses)

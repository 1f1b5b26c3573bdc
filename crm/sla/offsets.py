"""A time zone as stretches of one offset each, in whole microseconds since 1970-01-01 UTC. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from crm.sla.hours import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
# Four years: a hundredth of the 400 after which the Gregorian calendar, weekdays included, begins anew.
BLOCK = 146_097 * DAY // 100
_CYCLE = 100
# No zone has ever changed its offset twice within three days; since 1944 at least a week lay between two changes.
_PROBE = 3 * DAY


def length(span: timedelta) -> int:
    """In microseconds, exactly."""
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds


def micros(instant: datetime) -> int:
    return length(instant - EPOCH)


def at(instant: int) -> datetime:
    """As a datetime in UTC. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=instant)


END = micros(datetime.max.replace(tzinfo=UTC)) + 1


@lru_cache(maxsize=10_000)
def stretches(timezone: str, block: int) -> tuple[tuple[int, int, int], ...]:
    """Begin, end and offset from UTC of each stretch in a block of four years; block 0 begins in 1970.

    zoneinfo keeps no list of its changes to read, so they are looked for; but not in every far century: before the
    year 1570 no zone has changed, and long before 2370 all of them have come to rules that repeat with the calendar.
    """
    if -2 * _CYCLE <= block < 2 * _CYCLE:
        return _found(timezone, block)
    alike = block % _CYCLE + (_CYCLE if block > 0 else -2 * _CYCLE)
    shift = (block - alike) * BLOCK
    return tuple((begin + shift, end + shift, offset) for begin, end, offset in stretches(timezone, alike))


def _found(timezone: str, block: int) -> tuple[tuple[int, int, int], ...]:
    zone = ZoneInfo(timezone)

    def offset(instant: int) -> int:
        return length(at(instant).astimezone(zone).utcoffset() or timedelta())

    begin, end = block * BLOCK, (block + 1) * BLOCK
    starts = [(begin, offset(begin))]
    before = begin
    for probe in (*range(begin + _PROBE, end, _PROBE), end):
        after = offset(probe)
        if after != starts[-1][1]:
            starts.append((_first_second(offset, after, before, probe), after))
        before = probe
    ends = [start for start, _ in starts[1:]] + [end]
    return tuple((start, stop, value) for (start, value), stop in zip(starts, ends, strict=True) if start < stop)


def _first_second(offset: Callable[[int], int], wanted: int, before: int, after: int) -> int:
    """The first second of the `wanted` offset, which is not yet that `before`, but is `after`; found by halving."""
    while after - before > SECOND:
        middle = (before + after) // 2 // SECOND * SECOND
        if offset(middle) == wanted:
            after = middle
        else:
            before = middle
    return after

"""How a deadline came about: the time of a promise as intervals with their kinds, and the sum. Pure.

An account runs from the start of the promise until it was met, or else until it is due, or until now if that is later.
Intervals leave no gap and do not overlap; what ran adds up to `clock.elapsed`, and until it is due, to the budget.
For people days of one pattern are put together: a month of nights is not a hundred lines.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from crm.sla.calendar import Calendar
from crm.sla.clock import Interval, Pause, explained
from crm.sla.policy import Terms

RUNNING, ENDED = "running", "ended"
# A window of the weekly maintenance is shorter.
_WEEK = timedelta(days=7)
MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Promise:
    """What is explained: a stored promise. `due_at` is what was written down."""

    metric: str
    terms: Terms
    started_at: datetime
    budget: int
    due_at: datetime
    met_at: datetime | None
    breached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """`past` reaches until now or until it was met, `ahead` from there until it is due.

    `ran` is what the clock has run in `past`; `due_at` None: an open pause comes before, and the moment moves with
    every minute that it lasts. `stands` is the interval in which the clock stands now.
    """

    promise: Promise
    past: tuple[Interval, ...]
    ahead: tuple[Interval, ...]
    ran: timedelta
    due_at: datetime | None
    stands: Interval | None

    @property
    def budget(self) -> timedelta:
        return timedelta(seconds=self.promise.budget)

    @property
    def calendar(self) -> Calendar:
        return self.promise.terms.calendar

    @property
    def late(self) -> bool:
        """It was broken, or is."""
        met, breached = self.promise.met_at, self.promise.breached_at
        return breached is not None or (met is None and self.due_at is not None and self.ran > self.budget)


def account(promise: Promise, pauses: Sequence[Pause], now: datetime) -> Account:
    """`pauses` are all of the ticket and of the announced maintenance; which count, the terms say."""
    start, terms = promise.started_at, promise.terms
    counted = [pause for pause in pauses if pause.kind in terms.stops]
    due = terms.reached(start, promise.budget, counted)
    here = max(start, promise.met_at or now)
    past = _intervals(terms, pauses, start, here)
    ahead = _intervals(terms, pauses, here, due) if promise.met_at is None and due is not None else ()
    stands = _stands(terms, pauses, here) if promise.met_at is None else None
    return Account(promise, past, ahead, running(past), due, stands)


def _intervals(terms: Terms, pauses: Sequence[Pause], since: datetime, until: datetime) -> tuple[Interval, ...]:
    return tuple(explained(since, until, map(_named, terms.standing(pauses, since, until)), terms.calendar))


def _named(pause: Pause) -> Pause:
    """`closed` means hours here: the pause of a ticket that was closed or declined has a name of its own."""
    return replace(pause, kind=ENDED) if pause.kind in ("closed", "declined") else pause


def _stands(terms: Terms, pauses: Sequence[Pause], here: datetime) -> Interval | None:
    """The pause in which the clock stands now, from its true beginning to its end; an open one, before all others,
    lasts until now."""
    nearby = map(_named, terms.standing(pauses, here - _WEEK, here + _WEEK))
    over = [pause for pause in nearby if pause.start <= here and (pause.end is None or here < pause.end)]
    found = min(over, key=lambda p: (p.end is not None, p.start), default=None)
    return None if found is None else Interval(found.start, found.end or here, found.kind)


def running(intervals: Iterable[Interval]) -> timedelta:
    return sum((i.end - i.start for i in intervals if i.kind == RUNNING), timedelta())


# --- for people ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one day by the wall clock; what lasts until its end ends at midnight."""

    begin: time
    end: time
    kind: str


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a row with the same pieces: what they hold but closed hours, and how long each kind lasts in all."""

    first: date
    last: date
    pieces: tuple[Piece, ...]
    lengths: tuple[tuple[str, timedelta], ...]


def in_days(intervals: Sequence[Interval], timezone: str) -> list[Days]:
    """The same time, a line for each run of days of one pattern in that zone."""
    zone = ZoneInfo(timezone)
    found: list[Days] = []
    for day, parts in groupby(_split(intervals, zone), key=lambda part: part.start.astimezone(zone).date()):
        held = list(parts)
        pieces, lengths = _pieces(held, zone), _lengths(held)
        last = found[-1] if found else None
        if last is not None and last.pieces == pieces and last.last + timedelta(days=1) == day:
            found[-1] = Days(last.first, day, pieces, _added(last.lengths, lengths))
        else:
            found.append(Days(day, day, pieces, lengths))
    return found


def _split(intervals: Sequence[Interval], zone: ZoneInfo) -> Iterator[Interval]:
    """At every midnight of the zone."""
    for interval in intervals:
        begin = interval.start
        while begin < interval.end:
            day = begin.astimezone(zone).date() + timedelta(days=1)
            # Back to UTC at once: instants of one zone are compared by the wall clock.
            midnight = datetime.combine(day, MIDNIGHT, zone).astimezone(begin.tzinfo)
            end = min(interval.end, midnight) if midnight > begin else interval.end
            yield Interval(begin, end, interval.kind)
            begin = end


def _pieces(held: Iterable[Interval], zone: ZoneInfo) -> tuple[Piece, ...]:
    return tuple(Piece(_wall(i.start, zone), _wall(i.end, zone), i.kind) for i in held)


def _wall(instant: datetime, zone: ZoneInfo) -> time:
    return instant.astimezone(zone).time()


def _lengths(held: Iterable[Interval]) -> tuple[tuple[str, timedelta], ...]:
    found: dict[str, timedelta] = {}
    for interval in held:
        found[interval.kind] = found.get(interval.kind, timedelta()) + interval.end - interval.start
    return tuple(found.items())


def _added(
    some: Iterable[tuple[str, timedelta]], more: Iterable[tuple[str, timedelta]]
) -> tuple[tuple[str, timedelta], ...]:
    found = dict(some)
    for kind, length in more:
        found[kind] = found.get(kind, timedelta()) + length
    return tuple(found.items())

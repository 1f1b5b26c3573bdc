"""When the steps of a promise fall: warnings, the breach, what follows it. Pure.

Which steps are behind is a bit each: one that waits for morning is not forgotten when a later one comes first.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from crm.sla.calendar import Calendar
from crm.sla.clock import Pause
from crm.sla.policy import Terms

# A calendar of the profile by its name; None for one that it no longer has.
Hours = Callable[[str], Calendar | None]


def worth_telling(missed: int) -> bool:
    """Whether a round is still told of after so many that were missed in a row: the first ones, then at twice the
    distance each time, so that what nobody touches is neither forgotten nor a noise that nobody hears."""
    return missed <= 2 or missed & (missed + 1) == 0


def ledger(pauses: Iterable[Pause], terms: Terms) -> list[Pause]:
    """The pauses that stop a clock with these terms."""
    return [pause for pause in pauses if pause.kind in terms.stops]


def falls_at(place: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms) -> datetime | None:
    """The true moment of a step; None while an open pause comes before it. `pauses` are those that count."""
    return terms.reached(start, terms.steps[place].seconds(budget), pauses)


def told_at(
    place: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms, hours: Hours, now: datetime
) -> datetime | None:
    """The moment at which a step is carried out: in the hours of those whom it tells, be it late."""
    at = falls_at(place, start, budget, pauses, terms)
    name = terms.steps[place].hours
    calendar = hours(name) if name else None
    return calendar.next_opening(max(at, now)) if calendar and at else at


def left(behind: int, terms: Terms) -> list[int]:
    """Places of the steps that are not behind; `behind` has a bit for each."""
    return [place for place in range(len(terms.steps)) if not behind >> place & 1]


def passed(places: Iterable[int], behind: int, terms: Terms) -> int:
    """`behind` with these steps as well. What is broken needs no more warnings, but for those who are still asleep."""
    for place in places:
        behind |= 1 << place
    if behind >> terms.breach & 1:
        behind |= sum(1 << place for place in range(terms.breach) if terms.steps[place].hours is None)
    return behind


def still_behind(
    behind: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms, now: datetime
) -> int:
    """Of the steps behind, those that have fallen by now: the others of a promise that was changed are done anew."""
    known = list(pauses)
    moments = ((place, falls_at(place, start, budget, known, terms)) for place in range(len(terms.steps)))
    return behind & sum(1 << place for place, at in moments if at is not None and at <= now)


def next_at(
    behind: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms, hours: Hours, now: datetime
) -> datetime | None:
    """When something is to be done next; a step that waits for morning delays no other."""
    known = list(pauses)
    moments = (told_at(place, start, budget, known, terms, hours, now) for place in left(behind, terms))
    return min((at for at in moments if at is not None), default=None)

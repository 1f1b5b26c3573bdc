"""When the steps of a promise fall: warnings, the breach, what follows it. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from crm.sla.calendar import Calendar
from crm.sla.clock import Pause
from crm.sla.policy import Terms

# A calendar of the profile by its name; None for one that it no longer has.
Hours = Callable[[str], Calendar | None]
# Which steps are behind, a bit each: one that waits for morning is not lost when a later one comes first.
NONE_BEHIND = 0


def ahead(stage: int, terms: Terms) -> list[int]:
    """The places of the steps that are still to come."""
    return [place for place in range(len(terms.steps)) if not stage >> place & 1]


def ledger(pauses: Iterable[Pause], terms: Terms) -> list[Pause]:
    """The pauses that stop a clock with these terms."""
    return [pause for pause in pauses if pause.kind in terms.stops]


def falls_at(place: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms) -> datetime | None:
    """The true moment of a step; None while an open pause comes before it. `pauses` are those that count."""
    return terms.reached(start, terms.steps[place].seconds(budget), pauses)


def told_at(
    place: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms, hours: Hours
) -> datetime | None:
    """The moment at which a step is carried out: in the hours of those whom it tells."""
    at = falls_at(place, start, budget, pauses, terms)
    name = terms.steps[place].hours
    calendar = hours(name) if name else None
    return calendar.next_opening(at) if calendar and at else at


def next_at(
    stage: int, start: datetime, budget: int, pauses: Iterable[Pause], terms: Terms, hours: Hours
) -> datetime | None:
    """When something is to be done next; one that waits for morning delays no other."""
    known = list(pauses)
    moments = (told_at(place, start, budget, known, terms, hours) for place in ahead(stage, terms))
    return min((at for at in moments if at is not None), default=None)

"""The requester hears each time a promise moves, and why."""

from collections.abc import Sequence

from crm.db import Session
from crm.desks import Profile
from crm.outbox import Outgoing
from crm.people.reach import reach
from crm.sla.targets import Moved
from crm.tickets import outward
from crm.tickets.models import Ticket

# Word of us while something lasts is kept, not announced; a transfer is nobody's matter but ours.
SHOWN = ("first_response", "next_response", "resolution")


async def told(
    session: Session, profile: Profile, ticket: Ticket, moved: Sequence[Moved], reason: str
) -> list[Outgoing]:
    """One notice for all that has moved; `reason` is a word of the view: `maintenance`, `transfer`, `contract`."""
    promises = [{"metric": one.metric, "due_at": one.due_at} for one in moved if one.metric in SHOWN]
    where = await reach(session, ticket.id) if promises else None
    if where is None:
        return []
    facts = {"reference": ticket.reference, "reason": reason, "promises": promises}
    return [outward.say_to_requester(profile.name, where, ticket.id, "moved", **facts)]

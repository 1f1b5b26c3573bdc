"""What is told of an action: lines of the ticket's log, notices for the topic and for whoever asked."""

from datetime import datetime
from typing import Any

from crm import journal
from crm.cloud.models import CloudAction
from crm.db import Session
from crm.desks import Profile
from crm.journal import Actor
from crm.outbox import Outgoing, Priority
from crm.people.reach import reach
from crm.tickets import outward
from crm.tickets.models import Ticket

# So many of a hash are shown to people.
DIGITS = 8


def told(action: CloudAction, actor: Actor, kind: str, now: datetime, **data: Any) -> dict[str, Any]:
    """A line of the ticket's log; it names the action and the hash of what it is."""
    facts = {"action": action.id, "kind": action.kind, "title": action.title, "digest": action.digest.hex()}
    # Without a ticket nobody calls this.
    return journal.event(action.ticket_id or 0, actor, kind, now, **{**data, "what": facts})


def facts_of(action: CloudAction) -> dict[str, Any]:
    """What a notice shows of it."""
    return {
        "action": action.id,
        "what": action.kind,
        "title": action.title,
        "parameters": action.parameters,
        "digest": action.digest.hex()[:DIGITS],
        "state": action.state,
        "reason": action.reason,
        "said": action.said,
    }


def to_topic(profile: Profile, ticket: Ticket, action: CloudAction, notice: str, **more: Any) -> Outgoing:
    facts = {**facts_of(action), **more}
    return outward.say_in_topic(profile.name, ticket.group_id, ticket.id, notice, Priority.TOPIC, **facts)


async def to_requester(
    session: Session, profile: Profile, ticket: Ticket, action: CloudAction, notice: str, **more: Any
) -> list[Outgoing]:
    where = await reach(session, ticket.id)
    if where is None:
        return []
    facts = {"reference": ticket.reference, **facts_of(action), **more}
    return [outward.say_to_requester(profile.name, where, ticket.id, notice, **facts)]


def drawn(profile: Profile, ticket: Ticket, now: datetime) -> list[Outgoing]:
    ticket.updated_at = now
    return [outward.card(profile.name, ticket.group_id, ticket.id, now)]

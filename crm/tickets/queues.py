"""Transfers: a ticket becomes another queue's work, which is to take it over in time."""

from datetime import datetime

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import WrongInput, WrongStatus
from crm.outbox import Priority
from crm.people.models import Agent
from crm.people.service import actor_of
from crm.sla import keeping, targets
from crm.sla.policy import TRANSFER
from crm.tickets import moves, outward, status
from crm.tickets.models import Ticket
from crm.tickets.service import load


async def transfer(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, queue: str, now: datetime
) -> Ticket:
    """Nobody's until somebody of the other queue takes it; promises are counted anew from the same start.

    Raises WrongInput for a queue that is not there or has it already, WrongStatus for a ticket that is not in work.
    """
    ticket = await load(session, profile.name, ticket_id)
    if profile.queue(queue) is None or queue == ticket.queue:
        raise WrongInput(what="queue")
    if ticket.status not in status.ACTIVE:
        raise WrongStatus(status=ticket.status)
    before, ticket.queue, ticket.assignee_id, ticket.updated_at = ticket.queue, queue, None, now
    moved = await keeping.recompute(session, profile, ticket, now)
    await _to_be_taken(session, profile, ticket, now)
    changes = Changes()
    changes.events.append(journal.event(ticket.id, actor_of(agent), "transferred", now, before=before, after=queue))
    said = {"name": agent.name, "before": before, "queue": queue}
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "transferred", Priority.TOPIC, **said)
    )
    changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    changes.outgoing += await moves.told(session, profile, ticket, [moved] if moved else [], "transfer")
    await changes.write(session, profile.name, now)
    return ticket


async def _to_be_taken(session: Session, profile: Profile, ticket: Ticket, now: datetime) -> None:
    """The new queue is to take it over in time, if it has a target for that; what the former owed is settled."""
    await keeping.meet(session, profile, ticket.id, (TRANSFER,), now)
    promised = profile.promises.accepted(ticket.queue, now)
    if promised is not None:
        former = (await targets.of_ticket(session, ticket.id)).get(TRANSFER)
        await keeping.promise(session, profile, ticket.id, promised, former, now)

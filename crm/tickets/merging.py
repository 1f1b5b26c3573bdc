"""Merging: what turns out to be one request goes on as one ticket, and whatever is written to the other lands there."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAllowed, NotFound, WrongInput, WrongStatus
from crm.outbox import Outgoing, Priority
from crm.people.models import Agent
from crm.people.reach import reach
from crm.people.service import actor_of
from crm.sla import keeping
from crm.sla.policy import METRICS, TRANSFER
from crm.tickets import outward, queries, status
from crm.tickets.models import DeskGroup, Ticket
from crm.tickets.service import change_status, load

ANSWERS = {"first_response", "next_response"}
_FOLLOW = """
    insert into follower (ticket_id, address, name, added_at)
    select $2, address, name, added_at from follower where ticket_id = $1 on conflict do nothing
"""


async def merge(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, reference: str, now: datetime
) -> Ticket:
    """The ticket is closed, and goes on in the one with that reference; gives that one.

    Its promises end: what was late by now stays late, nothing becomes so later. The other keeps its own, from its own
    start, and owes an answer to what nobody had answered here. Opening the ticket again takes it back.

    Raises NotFound for a reference that is not there, WrongInput for the ticket's own, NotAllowed for a ticket of
    somebody else, be it a colleague: answers would reach the wrong person. WrongStatus if one of them is not in work.
    """
    found = await queries.by_reference(session, reference)
    if found is None:
        raise NotFound(what="merge")
    if found.id == ticket_id:
        raise WrongInput(what="merge")
    merged, into = await _both(session, profile, ticket_id, found.id)
    if merged.requester_id != into.requester_id:
        raise NotAllowed(what="merge")
    status.after("merge", merged.status)
    if into.status not in status.ACTIVE:
        raise WrongStatus(status=into.status, what="merge")
    owed = await keeping.meet(session, profile, merged.id, (*METRICS, TRANSFER), now)
    changes = Changes()
    actor = actor_of(agent)
    await change_status(session, profile, merged.id, "merge", actor, None, now, changes, into=into.reference)
    merged.merged_into_id, into.updated_at = into.id, now
    await session.execute(update(Ticket).where(Ticket.merged_into_id == merged.id).values(merged_into_id=into.id))
    await session.rows(_FOLLOW, merged.id, into.id)
    if ANSWERS.intersection(owed):
        await keeping.heard(session, profile, into, now)
    changes.events.append(journal.event(into.id, actor, "merge", now, merged=merged.reference))
    changes.outgoing += [
        await _told(session, profile, merged, "merged_into", into, agent),
        await _told(session, profile, into, "merged_from", merged, agent),
        *outward.shown(profile.name, into.group_id, into.id, now),
    ]
    where = await reach(session, into.id)
    if where is not None:
        facts: dict[str, Any] = {"reference": merged.reference, "into": into.reference}
        changes.outgoing.append(outward.say_to_requester(profile.name, where, into.id, "merged", **facts))
    await changes.write(session, profile.name, now)
    return into


async def _both(session: Session, profile: Profile, one: int, other: int) -> tuple[Ticket, Ticket]:
    """Both, locked with those that were merged into the first, in the order of their ids, as by everybody who needs
    several."""
    followers = await session.scalars(select(Ticket.id).where(Ticket.merged_into_id == one))
    tickets = {number: await load(session, profile.name, number) for number in sorted({one, other, *followers})}
    return tickets[one], tickets[other]


async def _told(
    session: Session, profile: Profile, ticket: Ticket, notice: str, other: Ticket, agent: Agent
) -> Outgoing:
    """In the topic of one, with the way to the other's."""
    facts: dict[str, Any] = {"name": agent.name, "reference": other.reference, "subject": other.subject}
    facts["thread"] = other.thread_id
    facts["chat"] = await session.scalar(select(DeskGroup.chat_id).where(DeskGroup.id == other.group_id))
    return outward.say_in_topic(profile.name, ticket.group_id, ticket.id, notice, Priority.TOPIC, **facts)

"""What agents do with a ticket: answer, note, take, ask, resolve, decline, reopen, set what it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import select, text

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Priority as TicketPriority
from crm.desks import Profile
from crm.errors import AlreadyTaken, NotFound, WrongInput, WrongStatus
from crm.outbox import Outgoing, Priority
from crm.people.models import Agent
from crm.people.reach import reach, readers
from crm.people.service import actor_of
from crm.sla import keeping
from crm.sla.policy import METRICS, TRANSFER
from crm.sla.targets import Moved
from crm.tickets import outward, status
from crm.tickets.assignment import named
from crm.tickets.models import DeskGroup, Ticket
from crm.tickets.service import change_status, load
from crm.tickets.written import Written, origin_pairs

# What a public reply fulfils.
ANSWERS = ("first_response", "next_response", TRANSFER)


async def ticket_in_topic(session: Session, desk: str, chat_id: int, thread_id: int) -> Ticket:
    """The ticket whose topic this is. Raises NotFound in General and in foreign topics."""
    found = await session.scalars(
        select(Ticket)
        .join(DeskGroup, DeskGroup.id == Ticket.group_id)
        .where(DeskGroup.desk == desk, DeskGroup.chat_id == chat_id, Ticket.thread_id == thread_id)
    )
    ticket = found.one_or_none()
    if ticket is None:
        raise NotFound(what="topic")
    return ticket


async def write(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket_id: int,
    kind: str,
    written: Written,
    now: datetime,
) -> int:
    """An agent's public reply or internal note; gives the message's id.

    Only a public reply counts as a response (prodata 5.3). Raises WrongStatus for a reply to a ticket that is
    closed or declined.
    """
    ticket = await load(session, profile.name, ticket_id)
    changes = Changes()
    message_id = (await session.execute(text("select nextval('message_id_seq')"))).scalar_one()
    changes.messages.append(
        {
            "id": message_id,
            "desk": profile.name,
            "ticket_id": ticket_id,
            "requester_id": ticket.requester_id,
            "kind": kind,
            "author_kind": "agent",
            "author_id": agent.id,
            "author_name": agent.name,
            "channel": "telegram",
            "content": written.content,
            "album_id": written.album,
            "sent_at": written.sent_at,
        }
    )
    changes.pairs += origin_pairs(profile.name, ticket_id, message_id, written)
    event = "replied" if kind == "public" else "noted"
    changes.events.append(journal.event(ticket_id, actor_of(agent), event, now, message=message_id))
    if kind == "public":
        await _answered(session, profile, agent, ticket, message_id, written, now, changes)
    await changes.write(session, profile.name, now)
    return int(message_id)


async def _answered(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket: Ticket,
    message_id: int,
    written: Written,
    now: datetime,
    changes: Changes,
) -> None:
    after = status.after("reply", ticket.status)
    met = await keeping.meet(session, profile, ticket.id, ANSWERS, now)
    await keeping.informed(session, profile, ticket, now)
    if met or after != ticket.status or ticket.assignee_id is None:
        ticket.status = after
        ticket.assignee_id = ticket.assignee_id or agent.id
        changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    ticket.updated_at = now
    where = await reach(session, ticket.id)
    for one in readers(where) if where is not None else ():
        changes.outgoing.append(
            outward.relay_to_requester(profile.name, one, ticket.id, message_id, written.content, written.album, now)
        )


async def _step(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket_id: int,
    action: status.Action,
    notice: str | None,
    now: datetime,
    **facts: Any,
) -> Ticket:
    """A change of status by an agent, and the notice that its requester gets of it."""
    ticket = await load(session, profile.name, ticket_id)
    where = await reach(session, ticket_id)
    changes = Changes()
    # Whoever does something with it has taken it over.
    await keeping.meet(session, profile, ticket_id, (TRANSFER,), now)
    await change_status(session, profile, ticket_id, action, actor_of(agent), where, now, changes, **facts)
    ticket.assignee_id = ticket.assignee_id or agent.id
    if notice is not None and where is not None:
        told = {"reference": ticket.reference, **facts}
        changes.outgoing.append(outward.say_to_requester(profile.name, where, ticket_id, notice, **told))
    await changes.write(session, profile.name, now)
    return ticket


async def take(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """The agent answers for it from now on. Raises AlreadyTaken if a colleague does so already."""
    ticket = await load(session, profile.name, ticket_id)
    if ticket.assignee_id == agent.id and ticket.status != "new":
        return ticket
    if (colleague := await _colleague(session, agent, ticket)) is not None:
        status.after("take", ticket.status)
        raise AlreadyTaken(name=colleague.name)
    ticket.assignee_id = agent.id
    return await _step(session, profile, agent, ticket_id, "take", None, now)


async def take_over(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """On purpose, from whoever answers for it: the log and the topic say so, and the colleague is called."""
    ticket = await load(session, profile.name, ticket_id)
    colleague = await _colleague(session, agent, ticket)
    if colleague is None:
        return await take(session, profile, agent, ticket_id, now)
    ticket.assignee_id = agent.id
    await _step(session, profile, agent, ticket_id, "take", None, now, instead_of=colleague.name)
    said = outward.say_in_topic(
        profile.name, ticket.group_id, ticket_id, "taken_over", name=agent.name, mention=[named(colleague)]
    )
    await Changes(outgoing=[said]).write(session, profile.name, now)
    return ticket


async def _colleague(session: Session, agent: Agent, ticket: Ticket) -> Agent | None:
    """Who else answers for it."""
    mine = ticket.assignee_id in (None, agent.id)
    return None if mine else await session.get_one(Agent, ticket.assignee_id)


async def ask(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """Pending: it waits for the requester, and the clock stands."""
    return await _step(session, profile, agent, ticket_id, "ask", "asked", now)


async def hold(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """It waits for a third party; whether the clock stands for that, the policy says."""
    return await _step(session, profile, agent, ticket_id, "hold", None, now)


async def resolve(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """A solution is there; the requester confirms it or not."""
    status.after("resolve", (await load(session, profile.name, ticket_id)).status)
    await keeping.meet(session, profile, ticket_id, METRICS, now)
    return await _step(session, profile, agent, ticket_id, "resolve", "resolved", now)


async def reopen(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Ticket:
    """Back into work; the requester is told by when."""
    return await _step(session, profile, agent, ticket_id, "reopen", None, now)


async def decline(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, reason: str, now: datetime
) -> Ticket:
    """Refused, with a reason that its requester reads."""
    if not reason.strip():
        raise WrongInput(what="reason")
    status.after("decline", (await load(session, profile.name, ticket_id)).status)
    await keeping.meet(session, profile, ticket_id, METRICS, now)
    return await _step(session, profile, agent, ticket_id, "decline", "declined", now, reason=reason.strip())


async def living(session: Session, profile: Profile, ticket_id: int) -> Ticket:
    """Raises WrongStatus for a ticket that has ended: its promises are settled."""
    ticket = await load(session, profile.name, ticket_id)
    if ticket.status in status.ENDED:
        raise WrongStatus(status=ticket.status)
    return ticket


async def set_priority(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, priority: str, now: datetime
) -> Ticket:
    """Raises WrongInput for a priority that does not exist."""
    if priority not in get_args(TicketPriority):
        raise WrongInput(what="priority")
    ticket = await living(session, profile, ticket_id)
    before, ticket.priority = ticket.priority, priority
    moved = await keeping.recompute(session, profile, ticket, now)
    told = await told_of(session, profile, ticket, moved)
    await _redraw(session, profile, agent, ticket, "priority", now, told, before=before, after=priority)
    return ticket


async def set_type(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, request_type: str, now: datetime
) -> Ticket:
    """What it is after all; the promise to solve it is counted anew from the same start, and its requester told."""
    try:
        profile.request_type(request_type)
    except KeyError:
        raise WrongInput(what="type") from None
    ticket = await living(session, profile, ticket_id)
    before, ticket.request_type = ticket.request_type, request_type
    moved = await keeping.recompute(session, profile, ticket, now)
    told = await told_of(session, profile, ticket, moved)
    facts = {"due_at": moved.due_at.isoformat()} if moved else {}
    await _redraw(session, profile, agent, ticket, "type", now, told, before=before, after=request_type, **facts)
    return ticket


async def told_of(session: Session, profile: Profile, ticket: Ticket, moved: Moved | None) -> list[Outgoing]:
    """The requester hears each time a promise moves."""
    where = await reach(session, ticket.id) if moved else None
    if moved is None or where is None:
        return []
    facts = {"reference": ticket.reference, "type": ticket.request_type, "due_at": moved.due_at}
    return [outward.say_to_requester(profile.name, where, ticket.id, "retyped", **facts)]


async def _redraw(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket: Ticket,
    event: str,
    now: datetime,
    told: Sequence[Outgoing] = (),
    **data: Any,
) -> None:
    ticket.updated_at = now
    changes = Changes(outgoing=list(told))
    changes.events.append(journal.event(ticket.id, actor_of(agent), event, now, **data))
    changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    await changes.write(session, profile.name, now)


async def undelivered(
    session: Session,
    profile: Profile,
    ticket: Ticket,
    reason: str,
    now: datetime,
    message_id: int | None,
) -> None:
    """The topic learns what the requester did not get, and so does the log."""
    changes = Changes()
    changes.events.append(
        journal.event(ticket.id, journal.SYSTEM, "undelivered", now, reason=reason, message=message_id)
    )
    changes.outgoing.append(
        outward.say_in_topic(
            profile.name,
            ticket.group_id,
            ticket.id,
            "undelivered",
            Priority.TOPIC,
            reason=reason,
            message=message_id,
        )
    )
    await changes.write(session, profile.name, now)

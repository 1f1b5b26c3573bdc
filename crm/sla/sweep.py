"""The sweep of promises: warns at shares of the budget, marks the breach. One bounded batch a call."""

from datetime import datetime

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.outbox import Priority
from crm.people.models import Agent
from crm.sla import targets
from crm.sla.clock import BREACH, WARNINGS, Pause, step_at
from crm.sla.models import SlaTarget
from crm.tickets import outward
from crm.tickets.models import Ticket


async def sweep(session: Session, desk: str, now: datetime, limit: int = 100) -> int:
    """Say what is due to be said; gives how many targets were handled.

    A sweep that was down across several steps says only the last of them, and records the breach at its true time.
    """
    found = await session.execute(
        select(SlaTarget, Ticket)
        .join(Ticket, Ticket.id == SlaTarget.ticket_id)
        .where(SlaTarget.next_at <= now, Ticket.desk == desk)
        .order_by(SlaTarget.next_at, SlaTarget.ticket_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=SlaTarget)
    )
    rows = found.all()
    changes = Changes()
    # In one order of tickets, so that two sweeps cannot wait for each other.
    for target, ticket in sorted(rows, key=lambda row: row[1].id):
        await _advance(session, target, ticket, now, changes)
    await changes.write(session, desk, now)
    return len(rows)


async def _advance(session: Session, target: SlaTarget, ticket: Ticket, now: datetime, changes: Changes) -> None:
    pauses = [Pause(p.started_at, p.ended_at) for p in await targets.pauses_of(session, ticket.id)]
    reached = target.stage
    at = target.next_at
    while at is not None and at <= now:
        reached += 1
        at = step_at(target.started_at, target.budget, reached, pauses)
    breached = reached > BREACH
    target.stage = reached
    target.next_at = None if breached else at
    if breached:
        target.breached_at = target.due_at
    event = "breached" if breached else "warned"
    share = None if breached else WARNINGS[reached - 1]
    changes.events.append(
        journal.event(
            ticket.id,
            journal.SYSTEM,
            event,
            now,
            metric=target.metric,
            share=share,
            due_at=target.due_at.isoformat(),
        )
    )
    changes.outgoing.append(
        outward.say_in_topic(
            ticket.desk,
            ticket.group_id,
            ticket.id,
            event,
            Priority.WARNING,
            metric=target.metric,
            share=share,
            due_at=target.due_at,
            mention=await _to_mention(session, ticket),
        )
    )
    changes.outgoing += outward.shown(ticket.desk, ticket.group_id, ticket.id, now)


async def _to_mention(session: Session, ticket: Ticket) -> list[dict[str, object]]:
    """The assignee, otherwise every engineer on duty."""
    wanted = select(Agent).where(Agent.desk == ticket.desk, Agent.active)
    if ticket.assignee_id is not None:
        chosen = await session.scalar(wanted.where(Agent.id == ticket.assignee_id))
        if chosen is not None:
            return [{"id": chosen.telegram_id, "name": chosen.name}]
    on_duty = await session.scalars(wanted.where(Agent.on_duty).order_by(Agent.id))
    return [{"id": agent.telegram_id, "name": agent.name} for agent in on_duty]

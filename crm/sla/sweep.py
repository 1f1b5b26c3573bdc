"""The sweep of promises: warns, marks the breach, escalates. One bounded batch a call."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people import duty
from crm.sla import steps, targets
from crm.sla.models import SlaTarget, SlaTerms
from crm.sla.policy import Step
from crm.sla.targets import Target
from crm.tickets import outward, status
from crm.tickets.models import Ticket

PRIORITIES = ("low", "normal", "high", "urgent")


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due to be done; gives how many targets were handled.

    A sweep that was down across several steps says only the last of them, and records the breach at its true time.
    """
    found = await session.execute(
        select(SlaTarget, SlaTerms, Ticket)
        .join(Ticket, Ticket.id == SlaTarget.ticket_id)
        .join(SlaTerms, SlaTerms.hash == SlaTarget.terms_hash)
        .where(SlaTarget.next_at <= now, Ticket.desk == profile.name)
        .order_by(SlaTarget.next_at, SlaTarget.ticket_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=SlaTarget)
    )
    rows = found.all()
    changes = Changes()
    # In one order of tickets, so that two sweeps cannot wait for each other.
    for target, terms, ticket in sorted(rows, key=lambda row: (row[2].id, row[0].id)):
        await _advance(session, profile, Target(target, terms.terms), ticket, now, changes)
    await changes.write(session, profile.name, now)
    return len(rows)


async def _advance(
    session: Session, profile: Profile, target: Target, ticket: Ticket, now: datetime, changes: Changes
) -> None:
    row, terms, hours = target.row, target.terms, targets.hours_of(profile, now)
    pauses = await targets.pauses_of(session, ticket.id)
    # Maintenance may have moved it, and nobody has come to write that down yet.
    row.due_at = target.due(pauses) or row.due_at
    ledger = target.ledger(pauses)
    place = (row.started_at, row.budget, ledger, terms)
    moments = {number: steps.told_at(number, *place, hours) for number in range(row.stage, len(terms.steps))}
    due = [number for number, at in moments.items() if at is not None and at <= now]
    if not due:
        row.next_at = steps.next_at(row.stage, *place, hours)
        return
    done = terms.steps[row.stage : due[-1] + 1]
    row.stage = due[-1] + 1
    if row.breached_at is None and any(step.breaks for step in done):
        row.breached_at = row.due_at
        if row.metric == "inform" and ticket.status in status.ACTIVE:
            await targets.next_round(session, profile, target, now)
    row.next_at = steps.next_at(row.stage, *place, hours)
    await _tell(session, profile, row, done[-1], ticket, now, changes)
    await _react(session, profile, done, ticket, now, changes)


async def _tell(
    session: Session,
    profile: Profile,
    row: SlaTarget,
    step: Step,
    ticket: Ticket,
    now: datetime,
    changes: Changes,
) -> None:
    event = "breached" if step.breaks else "warned" if step.share else "escalated"
    facts = {"metric": row.metric, "share": None if step.breaks else step.share, "after": step.after}
    changes.events.append(journal.event(ticket.id, journal.SYSTEM, event, now, due_at=row.due_at.isoformat(), **facts))
    mention = [
        {"id": agent.telegram_id, "name": agent.name}
        for agent in await duty.recipients(session, profile, ticket.assignee_id, step.tell, now)
    ]
    changes.outgoing.append(
        outward.say_in_topic(
            ticket.desk, ticket.group_id, ticket.id, event, Priority.WARNING,
            due_at=row.due_at, mention=mention, **facts,
        )
    )  # fmt: skip
    changes.outgoing += outward.shown(ticket.desk, ticket.group_id, ticket.id, now)


async def _react(
    session: Session, profile: Profile, done: Sequence[Step], ticket: Ticket, now: datetime, changes: Changes
) -> None:
    """What the steps do besides telling; a step that was slept through counts as well."""
    if any(step.raise_priority for step in done) and ticket.priority != PRIORITIES[-1]:
        before, ticket.priority = ticket.priority, PRIORITIES[PRIORITIES.index(ticket.priority) + 1]
        changes.events.append(
            journal.event(ticket.id, journal.SYSTEM, "priority", now, before=before, after=ticket.priority)
        )
        await session.flush()
        await targets.recompute(session, profile, ticket, now)
    if any(step.reassign for step in done):
        agent = await duty.free_agent(session, profile, now, but=ticket.assignee_id)
        if agent is not None:
            ticket.assignee_id = agent.id
            changes.events.append(journal.event(ticket.id, journal.SYSTEM, "assigned", now, agent=agent.name))

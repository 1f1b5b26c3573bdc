"""The sweep of promises: warns, marks the breach, escalates. One bounded batch a call."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people import duty
from crm.people.duty import Team
from crm.people.models import Agent
from crm.sla import steps, targets
from crm.sla.models import SlaTarget, SlaTerms
from crm.sla.policy import Step
from crm.sla.targets import Target
from crm.tickets import assignment, outward, status, work
from crm.tickets.models import Ticket

PRIORITIES = ("low", "normal", "high", "urgent")


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due to be done; gives how many targets were handled.

    A sweep that was down across several steps says only the last of them, to everybody whom one of them tells, and
    records the breach at its true time. A ticket that somebody is just working on comes with the next sweep.
    """
    found = await session.execute(
        select(SlaTarget, SlaTerms, Ticket)
        .join(Ticket, Ticket.id == SlaTarget.ticket_id)
        .join(SlaTerms, SlaTerms.hash == SlaTarget.terms_hash)
        .where(SlaTarget.next_at <= now, Ticket.desk == profile.name)
        .order_by(SlaTarget.next_at, SlaTarget.ticket_id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True, of=[SlaTarget, Ticket])
    )
    rows = found.all()
    if not rows:
        return 0
    known = await duty.team(session, profile, now)
    changes = Changes()
    # In one order of tickets, so that two sweeps cannot wait for each other.
    for target, terms, ticket in sorted(rows, key=lambda row: (row[2].id, row[0].id)):
        # A step of another promise may have changed the terms of this one, or taken it back.
        if target in session:
            current = terms if terms.hash == target.terms_hash else await session.get_one(SlaTerms, target.terms_hash)
            await _advance(session, profile, known, Target(target, current.terms), ticket, now, changes)
    await changes.write(session, profile.name, now)
    return len(rows)


async def _advance(
    session: Session, profile: Profile, known: Team, target: Target, ticket: Ticket, now: datetime, changes: Changes
) -> None:
    row, terms, hours = target.row, target.terms, targets.hours_of(profile, now)
    pauses = await targets.pauses_of(session, ticket.id)
    # Maintenance may have moved it, and nobody has come to write that down yet.
    row.due_at = target.due(pauses) or row.due_at
    place = (row.started_at, row.budget, target.ledger(pauses), terms)
    moments = {number: steps.told_at(number, *place, hours) for number in steps.ahead(row.stage, terms)}
    due = [number for number, at in moments.items() if at is not None and at <= now]
    if not due:
        row.next_at = steps.next_at(row.stage, *place, hours)
        return
    row.stage |= sum(1 << number for number in due)
    row.next_at = steps.next_at(row.stage, *place, hours)
    done = [terms.steps[number] for number in due]
    if row.breached_at is None and any(step.breaks for step in done):
        row.breached_at = row.due_at
        if row.metric == "inform" and ticket.status in status.ACTIVE:
            # Each round of silence speaks for itself.
            row.next_at = None
            await targets.next_round(session, profile, target, now)
    _log(row, done, ticket, now, changes)
    # Who had to wait for morning hears how it stands by now.
    latest = terms.steps[row.stage.bit_length() - 1]
    share = None if latest.breaks else latest.share
    facts: dict[str, Any] = {"metric": row.metric, "share": share, "after": latest.after, "due_at": row.due_at}
    mention = await _react(session, profile, known, done, ticket, now, changes, facts)
    tell = tuple(word for step in done for word in step.tell)
    mention += [agent for agent in known.recipients(ticket.assignee_id, tell, now) if agent not in mention]
    facts["mention"] = [assignment.named(agent) for agent in mention]
    changes.outgoing.append(
        outward.say_in_topic(ticket.desk, ticket.group_id, ticket.id, _kind(latest), Priority.WARNING, **facts)
    )
    changes.outgoing += outward.shown(ticket.desk, ticket.group_id, ticket.id, now)


def _kind(step: Step) -> str:
    return "breached" if step.breaks else "warned" if step.share else "escalated"


def _log(row: SlaTarget, done: Sequence[Step], ticket: Ticket, now: datetime, changes: Changes) -> None:
    """The breach always, of the rest the last."""
    for step in done:
        if step.breaks or step is done[-1]:
            share = None if step.breaks else step.share
            facts = {"due_at": row.due_at.isoformat(), "metric": row.metric, "share": share, "after": step.after}
            changes.events.append(journal.event(ticket.id, journal.SYSTEM, _kind(step), now, **facts))


async def _react(
    session: Session,
    profile: Profile,
    known: Team,
    done: Sequence[Step],
    ticket: Ticket,
    now: datetime,
    changes: Changes,
    facts: dict[str, Any],
) -> list[Agent]:
    """What the steps do besides telling; a step that was slept through counts as well. Gives the new assignee."""
    ticket.updated_at = now
    if any(step.raise_priority for step in done) and ticket.priority != PRIORITIES[-1]:
        await _raise_priority(session, profile, ticket, now, changes)
        facts["raised"] = ticket.priority
    if not any(step.reassign for step in done):
        return []
    agent = await assignment.choose(session, profile, known, now, but=ticket.assignee_id)
    if agent is None:
        return []
    ticket.assignee_id = agent.id
    facts["assigned"] = agent.name
    changes.events.append(assignment.assigned(ticket.id, agent, now))
    return [agent]


async def _raise_priority(session: Session, profile: Profile, ticket: Ticket, now: datetime, changes: Changes) -> None:
    """The promises are counted anew; the customer hears of a time that is still to come."""
    before, ticket.priority = ticket.priority, PRIORITIES[PRIORITIES.index(ticket.priority) + 1]
    event = journal.event(ticket.id, journal.SYSTEM, "priority", now, before=before, after=ticket.priority)
    changes.events.append(event)
    await session.flush()
    moved = await targets.recompute(session, profile, ticket, now)
    if moved is not None and moved.due_at > now:
        changes.outgoing += await work.told_of(session, profile, ticket, moved)

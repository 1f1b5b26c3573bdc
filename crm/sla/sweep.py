"""The sweep of promises: warns, marks the breach, escalates. One bounded batch a call."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import BigInteger, ColumnElement, any_, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people import duty
from crm.people.duty import Team
from crm.people.models import Agent
from crm.sla import keeping, steps, targets
from crm.sla.clock import Pause
from crm.sla.models import SlaTarget, SlaTerms
from crm.sla.policy import Step
from crm.sla.targets import Target
from crm.tickets import assignment, outward, status, work
from crm.tickets.models import Ticket

log = structlog.get_logger()

AGAIN = timedelta(hours=1)
# Of the rounds before this one; whatever is said to the requester meets them all.
_MISSED = """
    select count(*) as missed from sla_target
    where ticket_id = $1 and metric = 'inform' and round < $2 and met_at is null and breached_at is not null
"""
PRIORITIES = ("low", "normal", "high", "urgent")


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due to be done; gives how many targets were handled.

    A sweep that was down across several steps says only the last of them, to everybody whom one of them tells, and
    records the breach at its true time.
    """
    locked = await _lock(session, profile, now, limit)
    if not locked:
        return 0
    found = await session.execute(
        select(SlaTarget, SlaTerms, Ticket)
        .join(Ticket, Ticket.id == SlaTarget.ticket_id)
        .join(SlaTerms, SlaTerms.hash == SlaTarget.terms_hash)
        .where(SlaTarget.next_at <= now, _among(SlaTarget.ticket_id, locked))
        .order_by(SlaTarget.ticket_id, SlaTarget.id)
        .execution_options(populate_existing=True)
    )
    rows = found.all()
    pauses = await targets.pauses_of_all(session, locked)
    batch = _Batch(session, profile, now, pauses, await duty.team(session, profile, now))
    for row, terms, ticket in rows:
        # A step of another promise may have changed the terms of this one, or taken it back.
        if row not in session:
            continue
        current = terms if terms.hash == row.terms_hash else await session.get_one(SlaTerms, row.terms_hash)
        try:
            await batch.advance(Target(row, current.terms), ticket)
        except ValueError as error:
            # Terms that cannot be read hold up no other promise.
            row.next_at = now + AGAIN
            log.error("promise.failed", ticket=ticket.reference, metric=row.metric, error=repr(error))
    await batch.changes.write(session, profile.name, now)
    return len(rows)


async def _lock(session: Session, profile: Profile, now: datetime, limit: int) -> list[int]:
    """Ids of tickets of which something is due, locked; those that somebody works on come at the next tick.

    The ticket comes first, as for everybody who changes promises: nobody waits for us who holds what we need. The
    limit is written out, or the planner would prepare for a tenth of all open promises.
    """
    await session.flush()
    found = await session.scalars(
        select(Ticket.id)
        .join(SlaTarget, SlaTarget.ticket_id == Ticket.id)
        .where(SlaTarget.next_at <= now, Ticket.desk == profile.name)
        .order_by(SlaTarget.next_at)
        .limit(literal_column(str(int(limit))))
        .with_for_update(key_share=True, skip_locked=True, of=Ticket)
    )
    return sorted(set(found))


def _among(column: InstrumentedAttribute[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """The list as one value, so that it is the same statement for any length."""
    return column == any_(literal(ids, ARRAY(BigInteger)))


@dataclass
class _Batch:
    """What a sweep knows of all its targets, and what it writes at its end."""

    session: Session
    profile: Profile
    now: datetime
    pauses: dict[int, list[Pause]]
    team: Team
    changes: Changes = field(default_factory=Changes)

    async def advance(self, target: Target, ticket: Ticket) -> None:
        row, terms, hours = target.row, target.terms, targets.hours_of(self.profile, self.now)
        pauses = self.pauses.get(ticket.id, [])
        # Maintenance may have moved it, and nobody has come to write that down yet.
        row.due_at = target.due(pauses) or row.due_at
        place = (row.started_at, row.budget, target.ledger(pauses), terms)
        moments = ((number, steps.told_at(number, *place, hours, self.now)) for number in steps.left(row.stage, terms))
        due = [number for number, at in moments if at is not None and at <= self.now]
        breaks = terms.breach in due
        row.stage = steps.passed(due, row.stage, terms)
        if breaks:
            keeping.broken(target)
            if target.over and ticket.status in status.ACTIVE:
                await keeping.next_round(self.session, self.profile, target, self.now)
        targets.plan(self.profile, target, pauses, self.now)
        done = [terms.steps[number] for number in due if number >= terms.breach or not breaks]
        if done:
            # Who had to wait for morning hears how it stands by now.
            await self._carry_out(row, done, breaks, terms.steps[row.stage.bit_length() - 1], ticket)

    async def _carry_out(
        self, row: SlaTarget, done: Sequence[Step], breaks: bool, latest: Step, ticket: Ticket
    ) -> None:
        if breaks:
            self._log(row, Step(share=1), ticket)
        if not done[-1].breaks:
            self._log(row, done[-1], ticket)
        facts = _facts(row, latest) | {"due_at": row.due_at}
        given = await self._reassign(done, ticket, facts)
        await self._raise(done, ticket, facts)
        tell = tuple(word for step in done for word in step.tell)
        if (tell or given) and await self._worth_telling(row):
            called = given + [a for a in self.team.recipients(ticket.assignee_id, tell, self.now) if a not in given]
            facts["mention"] = [assignment.named(agent) for agent in called]
            self.changes.outgoing.append(
                outward.say_in_topic(ticket.desk, ticket.group_id, ticket.id, _kind(latest), Priority.WARNING, **facts)
            )
        ticket.updated_at = self.now
        self.changes.outgoing += outward.shown(ticket.desk, ticket.group_id, ticket.id, self.now)

    async def _worth_telling(self, row: SlaTarget) -> bool:
        """A ticket that nobody touches misses one word to its requester after another; the log has all of it."""
        if row.metric != "inform" or row.round == 1:
            return True
        await self.session.flush()
        [found] = await self.session.rows(_MISSED, row.ticket_id, row.round)
        return steps.worth_telling(found["missed"])

    def _log(self, row: SlaTarget, step: Step, ticket: Ticket) -> None:
        facts = _facts(row, step) | {"due_at": row.due_at.isoformat()}
        self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, _kind(step), self.now, **facts))

    async def _reassign(self, done: Sequence[Step], ticket: Ticket, facts: dict[str, Any]) -> list[Agent]:
        """A step that was slept through counts as well. Gives the new assignee."""
        if not any(step.reassign for step in done):
            return []
        # Who was given a ticket a moment ago is not the least busy any more.
        await self.session.flush()
        agent = await assignment.choose(self.session, self.profile, self.team, self.now, but=ticket.assignee_id)
        if agent is None:
            return []
        ticket.assignee_id, facts["assigned"] = agent.id, agent.name
        self.changes.events.append(assignment.assigned(ticket.id, agent, self.now))
        return [agent]

    async def _raise(self, done: Sequence[Step], ticket: Ticket, facts: dict[str, Any]) -> None:
        """One priority higher, with what is promised for that; the requester hears of a time that is still to come."""
        if ticket.priority == PRIORITIES[-1] or not any(step.raise_priority for step in done):
            return
        before, ticket.priority = ticket.priority, PRIORITIES[PRIORITIES.index(ticket.priority) + 1]
        facts["raised"] = ticket.priority
        await self.session.flush()
        moved = await keeping.recompute(self.session, self.profile, ticket, self.now)
        data = {"before": before, "after": ticket.priority} | ({"due_at": moved.due_at.isoformat()} if moved else {})
        self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, "priority", self.now, **data))
        if moved is not None and moved.due_at > self.now:
            self.changes.outgoing += await work.told_of(self.session, self.profile, ticket, moved)


def _kind(step: Step) -> str:
    return "breached" if step.breaks else "warned" if step.share else "escalated"


def _facts(row: SlaTarget, step: Step) -> dict[str, Any]:
    return {"metric": row.metric, "share": None if step.breaks else step.share, "after": step.after}

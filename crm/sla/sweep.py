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
from crm.people import service as people
from crm.sla import steps, targets
from crm.sla.models import SlaPause, SlaTarget, SlaTerms
from crm.sla.policy import Step
from crm.sla.targets import Target
from crm.tickets import outward, status
from crm.tickets.models import Ticket

log = structlog.get_logger()

AGAIN = timedelta(hours=1)
PRIORITIES = ("low", "normal", "high", "urgent")


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due to be done; gives how many targets were handled.

    A sweep that was down across several steps says only the last of them, and records the breach at its true time.
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
    batch = _Batch(session, profile, now, await _pauses(session, locked))
    for row, terms, ticket in rows:
        try:
            # What a step has done to its ticket may have taken back another promise.
            if row in session:
                await batch.advance(Target(row, terms.terms), ticket)
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


async def _pauses(session: Session, locked: Sequence[int]) -> dict[int, list[SlaPause]]:
    found = await session.scalars(
        select(SlaPause).where(_among(SlaPause.ticket_id, locked)).order_by(SlaPause.started_at, SlaPause.id)
    )
    by_ticket: dict[int, list[SlaPause]] = {}
    for pause in found:
        by_ticket.setdefault(pause.ticket_id, []).append(pause)
    return by_ticket


@dataclass
class _Batch:
    """What a sweep knows of all its targets, and what it writes at its end."""

    session: Session
    profile: Profile
    now: datetime
    pauses: dict[int, list[SlaPause]]
    changes: Changes = field(default_factory=Changes)
    mentions: dict[tuple[int | None, tuple[str, ...]], list[dict[str, Any]]] = field(default_factory=dict)

    async def advance(self, target: Target, ticket: Ticket) -> None:
        row, terms, hours = target.row, target.terms, targets.hours_of(self.profile, self.now)
        place = (row.started_at, row.budget, target.ledger(self.pauses.get(ticket.id, [])), terms)
        moments = ((number, steps.told_at(number, *place, hours, self.now)) for number in steps.left(row.stage, terms))
        due = [number for number, at in moments if at is not None and at <= self.now]
        breaks = terms.breach in due
        row.stage = steps.passed(due, row.stage, terms)
        if breaks:
            targets.broken(target)
            if row.metric == "inform" and ticket.status in status.ACTIVE:
                await targets.next_round(self.session, self.profile, target, self.now)
        row.next_at = steps.next_at(row.stage, *place, hours, self.now)
        done = [terms.steps[number] for number in due if number >= terms.breach or not breaks]
        if done:
            await self._reassign(done, ticket)
            await self._tell(row, done, breaks, ticket)
            await self._raise(done, ticket)

    async def _tell(self, row: SlaTarget, done: Sequence[Step], breaks: bool, ticket: Ticket) -> None:
        """The log has the breach and the last step, the topic the last step that tells anybody."""
        if breaks:
            self._log(row, "breached", Step(share=1), ticket)
        if not done[-1].breaks:
            self._log(row, _name(done[-1]), done[-1], ticket)
        told = [step for step in done if step.tell]
        if told:
            notice = outward.say_in_topic(
                ticket.desk, ticket.group_id, ticket.id, _name(told[-1]), Priority.WARNING,
                due_at=row.due_at, mention=await self._mention(ticket, told), **_facts(row, told[-1]),
            )  # fmt: skip
            self.changes.outgoing.append(notice)
        self.changes.outgoing += outward.shown(ticket.desk, ticket.group_id, ticket.id, self.now)

    def _log(self, row: SlaTarget, kind: str, step: Step, ticket: Ticket) -> None:
        facts = _facts(row, step) | {"due_at": row.due_at.isoformat()}
        self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, kind, self.now, **facts))

    async def _mention(self, ticket: Ticket, told: Sequence[Step]) -> list[dict[str, Any]]:
        """Everybody whom one of these steps calls, looked up once in a batch."""
        key = (ticket.assignee_id, tuple(dict.fromkeys(word for step in told for word in step.tell)))
        if key not in self.mentions:
            called = await duty.recipients(self.session, self.profile, *key, self.now)
            self.mentions[key] = [{"id": agent.telegram_id, "name": agent.name} for agent in called]
        return self.mentions[key]

    async def _reassign(self, done: Sequence[Step], ticket: Ticket) -> None:
        """A step that was slept through counts as well."""
        if not any(step.reassign for step in done):
            return
        # Who was given a ticket a moment ago is not the least busy any more.
        await self.session.flush()
        agent = await duty.free_agent(self.session, self.profile, self.now, but=ticket.assignee_id)
        if agent is not None:
            ticket.assignee_id = agent.id
            self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, "assigned", self.now, agent=agent.name))

    async def _raise(self, done: Sequence[Step], ticket: Ticket) -> None:
        """One priority higher, with what is promised for that; the requester hears of a promise that moves."""
        if ticket.priority == PRIORITIES[-1] or not any(step.raise_priority for step in done):
            return
        before, ticket.priority = ticket.priority, PRIORITIES[PRIORITIES.index(ticket.priority) + 1]
        await self.session.flush()
        moved = await targets.recompute(self.session, self.profile, ticket, self.now)
        facts = {"before": before, "after": ticket.priority} | ({"due_at": moved.due_at.isoformat()} if moved else {})
        self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, "priority", self.now, **facts))
        chat = await people.telegram_chat(self.session, ticket.desk, ticket.requester_id) if moved else None
        if moved and chat:
            told = {"reference": ticket.reference, "type": ticket.request_type, "due_at": moved.due_at}
            self.changes.outgoing.append(
                outward.say_to_requester(ticket.desk, chat[0], chat[1], ticket.id, "retyped", **told)
            )


def _name(step: Step) -> str:
    return "breached" if step.breaks else "warned" if step.share else "escalated"


def _facts(row: SlaTarget, step: Step) -> dict[str, Any]:
    return {"metric": row.metric, "share": None if step.breaks else step.share, "after": step.after}

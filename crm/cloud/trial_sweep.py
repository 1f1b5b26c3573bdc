"""The clock of trials: begins with the first launch seen in the cloud, reminds, ends. One bounded batch a call.

All is decided by the mirror (`vm`, `cloud_state`), and the end only by one that was refreshed after it: what nobody has
seen is neither charged nor called deleted. A cabinet in which nothing was launched stays open; that is said once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.cloud import trial_bills, trial_steps
from crm.cloud.models import Trial
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people.reach import reach
from crm.tickets import outward
from crm.tickets.models import Ticket

# Of a trial whose end is reached, only what can be done about it is due, so that those who wait for the mirror hold up
# nobody. The ticket comes first, as for everybody who changes trials: it is locked, or it comes at the next tick.
_DUE = """
    select k.id from ticket k join trial t on t.ticket_id = k.id
    where t.id = any(array(
        select o.id from trial o where o.desk = $1 and o.state = 'opened' and o.opened_at <= $2 and exists (
            select from vm v where v.desk = o.desk and v.project_id = o.project_id and v.launched_at <= $2)
        union
        select n.id from trial n left join cloud_state s on s.desk = n.desk
        where n.desk = $1 and n.next_at <= $2 and (
            n.state = 'opened' or n.next_at < n.ends_at or s.swept_at >= n.ends_at
            or n.step & $4 = 0 and n.ends_at + $5::interval <= $2)))
    order by k.id limit $3 for no key update of k skip locked
"""
# The moment of the sweep is read before the machines are: they are then at least as fresh.
_SEEN = "select swept_at from cloud_state where desk = $1"
_MACHINES = """
    select t.id, min(v.launched_at) filter (where v.launched_at <= $2) as launched,
           count(*) filter (where v.deleted_at is null) as standing
    from trial t join vm v on v.desk = t.desk and v.project_id = t.project_id
    where t.ticket_id = any($1::bigint[]) group by t.id
"""


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due; gives how many trials were handled.

    A sweep that slept says only the latest reminder, and none once the end is reached. What is done is never done
    again, and a clock that goes back does nothing.
    """
    found = await session.rows(_DUE, profile.name, now, limit, trial_steps.ALARMED, trial_steps.PATIENCE)
    tickets = [row["id"] for row in found]
    if not tickets:
        return 0
    rows = await session.execute(
        select(Trial, Ticket)
        .join(Ticket, Ticket.id == Trial.ticket_id)
        .where(Trial.ticket_id.in_(tickets))
        .order_by(Trial.id)
        .execution_options(populate_existing=True)
    )
    seen = await session.rows(_SEEN, profile.name)
    machines = {row["id"]: row for row in await session.rows(_MACHINES, tickets, now)}
    batch = _Batch(session, profile, now, seen[0]["swept_at"] if seen else None)
    handled = 0
    for trial, ticket in rows.all():
        row = machines.get(trial.id)
        launched, standing = (row["launched"], row["standing"]) if row else (None, 0)
        handled += await batch.advance(trial, ticket, launched, standing > 0)
    await batch.write()
    return handled


@dataclass
class _Batch:
    """What a sweep knows, and what it writes at its end. `unseen`: trials that wait for the mirror, by group."""

    session: Session
    profile: Profile
    now: datetime
    swept_at: datetime | None
    changes: Changes = field(default_factory=Changes)
    unseen: dict[int | None, list[str]] = field(default_factory=dict)

    async def advance(self, trial: Trial, ticket: Ticket, launched: datetime | None, standing: bool) -> bool:
        """Perhaps another sweep was faster: whether anything was to be done is asked of the row as it is now."""
        if trial.state == "opened" and trial.opened_at is not None:
            begins = max(launched, trial.opened_at) if launched else None
            if begins is not None and begins <= self.now:
                await self._begin(trial, ticket, begins)
                return True
            if trial.next_at is not None and trial.next_at <= self.now:
                trial.next_at = None
                await self._say(trial, ticket, "trial_unused", opened_at=trial.opened_at, days=trial.days)
                return True
        if trial.state == "running" and trial.next_at is not None and trial.next_at <= self.now:
            return await self._go_on(trial, ticket, standing)
        return False

    async def _begin(self, trial: Trial, ticket: Ticket, begins: datetime) -> None:
        ends = trial_steps.ends_at(begins, trial.days, self.profile.timezone)
        trial.state, trial.launched_at, trial.ends_at = "running", begins, ends
        # What lies behind by the time that the launch is seen is not said any more.
        trial.step, _ = trial_steps.behind(begins, ends, trial.step, self.now)
        trial.next_at = trial_steps.next_at(begins, ends, trial.step)
        await self._say(trial, ticket, "trial_begun", launched_at=begins, ends_at=ends)

    async def _go_on(self, trial: Trial, ticket: Ticket, standing: bool) -> bool:
        if trial.launched_at is None or trial.ends_at is None:
            return False
        ends = trial.ends_at
        trial.step, reminder = trial_steps.behind(trial.launched_at, ends, trial.step, self.now)
        trial.next_at = trial_steps.next_at(trial.launched_at, ends, trial.step)
        if ends > self.now:
            if reminder is not None:
                await self._say(trial, ticket, f"trial_{reminder}", ends_at=ends)
            return reminder is not None
        if self.swept_at is not None and self.swept_at >= ends:
            await self._end(trial, ticket, standing)
            return True
        if self.now >= ends + trial_steps.PATIENCE and not trial.step & trial_steps.ALARMED:
            trial.step |= trial_steps.ALARMED
            self.unseen.setdefault(ticket.group_id, []).append(ticket.reference)
            return True
        return reminder is not None

    async def _end(self, trial: Trial, ticket: Ticket, standing: bool) -> None:
        trial.state, trial.next_at, trial.ended_at = "paid" if standing else "closed", None, self.now
        facts: dict[str, Any] = {"launched_at": trial.launched_at, "ends_at": trial.ends_at}
        if standing:
            facts["billing"] = await trial_bills.opened(
                self.session, self.profile, trial, ticket, self.now, self.changes
            )
        await self._say(trial, ticket, f"trial_{trial.state}", **facts)

    async def _say(self, trial: Trial, ticket: Ticket, notice: str, **facts: Any) -> None:
        """To the log, to the topic, to the customer; of a reminder the topic needs to hear nothing."""
        desk, logged = self.profile.name, {key: _plain(value) for key, value in facts.items()}
        self.changes.events.append(journal.event(ticket.id, journal.SYSTEM, notice, self.now, **logged))
        if notice.removeprefix("trial_") not in trial_steps.REMINDERS:
            self.changes.outgoing.append(
                outward.say_in_topic(desk, ticket.group_id, ticket.id, notice, Priority.TOPIC, **facts)
            )
            self.changes.outgoing.append(outward.card(desk, ticket.group_id, ticket.id, self.now))
        where = await reach(self.session, ticket.id)
        if where is not None:
            told = {"reference": ticket.reference, **facts}
            self.changes.outgoing.append(outward.say_to_requester(desk, where, ticket.id, notice, **told))

    async def write(self) -> None:
        for group_id, references in self.unseen.items():
            facts = {"references": sorted(references), "seen_at": self.swept_at}
            self.changes.outgoing.append(outward.alarm(self.profile.name, group_id, "trials_unseen", **facts))
        await self.changes.write(self.session, self.profile.name, self.now)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

"""Maintenance that leads announce: the clocks stand for it, so promises move, and each requester is told once.

A window counts in all arithmetic from the transaction that announces it (`targets.pauses_of`), so a step that falls
due is planned anew before it acts. Moving what is stored, and telling of it, is a job of bounded batches: it goes
through the active tickets by number, and asks of each what it was due without this window, and with it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAllowed, NotFound, WrongInput
from crm.outbox import Outgoing, Priority, group_bucket
from crm.people.models import Agent
from crm.sla import targets
from crm.sla.clock import Pause
from crm.sla.models import Maintenance
from crm.sla.targets import Moved, Target
from crm.sla.windows import KIND, Window
from crm.tickets import groups, moves, outward
from crm.tickets.models import Ticket


def from_plain(found: Iterable[Sequence[str]] | None) -> list[Pause]:
    """From rows of the database as JSON."""
    return [Pause(datetime.fromisoformat(start), datetime.fromisoformat(end), KIND) for start, end in found or ()]


async def listing(session: Session, profile: Profile, now: datetime) -> list[Maintenance]:
    """Windows that go on or are to come."""
    found = await session.scalars(
        select(Maintenance)
        .where(Maintenance.desk == profile.name, Maintenance.ends_at > now, Maintenance.cancelled_at.is_(None))
        .order_by(Maintenance.starts_at, Maintenance.id)
    )
    return list(found)


def _require_lead(agent: Agent | None) -> Agent:
    if agent is None or agent.role != "lead":
        raise NotAllowed(what="lead")
    return agent


async def announce(
    session: Session, profile: Profile, agent: Agent | None, window: Window, now: datetime
) -> Maintenance:
    """Leads only. What has passed cannot be announced: no promise that was broken is mended by it."""
    lead = _require_lead(agent)
    if window.start < now or window.end <= window.start or not window.reason:
        raise WrongInput(what="maintenance")
    made = Maintenance(
        desk=profile.name,
        starts_at=window.start,
        ends_at=window.end,
        reason=window.reason,
        announced_by=lead.id,
        announced_at=now,
        moved_to=0,
    )
    session.add(made)
    await session.flush()
    await _tell_general(session, profile, made, lead, "maintenance", now)
    return made


async def cancel(session: Session, profile: Profile, agent: Agent | None, number: int, now: datetime) -> Maintenance:
    """Leads only; what is going on ends now. Raises NotFound for what is over, or was never there."""
    lead = _require_lead(agent)
    window = await session.get(Maintenance, number, with_for_update=True)
    if window is None or window.desk != profile.name or window.cancelled_at is not None or window.ends_at <= now:
        raise NotFound(what="maintenance")
    window.cancelled_at, window.told_to, window.moved_to = now, window.moved_to, 0
    await session.flush()
    await _tell_general(session, profile, window, lead, "maintenance_cancelled", now)
    return window


async def _tell_general(
    session: Session, profile: Profile, window: Maintenance, lead: Agent, notice: str, now: datetime
) -> None:
    group = await groups.current(session, profile.name)
    row = Outgoing(
        bucket=group_bucket(profile.name, group),
        lane=f"alarm:{profile.name}",
        kind="alarm",
        payload={"notice": notice, "facts": facts_of(window, lead.name)},
        priority=Priority.WARNING,
    )
    await Changes(outgoing=[row]).write(session, profile.name, now)


def facts_of(window: Maintenance, by: str = "") -> dict[str, Any]:
    """For views."""
    return {
        "number": window.id,
        "start": window.starts_at.isoformat(),
        "end": window.ends_at.isoformat(),
        "reason": window.reason,
        "by": by,
    }


# --- moving what was promised ------------------------------------------------------------------------------------


_AFFECTED = """
    select t.id from ticket t
    where t.desk = $1 and t.id > $2 and t.status in ('new', 'open', 'pending', 'on_hold', 'resolved')
      and exists (select from sla_target s where s.ticket_id = t.id and s.met_at is null and s.due_at > $3)
    order by t.id limit $4 for no key update of t
"""


async def move_promises(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """One batch for one window that was announced or cancelled; gives how many tickets were looked at.

    Windows take turns, so that a promise that two of them move is moved by one after the other.
    """
    window = await session.scalar(
        select(Maintenance)
        .where(Maintenance.desk == profile.name, Maintenance.moved_to.is_not(None))
        .order_by(Maintenance.id)
        .limit(1)
        .with_for_update()
    )
    if window is None:
        return 0
    found = await session.rows(_AFFECTED, profile.name, window.moved_to, window.starts_at, limit)
    changes = Changes()
    for row in found:
        await _move(session, profile, window, await session.get_one(Ticket, row["id"]), now, changes)
    window.moved_to = found[-1]["id"] if len(found) == limit else None
    await changes.write(session, profile.name, now)
    return len(found)


async def _move(
    session: Session, profile: Profile, window: Maintenance, ticket: Ticket, now: datetime, changes: Changes
) -> None:
    pauses = await targets.pauses_of(session, ticket.id)
    before = _before(window, pauses)
    moved: list[Moved] = []
    for target in (await targets.of_ticket(session, ticket.id)).values():
        stored, after = target.row.due_at, target.due(pauses)
        if target.open:
            targets.plan(profile, target, pauses, now)
            if after is not None and after != target.due(before) and _is_news(window, target, stored, after):
                moved.append(Moved(target.row.metric, after))
    if not moved:
        return
    changes.events += [
        journal.event(ticket.id, journal.SYSTEM, "moved", now, maintenance=window.id, metric=one.metric,
                      due_at=one.due_at.isoformat())
        for one in moved
    ]  # fmt: skip
    changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    changes.outgoing += await moves.told(session, profile, ticket, moved, KIND)


def _before(window: Maintenance, pauses: Sequence[Pause]) -> list[Pause]:
    """The ledger as it was: without what is announced now, with all of what is cancelled now."""
    whole = Pause(window.starts_at, window.ends_at, KIND)
    if window.cancelled_at is not None:
        return [*pauses, whole]
    place = pauses.index(whole) if whole in pauses else len(pauses)
    return [*pauses[:place], *pauses[place + 1 :]]


def _is_news(window: Maintenance, target: Target, stored: datetime, after: datetime) -> bool:
    """Whether its requester knows another time: a promise that was made later was made in full knowledge."""
    row = target.row
    if row.started_at > (window.cancelled_at or window.announced_at):
        return stored != after
    if window.cancelled_at is None or window.told_to is None:
        return True
    return row.ticket_id <= window.told_to or row.started_at > window.announced_at

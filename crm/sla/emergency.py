"""Emergency mode (prodata 5.3): for a stated time and a reason, first responses are promised later.

A desk has one at a time, and the table keeps all that ever were. It ends by itself: what opens after `ends_at` knows
nothing of it (looked up in `crm.tickets.service` as the ticket opens); the sweep only says that it is over.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.journal import Actor
from crm.sla.models import Emergency
from crm.tickets import groups, outward

_TAKE_TURNS = "select pg_advisory_xact_lock(hashtext('emergency:' || $1::text))"
_END = """
    update emergency set ended_at = greatest(started_at, least(ends_at, $2)),
                         ended_by = case when $2 < ends_at then $3::text end
    where desk = $1 and ended_at is null
"""
_OVER = """
    with over as (select id from emergency where desk = $1 and ended_at is null and ends_at <= $2
                  for update skip locked)
    update emergency e set ended_at = e.ends_at from over where e.id = over.id returning e.reason
"""
_AT = """
    select coalesce(max(minutes), 0) * 60 as seconds from emergency
    where desk = $1 and started_at <= $2 and $2 < coalesce(ended_at, ends_at)
"""


async def current(session: Session, profile: Profile, now: datetime) -> Emergency | None:
    found = await session.scalars(
        select(Emergency).where(
            Emergency.desk == profile.name,
            Emergency.ended_at.is_(None),
            Emergency.started_at <= now,
            Emergency.ends_at > now,
        )
    )
    return found.one_or_none()


async def least_response(session: Session, desk: str, opened_at: datetime) -> int:
    """The fewest seconds for a first response that what opened then was promised; 0 without an emergency."""
    [row] = await session.rows(_AT, desk, opened_at)
    return int(row["seconds"])


async def declare(
    session: Session, profile: Profile, by: Actor, minutes: int, lasts: timedelta, reason: str, now: datetime
) -> Emergency:
    """From now on a first response may take so many minutes; what held until now is replaced."""
    await session.rows(_TAKE_TURNS, profile.name)
    await session.rows(_END, profile.name, now, by.name)
    made = Emergency(
        desk=profile.name,
        minutes=minutes,
        reason=reason,
        started_at=now,
        ends_at=now + lasts,
        agent_id=by.id,
        agent_name=by.name,
    )
    session.add(made)
    facts = {"minutes": minutes, "reason": reason, "ends_at": made.ends_at, "name": by.name}
    await _tell(session, profile, "emergency", now, **facts)
    return made


async def end(session: Session, profile: Profile, by: Actor, now: datetime) -> bool:
    """Before its time; False if there is none."""
    await session.rows(_TAKE_TURNS, profile.name)
    held = await current(session, profile, now)
    if held is None:
        return False
    await session.rows(_END, profile.name, now, by.name)
    await _tell(session, profile, "emergency_over", now, reason=held.reason, name=by.name)
    return True


async def sweep(session: Session, profile: Profile, now: datetime) -> int:
    """Say of the emergency whose time is up that it is over; gives whether there was one."""
    over = await session.rows(_OVER, profile.name, now)
    for row in over:
        await _tell(session, profile, "emergency_over", now, reason=row["reason"], name=None)
    return len(over)


async def _tell(session: Session, profile: Profile, notice: str, now: datetime, **facts: Any) -> None:
    """The engineers read it in General."""
    told = outward.alarm(profile.name, await groups.current(session, profile.name), notice, **facts)
    await Changes(outgoing=[told]).write(session, profile.name, now)

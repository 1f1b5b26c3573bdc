"""A cloud that does not answer, or not as it should: noted, and told to the engineers once when it lasts."""

from datetime import datetime, timedelta
from typing import Any

from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.tickets import groups, outward

# A restart of the cloud's services is nobody's alarm.
PATIENCE = timedelta(minutes=5)


async def note(session: Session, profile: Profile, problem: str, now: datetime) -> bool:
    """It is away; gives whether that is news."""
    [was] = await session.rows(
        """update cloud_state s set problem = $2, away_at = least(coalesce(s.away_at, $3), $3),
               told_at = case when s.told_at is null and s.away_at <= $3 - $4::interval then $3 else s.told_at end
           from (select away_at, told_at from cloud_state where desk = $1 for update) was
           where s.desk = $1 returning s.away_at, was.away_at is null as news, s.told_at is distinct from was.told_at
           as tell""",
        profile.name,
        problem,
        now,
        PATIENCE,
    )
    if was["tell"]:
        await _tell(session, profile, "cloud_away", now, since=was["away_at"], problem=problem)
    return bool(was["news"])


async def over(session: Session, profile: Profile, now: datetime) -> bool:
    """It answers as it should; gives whether that is news."""
    was = await session.rows(
        """update cloud_state s set problem = null, away_at = null, told_at = null
           from (select away_at, told_at from cloud_state where desk = $1 and away_at is not null for update) was
           where s.desk = $1 returning was.away_at, was.told_at""",
        profile.name,
    )
    if was and was[0]["told_at"] is not None:
        await _tell(session, profile, "cloud_back", now, since=was[0]["away_at"])
    return bool(was)


async def _tell(session: Session, profile: Profile, notice: str, now: datetime, **facts: Any) -> None:
    told = outward.alarm(profile.name, await groups.current(session, profile.name), notice, **facts)
    await Changes(outgoing=[told]).write(session, profile.name, now)

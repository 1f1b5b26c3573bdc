"""Quota drift: the cloud allows something else than this desk granted. Somebody has been there by hand; told once."""

from dataclasses import asdict, dataclass
from datetime import datetime

from crm.changes import Changes
from crm.cloud.actions import ALIVE
from crm.db import Session
from crm.desks import Profile
from crm.tickets import groups, outward

# More of them at once are one cause; a message has room for that many.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """One resource of one project; `organization` None: it is bound to none. -1: no limit."""

    project: str
    organization: str | None
    resource: str
    granted: int
    allowed: int
    drifted_at: datetime


_NAMED = """
    select coalesce(p.name, d.project_id) as project, o.name as organization, d.resource, d.granted, d.allowed,
           d.drifted_at
    from {} d
    left join cloud_project p on p.desk = $1 and p.project_id = d.project_id
    left join organization o on o.id = p.organization_id
    order by organization nulls last, project, d.resource
"""
# What is being raised this moment differs for a while, and is no drift. One statement: of two at once, one reports.
_REPORT = f"""
    with found as (
        update cloud_quota q set drifted_at = coalesce(q.drifted_at, $2), drifted_to = q.allowed
        where q.desk = $1 and q.granted is not null and q.allowed <> q.granted
        and (q.drifted_at is null or q.drifted_to is distinct from q.allowed)
        and not exists (select from cloud_action a where a.desk = $1 and a.lane = 'quota:' || q.project_id
                        and a.state = any($3::text[]))
        returning q.*)
    {_NAMED.format("found")}
"""  # noqa: S608
_OVER = """
    update cloud_quota set drifted_at = null, drifted_to = null
    where desk = $1 and drifted_at is not null and (granted is null or allowed = granted)
"""
_LISTING = _NAMED.format("(select * from cloud_quota where desk = $1 and drifted_at is not null)")


async def report(session: Session, profile: Profile, now: datetime) -> int:
    """Tell the engineers what has drifted since the last time; gives how much. What agrees again is drift no more."""
    await session.rows(_OVER, profile.name)
    found = await session.rows(_REPORT, profile.name, now, list(ALIVE))
    if found:
        drifts = [asdict(Drift(**row)) for row in found[:SHOWN]]
        facts = {"drifts": drifts, "more": max(len(found) - SHOWN, 0)}
        told = outward.alarm(profile.name, await groups.current(session, profile.name), "quota_drift", **facts)
        await Changes(outgoing=[told]).write(session, profile.name, now)
    return len(found)


async def listing(session: Session, desk: str) -> list[Drift]:
    """What differs now, by organization and project."""
    return [Drift(**row) for row in await session.rows(_LISTING, desk)]

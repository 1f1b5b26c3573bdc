"""Approved, and nobody carries it out: the engineers hear of it once, before the customer asks."""

from datetime import datetime, timedelta

from crm import journal
from crm.changes import Changes
from crm.cloud.actions import locked
from crm.cloud.ending import call
from crm.cloud.telling import told
from crm.db import Session
from crm.desks import Profile

# Whoever carries actions out takes them up within seconds, and those of one that died within its lease.
PATIENCE = timedelta(minutes=5)
NOTICE = "action_waits"

_WAITING = """
    select a.id from cloud_action a
    where a.desk = $1 and a.state in ('approved', 'running') and a.next_at <= $2 and a.ticket_id is not null
      and not exists (select from ticket_event e where e.ticket_id = a.ticket_id and e.kind = $4
                      and (e.data -> 'what' ->> 'action')::bigint = a.id)
    order by a.next_at limit $3
"""


async def sweep(session: Session, profile: Profile, now: datetime, limit: int) -> int:
    """One bounded batch, whether the desk has hands here or not."""
    found = await session.rows(_WAITING, profile.name, now - PATIENCE, limit, NOTICE)
    for row in found:
        action, ticket = await locked(session, profile, row["id"])
        if ticket is None or action.next_at is None or action.next_at > now - PATIENCE:
            continue
        changes = Changes(events=[told(action, journal.SYSTEM, NOTICE, now)])
        changes.outgoing.append(await call(session, profile, action, ticket, NOTICE, now))
        await changes.write(session, profile.name, now)
    return len(found)

"""Tickets that have ended and are written to once more: opened again, only thanked for, or continued by a new one."""

from datetime import datetime
from typing import Any

from crm.db import Session
from crm.desks import Profile
from crm.people.service import OpenTicket, Requester
from crm.tickets import status
from crm.tickets.thanks import only_thanks

_COLUMNS = "select id, reference, subject, status, group_id from ticket where desk = $1 and requester_id = $2"
_REPLIED = f"{_COLUMNS} and id = $3 and status = any($4::text[]) and ($5 or status = 'closed' and closed_at >= $6)"
_LATEST = (
    f"{_COLUMNS} and status = 'closed' and merged_into_id is null and closed_at >= $3 order by closed_at desc limit 1"
)


async def replied_to(
    session: Session, profile: Profile, who: Requester, content: dict[str, Any], now: datetime
) -> OpenTicket | None:
    """The ended ticket that a reply still belongs to: one closed lately, or any if the reply is nothing but thanks.

    None if it begins a new ticket: what was declined is not opened again by its requester, nor what is long closed.
    """
    since = now - profile.closing.reopens_for
    values = (who.replied_ticket_id, sorted(status.ENDED), only_thanks(content), since)
    found = await session.rows(_REPLIED, profile.name, who.person_id, *values)
    return OpenTicket(**found[0]) if found else None


async def latest(session: Session, profile: Profile, who: Requester, now: datetime) -> OpenTicket | None:
    """The ticket that was closed last, if that was lately: thanks that come late are meant for it."""
    found = await session.rows(_LATEST, profile.name, who.person_id, now - profile.closing.reopens_for)
    return OpenTicket(**found[0]) if found else None

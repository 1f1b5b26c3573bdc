"""The sweep of solutions that nobody answers: reminds, then closes. One bounded batch a call.

`ticket.silence_at` is the moment of the next step; it stands only while the ticket is resolved.
"""

from datetime import datetime

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people.reach import reach
from crm.tickets import outward
from crm.tickets.models import Ticket
from crm.tickets.service import change_status


async def sweep(session: Session, profile: Profile, now: datetime, limit: int = 100) -> int:
    """Do what is due to be done; gives how many tickets were looked at.

    A sweep that was down across several steps does only the last of them.
    """
    found = await session.scalars(
        select(Ticket)
        .where(Ticket.silence_at <= now, Ticket.desk == profile.name)
        .order_by(Ticket.silence_at, Ticket.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    tickets = found.all()
    changes = Changes()
    for ticket in tickets:
        await _advance(session, profile, ticket, now, changes)
    await changes.write(session, profile.name, now)
    return len(tickets)


async def _advance(session: Session, profile: Profile, ticket: Ticket, now: datetime, changes: Changes) -> None:
    """By what the profile says now: if its days have been changed meanwhile, perhaps nothing is due after all."""
    if ticket.silence_at is None or ticket.resolved_at is None:
        return
    *reminders, end = profile.silence(ticket.resolved_at)
    if end <= now:
        await _close(session, profile, ticket, now, changes)
        return
    if any(ticket.silence_at <= moment <= now for moment in reminders):
        changes.events.append(journal.event(ticket.id, journal.SYSTEM, "reminded", now, closes_at=end.isoformat()))
        await _tell(session, profile, ticket, "reminded", changes, closes_at=end)
    ticket.silence_at = next(moment for moment in (*reminders, end) if moment > now)


async def _close(session: Session, profile: Profile, ticket: Ticket, now: datetime, changes: Changes) -> None:
    days, reopen = profile.closing.close, profile.closing.reopen_days
    await change_status(session, profile, ticket.id, "lapse", journal.SYSTEM, None, now, changes, days=days)
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "lapsed", Priority.TOPIC, days=days)
    )
    await _tell(session, profile, ticket, "lapsed", changes, reopen_days=reopen)


async def _tell(
    session: Session, profile: Profile, ticket: Ticket, notice: str, changes: Changes, **facts: object
) -> None:
    where = await reach(session, ticket.id)
    if where is not None:
        told = {"reference": ticket.reference, **facts}
        changes.outgoing.append(outward.say_to_requester(profile.name, where, ticket.id, notice, **told))

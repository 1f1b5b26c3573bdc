"""Messages that wait for their requester to say which ticket they belong to."""

from datetime import datetime

from sqlalchemy import select, text

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotFound
from crm.people import service as people
from crm.people.service import OpenTicket, Requester
from crm.tickets import outward, thanks
from crm.tickets.models import Message
from crm.tickets.opening import begin
from crm.tickets.service import wants_an_answer
from crm.tickets.written import Written, message_rows


async def hold(session: Session, profile: Profile, who: Requester, written: Written, now: datetime) -> int:
    """Keep a message until its requester says which ticket it belongs to; gives its id."""
    changes = Changes()
    message_rows(changes, profile.name, who, who.next_message_id, None, written)
    await changes.write(session, profile.name, now)
    return who.next_message_id


async def place_held(
    session: Session,
    profile: Profile,
    who: Requester,
    message_id: int,
    ticket_id: int | None,
    now: datetime,
) -> OpenTicket:
    """Put a held message, with the rest of its album, where its requester says; without a ticket: a new one.

    Raises NotFound if the message is not held (any more) or the ticket is not the requester's.
    """
    held = await session.get(Message, message_id, with_for_update=True)
    if held is None or held.requester_id != who.person_id or held.ticket_id is not None:
        raise NotFound(what="message")
    parts = [held]
    if held.album_id:
        found = await session.scalars(
            select(Message)
            .where(
                Message.album_id == held.album_id,
                Message.requester_id == who.person_id,
                Message.ticket_id.is_(None),
            )
            .order_by(Message.id)
        )
        parts = list(found)
    changes = Changes()
    if ticket_id is None:
        ticket = await begin(session, profile, who, held.content, now, changes)
        await _write_first(session, profile, changes, now)
    else:
        ticket = next((t for t in who.tickets if t.id == ticket_id), None) or _missing()
        if not all(thanks.only_thanks(part.content) for part in parts):
            await wants_an_answer(session, profile, who, ticket, now, changes)
    for part in parts:
        part.ticket_id = ticket.id
        changes.events.append(journal.event(ticket.id, who.actor, "wrote", now, message=part.id))
        changes.outgoing += outward.relay_to_topic(
            profile.name, ticket.group_id, ticket.id, part.id, part.content, part.album_id, now
        )
    await session.flush()
    await session.execute(
        text("update telegram_message set ticket_id = :ticket where message_ref = any(:ids)"),
        {"ticket": ticket.id, "ids": [part.id for part in parts]},
    )
    await changes.write(session, profile.name, now)
    return ticket


def _missing() -> OpenTicket:
    raise NotFound(what="ticket")


async def _write_first(session: Session, profile: Profile, changes: Changes, now: datetime) -> None:
    """Write what is gathered so far, so that rows of the ORM may refer to it."""
    await changes.write(session, profile.name, now)
    changes.tickets.clear()
    changes.targets.clear()
    changes.events.clear()
    changes.outgoing.clear()


async def _latest(session: Session, who: Requester, sent_at: datetime) -> int | None:
    """The latest ticket that was in work when that was written: it is about nothing that came later, nor about what is
    solved."""
    found = await session.rows(
        """select id from ticket where id = any($1::bigint[]) and opened_at <= $2 and status <> 'resolved'
           order by id desc limit 1""",
        [ticket.id for ticket in who.tickets],
        sent_at,
    )
    return int(found[0]["id"]) if found else None


async def place_forgotten(
    session: Session, profile: Profile, before: datetime, now: datetime, after: int = 0
) -> int | None:
    """The next held message after that id whose requester never said where it belongs goes to the latest ticket that
    was in work then, or opens one; gives its id, None if there is no other.

    One a transaction: whoever opened a ticket holds the turn of its assignment, and must wait for no other ticket.
    """
    found = await session.execute(
        select(Message.id, Message.requester_id, Message.sent_at)
        .where(Message.ticket_id.is_(None), Message.desk == profile.name, Message.sent_at < before, Message.id > after)
        .order_by(Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = found.first()
    if row is None:
        return None
    message_id, person_id, sent_at = row
    chat = await people.telegram_chat(session, profile.name, person_id)
    if chat is not None:
        who = await people.recognise(session, profile, chat, "", None, None, now)
        await place_held(session, profile, who, message_id, await _latest(session, who, sent_at), now)
    return int(message_id)

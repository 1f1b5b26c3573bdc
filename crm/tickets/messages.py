"""Messages after they were written: edits and deletions travel to every place where a copy stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAllowed, NotFound
from crm.outbox import Outgoing, Priority, chat_bucket, group_bucket
from crm.people.service import telegram_chat
from crm.tickets import outward
from crm.tickets.models import Message, TelegramMessage, Ticket


async def at(session: Session, desk: str, chat_id: int, message_id: int) -> tuple[Message, str] | None:
    """The desk's message that stands there, and in which role."""
    found = await session.execute(
        select(Message, TelegramMessage.role)
        .join(TelegramMessage, TelegramMessage.message_ref == Message.id)
        .where(
            TelegramMessage.desk == desk,
            TelegramMessage.chat_id == chat_id,
            TelegramMessage.message_id == message_id,
        )
    )
    row = found.first()
    return (row[0], row[1]) if row else None


async def places(session: Session, message_id: int, role: str) -> list[TelegramMessage]:
    found = await session.scalars(
        select(TelegramMessage).where(TelegramMessage.message_ref == message_id, TelegramMessage.role == role)
    )
    return list(found)


_TOLD_OTHERWISE = """
    select 1 from message m
    where m.id = $2 and m.relayed_at is not null and not exists (
        select 1 from outbox o where o.ticket_id = $1 and o.message_id = m.id and o.payload -> 'told' = m.content)
"""


async def told_otherwise(session: Session, ticket_id: int, message_id: int) -> bool:
    """Whether it travelled with others in words that it does not have any more; what was told is kept with its row."""
    return bool(await session.rows(_TOLD_OTHERWISE, ticket_id, message_id))


async def edit(
    session: Session,
    profile: Profile,
    message: Message,
    content: dict[str, Any],
    actor: journal.Actor,
    now: datetime,
) -> bool:
    """Take over a new version; False if nothing visible changed (Telegram reports such edits too)."""
    await session.refresh(message, with_for_update=True)
    if message.content == content:
        return False
    before, message.content, message.edited_at = message.content, content, now
    changes = Changes()
    if message.ticket_id is not None:
        changes.events.append(
            journal.event(message.ticket_id, actor, "edited", now, message=message.id, before=before.get("text"))
        )
        ticket = await session.get_one(Ticket, message.ticket_id)
        if await _mailed(session, message.id):
            stays = outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "mail_stays", Priority.TOPIC)
            changes.outgoing.append(stays)
        else:
            changes.outgoing.append(_follow("amend", profile, ticket, message, await _reader(session, message)))
    await changes.write(session, profile.name, now)
    return True


async def delete(
    session: Session, profile: Profile, message: Message, actor: journal.Actor, now: datetime, command: int
) -> None:
    """Remove an agent's own message here and at the requester's (or a note, here).

    `command` is the id of the message that ordered it, removed as well. Raises NotAllowed for a requester's
    message: what they wrote stays; and for what has gone by mail.
    """
    if message.author_kind != "agent":
        raise NotAllowed(what="delete")
    if await _mailed(session, message.id):
        raise NotAllowed(what="mailed")
    if message.deleted_at is not None or message.ticket_id is None:
        raise NotFound(what="message")
    message.deleted_at = now
    changes = Changes()
    changes.events.append(journal.event(message.ticket_id, actor, "deleted", now, message=message.id))
    ticket = await session.get_one(Ticket, message.ticket_id)
    changes.outgoing.append(
        _follow("retract", profile, ticket, message, await _reader(session, message), command=command)
    )
    await changes.write(session, profile.name, now)


async def _mailed(session: Session, message_id: int) -> bool:
    """Whether it has left by mail, or may have: a mail cannot be changed or taken back. One that waits, as no server
    has taken it yet, still can."""
    found = await session.rows(
        """with one as (
               select a.id from message m join message a on a.id = m.id
                      or (a.album_id = m.album_id and a.ticket_id = m.ticket_id and m.relayed_at is not null)
               where m.id = $1)
           select 1 from outbox where message_id in (select id from one) and channel = 'email'
           and (state <> 'queued' or repeats > 0 or coalesce(payload -> 'recipients', '{}') <> '{}')
           union all select 1 from mail_message m where m.message_ref in (select id from one) and m.direction = 'out'
           and not exists (select from outbox o where o.id = m.outbox_id and o.state = 'queued')
           limit 1""",
        message_id,
    )
    return bool(found)


async def _reader(session: Session, message: Message) -> int | None:
    """The private chat that holds copies of this message; None if they are in the group."""
    if message.author_kind != "agent" or message.kind != "public":
        return None
    return await telegram_chat(session, message.desk, message.requester_id)


def _follow(
    kind: str, profile: Profile, ticket: Ticket, message: Message, chat_id: int | None, **payload: Any
) -> Outgoing:
    """In the lane of the message itself, so that an edit never overtakes what it edits."""
    desk = profile.name
    if chat_id is None:
        bucket, lane = group_bucket(desk, ticket.group_id), f"ticket:{ticket.id}"
    else:
        bucket = lane = chat_bucket(desk, chat_id)
    return Outgoing(
        bucket=bucket,
        lane=lane,
        kind=kind,
        payload=payload,
        ticket_id=ticket.id,
        message_id=message.id,
        dedupe_key=f"{kind}:{message.id}",
        priority=Priority.REPLY if chat_id else Priority.TOPIC,
    )

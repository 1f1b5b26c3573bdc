"""Who is it? Asked once for each update, before any handler, with one look at the database."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import CallbackQuery, Message, TelegramObject
from sqlalchemy import select

from bot.content import content_of
from bot.context import Context, sender_name
from bot.fsm.storage import PostgresStorage
from crm.errors import Anonymous
from crm.people import service as people
from crm.people.models import Dialogue
from crm.tickets import service

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


async def requester(handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
    """For private chats: `who` (Requester) and `state` (their dialogue)."""
    ctx: Context = data["ctx"]
    message = event if isinstance(event, Message) else None
    account = event.from_user if isinstance(event, Message | CallbackQuery) else None
    if account is None:
        raise Anonymous
    replied = message.reply_to_message if message else None
    who = await people.recognise(
        ctx.session,
        ctx.profile,
        account.id,
        sender_name(message) if message else account.full_name,
        account.username,
        account.language_code,
        ctx.now,
        message_id=message.message_id if message else 0,
        reply_to=replied.message_id if replied else 0,
        album=album_of(message) if message else None,
    )
    if who.unreachable:
        # They write to us, so they can be written to again.
        await service.reachable(ctx.session, ctx.profile, who.channel, who.address, True, ctx.now)
    _dialogue(data, ctx, account.id, account.id, 0, who.state, who.data)
    data["who"] = who
    data["content"] = content_of(message) if message else None
    return await handler(event, data)


def album_of(message: Message) -> str | None:
    """An album's name that is unique beyond its chat."""
    return f"{message.chat.id}:{message.media_group_id}" if message.media_group_id else None


async def member(handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
    """For the group: `agent` (None for anybody else) and `state`; a person must stand behind the message."""
    ctx: Context = data["ctx"]
    place = event.message if isinstance(event, CallbackQuery) else event
    account = event.from_user if isinstance(event, Message | CallbackQuery) else None
    if account is None or (isinstance(event, Message) and event.sender_chat is not None):
        raise Anonymous
    thread = 0
    if isinstance(place, Message) and place.is_topic_message:
        thread = place.message_thread_id or 0
    chat_id = place.chat.id if place is not None else account.id  # type: ignore[attr-defined]
    data["agent"] = await people.agent_of(ctx.session, ctx.profile.name, account.id)
    stored = await ctx.session.scalar(
        select(Dialogue).where(
            Dialogue.desk == ctx.profile.name,
            Dialogue.chat_id == chat_id,
            Dialogue.thread_id == thread,
            Dialogue.telegram_id == account.id,
        )
    )
    state, kept = (stored.state, stored.data) if stored else (None, {})
    _dialogue(data, ctx, chat_id, account.id, thread, state, kept)
    data["content"] = content_of(event) if isinstance(event, Message) else None
    return await handler(event, data)


def _dialogue(
    data: dict[str, Any],
    ctx: Context,
    chat_id: int,
    user_id: int,
    thread: int,
    state: str | None,
    kept: dict[str, Any],
) -> None:
    storage = PostgresStorage(ctx.session, ctx.profile.name, ctx.now, state, kept)
    key = StorageKey(bot_id=data["bot"].id, chat_id=chat_id, user_id=user_id, thread_id=thread or None)
    data["state"] = FSMContext(storage=storage, key=key)
    data["raw_state"] = state

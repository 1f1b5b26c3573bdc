"""What engineers write in a ticket's topic: answers, notes, edits, deletions.

Only an explicit reply (to the customer's message or to the card) or `/r` leaves the topic.
"""

from datetime import timedelta
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from sqlalchemy import select

from bot import admin_views, middlewares, views
from bot.content import without_command
from bot.context import Context
from bot.filters import CANNOT_TRAVEL, OWN_WORDS, HasContent, When
from bot.fsm.states import Decline, Refusal
from bot.handlers import hands
from bot.topics import TOPIC_PATIENCE, ticket_here
from crm.errors import NotAllowed, NotAnAgent, NotFound, WrongInput, WrongPlace, WrongStatus
from crm.people.models import Agent
from crm.people.service import actor_of
from crm.tickets import messages, queries, work
from crm.tickets.models import Message as Stored
from crm.tickets.models import TelegramMessage
from crm.tickets.written import Origin, Written

router = Router(name="topic")
router.message.filter(When(F.chat.type == "supergroup"))
router.edited_message.filter(When(F.chat.type == "supergroup"))
router.message.middleware(middlewares.member)
router.edited_message.middleware(middlewares.member)

ORIGINAL_PATIENCE = timedelta(seconds=60)
PUBLIC_COMMAND, NOTE_COMMAND = "r", "note"
# Words in General are nobody's; only a command there gets an answer, lest somebody think that it left.
IN_TOPIC = When(F.is_topic_message)
ALL_COMMANDS = Command(PUBLIC_COMMAND, NOTE_COMMAND, ignore_mention=True)


def _replied(message: Message) -> int | None:
    """The message replied to; a plain message in a topic seems to reply to the topic's root, which is no reply."""
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None or replied.message_id == message.message_thread_id:
        return None
    return replied.message_id


@router.message(Command("delete", ignore_mention=True), OWN_WORDS)
async def delete(message: Message, ctx: Context, agent: Agent | None) -> str:
    """Remove one's own message together with its copy at the customer's."""
    if agent is None:
        raise NotAnAgent
    target = _replied(message)
    found = await messages.at(ctx.session, ctx.profile.name, message.chat.id, target) if target else None
    if found is None:
        raise WrongInput(what="delete")
    stored = found[0]
    if stored.author_kind == "agent" and stored.author_id != agent.id and agent.role != "lead":
        raise NotAllowed(what="delete")
    await messages.delete(ctx.session, ctx.profile, stored, actor_of(agent), ctx.now, command=message.message_id)
    return "deleted"


@router.message(ALL_COMMANDS, OWN_WORDS)
async def command_(
    message: Message, ctx: Context, agent: Agent | None, content: dict[str, Any], command: CommandObject
) -> str:
    if agent is None:
        raise NotAnAgent
    bare = without_command(content)
    if bare["type"] == "text" and not bare.get("text"):
        raise WrongInput(what="empty")
    return await _write(message, ctx, agent, bare, "public" if command.command == PUBLIC_COMMAND else "note")


@router.message(CANNOT_TRAVEL, IN_TOPIC)
async def cannot_relay(message: Message, ctx: Context, agent: Agent | None) -> str:
    if agent is not None:
        await ctx.hint(message, views.cannot_relay(ctx.team, message.content_type))
    return "cannot_relay"


@router.message(HasContent(), IN_TOPIC)
async def write(
    message: Message,
    ctx: Context,
    agent: Agent | None,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any],
) -> str:
    if agent is not None and raw_state == Decline.reason.state and await _decline(message, ctx, agent, state, content):
        return "declined"
    if (
        agent is not None
        and raw_state == Refusal.reason.state
        and await hands.reason(message, ctx, agent, state, content)
    ):
        return "refused"
    kind = await _kind(message, ctx)
    if agent is None:
        if kind == "public":
            raise NotAnAgent
        return "not_an_agent"
    try:
        return await _write(message, ctx, agent, content, kind)
    except WrongPlace:
        # Engineers may have topics of their own, to talk about lunch.
        if kind == "public":
            raise
        return "foreign_topic"


async def _kind(message: Message, ctx: Context) -> str:
    """Public if it replies to the customer's message or to the card, or belongs to an album that does."""
    replied = _replied(message)
    if replied is None:
        album = middlewares.album_of(message)
        first = (
            await ctx.session.scalar(select(Stored.kind).where(Stored.album_id == album).limit(1)) if album else None
        )
        return first or "note"
    pair = await ctx.session.get(TelegramMessage, (ctx.profile.name, message.chat.id, replied))
    if pair is None:
        if (
            message.reply_to_message
            and message.reply_to_message.from_user
            and message.reply_to_message.from_user.is_bot
        ):
            ctx.wait_for(TOPIC_PATIENCE)
            # Perhaps a copy whose sending was never answered: whoever replies to it must not think that it left.
            await ctx.hint(message, admin_views.kept_as_note(ctx.team))
        return "note"
    if pair.role == "card":
        return "public"
    stored = await ctx.session.get(Stored, pair.message_ref) if pair.message_ref else None
    return "public" if stored is not None and stored.author_kind == "requester" else "note"


async def _write(message: Message, ctx: Context, agent: Agent, content: dict[str, Any], kind: str) -> str:
    ticket = await ticket_here(ctx, message)
    if await messages.at(ctx.session, ctx.profile.name, message.chat.id, message.message_id):
        return "duplicate"
    replied = _replied(message)
    found = await messages.at(ctx.session, ctx.profile.name, message.chat.id, replied) if replied else None
    answered = found[0].id if found else await queries.last_requester_message(ctx.session, ticket.id)
    if answered is not None:
        content = {**content, "reply_to": answered}
    written = Written(content, message.date, Origin(message.chat.id, message.message_id), middlewares.album_of(message))
    await work.write(ctx.session, ctx.profile, agent, ticket.id, kind, written, ctx.now)
    return "replied" if kind == "public" else "noted"


async def _decline(message: Message, ctx: Context, agent: Agent, state: FSMContext, content: dict[str, Any]) -> bool:
    """The message after «decline». False if the ticket has ended meanwhile: then it is a message like any other."""
    ticket_id = (await state.get_data()).get("ticket", 0)
    await state.clear()
    try:
        await work.decline(ctx.session, ctx.profile, agent, ticket_id, content.get("text", ""), ctx.now)
    except (NotFound, WrongStatus) as error:
        await ctx.hint(message, admin_views.refusal(ctx.team, error))
        return False
    return True


def _commands(content: dict[str, Any]) -> bool:
    first = content.get("text", "").split(maxsplit=1)[:1]
    return bool(first) and first[0].partition("@")[0] in (f"/{PUBLIC_COMMAND}", f"/{NOTE_COMMAND}")


@router.edited_message()
async def edited(message: Message, ctx: Context, agent: Agent | None, content: dict[str, Any] | None) -> str:
    found = await messages.at(ctx.session, ctx.profile.name, message.chat.id, message.message_id)
    if found is None:
        ctx.wait_for(ORIGINAL_PATIENCE)
        return "ignored"
    stored = found[0]
    if agent is None or content is None or stored.author_kind != "agent" or stored.author_id != agent.id:
        return "ignored"
    if _commands(content):
        content = without_command(content)
        if content["type"] == "text" and not content.get("text"):
            return "ignored"
    if "reply_to" in stored.content:
        content = {**content, "reply_to": stored.content["reply_to"]}
    changed = await messages.edit(ctx.session, ctx.profile, stored, content, actor_of(agent), ctx.now)
    return "edited" if changed else "unchanged"


@router.message(IN_TOPIC)
async def service_message(message: Message) -> str:
    return "service"

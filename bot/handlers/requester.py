"""A customer's private chat: first steps, language, rules, and every message that is a request."""

import re
from datetime import timedelta
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message

from bot import callbacks as press
from bot import keyboards, middlewares, views
from bot.content import content_of
from bot.context import Context
from bot.filters import CANNOT_TRAVEL, OWN_WORDS, PRIVATE, PRIVATE_BUTTON, HasContent, When
from bot.fsm.states import Rejection, Request
from bot.handlers import cloud, linking
from bot.handlers.dialogue import ASKING
from crm.errors import NotFound
from crm.people import service as people
from crm.people.service import OpenTicket, Requester
from crm.texts import texts
from crm.tickets import ended, holding, messages, outward, queries, service
from crm.tickets.opening import Opening, open_ticket
from crm.tickets.thanks import only_thanks
from crm.tickets.written import Origin, Written

router = Router(name="requester")
# «/var is full» begins like a command, but is a request.
LONE_COMMAND = re.compile(r"^/[A-Za-z0-9_]+(@\w+)?$")
# How long a reply may wait for the message it replies to, when both were handed over in the wrong order.
PARENT_PATIENCE = timedelta(seconds=10)
# A reply to a message of ours: that it was sent may only be about to be written down.
ANSWER_PATIENCE = timedelta(seconds=2)
# And an edit for its original.
ORIGINAL_PATIENCE = timedelta(seconds=60)

router.message.filter(PRIVATE)
router.edited_message.filter(PRIVATE)
router.callback_query.filter(PRIVATE_BUTTON)
for observer in (router.message, router.edited_message, router.callback_query):
    observer.middleware(middlewares.requester)


def _said(source: str) -> frozenset[str]:
    """A button of the reply keyboard, in whichever language it was drawn."""
    return frozenset(texts(language)(source) for language in keyboards.LANGUAGES)


@router.message(CommandStart(ignore_mention=True), OWN_WORDS)
async def start(message: Message, ctx: Context, who: Requester, state: FSMContext) -> str:
    await state.clear()
    await people.show_rules(ctx.session, who, ctx.now)
    await ctx.say(who.chat_id, views.welcome(ctx.look(who.language), who.rules_accepted))
    return "start"


@router.message(Command("help", ignore_mention=True), OWN_WORDS)
async def help_page(message: Message, ctx: Context, who: Requester) -> str:
    await ctx.say(who.chat_id, views.help_page(ctx.look(who.language)))
    return "help"


@router.message(Command("language", ignore_mention=True), OWN_WORDS)
async def choose_language(message: Message, ctx: Context, who: Requester) -> str:
    await ctx.say(who.chat_id, views.choose_language(ctx.look(who.language)))
    return "language"


@router.callback_query(press.Language.filter())
async def set_language(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Language) -> str:
    language = ctx.profile.language(callback_data.code)
    await people.set_language(ctx.session, who.person_id, language)
    await ctx.answer(query, keyboards.LANGUAGES[language])
    await ctx.redraw(query, views.welcome(ctx.look(language), who.rules_accepted))
    return "language_set"


@router.callback_query(press.Rules.filter())
async def accept_rules(query: CallbackQuery, ctx: Context, who: Requester) -> str:
    news = await people.accept_rules(ctx.session, who.person_id, ctx.now)
    await ctx.answer(query)
    await ctx.redraw_buttons(query, None)
    if news:
        await ctx.say(who.chat_id, views.ready(ctx.look(who.language)))
    return "rules_accepted"


@router.message(Command("new", ignore_mention=True), OWN_WORDS)
@router.message(When(F.text.in_(_said("New request"))))
async def new(message: Message, ctx: Context, who: Requester, state: FSMContext) -> str:
    await state.set_state(Request.describing)
    await state.set_data({"kind": ctx.profile.default_type, "dialogue": 0})
    await ctx.say(who.chat_id, views.choose_kind(ctx.look(who.language)))
    return "new"


@router.callback_query(press.Kind.filter())
async def kind(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, callback_data: press.Kind) -> str:
    if callback_data.key not in {known.key for known in ctx.profile.request_types}:
        raise NotFound(what="type")
    chosen = ctx.profile.request_type(callback_data.key)
    await cloud.begin(query, ctx, who, state, chosen.key, query.message.message_id if query.message else 0)
    return "kind"


@router.message(Command("requests", ignore_mention=True), OWN_WORDS)
@router.message(When(F.text.in_(_said("My requests"))))
async def my_requests(message: Message, ctx: Context, who: Requester, state: FSMContext) -> str:
    await state.clear()
    own = await queries.own(ctx.session, ctx.profile.name, who.person_id)
    await ctx.say(who.chat_id, views.my_requests(ctx.look(who.language), own))
    return "my_requests"


@router.message(When(F.text.regexp(LONE_COMMAND)), OWN_WORDS)
async def unknown_command(message: Message, ctx: Context, who: Requester) -> str:
    await ctx.say(who.chat_id, views.help_page(ctx.look(who.language)))
    return "unknown_command"


@router.message(CANNOT_TRAVEL)
async def cannot_relay(message: Message, ctx: Context, who: Requester) -> str:
    """Said to the customer, and to the engineers if it is clear whom it was meant for."""
    shown = views.cannot_relay(ctx.look(who.language), message.content_type)
    await ctx.say(who.chat_id, shown, reply_to=message.message_id)
    if len(who.tickets) == 1:
        ticket = who.tickets[0]
        note = outward.say_in_topic(
            ctx.profile.name, ticket.group_id, ticket.id, "unrelayed", kind=message.content_type
        )
        await ctx.enqueue(note)
    return "cannot_relay"


@router.message(HasContent())
async def write(
    message: Message,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any],
) -> str:
    """A free sentence is already a request; a later one finds the request it belongs to."""
    if who.known_message:
        return "duplicate"
    linked = await linking.step(ctx, who, state, raw_state, content.get("text", ""))
    if linked is not None:
        return linked
    answered = await cloud.step(message, ctx, who, state, raw_state, content)
    if answered is not None:
        return answered
    written = _written(message, ctx, who, content)
    if who.album_held:
        await holding.hold(ctx.session, ctx.profile, who, written, ctx.now)
        return "held"
    ticket = await _belongs_to(ctx, who, state, raw_state, content)
    if ticket is not None:
        await service.add_message(ctx.session, ctx.profile, who, ticket, written, ctx.now)
        return "added"
    if raw_state in ASKING or who.replied_ticket_id or not who.tickets:
        return await _open(ctx, who, written, state, raw_state)
    held = await holding.hold(ctx.session, ctx.profile, who, written, ctx.now)
    choice = [(t.id, t.reference, t.subject) for t in who.tickets]
    await ctx.say(who.chat_id, views.which_request(ctx.look(who.language), held, choice), reply_to=message.message_id)
    return "asked_which"


def _written(message: Message, ctx: Context, who: Requester, content: dict[str, Any]) -> Written:
    """A reply to a message that is not known yet waits for it a little."""
    replied = message.reply_to_message
    unknown = who.replied_message_id is None and who.replied_ticket_id is None
    if unknown and replied is not None and replied.from_user is not None:
        if replied.from_user.id == who.chat_id and content_of(replied) is not None:
            ctx.wait_for(PARENT_PATIENCE)
        if replied.from_user.is_bot:
            ctx.wait_for(ANSWER_PATIENCE)
    if who.replied_message_id is not None:
        content = {**content, "reply_to": who.replied_message_id}
    return Written(content, message.date, Origin(message.chat.id, message.message_id), middlewares.album_of(message))


async def _belongs_to(
    ctx: Context, who: Requester, state: FSMContext, raw_state: str | None, content: dict[str, Any]
) -> OpenTicket | None:
    """The request that a message belongs to without asking; None if it is new or unclear."""
    reachable = {ticket.id: ticket for ticket in who.tickets}
    if who.album_ticket_id in reachable:
        return reachable[who.album_ticket_id]
    if who.replied_ticket_id is not None:
        living = reachable.get(who.replied_ticket_id)
        return living or await ended.replied_to(ctx.session, ctx.profile, who, content, ctx.now)
    if raw_state == Rejection.explaining.state:
        explained = (await state.get_data()).get("ticket")
        await state.clear()
        if explained in reachable:
            return reachable[explained]
    solved = [ticket for ticket in who.tickets if ticket.status == "resolved"]
    if solved and only_thanks(content) and raw_state not in ASKING:
        return solved[-1]
    if not who.tickets and only_thanks(content) and raw_state not in ASKING:
        return await ended.latest(ctx.session, ctx.profile, who, ctx.now)
    only = who.tickets[0] if len(who.tickets) == 1 else None
    return only if only and only.status != "resolved" and raw_state not in ASKING else None


async def _open(ctx: Context, who: Requester, written: Written, state: FSMContext, raw_state: str | None) -> str:
    kind = None
    if raw_state in ASKING:
        kind = (await state.get_data()).get("kind")
        await state.clear()
    opening = Opening(kind, who.replied_ticket_id)
    await open_ticket(ctx.session, ctx.profile, who, written, ctx.now, opening)
    return "opened"


@router.edited_message()
async def edited(
    message: Message,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any] | None,
) -> str:
    """An edit whose original never came is what the customer wants to say, so it is taken as a message."""
    found = await messages.at(ctx.session, ctx.profile.name, message.chat.id, message.message_id)
    if content is None or (found is None and who.known_message):
        return "ignored"
    if found is None:
        ctx.wait_for(ORIGINAL_PATIENCE)
        command = LONE_COMMAND.match(content.get("text", ""))
        return "ignored" if command else await write(message, ctx, who, state, raw_state, content)
    stored = found[0]
    if stored.author_kind != "requester":
        return "ignored"
    if "reply_to" in stored.content:
        content = {**content, "reply_to": stored.content["reply_to"]}
    changed = await messages.edit(ctx.session, ctx.profile, stored, content, who.actor, ctx.now)
    return "edited" if changed else "unchanged"


@router.message()
async def service_message(message: Message) -> str:
    """Pins, joins and the like: nothing that a person wrote."""
    return "service"


@router.my_chat_member(PRIVATE)
async def reachable(event: ChatMemberUpdated, ctx: Context) -> str:
    """The customer has blocked the bot, or let it in again: the engineers should know."""
    can = event.new_chat_member.status not in ("kicked", "left")
    news = await service.reachable(ctx.session, ctx.profile, "telegram", str(event.chat.id), can, ctx.now)
    if not news:
        return "unchanged"
    return "reachable" if can else "blocked"

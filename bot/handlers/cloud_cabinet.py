"""Whoever has no cabinet asks for one, or for a trial: for whom, which number, what it has; an engineer decides."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import cabinet_views, middlewares, trial_views
from bot import callbacks as press
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.fsm.states import Cloud
from bot.handlers import dialogue
from bot.rendered import Rendered
from crm.cloud import requests, trials
from crm.cloud.rules import TRIAL
from crm.errors import WrongInput
from crm.people.organizations import named, phone_number
from crm.people.service import Requester

router = Router(name="cloud_cabinet")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

# Whatever is longer than that, or has several lines, is no name but a request.
LONGEST_NAME = 80
LONGEST_PHONE = 40


async def first(ctx: Context, who: Requester, began: int, key: str) -> Rendered | None:
    """Raises HadTrial before the first question for whoever may have none."""
    if key == TRIAL:
        await trials.known(ctx.session, ctx.profile, who.person_id)
    elif not await requests.may_open(ctx.session, ctx.profile, who):
        return None
    return _name(ctx, who, {"kind": key, "dialogue": began})


def _name(ctx: Context, who: Requester, data: dict[str, Any]) -> Rendered:
    view = trial_views.name if data["kind"] == TRIAL else cabinet_views.name
    return view(ctx.look(who.language), data["dialogue"])


async def written(
    message: Message,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any],
) -> str | None:
    """The name, then the number; None for what is neither."""
    words = content.get("text", "")
    if content["type"] == "contact" or raw_state == Cloud.phone.state:
        return await _phoned(message, ctx, who, state, raw_state, content)
    if content["type"] != "text" or "\n" in words or len(words) > LONGEST_NAME:
        return None
    name, mine = named(words), ctx.look(who.language)
    phone = await requests.known_phone(ctx.session, ctx.profile.name, who.person_id)
    if phone is not None:
        return await _to_confirm(ctx, who, state, name, phone, proven=True)
    data = await state.get_data()
    await ctx.say(who.chat_id, cabinet_views.named(mine, name))
    await dialogue.say(ctx, who, state, cabinet_views.phone(mine, data["dialogue"]), Cloud.phone, name=name)
    return "named"


async def _phoned(
    message: Message,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any],
) -> str | None:
    """A number that is written, or shared by Telegram's button: proven to be theirs if Telegram says so."""
    mine, data = ctx.look(who.language), await state.get_data()
    if raw_state != Cloud.phone.state:
        await dialogue.say(ctx, who, state, _name(ctx, who, data), Cloud.name)
        return "asked_name"
    shared, words = content.get("contact"), content.get("text", "")
    if shared is None and (content["type"] != "text" or "\n" in words or len(words) > LONGEST_PHONE):
        return None
    try:
        number = phone_number(_international(shared["phone_number"]) if shared else words)
    except WrongInput:
        again = cabinet_views.phone(mine, data["dialogue"], cabinet_views.no_phone(mine))
        await dialogue.say(ctx, who, state, again, Cloud.phone, name=data["name"])
        return "wrong_phone"
    await ctx.say(who.chat_id, cabinet_views.phoned(mine, number))
    # A card that somebody else made of them says what that one believes.
    own = message.forward_origin is None and message.via_bot is None
    proven = own and shared is not None and shared.get("user_id") == who.chat_id
    return await _to_confirm(ctx, who, state, data["name"], number, proven)


def _international(number: str) -> str:
    """Telegram leaves the plus out."""
    return number if number.startswith("+") else f"+{number}"


async def _to_confirm(ctx: Context, who: Requester, state: FSMContext, name: str, phone: str, proven: bool) -> str:
    data = await state.get_data()
    view = trial_views.new_trial if data["kind"] == TRIAL else cabinet_views.new_cabinet
    page = view(ctx.look(who.language), name, phone, data["dialogue"])
    await dialogue.say(ctx, who, state, page, Cloud.choosing, name=name, phone=phone, proven=proven)
    return "to_confirm"


@router.callback_query(press.Cabinet.filter(F.step == "name"))
async def another_name(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Cabinet,
) -> str:
    data = await dialogue.alive(state, raw_state, callback_data.dialogue)
    await dialogue.show(ctx, query, state, _name(ctx, who, data), Cloud.name)
    return "asked_name"


@router.callback_query(press.Cabinet.filter(F.step == "ask"))
async def ask(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Cabinet,
) -> str:
    pressed = await dialogue.last_press(query, ctx, who, state, raw_state, callback_data)
    if pressed is None:
        return "asked_before"
    data = await state.get_data()
    if not {"name", "phone", "proven"} <= data.keys():
        # The page was left by «Back», and its button pressed all the same.
        await dialogue.show(ctx, query, state, _name(ctx, who, data), Cloud.name)
        return "asked_name"
    ctx.hand_over("open")
    if data["kind"] == TRIAL:
        return await _ask_trial(query, ctx, who, state, data)
    made = await requests.cabinet(ctx.session, ctx.profile, pressed, data["name"], data["phone"], data["proven"])
    return await dialogue.over(query, ctx, who, state, made)


async def _ask_trial(
    query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, data: dict[str, Any]
) -> str:
    wish = trials.Wish(data["name"], data["phone"], data["proven"])
    ticket = await trials.ask(ctx.session, ctx.profile, who, wish, ctx.now)
    await state.clear()
    await ctx.answer(query)
    await ctx.redraw(query, trial_views.sent(ctx.look(who.language), ticket.reference))
    await ctx.bind(query, ticket.id)
    return "trial_asked"

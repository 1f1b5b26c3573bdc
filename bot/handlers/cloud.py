"""How a dialogue about the cloud begins, how it is left, and where what is written in it goes."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import cloud_views, middlewares, views
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.fsm.states import Cloud, Request
from bot.handlers import cloud_cabinet, cloud_link, cloud_password, cloud_power, cloud_quota, dialogue
from bot.rendered import Rendered
from crm.cloud import requests
from crm.cloud.access import Access, access_of
from crm.cloud.rules import HANDED_OVER, TRIAL, Kind, types_of
from crm.people.service import Requester

router = Router(name="cloud")
router.include_routers(
    cloud_power.router, cloud_quota.router, cloud_password.router, cloud_link.router, cloud_cabinet.router
)
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

First = Callable[[Context, Requester, Access, int], Awaitable[Rendered | None]]
# By request type: which right it takes, and the first page; None where there is nothing to choose from.
FIRST: dict[str, tuple[Kind, First]] = {
    "vm": ("reboot", cloud_power.first),
    "quota": ("quota", cloud_quota.first),
    "password": ("password", cloud_password.first),
    "link": ("link", cloud_link.first),
}
# What ends with a password: without pages to show it, an engineer sees to it.
BY_PAGE = {asked for kind in HANDED_OVER for asked in types_of(kind)}


async def first_page(ctx: Context, who: Requester, key: str, began: int) -> tuple[Rendered, State] | None:
    """Where the dialogue begins, and what is meant by what is written then; None where a request of that type is
    written in one's own words."""
    if ctx.profile.cloud is None or (key in BY_PAGE and not ctx.pages):
        return None
    look = ctx.look(who.language)
    if key == "cabinet" or (key == TRIAL and ctx.profile.trial is not None):
        page = await cloud_cabinet.first(ctx, who, began, key)
        return (page, Cloud.name) if page is not None else None
    if key not in FIRST:
        return None
    kind, first = FIRST[key]
    lacking = await requests.lacking(ctx.session, ctx.profile, who, kind)
    if lacking is not None:
        return cloud_views.lacking(look, key, lacking, began), Cloud.choosing
    access = await access_of(ctx.session, ctx.profile, who.person_id)
    if access is None or not access.may(kind) or not access.cabinets:
        return None
    page = await first(ctx, who, access, began)
    return (page, Cloud.choosing) if page is not None else None


async def begin(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, key: str, began: int) -> None:
    """A type was chosen: its first page, or what to describe."""
    await state.set_data({"kind": key, "dialogue": began})
    page, at = await first_page(ctx, who, key, began) or (
        views.describe(ctx.look(who.language), key, began),
        Request.describing,
    )
    await dialogue.show(ctx, query, state, page, at)


async def step(
    message: Message,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    content: dict[str, Any],
) -> str | None:
    """What is written as the answer to a page; None for whatever looks like something else: a request."""
    if raw_state == Cloud.amount.state:
        done = await cloud_quota.written(ctx, who, state, content)
    elif raw_state in (Cloud.name.state, Cloud.phone.state):
        done = await cloud_cabinet.written(message, ctx, who, state, raw_state, content)
    else:
        return None
    if done is not None:
        await ctx.taken(message)
    return done


@router.callback_query(press.Dialogue.filter(F.action == "kinds"))
async def to_kinds(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Dialogue,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    await state.set_data({"kind": ctx.profile.default_type, "dialogue": callback_data.dialogue})
    page = views.choose_kind(ctx.look(who.language), callback_data.dialogue)
    await dialogue.show(ctx, query, state, page, Request.describing)
    return "back"


@router.callback_query(press.Dialogue.filter(F.action == "first"))
async def to_first_page(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Dialogue,
) -> str:
    data = await dialogue.alive(state, raw_state, callback_data.dialogue)
    await begin(query, ctx, who, state, data["kind"], callback_data.dialogue)
    return "back"


@router.callback_query(press.Dialogue.filter(F.action == "words"))
async def own_words(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Dialogue,
) -> str:
    data = await dialogue.alive(state, raw_state, callback_data.dialogue)
    page = views.describe(ctx.look(who.language), data["kind"], callback_data.dialogue, "first")
    await dialogue.show(ctx, query, state, page, Request.describing)
    return "own_words"


@router.callback_query(press.Dialogue.filter(F.action == "cancel"))
async def cancel(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Dialogue,
) -> str:
    data = await dialogue.alive(state, raw_state, callback_data.dialogue)
    await state.clear()
    await ctx.answer(query)
    if data["kind"] in ("cabinet", TRIAL):
        # Its question for a number has other buttons below the input field.
        await ctx.redraw_buttons(query, None)
        await ctx.say(who.chat_id, views.cancelled(ctx.look(who.language)))
    else:
        await ctx.redraw(query, cloud_views.ended(ctx.look(who.language)))
    return "cancelled"

"""A customer wants more for a cabinet: which, how much, checked against what can be had; then an engineer decides."""

from collections.abc import Callable
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import callbacks as press
from bot import middlewares, quota_views
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.fsm.states import Cloud
from bot.handlers import dialogue
from bot.rendered import Rendered
from bot.views import Look
from crm.cloud import amounts, choices, requests
from crm.cloud.access import Access, Cabinet, require
from crm.cloud.choices import Limit
from crm.cloud.rules import RESOURCES, Resource
from crm.errors import NotFound, OverCeiling, WrongInput
from crm.people.service import Requester

router = Router(name="cloud_quota")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

# A page about one limit: for whom, of which cabinet, which, and what it is now.
Page = Callable[[Look, Cabinet, Resource, Limit], Rendered]


async def first(ctx: Context, who: Requester, access: Access, began: int) -> Rendered | None:
    """The cabinet, where there are several."""
    if len(access.cabinets) > 1:
        return quota_views.cabinets(ctx.look(who.language), access.cabinets, began)
    return await _resources(ctx, who, access, access.cabinets[0].id, began)


async def _resources(ctx: Context, who: Requester, access: Access, cabinet: int, began: int) -> Rendered | None:
    own = choices.cabinet(access, cabinet)
    limits = await choices.limits_of(ctx.session, ctx.profile, own)
    if not limits:
        return None
    return quota_views.resources(ctx.look(who.language), own, limits, began, len(access.cabinets) > 1)


async def _about(ctx: Context, who: Requester, cabinet: int, resource: str) -> tuple[Cabinet, Resource, Limit]:
    """Asked anew at each press. Raises NotFound for what is not theirs, or cannot be raised."""
    access = await require(ctx.session, ctx.profile, who.person_id, "quota")
    own = choices.cabinet(access, cabinet)
    limits = await choices.limits_of(ctx.session, ctx.profile, own)
    for known in RESOURCES:
        if known == resource and known in limits:
            return own, known, limits[known]
    raise NotFound(what="choice")


@router.callback_query(press.Quota.filter(F.step == "look"))
async def look(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Quota,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    access = await require(ctx.session, ctx.profile, who.person_id, "quota")
    page = await _resources(ctx, who, access, callback_data.cabinet, callback_data.dialogue)
    if page is None:
        raise NotFound(what="choice")
    await dialogue.show(ctx, query, state, page)
    return "resources"


@router.callback_query(press.Quota.filter(F.step.in_({"pick", "write", "check"})))
async def choose(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Quota,
) -> str:
    """One resource: what is offered, a number of one's own, or the page that is confirmed."""
    began, step = callback_data.dialogue, callback_data.step
    await dialogue.alive(state, raw_state, began)
    own, resource, limit = await _about(ctx, who, callback_data.cabinet, callback_data.resource)
    mine = ctx.look(who.language)
    if step == "write":
        page = quota_views.write(mine, own, resource, limit, began)
        await dialogue.show(ctx, query, state, page, Cloud.amount, cabinet=own.id, resource=resource)
        return "asked_amount"
    note = _objection(mine, resource, limit, callback_data.amount) if step == "check" else ""
    if step == "pick" or note:
        page = quota_views.how_much(mine, own, resource, limit, began, note)
    else:
        page = quota_views.check(mine, own, resource, limit, callback_data.amount, began)
    await dialogue.show(ctx, query, state, page)
    return "to_confirm" if step == "check" and not note else "amounts"


def _objection(look: Look, resource: Resource, limit: Limit, value: int) -> str:
    """Why that cannot be the new limit; empty if it can."""
    if value <= limit.allowed:
        return quota_views.too_little(look.t)
    if limit.most is not None and value > limit.most:
        return quota_views.too_much(look.t, resource, limit.most)
    return ""


async def written(ctx: Context, who: Requester, state: FSMContext, content: dict[str, Any]) -> str | None:
    """A number, in whichever way people write it; None for what is no number at all."""
    words = content.get("text", "")
    if content["type"] != "text" or not amounts.looks_like_number(words):
        return None
    data = await state.get_data()
    own, resource, limit = await _about(ctx, who, data["cabinet"], data["resource"])
    mine, began = ctx.look(who.language), data["dialogue"]
    try:
        value = amounts.parse(resource, words, who.language)
        note = _objection(mine, resource, limit, value)
    except WrongInput:
        value, note = 0, quota_views.no_number(mine.t, resource)
    if note:
        again = quota_views.write(mine, own, resource, limit, began, note)
        await dialogue.say(ctx, who, state, again, Cloud.amount, cabinet=own.id, resource=resource)
        return "wrong_amount"
    page = quota_views.check(mine, own, resource, limit, value, began)
    await dialogue.say(ctx, who, state, page, Cloud.choosing)
    return "to_confirm"


@router.callback_query(press.Quota.filter(F.step == "ask"))
async def ask(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Quota,
) -> str:
    """What can be had may have become less meanwhile."""
    pressed = await dialogue.last_press(query, ctx, who, state, raw_state, callback_data)
    if pressed is None:
        return "asked_before"
    own, resource, limit = await _about(ctx, who, callback_data.cabinet, callback_data.resource)
    try:
        made = await requests.quota(ctx.session, ctx.profile, pressed, own.id, resource, callback_data.amount)
    except (OverCeiling, WrongInput):
        mine = ctx.look(who.language)
        note = _objection(mine, resource, limit, callback_data.amount)
        page = quota_views.how_much(mine, own, resource, limit, callback_data.dialogue, note)
        await dialogue.show(ctx, query, state, page)
        return "not_now"
    return await dialogue.over(query, ctx, who, state, made)

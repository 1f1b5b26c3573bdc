"""A customer reboots, unlocks, switches on or off a machine of their own."""

from typing import get_args

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import callbacks as press
from bot import cloud_views, middlewares
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.handlers import dialogue
from bot.rendered import Rendered
from crm.cloud import choices, requests
from crm.cloud.access import Access, require
from crm.cloud.rules import Power
from crm.people.service import Requester

router = Router(name="cloud_power")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)


async def first(ctx: Context, who: Requester, access: Access, began: int) -> Rendered | None:
    return await _listed(ctx, who, access, began, 0)


async def _listed(ctx: Context, who: Requester, access: Access, began: int, offset: int) -> Rendered | None:
    found, more = await choices.machines(ctx.session, ctx.profile, access, offset, cloud_views.PAGE)
    if not found:
        return None
    return cloud_views.machines(ctx.look(who.language), found, offset, more, began)


@router.callback_query(press.OwnMachine.filter(F.action == "list"))
async def listing(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.OwnMachine,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    access = await require(ctx.session, ctx.profile, who.person_id, "reboot")
    began = callback_data.dialogue
    page = await _listed(ctx, who, access, began, callback_data.id)
    # They may all be gone since that button was drawn.
    await dialogue.show(ctx, query, state, page or cloud_views.machines(ctx.look(who.language), [], 0, False, began))
    return "machines"


@router.callback_query(press.OwnMachine.filter(F.action.in_({"look", "stopping"})))
async def look(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.OwnMachine,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    access = await require(ctx.session, ctx.profile, who.person_id, "reboot")
    one = await choices.machine(ctx.session, ctx.profile, access, callback_data.id)
    if callback_data.action == "stopping" and "stop" in one.offers:
        page = cloud_views.stopping(ctx.look(who.language), one, callback_data.dialogue)
    else:
        page = cloud_views.machine(ctx.look(who.language), one, access.seen_at, callback_data.dialogue)
    await dialogue.show(ctx, query, state, page)
    return "machine"


@router.callback_query(press.OwnMachine.filter(F.action.in_(set(get_args(Power)))))
async def act(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.OwnMachine,
) -> str:
    """Confirmed: nobody else is needed where the agreement says so. A machine that changed meanwhile is shown anew."""
    pressed = await dialogue.last_press(query, ctx, who, state, raw_state, callback_data)
    if pressed is None:
        return "asked_before"
    wanted: Power = next(one for one in get_args(Power) if one == callback_data.action)
    access = await require(ctx.session, ctx.profile, who.person_id, wanted)
    one = await choices.machine(ctx.session, ctx.profile, access, callback_data.id)
    if wanted not in one.offers:
        mine = ctx.look(who.language)
        page = cloud_views.machine(mine, one, access.seen_at, callback_data.dialogue)
        await dialogue.show(ctx, query, state, page, word=mine.t("That is not possible just now."))
        return "not_now"
    made = await requests.power(ctx.session, ctx.profile, pressed, wanted, callback_data.id)
    return await dialogue.over(query, ctx, who, state, made)

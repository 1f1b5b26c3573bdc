"""A customer has two availability zones linked by a network."""

from aiogram import F, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import cabinet_views, middlewares
from bot import callbacks as press
from bot.cloud_views import first_page
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.handlers import dialogue
from bot.rendered import Rendered
from crm.cloud import choices, requests
from crm.cloud.access import Access, Cabinet, require
from crm.people.service import Requester

router = Router(name="cloud_link")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)


async def first(ctx: Context, who: Requester, access: Access, began: int) -> Rendered | None:
    """The cabinet, where there are several; nothing where there are no two zones."""
    available = await choices.zones(ctx.session, ctx.profile)
    if len(available) < 2:
        return None
    if len(access.cabinets) > 1:
        return cabinet_views.where(ctx.look(who.language), access.cabinets, began)
    return _pair(ctx, who, access.cabinets[0], available, ("", ""), began, several=False)


def _pair(
    ctx: Context,
    who: Requester,
    own: Cabinet,
    available: list[str],
    chosen: tuple[str, str],
    began: int,
    several: bool,
) -> Rendered:
    """As far as zones are chosen; of two there is nothing to choose."""
    mine = ctx.look(who.language)
    back: CallbackData | None = None
    if len(available) == 2:
        chosen, back = (available[0], available[1]), first_page(began) if several else None
    elif all(chosen):
        back = cabinet_views.before(own, chosen[0], began)
    if not all(chosen):
        return cabinet_views.zones(mine, own, available, chosen[0], began, several)
    return cabinet_views.new_link(mine, own, *chosen, began, back)


@router.callback_query(press.Zones.filter(F.step == "look"))
async def look(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Zones,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    access = await require(ctx.session, ctx.profile, who.person_id, "link")
    own = choices.cabinet(access, callback_data.cabinet)
    available = await choices.zones(ctx.session, ctx.profile)
    marks = (callback_data.first, callback_data.second)
    first_zone, second_zone = (choices.zone(available, one) if one else "" for one in marks)
    several = len(access.cabinets) > 1
    page = _pair(ctx, who, own, available, (first_zone, second_zone), callback_data.dialogue, several)
    await dialogue.show(ctx, query, state, page)
    return "zones"


@router.callback_query(press.Zones.filter(F.step == "ask"))
async def ask(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Zones,
) -> str:
    pressed = await dialogue.last_press(query, ctx, who, state, raw_state, callback_data)
    if pressed is None:
        return "asked_before"
    marks = (callback_data.first, callback_data.second)
    made = await requests.link(ctx.session, ctx.profile, pressed, callback_data.cabinet, marks)
    return await dialogue.over(query, ctx, who, state, made)

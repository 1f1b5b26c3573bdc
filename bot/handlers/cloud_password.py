"""An authorised contact has a new password made for a login of a cabinet; it comes by a link that opens once."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import cabinet_views, middlewares
from bot import callbacks as press
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.handlers import dialogue
from bot.rendered import Rendered
from crm.cloud import choices, requests
from crm.cloud.access import Access, Cabinet, require
from crm.people.service import Requester

router = Router(name="cloud_password")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

# More than a page of buttons takes are asked for in one's own words.
MOST = 20


def _logins(access: Access) -> list[tuple[Cabinet, str, str]]:
    """Cabinet, user id and login name, by name."""
    found = [(own, user_id, name) for own in access.cabinets for user_id, name in own.users.items()]
    return sorted(found, key=lambda one: (one[2].lower(), one[0].name))[:MOST]


async def first(ctx: Context, who: Requester, access: Access, began: int) -> Rendered | None:
    """The login, where there are several."""
    found = _logins(access)
    if len(found) > 1:
        return cabinet_views.logins(ctx.look(who.language), found, began)
    return cabinet_views.new_password(ctx.look(who.language), *found[0], began, several=False) if found else None


@router.callback_query(press.Login.filter(F.step == "look"))
async def look(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Login,
) -> str:
    await dialogue.alive(state, raw_state, callback_data.dialogue)
    access = await require(ctx.session, ctx.profile, who.person_id, "password")
    own = choices.cabinet(access, callback_data.cabinet)
    user_id, name = choices.login(own, callback_data.login)
    several = len(_logins(access)) > 1
    page = cabinet_views.new_password(ctx.look(who.language), own, user_id, name, callback_data.dialogue, several)
    await dialogue.show(ctx, query, state, page)
    return "to_confirm"


@router.callback_query(press.Login.filter(F.step == "ask"))
async def ask(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    callback_data: press.Login,
) -> str:
    pressed = await dialogue.last_press(query, ctx, who, state, raw_state, callback_data)
    if pressed is None:
        return "asked_before"
    ctx.hand_over("password")
    made = await requests.password(ctx.session, ctx.profile, pressed, callback_data.cabinet, callback_data.login)
    return await dialogue.over(query, ctx, who, state, made)

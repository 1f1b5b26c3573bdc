"""What all dialogues about the cloud have in common: which one is alive, how its pages follow, how it ends.

A dialogue is named by the message in which it began; a person has one at a time. Its pages are redraws of that message,
but for the answer to what was written, which comes below.
"""

from typing import Any

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery

from bot import cloud_views
from bot.context import Context
from bot.fsm.states import Cloud, Request
from bot.rendered import Rendered
from crm.cloud import requests
from crm.cloud.requests import Asked, Press
from crm.errors import WrongStatus
from crm.people.service import Requester

# What is written then is a new request of the type that was chosen.
ASKING = frozenset(state.state for state in (Request.describing, Cloud.choosing, Cloud.amount, Cloud.name, Cloud.phone))
# Kept over all pages.
_KEPT = ("kind", "dialogue")


async def alive(state: FSMContext, raw_state: str | None, dialogue: int) -> dict[str, Any]:
    """What is known of it. Raises WrongStatus for a button of one that has ended."""
    data = await state.get_data()
    if raw_state not in ASKING or data.get("dialogue") != dialogue:
        raise WrongStatus(what="dialogue")
    return data


async def show(
    ctx: Context,
    query: CallbackQuery,
    state: FSMContext,
    page: Rendered,
    at: State = Cloud.choosing,
    word: str | None = None,
    **more: Any,
) -> None:
    """The next page; `at` and `more` say what is meant by what is written now."""
    await _stand(state, at, page=query.message.message_id if query.message else None, **more)
    await ctx.answer(query, word)
    await ctx.redraw(query, page)


async def say(ctx: Context, who: Requester, state: FSMContext, page: Rendered, at: State, **more: Any) -> None:
    """The next page, below what was written; the former one loses its buttons."""
    left = (await state.get_data()).get("page")
    await _stand(state, at, page=None, **more)
    if left is not None:
        await ctx.without_buttons(who.chat_id, left)
    await ctx.say(who.chat_id, page)


async def _stand(state: FSMContext, at: State, **more: Any) -> None:
    data = await state.get_data()
    await state.set_state(at)
    await state.set_data({key: data.get(key) for key in _KEPT} | more)


async def last_press(
    query: CallbackQuery,
    ctx: Context,
    who: Requester,
    state: FSMContext,
    raw_state: str | None,
    button: CallbackData,
) -> Press | None:
    """The press that ends a dialogue; None for one that came again, which only says so."""
    press = Press(who, button.pack(), ctx.now)
    before = await requests.pressed(ctx.session, ctx.profile.name, press)
    if before is not None:
        await ctx.answer(query, cloud_views.asked_before(ctx.look(who.language).t, before), alert=True)
        return None
    await alive(state, raw_state, button.dialogue)  # type: ignore[attr-defined]
    return press


async def over(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, made: Asked) -> str:
    """It is asked for: the page says so, and a reply to it belongs to the ticket."""
    await state.clear()
    await ctx.answer(query)
    rules = not (who.rules_shown or who.rules_accepted)
    await ctx.redraw(query, cloud_views.asked(ctx.look(who.language), made, rules))
    await ctx.bind(query, made.ticket_id)
    return "asked"

"""Mail that programs sent is held; an engineer may say that it is a request."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot import callbacks as press
from bot import mail_views, middlewares
from bot.context import Context
from bot.filters import GROUP_BUTTON
from crm import inbox
from crm.errors import NotAnAgent, NotFound
from crm.people.models import Agent

router = Router(name="held")
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)


@router.callback_query(press.Held.filter())
async def want(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Held) -> str:
    if agent is None:
        raise NotAnAgent
    if not await inbox.want(ctx.session, callback_data.item, ctx.now):
        raise NotFound(what="held")
    await ctx.answer(query)
    await ctx.redraw(query, mail_views.wanted(ctx.team, agent.name))
    return "held_wanted"

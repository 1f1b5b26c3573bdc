"""Mail that programs sent is held; an engineer may say that it is a request."""

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import keyboards, mail_views, middlewares
from bot.context import Context
from bot.filters import GROUP_BUTTON
from bot.rendered import render
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
    if not await inbox.want(ctx.session, callback_data.item, ctx.now, f"mail:{ctx.profile.name}:"):
        raise NotFound(what="held")
    done = mail_views.wanted(ctx.team, agent.name)
    await ctx.answer(query, done)
    if left := _others(query, callback_data.pack()):
        await ctx.redraw_buttons(query, keyboards.inline(left))
    else:
        await ctx.redraw(query, render(done))
    return "held_wanted"


def _others(query: CallbackQuery, pressed: str) -> keyboards.Rows:
    """The buttons of the other mails that were told of together with this one."""
    markup = query.message.reply_markup if isinstance(query.message, Message) else None
    rows = markup.inline_keyboard if markup else []
    return [row for row in rows if all(button.callback_data != pressed for button in row)]

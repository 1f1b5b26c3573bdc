"""A refusal of the desk becomes a text for the person who caused it: here, and nowhere else."""

import contextlib

from aiogram.types import Update

from bot import admin_views
from bot.context import Context
from bot.views import Look
from crm.errors import Anonymous, DeskError
from crm.people import service as people


async def tell(update: Update, ctx: Context, error: DeskError) -> None:
    """Say it where it was caused: on the button, in the private chat, in the group."""
    if (query := update.callback_query) is not None:
        await ctx.answer(query, admin_views.refusal(await _look(update, ctx), error).text, alert=True)
        return
    message = update.message
    if message is None:
        return
    shown = admin_views.refusal(await _look(update, ctx), error)
    if message.chat.type == "private":
        await ctx.say(message.chat.id, shown, reply_to=message.message_id)
    elif not isinstance(error, Anonymous) or message.text:
        await ctx.hint(message, shown)


async def _look(update: Update, ctx: Context) -> Look:
    message = update.callback_query.message if update.callback_query else update.message
    account = update.callback_query.from_user if update.callback_query else getattr(message, "from_user", None)
    if message is not None and message.chat.type == "private" and account is not None:
        with contextlib.suppress(ValueError):
            who = await people.recognise(ctx.session, ctx.profile, account.id, account.full_name, None, None, ctx.now)
            return ctx.look(who.language)
    return ctx.team

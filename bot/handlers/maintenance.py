"""`/maintenance`: leads announce windows in which the clocks stand, and cancel them."""

import re

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import maintenance_views as views
from bot import middlewares, windows
from bot.context import Context
from bot.filters import OWN_WORDS, When
from crm.errors import NotAnAgent
from crm.people.models import Agent
from crm.sla import maintenance

router = Router(name="maintenance")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)

CANCEL = re.compile(r"cancel\s+№?(\d{1,15})", re.I)


@router.message(Command("maintenance", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """Alone it lists; what is announced or cancelled stands in General, and where it was written if that is a topic."""
    if agent is None:
        raise NotAnAgent
    words = (command.args or "").strip()
    if not words:
        found = [maintenance.facts_of(w) for w in await maintenance.listing(ctx.session, ctx.profile, ctx.now)]
        await ctx.hint(message, views.listing(ctx.team, found))
        return "maintenance_listed"
    if (wanted := CANCEL.fullmatch(words)) is not None:
        window = await maintenance.cancel(ctx.session, ctx.profile, agent, int(wanted[1]), ctx.now)
        shown = views.cancelled
    else:
        asked = windows.parse(words, ctx.profile.timezone, ctx.now)
        window = await maintenance.announce(ctx.session, ctx.profile, agent, asked, ctx.now)
        shown = views.announced
    if message.is_topic_message:
        await ctx.hint(message, shown(ctx.team, maintenance.facts_of(window, agent.name)))
    return "maintenance_cancelled" if wanted else "maintenance_announced"

"""`/help` in the engineers' group."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import menu, middlewares
from bot.context import Context
from bot.filters import OWN_WORDS, When
from crm.errors import NotAnAgent
from crm.people.models import Agent

router = Router(name="group help")
router.message.filter(When(F.chat.type.in_({"supergroup", "group"})), OWN_WORDS)
router.message.middleware(middlewares.member)


@router.message(Command("help", ignore_mention=True))
async def help_(message: Message, ctx: Context, agent: Agent | None) -> str:
    if agent is None:
        raise NotAnAgent
    await ctx.hint(message, menu.help_of_engineers(ctx.team))
    return "help"

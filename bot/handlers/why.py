"""`/why`: how a ticket's times come about."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import middlewares, why_views
from bot.context import Context
from bot.filters import OWN_WORDS, When
from bot.topics import ticket_here
from crm.errors import NotAnAgent
from crm.people.models import Agent
from crm.sla import accounts

router = Router(name="why")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)


@router.message(Command("why", ignore_mention=True))
async def why(message: Message, ctx: Context, agent: Agent | None) -> str:
    """In the language of the engineer who asks, as far as the desk speaks it."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    look = ctx.look(ctx.profile.language(message.from_user.language_code if message.from_user else None))
    found = await accounts.of_ticket(ctx.session, ticket.id, ctx.now)
    await ctx.hint(message, why_views.explanation(look, ticket.reference, found), ticket.id)
    return "why"

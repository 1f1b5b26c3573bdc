"""`/merge`: two topics turn out to be one request."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import middlewares
from bot.context import Context
from bot.filters import OWN_WORDS, When
from bot.topics import ticket_here
from crm.errors import NotAnAgent, WrongInput
from crm.people.models import Agent
from crm.tickets import merging

router = Router(name="merging")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)


@router.message(Command("merge", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """The request of this topic goes on in the one that is named."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    words = (command.args or "").split()
    if len(words) != 1:
        raise WrongInput(what="merge")
    await merging.merge(ctx.session, ctx.profile, agent, ticket.id, words[0], ctx.now)
    return "merged"

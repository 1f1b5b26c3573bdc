"""`/organization`: a lead says of which organization the customer of a topic is a contact."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import middlewares
from bot.context import Context
from bot.filters import OWN_WORDS, When
from bot.topics import ticket_here
from crm.errors import NotAnAgent, WrongInput
from crm.people.models import Agent
from crm.tickets import contracts

router = Router(name="organizations")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)


@router.message(Command("organization", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    name = (command.args or "").strip()
    if not name:
        raise WrongInput(what="organization")
    await contracts.bind(ctx.session, ctx.profile, agent, ticket.id, name, ctx.now)
    return "bound"

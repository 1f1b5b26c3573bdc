"""`/queue`: a ticket becomes another team's work."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import middlewares, team_views
from bot.context import Context
from bot.filters import GROUP_BUTTON, OWN_WORDS, When
from bot.topics import ticket_here
from crm.errors import NotAnAgent
from crm.people.models import Agent
from crm.tickets import queues

router = Router(name="queues")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)


@router.message(Command("queue", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/queue` offers the others as buttons, `/queue key` transfers."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    wanted = (command.args or "").strip().lower()
    if not wanted:
        await ctx.hint(message, team_views.choose_queue(ctx.team, ticket.id, ticket.queue), ticket.id)
        return "queues"
    await queues.transfer(ctx.session, ctx.profile, agent, ticket.id, wanted, ctx.now)
    return "transferred"


@router.callback_query(press.Queue.filter())
async def transfer(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Queue) -> str:
    if agent is None:
        raise NotAnAgent
    ticket = await queues.transfer(ctx.session, ctx.profile, agent, callback_data.ticket, callback_data.key, ctx.now)
    await ctx.answer(query)
    await ctx.redraw(query, team_views.choose_queue(ctx.team, ticket.id, ticket.queue))
    return "transferred"

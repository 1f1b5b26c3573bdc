"""On duty or not: `/duty`, `/away`, `/back` of engineers in the group, and the button by which a swap is refused."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import duty_views as views
from bot import duty_words, middlewares
from bot.context import Context
from bot.filters import GROUP_BUTTON, OWN_WORDS, When
from crm.errors import NotAllowed, NotAnAgent, NotFound, WrongInput
from crm.people import duty, roster
from crm.people import service as people
from crm.people.models import Agent
from crm.tickets import assignment

router = Router(name="duty")
router.message.filter(When(F.chat.type.in_({"supergroup", "group"})), OWN_WORDS)
router.message.middleware(middlewares.member)
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)

WEEK = 7


@router.message(Command("duty", ignore_mention=True))
async def duty_command(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    if agent is None:
        raise NotAnAgent
    said = duty_words.duty(command.args or "", ctx.now, ctx.profile.timezone)
    return await DOES[type(said)](message, ctx, agent, said)


async def _show(message: Message, ctx: Context, agent: Agent, said: duty_words.Shown) -> str:
    known = await duty.team(ctx.session, ctx.profile, ctx.now)
    await ctx.hint(message, views.on_duty(ctx.team, known.members))
    return "duty"


async def _switch(message: Message, ctx: Context, agent: Agent, said: duty_words.Switch) -> str:
    await roster.say(ctx.session, ctx.profile, agent, said.on, said.until, ctx.now)
    return await _show(message, ctx, agent, duty_words.Shown())


async def _week(message: Message, ctx: Context, agent: Agent, said: duty_words.Week) -> str:
    known = await duty.team(ctx.session, ctx.profile, ctx.now)
    today = ctx.now.astimezone(ZoneInfo(ctx.profile.timezone)).date()
    days = [today + timedelta(days=n) for n in range(WEEK)]
    end = ctx.now + timedelta(days=WEEK)
    stretches = {
        agent.id: known_duty.stretches(ctx.now, end) for agent, known_duty in known.members if not known_duty.plain
    }
    await ctx.hint(message, views.week(ctx.team, days, known.members, stretches))
    return "duty_week"


async def _add(message: Message, ctx: Context, agent: Agent, said: duty_words.Add) -> str:
    person = await _whose(message, ctx, agent)
    await roster.add_shifts(ctx.session, person, said.shifts)
    return await _show_shifts(message, ctx, person)


async def _clear(message: Message, ctx: Context, agent: Agent, said: duty_words.Clear) -> str:
    person = await _whose(message, ctx, agent)
    await roster.clear_shifts(ctx.session, person)
    return await _show_shifts(message, ctx, person)


async def _show_shifts(message: Message, ctx: Context, person: Agent) -> str:
    known = await duty.team(ctx.session, ctx.profile, ctx.now)
    await ctx.hint(message, views.shifts(ctx.team, person.name, known.duty_of(person)))
    return "duty_shifts"


async def _swap(message: Message, ctx: Context, agent: Agent, said: duty_words.Swap) -> str:
    taker = await _replied_agent(message, ctx)
    if taker is None:
        raise WrongInput(what="duty_swap")
    made = await roster.swap(ctx.session, ctx.profile, agent, taker, said.day, ctx.now)
    await ctx.hint(message, views.swapped(ctx.team, agent, taker, made.stretches, made.id))
    return "duty_swapped"


DOES: dict[type, Callable[[Message, Context, Agent, Any], Awaitable[str]]] = {
    duty_words.Shown: _show,
    duty_words.Week: _week,
    duty_words.Switch: _switch,
    duty_words.Add: _add,
    duty_words.Clear: _clear,
    duty_words.Swap: _swap,
}


async def _whose(message: Message, ctx: Context, agent: Agent) -> Agent:
    """Oneself, or whose message is replied to; other people's shifts are the leads' matter. Raises NotAllowed."""
    person = await _replied_agent(message, ctx) or agent
    if person.id != agent.id and agent.role != "lead":
        raise NotAllowed(what="shifts")
    return person


async def _replied_agent(message: Message, ctx: Context) -> Agent | None:
    """None without a reply (a plain message in a topic seems to reply to its root) and for one to the bot.

    Raises NotFound for a person who is no agent.
    """
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created or replied.from_user is None or replied.from_user.is_bot:
        return None
    person = await people.agent_of(ctx.session, ctx.profile.name, replied.from_user.id)
    if person is None:
        raise NotFound(what="agent")
    return person


@router.message(Command("away", ignore_mention=True))
async def away(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """Off duty now; active tickets go back to the queue."""
    if agent is None:
        raise NotAnAgent
    until = duty_words.away(command.args or "", ctx.now, ctx.profile.timezone)
    await roster.leave(ctx.session, agent, until, ctx.now)
    tickets = await assignment.hand_back(ctx.session, ctx.profile, agent, ctx.now)
    await ctx.hint(message, views.left(ctx.team, agent.name, until, tickets))
    return "away"


@router.message(Command("back", ignore_mention=True))
async def back(message: Message, ctx: Context, agent: Agent | None) -> str:
    if agent is None:
        raise NotAnAgent
    known = await roster.back(ctx.session, ctx.profile, agent, ctx.now)
    await ctx.hint(message, views.back(ctx.team, agent.name, known))
    return "back"


@router.callback_query(press.Swap.filter())
async def refuse(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Swap) -> str:
    """Only whom the shift was given to."""
    if agent is None:
        raise NotAnAgent
    giver = await roster.refuse(ctx.session, agent, callback_data.id, ctx.now)
    await ctx.answer(query)
    await ctx.redraw_buttons(query, None)
    if isinstance(query.message, Message):
        await ctx.hint(query.message, views.refused(ctx.team, giver, agent))
    return "swap_refused"

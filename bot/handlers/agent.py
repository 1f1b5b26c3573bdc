"""The buttons of a ticket's card: who presses is asked anew at every press."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import callbacks as press
from bot import keyboards, middlewares, team_views, views
from bot.context import Context
from bot.filters import GROUP_BUTTON
from bot.fsm.states import Decline
from crm.errors import NotAnAgent, WrongStatus
from crm.people.models import Agent
from crm.tickets import status, work
from crm.tickets.service import load

router = Router(name="agent")
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)

STEPS = {
    "take": work.take,
    "over": work.take_over,
    "ask": work.ask,
    "hold": work.hold,
    "resolve": work.resolve,
    "reopen": work.reopen,
}


@router.callback_query(press.Work.filter(F.action.in_(STEPS)))
async def step(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Work) -> str:
    if agent is None:
        raise NotAnAgent
    await STEPS[callback_data.action](ctx.session, ctx.profile, agent, callback_data.ticket, ctx.now)
    await ctx.answer(query)
    return callback_data.action


@router.callback_query(press.Work.filter(F.action == "decline"))
async def decline(
    query: CallbackQuery, ctx: Context, agent: Agent | None, state: FSMContext, callback_data: press.Work
) -> str:
    """The reason is the agent's next message in this topic."""
    if agent is None:
        raise NotAnAgent
    ticket = await load(ctx.session, ctx.profile.name, callback_data.ticket)
    status.after("decline", ticket.status)
    await state.set_state(Decline.reason)
    await state.set_data({"ticket": ticket.id})
    await ctx.answer(query, ctx.team.t("Write the reason as your next message here; the customer will read it."), True)
    return "asked_reason"


@router.callback_query(press.Work.filter(F.action.in_({"priority", "type", "card"})))
async def menu(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Work) -> str:
    """The card's buttons give way to a choice, or come back."""
    if agent is None:
        raise NotAnAgent
    ticket = await load(ctx.session, ctx.profile.name, callback_data.ticket)
    if ticket.status not in status.ACTIVE and callback_data.action != "card":
        raise WrongStatus(status=ticket.status, action=callback_data.action)
    t = ctx.team.t
    keyboard = {
        "priority": keyboards.priorities(ticket.id, team_views.priority_labels(t), t("Back")),
        "type": keyboards.types(
            ticket.id, {k.key: views.type_labels(t)[k.key] for k in ctx.profile.request_types}, t("Back")
        ),
        "card": keyboards.card(t, ticket.id, ticket.status, ticket.assignee_id is not None),
    }[callback_data.action]
    await ctx.answer(query)
    await ctx.redraw_buttons(query, keyboard)
    return "menu"


@router.callback_query(press.Priority.filter())
async def priority(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Priority) -> str:
    if agent is None:
        raise NotAnAgent
    await work.set_priority(ctx.session, ctx.profile, agent, callback_data.ticket, callback_data.value, ctx.now)
    await ctx.answer(query)
    return "priority"


@router.callback_query(press.Type.filter())
async def request_type(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Type) -> str:
    if agent is None:
        raise NotAnAgent
    await work.set_type(ctx.session, ctx.profile, agent, callback_data.ticket, callback_data.key, ctx.now)
    await ctx.answer(query)
    return "type"

"""Trials, as engineers decide them: `/trial` in a topic and the buttons of the notice. Customers ask for one in the
dialogue of a cabinet (`cloud_cabinet.py`)."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import middlewares, trial_views
from bot.context import Context
from bot.filters import GROUP_BUTTON, OWN_WORDS, When
from bot.rendered import Rendered
from bot.topics import ticket_here
from crm.cloud import eligibility, trials
from crm.cloud.models import Trial
from crm.errors import NotAnAgent
from crm.people.models import Agent
from crm.tickets import work
from crm.tickets.models import Ticket

router = Router(name="trials")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)

DECISIONS = {"grant": trials.grant, "refuse": trials.refuse}


@router.message(Command("trial", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/trial` makes the request one for a trial or shows how it stands; `/trial refuse reason` gives a reason."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    verb, _, reason = (command.args or "").strip().partition(" ")
    if verb.lower() == "refuse":
        await trials.refuse(ctx.session, ctx.profile, agent, ticket.id, ctx.now, reason)
        return "trial_refused"
    trial = await trials.of_ticket(ctx.session, ctx.profile, ticket.id)
    if trial is None or trial.state == "refused":
        who = await eligibility.applicant(ctx.session, ctx.profile.name, ticket.requester_id)
        found = await eligibility.obstacles(ctx.session, ctx.profile, who)
        if found:
            await work.living(ctx.session, ctx.profile, ticket.id)
            pairs = [(one.what, one.reference) for one in found]
            await ctx.hint(message, trial_views.not_eligible(ctx.team, pairs), ticket.id)
            return "trial_not_eligible"
        await trials.make(ctx.session, ctx.profile, agent, ticket.id, ctx.now)
        return "trial_made"
    await ctx.hint(message, await _state(ctx, ticket, trial), ticket.id)
    return "trial_shown"


@router.callback_query(press.Judge.filter(F.action.in_(DECISIONS)))
async def decide(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Judge) -> str:
    """Who presses and what speaks against it is asked anew."""
    if agent is None:
        raise NotAnAgent
    if callback_data.action == "grant":
        ctx.hand_over("open")
    trial = await DECISIONS[callback_data.action](ctx.session, ctx.profile, agent, callback_data.ticket, ctx.now)
    ticket = await ctx.session.get_one(Ticket, callback_data.ticket)
    await ctx.answer(query)
    await ctx.redraw(query, await _state(ctx, ticket, trial))
    return f"trial_{trial.state}"


async def _state(ctx: Context, ticket: Ticket, trial: Trial) -> Rendered:
    found = await trials.examined(ctx.session, ctx.profile, trial)
    facts = trials.facts(trial)
    decidable = await trials.decidable(ctx.session, trial)
    return trial_views.state(ctx.team, ticket.id, facts, [(one.what, one.reference) for one in found], decidable)

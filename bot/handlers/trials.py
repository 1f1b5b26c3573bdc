"""Trials: a customer asks for one in three steps; engineers turn a request into one, and decide."""

from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, Filter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message, TelegramObject

from bot import callbacks as press
from bot import middlewares, trial_views
from bot.context import Context
from bot.filters import GROUP_BUTTON, OWN_WORDS, PRIVATE_BUTTON, When
from bot.fsm.states import Trial as Asking
from bot.topics import ticket_here
from crm.cloud import eligibility, trials
from crm.cloud.models import Trial
from crm.cloud.trials import Wish
from crm.errors import NotAnAgent, NotFound, WrongInput
from crm.people.models import Agent
from crm.people.organizations import phone_number
from crm.people.service import Requester
from crm.tickets import work
from crm.tickets.models import Ticket
from crm.tickets.written import Written


class GivesTrials(Filter):
    """Only a desk whose agreement knows them."""

    async def __call__(self, event: TelegramObject, ctx: Context) -> bool:
        return ctx.profile.trial is not None


router = Router(name="trials")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

# Longer than any name or number: that is a request, and not lost for the question that was asked.
LONGEST = 120


@router.callback_query(press.Kind.filter(F.key == "trial"), GivesTrials())
async def begin(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext) -> str:
    """Whoever may have none hears it before the first question."""
    await _restart(ctx, query, who, state)
    return "trial_begun"


async def _restart(ctx: Context, query: CallbackQuery, who: Requester, state: FSMContext) -> None:
    """The first question; the desk knows the answer if they are somebody's contact."""
    applicant = await trials.known(ctx.session, ctx.profile, who.person_id)
    await state.set_state(Asking.organization)
    await state.set_data({})
    look, rules = ctx.look(who.language), eligibility.rules_of(ctx.profile)
    await ctx.answer(query)
    await ctx.redraw(query, trial_views.organization(look, rules, applicant.organization))
    if applicant.organization is not None:
        await _named(ctx, who, state, applicant.organization)


async def step(
    message: Message, ctx: Context, who: Requester, state: FSMContext, raw_state: str | None, content: dict[str, Any]
) -> str | None:
    """An answer to one of the questions; None for whatever is something else: a request."""
    if who.replied_ticket_id is not None or message.forward_origin is not None:
        return None
    words = content.get("text", "").strip() if content["type"] == "text" else ""
    if raw_state == Asking.organization.state and 0 < len(words) <= LONGEST and "\n" not in words:
        return await _named(ctx, who, state, words)
    if raw_state == Asking.phone.state and (message.contact or 0 < len(words) <= LONGEST):
        return await _phoned(message, ctx, who, state, words)
    return None


async def _named(ctx: Context, who: Requester, state: FSMContext, name: str) -> str:
    await state.set_data({"organization": " ".join(name.split())})
    proven = (await eligibility.applicant(ctx.session, ctx.profile.name, who.person_id)).phones
    if proven:
        return await _complete(ctx, who, state, proven[0], True)
    await state.set_state(Asking.phone)
    await ctx.say(who.chat_id, trial_views.phone(ctx.look(who.language)))
    return "trial_named"


async def _complete(ctx: Context, who: Requester, state: FSMContext, phone: str, verified: bool) -> str:
    await state.set_state(Asking.confirming)
    wish = await state.update_data(phone=phone, verified=verified)
    await ctx.say(who.chat_id, trial_views.confirm(ctx.look(who.language), wish))
    return "trial_complete"


async def _phoned(message: Message, ctx: Context, who: Requester, state: FSMContext, words: str) -> str:
    """A card counts as theirs only if Telegram says that it is of the very account that sends it (attack 36)."""
    look, contact = ctx.look(who.language), message.contact
    if contact is not None and contact.user_id != who.chat_id:
        await ctx.say(who.chat_id, trial_views.not_own(look))
        return "trial_foreign_phone"
    written = contact.phone_number if contact else words
    try:
        # Telegram leaves the sign out.
        phone = phone_number(f"+{written.lstrip('+')}" if contact else written)
    except WrongInput:
        await ctx.say(who.chat_id, trial_views.no_number(look))
        return "trial_no_number"
    return await _complete(ctx, who, state, phone, contact is not None)


@router.callback_query(press.Trial.filter(F.action == "back"), GivesTrials())
async def back(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, raw_state: str | None) -> str:
    if raw_state not in (Asking.phone.state, Asking.confirming.state):
        raise NotFound(what="dialogue")
    await _restart(ctx, query, who, state)
    return "trial_back"


@router.callback_query(press.Trial.filter(F.action == "cancel"), GivesTrials())
async def cancel(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, raw_state: str | None) -> str:
    """The buttons below the input field become the usual ones again, so it is said anew."""
    if raw_state not in {one.state for one in (Asking.organization, Asking.phone, Asking.confirming)}:
        raise NotFound(what="dialogue")
    await state.clear()
    await ctx.answer(query)
    await ctx.redraw_buttons(query, None)
    await ctx.say(who.chat_id, trial_views.cancelled(ctx.look(who.language)))
    return "trial_cancelled"


@router.callback_query(press.Trial.filter(F.action == "ask"), GivesTrials())
async def ask(query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, raw_state: str | None) -> str:
    """What is asked for stands in the dialogue, not in the button; a second press finds none."""
    if raw_state != Asking.confirming.state:
        raise NotFound(what="dialogue")
    asked = await state.get_data()
    look = ctx.look(who.language)
    await state.clear()
    wish = Wish(asked["organization"], asked["phone"], asked["verified"])
    content = {"type": "text", "text": trial_views.request(look.t, asked)}
    await trials.ask(ctx.session, ctx.profile, who, wish, Written(content, ctx.now, None), ctx.now)
    await ctx.answer(query)
    await ctx.redraw(query, trial_views.sent(look))
    return "trial_asked"


# --- engineers ------------------------------------------------------------------------------------------------------

team = Router(name="trials of the team")
team.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
team.message.middleware(middlewares.member)
team.callback_query.filter(GROUP_BUTTON)
team.callback_query.middleware(middlewares.member)

DECISIONS = {"grant": trials.grant, "refuse": trials.refuse}


@team.message(Command("trial", ignore_mention=True))
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


@team.callback_query(press.Judge.filter(F.action.in_(DECISIONS)))
async def decide(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Judge) -> str:
    """Who presses and what speaks against it is asked anew."""
    if agent is None:
        raise NotAnAgent
    trial = await DECISIONS[callback_data.action](ctx.session, ctx.profile, agent, callback_data.ticket, ctx.now)
    ticket = await ctx.session.get_one(Ticket, callback_data.ticket)
    await ctx.answer(query)
    await ctx.redraw(query, await _state(ctx, ticket, trial))
    return f"trial_{trial.state}"


async def _state(ctx: Context, ticket: Ticket, trial: Trial) -> Any:
    found = await trials.examined(ctx.session, ctx.profile, trial)
    facts = trials.facts(trial)
    decidable = await trials.decidable(ctx.session, trial)
    return trial_views.state(ctx.team, ticket.id, facts, [(one.what, one.reference) for one in found], decidable)

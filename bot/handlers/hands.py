"""Engineers' hands on the cloud: `/vm`, `/quota`, `/password`, `/link` in a ticket's topic, and the buttons that let a
planned action go or refuse it. Who presses, and with which rights, is asked anew at every press.
"""

from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import admin_views, cloud_buttons, cloud_notices, hands_views, middlewares
from bot import callbacks as press
from bot.context import Context
from bot.filters import GROUP_BUTTON, OWN_WORDS, When
from bot.fsm.states import Refusal
from bot.topics import ticket_here
from crm.cloud import actions, ending, ordering, quotas, telling
from crm.cloud.actions import Approver
from crm.cloud.models import CloudAction
from crm.cloud.rules import POWERS, Power
from crm.errors import DeskError, NotAnAgent, WrongInput
from crm.outbox import Priority
from crm.people.models import Agent
from crm.people.service import actor_of
from crm.tickets.service import load

router = Router(name="hands")
router.message.filter(When(F.chat.type == "supergroup"), OWN_WORDS)
router.message.middleware(middlewares.member)
router.callback_query.filter(GROUP_BUTTON)
router.callback_query.middleware(middlewares.member)


def _key(message: Message) -> str:
    """The same message plans once, however often it comes."""
    return f"said:{message.chat.id}:{message.message_id}"


def _power(word: str) -> Power | None:
    return next((act for act in POWERS if act == word.lower()), None)


# --- commands -----------------------------------------------------------------------------------------------------


@router.message(Command("vm", ignore_mention=True))
async def machines(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/vm` lists the machines, `/vm name` shows one, `/vm reboot name` plans that."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    said = " ".join((command.args or "").split())
    first, _, rest = said.partition(" ")
    act = _power(first) if rest else None
    found = (
        await ordering.called(ctx.session, ctx.profile, ticket, rest if act else said)
        if said
        else await ordering.machines(ctx.session, ctx.profile, ticket)
    )
    if not said or len(found) > 1:
        await ctx.hint(message, hands_views.machines(ctx.team, ticket.id, found), ticket.id)
        return "machines"
    if act is None:
        await ctx.hint(message, hands_views.machine(ctx.team, ticket.id, found[0]), ticket.id)
        return "machine"
    await ordering.power(ctx.session, ctx.profile, agent, ticket, found[0], act, _key(message), ctx.now)
    return "planned"


@router.message(Command("quota", ignore_mention=True))
async def quota(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/quota` shows what is used; `/quota vcpus=16 ram+8G`, with the cabinet before it where there are several, plans
    a raise."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    said = (command.args or "").split()
    if not said:
        shown = [
            (one.name, await quotas.of_project(ctx.session, ctx.profile.name, one.project_id))
            for one in await ordering.cabinets(ctx.session, ctx.profile, ticket)
        ]
        await ctx.hint(message, hands_views.quotas(ctx.team, shown), ticket.id)
        return "quotas"
    wishes = [word for word in said if "=" in word or "+" in word]
    name = " ".join(word for word in said if word not in wishes)
    place = await ordering.cabinet(ctx.session, ctx.profile, ticket, name)
    await ordering.quota(ctx.session, ctx.profile, agent, ticket, place, wishes, _key(message), ctx.now)
    return "planned"


@router.message(Command("password", ignore_mention=True))
async def password(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/password login` plans a new one, which its reader alone will see."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    login = (command.args or "").strip()
    if not login:
        found = await ordering.cabinets(ctx.session, ctx.profile, ticket)
        names = [name for one in found for name in one.users.values()]
        await ctx.hint(message, hands_views.logins(ctx.team, names), ticket.id)
        return "logins"
    ctx.hand_over("password")
    await ordering.password(ctx.session, ctx.profile, agent, ticket, login, _key(message), ctx.now)
    return "planned"


@router.message(Command("link", ignore_mention=True))
async def link(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/link zone-a zone-b`, and the cabinet behind it where there are several."""
    if agent is None:
        raise NotAnAgent
    ticket = await ticket_here(ctx, message)
    said = (command.args or "").split()
    if not said:
        names = [one.name for one in await ordering.cabinets(ctx.session, ctx.profile, ticket)]
        known = await ordering.zones(ctx.session, ctx.profile)
        await ctx.hint(message, hands_views.zones(ctx.team, known, names), ticket.id)
        return "zones"
    if len(said) < 2:
        raise WrongInput(what="link")
    place = await ordering.cabinet(ctx.session, ctx.profile, ticket, " ".join(said[2:]))
    ends = (said[0], said[1])
    await ordering.link(ctx.session, ctx.profile, agent, ticket, place, ends, _key(message), ctx.now)
    return "planned"


@router.callback_query(press.Machine.filter())
async def machine(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Machine) -> str:
    if agent is None:
        raise NotAnAgent
    ticket = await load(ctx.session, ctx.profile.name, callback_data.ticket)
    vm = await ordering.machine(ctx.session, ctx.profile, ticket, callback_data.id)
    act = _power(callback_data.action)
    if act is None:
        await ctx.answer(query)
        await ctx.redraw(query, hands_views.machine(ctx.team, ticket.id, vm))
        return "machine"
    made = await ordering.power(ctx.session, ctx.profile, agent, ticket, vm, act, f"press:{query.id}", ctx.now)
    await ctx.answer(query, hands_views.planned(ctx.team, made.kind, made.title))
    return "planned"


# --- decisions ----------------------------------------------------------------------------------------------------


def _approver(agent: Agent) -> Approver:
    return Approver(actor_of(agent), agent.rights)


async def _facts(ctx: Context, action: CloudAction) -> dict[str, Any]:
    """What its message shows, however long ago it was drawn."""
    present: dict[str, int] = {}
    if action.kind == "quota" and action.state == "planned":
        present = await quotas.allowed(ctx.session, ctx.profile.name, action.project_id)
    seen = {"observed": action.observed} if action.observed else {}
    return {**telling.facts_of(action), "asker": action.asked_by_name, "present": present, **seen}


@router.callback_query(press.Act.filter(F.action == "approve"))
async def approve(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Act) -> str:
    if agent is None:
        raise NotAnAgent
    action = await actions.approve(ctx.session, ctx.profile, _approver(agent), callback_data.id, ctx.now)
    return await _decided(query, ctx, action, "approve", agent)


@router.callback_query(press.Act.filter(F.action == "silent"))
async def silent(
    query: CallbackQuery, ctx: Context, agent: Agent | None, state: FSMContext, callback_data: press.Act
) -> str:
    """Refused; it needs no reason."""
    if agent is None:
        raise NotAnAgent
    await state.clear()
    action = await actions.refuse(ctx.session, ctx.profile, _approver(agent), callback_data.id, ctx.now)
    return await _decided(query, ctx, action, "refuse", agent)


@router.callback_query(press.Act.filter(F.action.in_({"done", "notdone"})))
async def looked(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Act) -> str:
    """A person has looked at an unknown one."""
    if agent is None:
        raise NotAnAgent
    done = callback_data.action == "done"
    action = await ending.decide(ctx.session, ctx.profile, _approver(agent), callback_data.id, done, ctx.now)
    return await _decided(query, ctx, action, callback_data.action, agent)


@router.callback_query(press.Act.filter(F.action == "again"))
async def again(query: CallbackQuery, ctx: Context, agent: Agent | None, callback_data: press.Act) -> str:
    if agent is None:
        raise NotAnAgent
    action = await ending.again(ctx.session, ctx.profile, _approver(agent), callback_data.id, ctx.now)
    return await _decided(query, ctx, action, "again", agent)


async def _decided(query: CallbackQuery, ctx: Context, action: CloudAction, verdict: str, agent: Agent) -> str:
    await ctx.answer(query)
    shown = cloud_notices.decided(ctx.team, await _facts(ctx, action), verdict, agent.name)
    await ctx.redraw(query, shown)
    return verdict


@router.callback_query(press.Act.filter(F.action.in_({"refuse", "back"})))
async def refuse(
    query: CallbackQuery, ctx: Context, agent: Agent | None, state: FSMContext, callback_data: press.Act
) -> str:
    """A reason may follow as the engineer's next message in this topic; or none, at the press of a button; or they
    think better of it."""
    if agent is None:
        raise NotAnAgent
    action, ticket = await actions.locked(ctx.session, ctx.profile, callback_data.id)
    actions.planned(action, ticket, ctx.now)
    facts, shown = await _facts(ctx, action), None
    if callback_data.action == "back":
        await state.clear()
        shown = cloud_notices.asked_again(ctx.team, facts)
    else:
        await state.set_state(Refusal.reason)
        place = query.message.message_id if query.message else 0
        await state.set_data({"action": action.id, "message": place})
        shown = cloud_notices.refusing(ctx.team, facts, cloud_buttons.refusal(ctx.team.t, action.id))
    await ctx.answer(query)
    await ctx.redraw(query, shown)
    return callback_data.action


async def reason(message: Message, ctx: Context, agent: Agent, state: FSMContext, content: dict[str, Any]) -> bool:
    """The message after «refuse». False if somebody has decided meanwhile: then it is a message like any other."""
    said = content.get("text", "").strip()
    if not said:
        raise WrongInput(what="refusal")
    kept = await state.get_data()
    await state.clear()
    try:
        action = await actions.refuse(ctx.session, ctx.profile, _approver(agent), kept["action"], ctx.now, said)
    except DeskError as error:
        await ctx.hint(message, admin_views.refusal(ctx.team, error))
        return False
    shown = cloud_notices.decided(ctx.team, await _facts(ctx, action), "refuse", agent.name, said)
    params = {"chat_id": message.chat.id, "message_id": kept["message"], **shown.params()}
    await ctx.call("editMessageText", params, await ctx.bucket(message.chat.id), Priority.REPLY)
    return True

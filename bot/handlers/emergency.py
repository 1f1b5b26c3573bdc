"""`/emergency`: leads lengthen the promise of a first response for a while, and say why."""

import re
from datetime import timedelta

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import emergency_views as views
from bot import middlewares
from bot.context import Context, sender_name
from bot.filters import OWN_WORDS, When
from crm.errors import NotAllowed, NotAnAgent, WrongInput
from crm.journal import Actor
from crm.people.models import Agent
from crm.sla import emergency

router = Router(name="emergency")
router.message.filter(When(F.chat.type.in_({"supergroup", "group"})), OWN_WORDS)
router.message.middleware(middlewares.member)

WANTED = re.compile(r"([1-9][0-9]{0,4})\s+([1-9][0-9]{0,4})([mhd])\s+(\S.*)", re.S | re.I)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_ANSWER = timedelta(days=7)
LONGEST = timedelta(days=30)
REASON_LENGTH = 300


def wanted(words: str) -> tuple[int, timedelta, str]:
    """Minutes, how long, and why, from `60 4h reason`. Raises WrongInput. Pure."""
    found = WANTED.fullmatch(words)
    if found is None:
        raise WrongInput(what="emergency")
    minutes, number, unit, reason = found.groups()
    lasts = int(number) * UNITS[unit.lower()]
    if timedelta(minutes=int(minutes)) > LONGEST_ANSWER or lasts > LONGEST or len(reason) > REASON_LENGTH:
        raise WrongInput(what="emergency")
    return int(minutes), lasts, reason


@router.message(Command("emergency", ignore_mention=True))
async def command_(message: Message, ctx: Context, agent: Agent | None, command: CommandObject) -> str:
    """`/emergency 60 4h reason`, `/emergency off`, or without a word: how it stands.

    General hears of each change, and so does the topic where it was asked for.
    """
    admin = message.from_user is not None and message.from_user.id in ctx.admins
    if agent is None and not admin:
        raise NotAnAgent
    words = (command.args or "").strip()
    if not words:
        await ctx.hint(message, views.state(ctx.team, await emergency.current(ctx.session, ctx.profile, ctx.now)))
        return "emergency"
    if not admin and (agent is None or agent.role != "lead"):
        raise NotAllowed(what="lead")
    by = Actor("agent", agent.id if agent else None, agent.name if agent else sender_name(message))
    did, changed = "emergency_declared", True
    if words.lower() == "off":
        did, changed = "emergency_ended", await emergency.end(ctx.session, ctx.profile, by, ctx.now)
    else:
        await emergency.declare(ctx.session, ctx.profile, by, *wanted(words), ctx.now)
    if message.is_topic_message or not changed:
        await ctx.hint(message, views.state(ctx.team, await emergency.current(ctx.session, ctx.profile, ctx.now)))
    return did

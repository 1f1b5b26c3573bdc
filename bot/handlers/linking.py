"""A customer links a mail address, and chooses where answers go."""

import re

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from bot import callbacks as press
from bot import linking_views, middlewares
from bot.context import Context
from bot.filters import OWN_WORDS, PRIVATE, PRIVATE_BUTTON
from bot.fsm.states import Linking
from crm.errors import WrongPlace
from crm.people import linking
from crm.people.service import Requester

router = Router(name="linking")
router.message.filter(PRIVATE)
router.callback_query.filter(PRIVATE_BUTTON)
for observer in (router.message, router.callback_query):
    observer.middleware(middlewares.requester)

ADDRESS = re.compile(r"^\s*\S+@\S+\s*$")
CODE = re.compile(r"^\s*\d[\d\s-]{2,18}$")
CHANNELS = {"telegram": "telegram", "email": "email", "last": None}


@router.message(Command("email", ignore_mention=True), OWN_WORDS)
async def email(message: Message, ctx: Context, who: Requester, state: FSMContext, command: CommandObject) -> str:
    if not ctx.mail:
        raise WrongPlace(what="mail")
    if command.args:
        return await _send_code(ctx, who, state, command.args)
    known = await linking.mail_addresses(ctx.session, ctx.profile.name, who.person_id)
    await state.set_state(Linking.address)
    await ctx.say(who.chat_id, linking_views.ask_address(ctx.look(who.language), known))
    return "asked_address"


@router.message(Command("answers", ignore_mention=True), OWN_WORDS)
async def answers(message: Message, ctx: Context, who: Requester, state: FSMContext) -> str:
    known = await linking.mail_addresses(ctx.session, ctx.profile.name, who.person_id)
    await ctx.say(who.chat_id, linking_views.choose(ctx.look(who.language), known))
    return "asked_answers"


@router.callback_query(press.AnswersBy.filter())
async def answer_by(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.AnswersBy) -> str:
    channel = CHANNELS.get(callback_data.channel)
    await linking.answer_by(ctx.session, who.person_id, channel)
    await ctx.answer(query)
    await ctx.redraw(query, linking_views.chosen(ctx.look(who.language), channel))
    return "answers_chosen"


async def step(ctx: Context, who: Requester, state: FSMContext, raw_state: str | None, words: str) -> str | None:
    """What is written while an address is being linked; None for whatever looks like something else: a request."""
    if raw_state == Linking.address.state and ADDRESS.match(words):
        return await _send_code(ctx, who, state, words)
    if raw_state != Linking.code.state or not CODE.match(words):
        return None
    found = await linking.finish(ctx.session, ctx.profile, who, words, ctx.now)
    if found is None:
        await ctx.say(who.chat_id, linking_views.wrong_code(ctx.look(who.language)))
        return "wrong_code"
    await state.clear()
    await ctx.say(who.chat_id, linking_views.linked(ctx.look(who.language), found))
    return "linked"


async def _send_code(ctx: Context, who: Requester, state: FSMContext, written: str) -> str:
    known_as = await linking.begin(ctx.session, ctx.profile, who, written, ctx.now)
    await state.set_state(Linking.code)
    await ctx.say(who.chat_id, linking_views.code_sent(ctx.look(who.language), known_as))
    return "code_sent"

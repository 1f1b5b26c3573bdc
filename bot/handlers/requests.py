"""A customer's own requests: look, confirm, reject, withdraw, rate, and say where a message belongs."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from bot import callbacks as press
from bot import kinds, middlewares, views
from bot.context import Context
from bot.filters import PRIVATE_BUTTON
from bot.fsm.states import Rejection
from crm.cloud import requests as cloud
from crm.errors import NotFound
from crm.people.service import Requester
from crm.tickets import holding, queries, service

router = Router(name="requests")
router.callback_query.filter(PRIVATE_BUTTON)
router.callback_query.middleware(middlewares.requester)

LAST_MESSAGES = 3


@router.callback_query(press.Place.filter())
async def place(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Place) -> str:
    ticket = await holding.place_held(
        ctx.session, ctx.profile, who, callback_data.message, callback_data.ticket or None, ctx.now
    )
    await ctx.answer(query)
    await ctx.redraw(query, views.placed(ctx.look(who.language), ticket.reference))
    return "placed"


@router.callback_query(press.Mine.filter(F.action == "list"))
async def back_to_list(query: CallbackQuery, ctx: Context, who: Requester) -> str:
    own = await queries.own(ctx.session, ctx.profile.name, who.person_id)
    await ctx.answer(query)
    await ctx.redraw(query, views.my_requests(ctx.look(who.language), own))
    return "list"


@router.callback_query(press.Mine.filter(F.action == "open"))
async def look(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Mine) -> str:
    ticket = await queries.own_one(ctx.session, ctx.profile.name, who.person_id, callback_data.ticket)
    if ticket is None:
        raise NotFound(what="ticket")
    mine = ctx.look(who.language)
    last = [
        (views.author_label(mine, message.author_kind), kinds.words(mine.t, message.content)[:200])
        for message in await queries.last_messages(ctx.session, ticket["id"], LAST_MESSAGES, public_only=True)
    ]
    await ctx.answer(query)
    actions = await cloud.of_ticket(ctx.session, ticket["id"])
    await ctx.redraw(query, views.own_ticket(mine, ticket, last, actions))
    await ctx.bind(query, ticket["id"])
    return "opened_own"


@router.callback_query(press.Mine.filter(F.action == "confirm"))
async def confirm(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Mine) -> str:
    ticket = await service.confirm(ctx.session, ctx.profile, who, callback_data.ticket, ctx.now)
    await ctx.answer(query)
    await ctx.redraw(query, views.rate(ctx.look(who.language), ticket.reference, ticket.id))
    return "confirmed"


@router.callback_query(press.Mine.filter(F.action == "reject"))
async def reject(
    query: CallbackQuery, ctx: Context, who: Requester, state: FSMContext, callback_data: press.Mine
) -> str:
    ticket = await service.reject(ctx.session, ctx.profile, who, callback_data.ticket, ctx.now)
    await state.set_state(Rejection.explaining)
    await state.set_data({"ticket": ticket.id})
    await ctx.answer(query)
    await ctx.redraw(query, views.still_wrong(ctx.look(who.language), ticket.reference))
    return "rejected"


@router.callback_query(press.Mine.filter(F.action == "withdraw"))
async def withdraw(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Mine) -> str:
    ticket, going = await cloud.withdraw(ctx.session, ctx.profile, who, callback_data.ticket, ctx.now)
    await ctx.answer(query)
    await ctx.redraw(query, views.withdrawn(ctx.look(who.language), ticket.reference, going))
    return "withdrawn"


@router.callback_query(press.Stars.filter(F.stars.in_({1, 2, 3, 4, 5})))
async def rate(query: CallbackQuery, ctx: Context, who: Requester, callback_data: press.Stars) -> str:
    await service.rate(ctx.session, ctx.profile, who, callback_data.ticket, callback_data.stars, ctx.now)
    await ctx.answer(query)
    await ctx.redraw(query, views.rated(ctx.look(who.language), callback_data.stars))
    return "rated"

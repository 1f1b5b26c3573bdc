"""Routers in explicit order: the first that claims an update has it."""

from functools import cache
from typing import Any

from aiogram import Dispatcher, Router
from aiogram.types import CallbackQuery, TelegramObject

from bot.context import Context
from bot.handlers import (
    admin,
    agent,
    cloud,
    duty,
    emergency,
    group_help,
    hands,
    held,
    linking,
    maintenance,
    merging,
    organizations,
    queues,
    requester,
    requests,
    topic,
    trials,
    why,
)

fallback = Router(name="fallback")


@fallback.callback_query()
async def old_button(query: CallbackQuery, ctx: Context) -> str:
    """A button of a former version, or one that nobody drew."""
    await ctx.answer(query, ctx.look(ctx.profile.language(query.from_user.language_code)).t("This is no longer there."))
    return "unknown_button"


@fallback.message()
@fallback.edited_message()
@fallback.my_chat_member()
async def unclaimed(event: TelegramObject, **_: Any) -> str:
    return "ignored"


ROUTERS = (
    *(
        requests.router,
        linking.router,
        cloud.router,
        requester.router,
        admin.router,
        duty.router,
        emergency.router,
        agent.router,
    ),
    *(why.router, maintenance.router, queues.router, organizations.router, merging.router),
    *(held.router, hands.router, trials.router, group_help.router, topic.router, fallback),
)


@cache
def make_dispatcher() -> Dispatcher:
    """Without aiogram's own storage: dialogues live in PostgreSQL, in the update's transaction."""
    dispatcher = Dispatcher(disable_fsm=True)
    dispatcher.include_routers(*ROUTERS)
    return dispatcher

"""What an update of Telegram's means: the dispatcher finds its handler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiogram import Bot, Dispatcher
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.types import Update

from bot.context import Context
from bot.handlers import errors
from crm.db import Session
from crm.desks import Profile
from crm.errors import DeskError
from crm.inbox import Item
from crm.plain import storable


def source_of(desk: str) -> str:
    return f"telegram:{desk}"


@dataclass(frozen=True, slots=True)
class Served:
    """A desk as the worker knows it: its agreement, its bot, who may set it up, whether it sends mail and has
    pages."""

    profile: Profile
    bot: Bot
    admins: frozenset[int]
    mail: bool = False
    pages: bool = False


@dataclass(frozen=True, slots=True)
class Updates:
    """The handling of one desk's updates."""

    served: Served
    dispatcher: Dispatcher

    @property
    def profile(self) -> Profile:
        return self.served.profile

    async def read(self, item: Item) -> Update:
        """Raises ValueError for what is no update of Telegram's. The item itself stays as it came."""
        return Update.model_validate(storable(json.loads(item.payload)), context={"bot": self.served.bot})

    async def handle(self, session: Session, item: Item, what: Update, now: datetime) -> str:
        answer = await self.dispatcher.feed_update(self.served.bot, what, ctx=self._context(session, item, now))
        return "ignored" if answer is UNHANDLED else str(answer)

    async def refuse(self, session: Session, item: Item, what: Update, refusal: DeskError, now: datetime) -> None:
        await errors.tell(what, self._context(session, item, now), refusal)

    def _context(self, session: Session, item: Item, now: datetime) -> Context:
        desk = self.served
        return Context(session, desk.profile, now, desk.admins, item.received_at, desk.mail, desk.pages)


def handlings(desks: Mapping[str, Served], dispatcher: Dispatcher) -> dict[str, Updates]:
    """By the sources whose items they handle."""
    return {source_of(name): Updates(served, dispatcher) for name, served in desks.items()}

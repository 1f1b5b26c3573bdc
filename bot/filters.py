"""Conditions on an update. aiogram runs a plain `F…` in a thread of its own; these stay in the loop."""

from typing import Any

from aiogram import F
from aiogram.filters import Filter
from aiogram.types import TelegramObject
from magic_filter import MagicFilter

from bot.content import UNSUPPORTED, content_of


class When(Filter):
    """`When(F.chat.type == "private")`."""

    def __init__(self, rule: MagicFilter) -> None:
        self._rule = rule

    async def __call__(self, event: TelegramObject) -> Any:
        return self._rule.resolve(event)


class HasContent(Filter):
    """Something a person wrote that can travel."""

    async def __call__(self, event: TelegramObject) -> Any:
        return content_of(event) is not None  # type: ignore[arg-type]


PRIVATE = When(F.chat.type == "private")
PRIVATE_BUTTON = When(F.message.chat.type == "private")
GROUP_BUTTON = When(F.message.chat.type == "supergroup")
# A command counts only as one's own words: forwarded or sent through another bot it has no author.
OWN_WORDS = When(F.forward_origin.is_(None) & F.via_bot.is_(None))
CANNOT_TRAVEL = When(F.content_type.in_(UNSUPPORTED))

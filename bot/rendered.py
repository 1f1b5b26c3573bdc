"""A text with entities and buttons, ready to become parameters of a Bot API call. Pure."""

from dataclasses import dataclass, field
from typing import Any

from aiogram.types import InlineKeyboardMarkup, ReplyKeyboardMarkup, User
from aiogram.utils.formatting import Text, TextMention

from bot.content import entity_of, utf16

TEXT_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    entities: list[dict[str, Any]] = field(default_factory=list)
    keyboard: InlineKeyboardMarkup | ReplyKeyboardMarkup | None = None

    def params(self) -> dict[str, Any]:
        """For sendMessage and editMessageText."""
        made: dict[str, Any] = {"text": self.text, "link_preview_options": {"is_disabled": True}}
        if self.entities:
            made["entities"] = self.entities
        if self.keyboard is not None:
            made["reply_markup"] = self.keyboard.model_dump(mode="json", exclude_none=True)
        return made


def render(body: Text | str, keyboard: InlineKeyboardMarkup | ReplyKeyboardMarkup | None = None) -> Rendered:
    """Formatting as entities, never as markup: nothing that a person wrote can be taken for markup."""
    text, entities = (body, []) if isinstance(body, str) else body.render()
    shown = fitting(text)
    kept = [entity_of(e) for e in entities if e.offset + e.length <= utf16(shown)]
    return Rendered(shown, kept, keyboard)


def mention(telegram_id: int, name: str) -> TextMention:
    """A person's name that calls them, also without a username."""
    return TextMention(name, user=User(id=telegram_id, is_bot=False, first_name=name))


def fitting(text: str) -> str:
    """As much of it as one message takes; Telegram counts in UTF-16."""
    return text.encode("utf-16-le")[: 2 * TEXT_LIMIT].decode("utf-16-le", "ignore")

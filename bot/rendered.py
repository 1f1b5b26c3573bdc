"""A text with entities and buttons, ready to become parameters of a Bot API call. Pure."""

from dataclasses import dataclass, field
from typing import Any

from aiogram.types import InlineKeyboardMarkup, ReplyKeyboardMarkup
from aiogram.utils.formatting import Text

from bot.content import entity_of

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
    if isinstance(body, str):
        return Rendered(body[:TEXT_LIMIT], [], keyboard)
    text, entities = body.render()
    fitting = [entity_of(e) for e in entities] if len(text) <= TEXT_LIMIT else []
    return Rendered(text[:TEXT_LIMIT], fitting, keyboard)

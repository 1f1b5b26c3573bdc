"""Which of the commands a bot has set shows to whom."""

import re
from collections.abc import Iterator
from typing import Final

from sandbox.telegram.model import Bot, Group, Json, Room, User

LANGUAGE: Final = re.compile(r"[a-z]{2}")


def scope_key(scope: Json | None) -> str:
    """A scope as one word: default, chat:42, chat_member:-100…:42."""
    if not scope:
        return "default"
    parts = [scope.get("type", "default"), scope.get("chat_id"), scope.get("user_id")]
    return ":".join(str(part) for part in parts if part is not None)


def commands_for(bot: Bot, room: Room, viewer: User) -> list[Json]:
    """The narrowest set for that chat and that person's language."""
    language = viewer.data.get("language_code", "")[:2]
    for scope in _scopes(room, viewer):
        for code in (language, ""):
            found = bot.commands.get((scope, code))
            if found:
                return found
    return []


def _scopes(room: Room, viewer: User) -> Iterator[str]:
    if not isinstance(room, Group):
        yield from (f"chat:{room.id}", "all_private_chats", "default")
        return
    admin = room.member(viewer.id).status in ("creator", "administrator")
    yield f"chat_member:{room.id}:{viewer.id}"
    if admin:
        yield f"chat_administrators:{room.id}"
    yield f"chat:{room.id}"
    if admin:
        yield "all_chat_administrators"
    yield from ("all_group_chats", "default")

"""Between Telegram's messages and the desk's content. Pure.

Content is a plain dict: `type`, `text` (the caption for media), `entities`, `file_id`, `file_name`, and what a
location or a contact needs; enough to show it anywhere and to send it again.
"""

from typing import Any

from aiogram.types import Message, MessageEntity

# What can travel both ways as it is. Anything else is answered, never dropped.
_FILES = ("animation", "photo", "document", "voice", "video", "video_note", "sticker", "audio")
# A venue comes with its location as well, so it is looked for first.
_COPIED = ("venue", "location", "contact", "dice")
IN_ALBUMS = ("photo", "video", "document", "audio")
# Written by a person, but a bot cannot send it again. Everything else without content is a service message.
UNSUPPORTED = frozenset({"poll", "story", "game", "invoice", "paid_media", "checklist", "giveaway", "unknown"})
# Bots may not send custom emoji; the text keeps the ordinary one.
_DROPPED_ENTITIES = frozenset({"custom_emoji"})
_ENTITY_FIELDS = ("url", "language", "unix_time", "date_time_format")


def content_of(message: Message) -> dict[str, Any] | None:
    """The message's content, None if it is of a kind that cannot travel."""
    if message.text is not None:
        return {"type": "text", **_words(message.text, message.entities)}
    for kind in _FILES:
        found = getattr(message, kind)
        if found:
            return {"type": kind, **_file(found), **_words(message.caption, message.caption_entities)}
    for kind in _COPIED:
        found = getattr(message, kind)
        if found is not None:
            return {"type": kind, kind: found.model_dump(mode="json", exclude_none=True, exclude_defaults=True)}
    return None


def _file(found: Any) -> dict[str, Any]:
    """A photo comes in sizes; the last is the largest."""
    best = found[-1] if isinstance(found, list) else found
    name = getattr(best, "file_name", None)
    return {"file_id": best.file_id, "unique": best.file_unique_id, **({"file_name": name} if name else {})}


def _words(text: str | None, entities: list[MessageEntity] | None) -> dict[str, Any]:
    if not text:
        return {}
    kept = [entity_of(e) for e in entities or () if e.type not in _DROPPED_ENTITIES]
    return {"text": text, **({"entities": kept} if kept else {})}


def entity_of(entity: MessageEntity) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": str(entity.type), "offset": entity.offset, "length": entity.length}
    for name in _ENTITY_FIELDS:
        value = getattr(entity, name, None)
        if value is not None:
            plain[name] = value
    if entity.user is not None:
        user = entity.user
        plain["user"] = {"id": user.id, "is_bot": user.is_bot, "first_name": user.first_name}
    return plain


def utf16(text: str) -> int:
    """Length as Telegram counts offsets."""
    return len(text.encode("utf-16-le")) // 2


def without_command(content: dict[str, Any]) -> dict[str, Any]:
    """The content after its leading `/command`, entities moved along."""
    text: str = content.get("text", "")
    head = text.split(maxsplit=1)
    rest = head[1] if len(head) > 1 else ""
    cut = utf16(text[: len(text) - len(rest)])
    moved = []
    for entity in content.get("entities", ()):
        begin, end = entity["offset"] - cut, entity["offset"] + entity["length"] - cut
        if end > 0:
            moved.append({**entity, "offset": max(begin, 0), "length": end - max(begin, 0)})
    changed = {key: value for key, value in content.items() if key not in ("text", "entities")}
    return {
        **changed,
        "cut": True,
        **({"text": rest} if rest else {}),
        **({"entities": moved} if moved and rest else {}),
    }


def prefixed(text: str, entities: list[dict[str, Any]], prefix: str) -> tuple[str, list[dict[str, Any]]]:
    """The text after a prefix, entities moved along."""
    shift = utf16(prefix)
    return prefix + text, [{**entity, "offset": entity["offset"] + shift} for entity in entities]

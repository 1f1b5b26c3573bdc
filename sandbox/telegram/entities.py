"""Texts and their entities: measured in UTF-16 units, trimmed, limited, found in plain text."""

import re
from collections.abc import Sequence

from aiogram.enums import MessageEntityType

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Json

TYPES = frozenset(MessageEntityType)
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>«»\"]+[^\s<>«»\".,;:!?)\]])"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<![\w/@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<!\w)(?P<mention>@[A-Za-z][A-Za-z0-9_]{3,31})\b"
    r"|(?<!\w)(?P<hashtag>#\w{1,256})"
)


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def formatted(text: str, entities: Sequence[Json] | None, limit: int) -> tuple[str, list[Json]]:
    """The text as the server keeps it; ApiError when an entity or the length is wrong."""
    try:
        raw = text.encode("utf-16-le")
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8") from None
    given = _checked(raw, entities or ())
    text, kept = _trimmed(text, given)
    if units(text) > limit:
        raise bad("message is too long" if limit == TEXT_LIMIT else "message caption is too long")
    return text, kept + [found for found in _detected(text) if not _overlaps(found, kept)]


def _checked(raw: bytes, entities: Sequence[Json]) -> list[Json]:
    size = len(raw) // 2
    result = []
    for entity in entities:
        offset, length = entity["offset"], entity["length"]
        if entity["type"] not in TYPES:
            raise bad("can't parse MessageEntity: Unsupported type specified")
        if offset < 0 or offset > 1_000_000:
            raise bad(f"receive an entity with incorrect offset {offset}")
        if length < 0 or length > 1_000_000:
            raise bad(f"receive an entity with incorrect length {length}")
        if offset > size or offset + length > size:
            raise bad(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {size}"
            )
        if _splits(raw, offset):
            raise bad(f"entity begins in a middle of a UTF-16 symbol at byte offset {offset}")
        if _splits(raw, offset + length):
            raise bad(
                f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol"
                f" at byte offset {offset + length}"
            )
        if length:
            result.append({key: value for key, value in entity.items() if value is not None})
    return sorted(result, key=lambda e: (e["offset"], -e["length"]))


def _splits(raw: bytes, offset: int) -> bool:
    """Does that offset fall between the halves of a surrogate pair?"""
    at = 2 * offset + 1
    return at < len(raw) and 0xDC <= raw[at] <= 0xDF


def _trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    left = len(text) - len(text.lstrip())
    if left and entities:
        left = min(left, entities[0]["offset"])  # whitespace is one unit a character
    text = text[left:].rstrip()
    if not entities:
        return text, entities
    size = units(text)
    moved = [{**e, "offset": e["offset"] - left} for e in entities]
    cut = [{**e, "length": min(e["length"], size - e["offset"])} for e in moved]
    return text, [e for e in cut if e["length"] > 0]


def _detected(text: str) -> list[Json]:
    if not any(sign in text for sign in "/@#"):
        return []
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match.group())}
        for match in _FOUND.finditer(text)
    ]


def _overlaps(found: Json, given: list[Json]) -> bool:
    start, end = found["offset"], found["offset"] + found["length"]
    return any(e["offset"] < end and start < e["offset"] + e["length"] for e in given)


def text_fields(text: str, entities: Sequence[Json] | None) -> Json:
    """text and entities of a message."""
    text, kept = formatted(text, entities, TEXT_LIMIT)
    if not text:
        raise bad("message text is empty")
    return {"text": text, "entities": kept} if kept else {"text": text}


def caption_fields(caption: str | None, entities: Sequence[Json] | None) -> Json:
    """caption and caption_entities of a message; nothing at all for an empty caption."""
    if not caption:
        return {}
    caption, kept = formatted(caption, entities, CAPTION_LIMIT)
    if not caption:
        return {}
    return {"caption": caption, "caption_entities": kept} if kept else {"caption": caption}

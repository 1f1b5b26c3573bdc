"""What was written, as the desk understands it: content, time and place, its rows, a subject made of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.changes import Changes
from crm.people.service import Requester
from crm.plain import visible

SUBJECT_LENGTH = 80
# Of a text that has megabytes no more characters than that are looked at for its subject.
LOOKED_AT = 4000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message stands in its own chat."""

    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Written:
    """A message as the desk understands it: content, when, from where in Telegram, part of which album; the record of
    the mail that brought it, but for its ticket and message."""

    content: dict[str, Any]
    sent_at: datetime
    origin: Origin | None
    album: str | None = None
    mail: dict[str, Any] | None = None


def subject_of(content: dict[str, Any]) -> str:
    """What was written, short and in one line; the kind of content if nothing was (`[photo]`)."""
    return shortened(str(content.get("text") or "")) or f"[{content['type']}]"


def shortened(text: str) -> str:
    """In one line, as long as a subject may be."""
    words = visible(re.sub(r"\s+", " ", text[:LOOKED_AT])).strip()
    return words if len(words) <= SUBJECT_LENGTH else words[: SUBJECT_LENGTH - 1].rstrip() + "…"


def message_rows(
    changes: Changes, desk: str, who: Requester, message_id: int, ticket_id: int | None, written: Written
) -> None:
    """A requester's message and its place in the chat, or the mail that it came by."""
    changes.messages.append(
        {
            "id": message_id,
            "desk": desk,
            "ticket_id": ticket_id,
            "requester_id": who.person_id,
            "kind": "public",
            "author_kind": "requester",
            "author_id": who.person_id,
            "author_name": who.name,
            "channel": who.channel,
            "content": written.content,
            "album_id": written.album,
            "sent_at": written.sent_at,
        }
    )
    changes.pairs += origin_pairs(desk, ticket_id, message_id, written)
    if written.mail is not None:
        changes.mails.append({**written.mail, "ticket_id": ticket_id, "message_ref": message_id})


def origin_pairs(desk: str, ticket_id: int | None, message_id: int, written: Written) -> list[dict[str, Any]]:
    """Where the original stands in Telegram, if it does."""
    if written.origin is None:
        return []
    return [
        {
            "desk": desk,
            "chat_id": written.origin.chat_id,
            "message_id": written.origin.message_id,
            "ticket_id": ticket_id,
            "message_ref": message_id,
            "role": "origin",
        }
    ]

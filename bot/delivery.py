"""What all deliveries share: the desk they are made for, their result, where they go, the mark of a repeat."""

from dataclasses import dataclass, field
from typing import Any

from bot import views
from bot.claim import IDEMPOTENT, Row
from bot.client import Client, Outcome, Sent
from bot.content import prefixed, utf16
from bot.rendered import TEXT_LIMIT
from crm.db import Sessions
from crm.desks import Profile
from crm.outbox import Outgoing
from crm.texts import texts


@dataclass(frozen=True, slots=True)
class Desk:
    profile: Profile
    client: Client
    sessions: Sessions


@dataclass(slots=True)
class Result:
    """What came of a row, and what has to be remembered with it."""

    outcome: Outcome
    pairs: list[dict[str, Any]] = field(default_factory=list)
    thread_id: int | None = None
    card_message_id: int | None = None
    board: tuple[int, int] | None = None
    relayed: list[int] = field(default_factory=list)
    follow: list[Outgoing] = field(default_factory=list)


NOTHING_TO_DO = Sent(None)


def paired(desk: Desk, chat_id: int, sent: Any, role: str, ticket_id: int | None, ref: int | None) -> dict[str, Any]:
    return {
        "desk": desk.profile.name,
        "chat_id": chat_id,
        "message_id": int(sent["message_id"]),
        "ticket_id": ticket_id,
        "message_ref": ref,
        "role": role,
    }


def language(desk: Desk, row: Row) -> str:
    return str(row.payload.get("language") or desk.profile.team_language)


def target(row: Row) -> tuple[int, dict[str, Any]]:
    """The chat and, in a group, the topic. Rows to a topic have been given one before."""
    if row.payload.get("to") == "requester":
        chat: int = row.payload["chat"]
        return chat, {"chat_id": chat}
    chat = row.group_chat or 0
    return chat, {"chat_id": chat, "message_thread_id": row.thread_id}


def has_room(desk: Desk, row: Row, words: str) -> bool:
    """Whether a text can bear the mark of a repeat."""
    return utf16(words) + utf16(views.repeat_mark(texts(language(desk, row)))) <= TEXT_LIMIT


def marked(desk: Desk, row: Row, params: dict[str, Any]) -> dict[str, Any]:
    """A text that may be a repeat says so; what has no room for that is announced before (`bot/relaying.py`)."""
    if row.repeats == 0 or row.kind in IDEMPOTENT or not has_room(desk, row, params["text"]):
        return params
    mark = views.repeat_mark(texts(language(desk, row)))
    words, entities = prefixed(params["text"], params.get("entities", []), mark)
    return {**params, "text": words, **({"entities": entities} if entities else {})}

"""How each kind of outbox row is carried out: reads what it needs, makes the call, says what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot import team_views, views
from bot.claim import IDEMPOTENT, Row
from bot.client import Client, Later, Outcome, Refused, Sent
from bot.content import IN_ALBUMS, prefixed, utf16
from bot.refusals import meaning
from bot.rendered import TEXT_LIMIT, Rendered
from bot.views import Look
from crm.db import Sessions
from crm.desks import Profile
from crm.outbox import Outgoing, Priority, group_bucket
from crm.texts import texts
from crm.tickets import messages, queries, status
from crm.tickets.models import DeskGroup
from crm.tickets.models import Message as Stored

# Telegram forgets a pressed button after 150 seconds; an answer that late helps nobody.
PRESS_LIFE = timedelta(seconds=120)
DIGEST_MESSAGES = 30
DELIVERED = "👌"


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


def _pair(desk: Desk, chat_id: int, sent: Any, role: str, ticket_id: int | None, ref: int | None) -> dict[str, Any]:
    return {
        "desk": desk.profile.name,
        "chat_id": chat_id,
        "message_id": int(sent["message_id"]),
        "ticket_id": ticket_id,
        "message_ref": ref,
        "role": role,
    }


def _language(desk: Desk, row: Row) -> str:
    return str(row.payload.get("language") or desk.profile.team_language)


def _target(row: Row) -> tuple[int, dict[str, Any]]:
    """The chat and, in a group, the topic. Rows to a topic have been given one before."""
    if row.payload.get("to") == "requester":
        chat: int = row.payload["chat"]
        return chat, {"chat_id": chat}
    chat = row.group_chat or 0
    return chat, {"chat_id": chat, "message_thread_id": row.thread_id}


def _marked(desk: Desk, row: Row, params: dict[str, Any]) -> dict[str, Any]:
    """A text that may be a repeat says so, as far as there is room."""
    if row.repeats == 0 or row.kind in IDEMPOTENT:
        return params
    mark = views.repeat_mark(texts(_language(desk, row)))
    if utf16(params["text"]) + utf16(mark) > TEXT_LIMIT:
        return params
    words, entities = prefixed(params["text"], params.get("entities", []), mark)
    return {**params, "text": words, **({"entities": entities} if entities else {})}


def _reply(row: Row, chat_id: int) -> dict[str, Any]:
    """Quote what is answered, if it stands in that chat."""
    if row.payload.get("no_reply"):
        return {}
    for chat, message in row.reply_copies:
        if chat == chat_id:
            return {"reply_parameters": {"message_id": message, "allow_sending_without_reply": True}}
    return {}


async def call(desk: Desk, row: Row, now: datetime) -> Result:
    """A call that was drawn when it was queued."""
    method, params = row.payload["method"], row.payload["params"]
    if method == "answerCallbackQuery" and now - row.created_at > PRESS_LIFE:
        return Result(Refused(400, "query is too old"))
    if method == "sendMessage":
        params = _marked(desk, row, params)
    return Result(await desk.client.call(method, params))


async def open_topic(desk: Desk, row: Row, now: datetime) -> Result:
    if row.thread_id is not None:
        return Result(NOTHING_TO_DO)
    async with desk.sessions() as session:
        facts = await queries.card(session, row.ticket_id or 0)
    params = {"chat_id": row.group_chat, "name": team_views.topic_name(facts["reference"], facts["subject"])}
    outcome = await desk.client.call("createForumTopic", params)
    thread = int(outcome.result["message_thread_id"]) if isinstance(outcome, Sent) else None
    return Result(outcome, thread_id=thread)


async def card(desk: Desk, row: Row, now: datetime) -> Result:
    """Drawn from the ticket as it is at this moment; edited in place once it is there."""
    async with desk.sessions() as session:
        facts = await queries.card(session, row.ticket_id or 0)
    if facts["thread_id"] is None:
        return Result(Later(1.0, "the topic is not there yet"))
    shown = team_views.card(Look(desk.profile, desk.profile.team_language, now), facts).params()
    if facts["card_message_id"] is not None:
        params = {"chat_id": facts["chat_id"], "message_id": facts["card_message_id"], **shown}
        outcome = await desk.client.call("editMessageText", params)
        if not (isinstance(outcome, Refused) and meaning(outcome.code, outcome.description, True) == "gone"):
            return Result(outcome)
    params = {"chat_id": facts["chat_id"], "message_thread_id": facts["thread_id"], **shown}
    outcome = await desk.client.call("sendMessage", params)
    if not isinstance(outcome, Sent):
        return Result(outcome)
    sent = outcome.result
    pin = Outgoing(
        bucket=row.bucket,
        lane=f"card:{row.ticket_id}",
        kind="pin",
        payload={"chat": facts["chat_id"], "message": sent["message_id"]},
        ticket_id=row.ticket_id,
        priority=Priority.WARNING,
    )
    pair = _pair(desk, facts["chat_id"], sent, "card", row.ticket_id, None)
    return Result(outcome, [pair], card_message_id=sent["message_id"], follow=[pin])


async def topic_state(desk: Desk, row: Row, now: datetime) -> Result:
    """Closed or open, as its ticket is at this moment."""
    async with desk.sessions() as session:
        facts = await queries.card(session, row.ticket_id or 0)
    if facts["thread_id"] is None:
        return Result(NOTHING_TO_DO)
    method = "closeForumTopic" if facts["status"] in status.ENDED else "reopenForumTopic"
    params = {"chat_id": facts["chat_id"], "message_thread_id": facts["thread_id"]}
    return Result(await desk.client.call(method, params))


async def pin(desk: Desk, row: Row, now: datetime) -> Result:
    params = {
        "chat_id": row.payload["chat"],
        "message_id": row.payload["message"],
        "disable_notification": True,
    }
    return Result(await desk.client.call("pinChatMessage", params))


async def board(desk: Desk, row: Row, now: datetime) -> Result:
    async with desk.sessions() as session:
        group = await session.get(DeskGroup, row.payload["group"]) if row.payload["group"] else None
        if group is None or group.state != "connected":
            return Result(NOTHING_TO_DO)
        rows, total = await queries.board(session, desk.profile.name, group.id, team_views.BOARD_ROWS)
    shown = team_views.board(Look(desk.profile, desk.profile.team_language, now), rows, total).params()
    if group.board_message_id is not None:
        params = {"chat_id": group.chat_id, "message_id": group.board_message_id, **shown}
        outcome = await desk.client.call("editMessageText", params)
        if not (isinstance(outcome, Refused) and meaning(outcome.code, outcome.description, True) == "gone"):
            return Result(outcome)
    outcome = await desk.client.call("sendMessage", {"chat_id": group.chat_id, **shown})
    if not isinstance(outcome, Sent):
        return Result(outcome)
    first = (group.id, outcome.result["message_id"])
    pinned = Outgoing(
        bucket=group_bucket(desk.profile.name, group.id),
        lane=f"board:{desk.profile.name}:{group.id}",
        kind="pin",
        payload={"chat": group.chat_id, "message": first[1]},
        priority=Priority.BOARD,
    )
    return Result(outcome, board=first, follow=[pinned])


async def alarm(desk: Desk, row: Row, now: datetime) -> Result:
    """A notice to the engineers in General, which has no thread id."""
    group_id = row.bucket.rpartition(":")[2]
    async with desk.sessions() as session:
        group = await session.get(DeskGroup, int(group_id))
    shown = team_views.NOTICES[row.payload["notice"]](
        Look(desk.profile, desk.profile.team_language, now), row.payload["facts"]
    )
    chat = group.chat_id if group else 0
    return Result(await desk.client.call("sendMessage", {"chat_id": chat, **_marked(desk, row, shown.params())}))


async def say(desk: Desk, row: Row, now: datetime) -> Result:
    """A notice about a ticket, in the words of whoever reads it."""
    chat_id, params = _target(row)
    to_requester = row.payload["to"] == "requester"
    notices = views.NOTICES if to_requester else team_views.NOTICES
    facts = {**row.payload["facts"], "ticket": row.ticket_id}
    shown: Rendered = notices[row.payload["notice"]](Look(desk.profile, _language(desk, row), now), facts)
    outcome = await desk.client.call("sendMessage", _marked(desk, row, {**params, **shown.params()}))
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [_pair(desk, chat_id, outcome.result, "notice", row.ticket_id, None)])


async def relay(desk: Desk, row: Row, now: datetime) -> Result:
    """A message travels to the other side: text with its entities, media as a copy, albums as albums."""
    if row.album_id is not None:
        return await _relay_album(desk, row)
    return await _relay_one(desk, row)


async def _relay_one(desk: Desk, row: Row) -> Result:
    content = row.content or {}
    if row.deleted:
        return Result(NOTHING_TO_DO)
    chat_id, params = _target(row)
    params |= _reply(row, chat_id)
    if content["type"] == "text":
        words = {"text": content["text"], "entities": content.get("entities", [])}
        outcome = await desk.client.call("sendMessage", _marked(desk, row, {**params, **words}))
    else:
        await _announce_repeat(desk, row, params)
        copy = {
            "from_chat_id": row.origin_chat,
            "message_id": row.origin_message,
            **(_caption(content) if content.get("cut") else {}),
        }
        outcome = await desk.client.call("copyMessage", {**params, **copy})
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return _relayed(desk, row, chat_id, outcome, [(outcome.result, row.message_id or 0)])


def _caption(content: dict[str, Any]) -> dict[str, Any]:
    """Only what stands there without a command must be sent along: a copy keeps its own caption, however long."""
    if "file_id" not in content:
        return {}
    return {"caption": content.get("text", ""), "caption_entities": content.get("entities", [])}


async def _announce_repeat(desk: Desk, row: Row, params: dict[str, Any]) -> None:
    """Media cannot carry the mark themselves."""
    if row.repeats:
        look = Look(desk.profile, _language(desk, row), row.created_at)
        place: dict[str, Any] = {key: params[key] for key in ("chat_id", "message_thread_id") if key in params}
        await desk.client.call("sendMessage", {**place, **views.NOTICES["repeat"](look, {}).params()})


async def _relay_album(desk: Desk, row: Row) -> Result:
    """All parts that have come and have not been sent; a part that comes later goes alone."""
    async with desk.sessions() as session:
        found = await session.execute(
            text("""
                select m.id, m.content, p.chat_id, p.message_id from message m
                join telegram_message p on p.message_ref = m.id and p.role = 'origin'
                where m.album_id = :album and m.ticket_id = :ticket and m.relayed_at is null and m.deleted_at is null
                order by p.message_id
            """),
            {"album": row.album_id, "ticket": row.ticket_id},
        )
        parts = [part for part in found if part.content["type"] in IN_ALBUMS][:10]
    if not parts:
        return Result(NOTHING_TO_DO)
    if len(parts) == 1:
        only = parts[0]
        return await _relay_one(
            desk,
            replace(
                row, content=only.content, message_id=only.id, origin_chat=only.chat_id, origin_message=only.message_id
            ),
        )
    chat_id, params = _target(row)
    params |= _reply(row, chat_id)
    await _announce_repeat(desk, row, params)
    media = [
        {"type": part.content["type"], "media": part.content["file_id"], **_nonempty(_caption(part.content))}
        for part in parts
    ]
    outcome = await desk.client.call("sendMediaGroup", {**params, "media": media})
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return _relayed(desk, row, chat_id, outcome, list(zip(outcome.result, [part.id for part in parts], strict=False)))


def _nonempty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _relayed(desk: Desk, row: Row, chat_id: int, outcome: Outcome, sent: list[tuple[Any, int]]) -> Result:
    pairs = [_pair(desk, chat_id, answer, "copy", row.ticket_id, ref) for answer, ref in sent]
    follow = []
    if row.payload["to"] == "requester" and row.origin_chat is not None:
        follow.append(_reaction(desk, row))
    return Result(outcome, pairs, relayed=[ref for _, ref in sent], follow=follow)


def _reaction(desk: Desk, row: Row) -> Outgoing:
    """The engineer sees on the own message that it has arrived."""
    return Outgoing(
        bucket=group_bucket(desk.profile.name, row.group_id),
        lane=f"react:{row.origin_chat}:{row.origin_message}",
        kind="react",
        payload={"chat": row.origin_chat, "message": row.origin_message, "emoji": DELIVERED},
        ticket_id=row.ticket_id,
        priority=Priority.REACTION,
    )


async def react(desk: Desk, row: Row, now: datetime) -> Result:
    params = {
        "chat_id": row.payload["chat"],
        "message_id": row.payload["message"],
        "reaction": [{"type": "emoji", "emoji": row.payload["emoji"]}],
    }
    return Result(await desk.client.call("setMessageReaction", params))


async def amend(desk: Desk, row: Row, now: datetime) -> Result:
    """An edit follows its message. What cannot be edited (a location) stays as it was sent."""
    async with desk.sessions() as session:
        copies = await messages.places(session, row.message_id or 0, "copy")
    content = row.content or {}
    outcome: Outcome = NOTHING_TO_DO
    for copy in copies:
        place = {"chat_id": copy.chat_id, "message_id": copy.message_id}
        if content["type"] == "text":
            words = {"text": content["text"], "entities": content.get("entities", [])}
            outcome = await desk.client.call("editMessageText", {**place, **words})
        elif content["type"] in (*IN_ALBUMS, "animation"):
            media = {"type": content["type"], "media": content["file_id"], **_nonempty(_caption(content))}
            outcome = await desk.client.call("editMessageMedia", {**place, "media": media})
        elif content["type"] == "voice":
            outcome = await desk.client.call("editMessageCaption", {**place, **_caption(content)})
    return Result(outcome)


async def retract(desk: Desk, row: Row, now: datetime) -> Result:
    """Delete the copies, the original and the command; what is gone already is as it should be."""
    async with desk.sessions() as session:
        copies = await messages.places(session, row.message_id or 0, "copy")
    places = [(copy.chat_id, copy.message_id) for copy in copies]
    if row.origin_chat is not None and row.origin_message is not None:
        places += [(row.origin_chat, row.origin_message), (row.origin_chat, row.payload["command"])]
    for chat_id, message_id in places:
        outcome = await desk.client.call("deleteMessage", {"chat_id": chat_id, "message_id": message_id})
        gone = isinstance(outcome, Refused) and "not found" in outcome.description
        if not isinstance(outcome, Sent) and not gone:
            return Result(outcome)
    return Result(NOTHING_TO_DO)


async def digest(desk: Desk, row: Row, now: datetime) -> Result:
    async with desk.sessions() as session:
        last = await queries.last_messages(session, row.ticket_id or 0, DIGEST_MESSAGES, public_only=False)
    facts = [_history(message) for message in last]
    chat_id, params = _target(row)
    shown = team_views.digest(Look(desk.profile, desk.profile.team_language, now), facts)
    outcome = await desk.client.call("sendMessage", _marked(desk, row, {**params, **shown.params()}))
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [_pair(desk, chat_id, outcome.result, "notice", row.ticket_id, None)])


def _history(message: Stored) -> dict[str, Any]:
    return {
        "kind": message.kind,
        "author": message.author_name,
        "sent_at": message.sent_at,
        "words": queries.words_of(message),
    }


Operation = Callable[[Desk, Row, datetime], Awaitable[Result]]

OPERATIONS: dict[str, Operation] = {
    "call": call,
    "topic.open": open_topic,
    "card": card,
    "pin": pin,
    "topic.state": topic_state,
    "board": board,
    "alarm": alarm,
    "say": say,
    "relay": relay,
    "react": react,
    "amend": amend,
    "retract": retract,
    "digest": digest,
}

# These can only be carried out inside a topic.
IN_TOPIC = frozenset({"say", "relay", "digest"})

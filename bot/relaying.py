"""Messages between customers and engineers: relayed, edited, taken back, marked as delivered."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text

from bot import mail_views, team_views, views
from bot.claim import Row
from bot.client import Outcome, Refused, Sent
from bot.content import IN_ALBUMS
from bot.delivery import NOTHING_TO_DO, Desk, Result, has_room, language, marked, paired, target
from bot.views import Look
from crm.outbox import Outgoing
from crm.tickets import messages, outward


def _reply(row: Row, chat_id: int) -> dict[str, Any]:
    """Quote what is answered, if it stands in that chat."""
    if row.payload.get("no_reply"):
        return {}
    for chat, message in row.reply_copies:
        if chat == chat_id:
            return {"reply_parameters": {"message_id": message, "allow_sending_without_reply": True}}
    return {}


async def relay(desk: Desk, row: Row, now: datetime) -> Result:
    """A message travels to the other side: text with its entities, media as a copy, albums as albums."""
    if row.riders:
        return await _relay_bundle(desk, row, now)
    if row.album_id is not None:
        return await _relay_album(desk, row, now)
    return await _relay_one(desk, row, now)


async def _relay_one(desk: Desk, row: Row, now: datetime) -> Result:
    content = row.content or {}
    if row.deleted:
        return Result(NOTHING_TO_DO)
    chat_id, params = target(row)
    params |= _reply(row, chat_id)
    if "mail" in content:
        shown = mail_views.mail(Look(desk.profile, language(desk, row), now), content, row.payload["part"])
        outcome = await desk.client.call("sendMessage", marked(desk, row, {**params, **shown.params()}))
    elif content["type"] == "text":
        words = {"text": content["text"], "entities": content.get("entities", [])}
        if not has_room(desk, row, content["text"]):
            await _announce_repeat(desk, row, params)
        outcome = await desk.client.call("sendMessage", marked(desk, row, {**params, **words}))
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


async def _relay_bundle(desk: Desk, row: Row, now: datetime) -> Result:
    """What a customer wrote faster than it could travel, as one message; a reply to it answers the last of it."""
    rows = [one for one in (row, *row.riders) if not one.deleted]
    if not rows:
        return Result(NOTHING_TO_DO)
    chat_id, params = target(row)
    params |= _reply(row, chat_id)
    look = Look(desk.profile, desk.profile.team_language, now)
    shown = team_views.bundle(look, [one.content or {} for one in rows])
    outcome = await desk.client.call("sendMessage", marked(desk, row, {**params, **shown.params()}))
    if not isinstance(outcome, Sent):
        return Result(outcome)
    for one in rows:
        # An edit may have been written since they were read: its amendment compares.
        one.payload["told"] = one.content
    # No copy of it, which an edit would replace with all the others.
    pair = paired(desk, chat_id, outcome.result, "notice", row.ticket_id, rows[-1].message_id)
    return Result(outcome, [pair], relayed=[one.message_id or 0 for one in rows])


def _caption(content: dict[str, Any]) -> dict[str, Any]:
    """Only what stands there without a command must be sent along: a copy keeps its own caption, however long."""
    if "file_id" not in content:
        return {}
    return {"caption": content.get("text", ""), "caption_entities": content.get("entities", [])}


async def _announce_repeat(desk: Desk, row: Row, params: dict[str, Any]) -> None:
    """Media cannot carry the mark themselves."""
    if row.repeats:
        look = Look(desk.profile, language(desk, row), row.created_at)
        place: dict[str, Any] = {key: params[key] for key in ("chat_id", "message_thread_id") if key in params}
        await desk.client.call("sendMessage", {**place, **views.NOTICES["repeat"](look, {}).params()})


async def _relay_album(desk: Desk, row: Row, now: datetime) -> Result:
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
            now,
        )
    chat_id, params = target(row)
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
    pairs = [paired(desk, chat_id, answer, "copy", row.ticket_id, ref) for answer, ref in sent]
    follow = []
    if row.payload["to"] == "requester" and row.origin_chat is not None:
        follow.append(_reaction(desk, row))
    return Result(outcome, pairs, relayed=[ref for _, ref in sent], follow=follow)


def _reaction(desk: Desk, row: Row) -> Outgoing:
    """The engineer sees on the own message that it has arrived."""
    place = (row.origin_chat or 0, row.origin_message or 0)
    return outward.react(desk.profile.name, row.group_id, row.ticket_id, *place, outward.DELIVERED)


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
        news = not copies and await messages.told_otherwise(session, row.ticket_id or 0, row.message_id or 0)
    if news:
        return await _amend_bundled(desk, row, now)
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


async def _amend_bundled(desk: Desk, row: Row, now: datetime) -> Result:
    """It travelled together with others, so that it has no copy of its own: the new words get one."""
    if row.thread_id is None or (row.content or {}).get("type") != "text":
        return Result(NOTHING_TO_DO)
    chat_id, params = target(row)
    shown = team_views.reworded(Look(desk.profile, desk.profile.team_language, now), (row.content or {})["text"])
    outcome = await desk.client.call("sendMessage", {**params, **shown.params()})
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [paired(desk, chat_id, outcome.result, "copy", row.ticket_id, row.message_id)])


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

"""How each kind of outbox row is carried out: reads what it needs, makes the call, says what came of it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import card_views, team_views, views
from bot.claim import Row
from bot.client import Later, Refused, Sent
from bot.delivery import NOTHING_TO_DO, Desk, Result, language, marked, paired, target
from bot.refusals import meaning
from bot.relaying import amend, react, relay, retract
from bot.rendered import Rendered
from bot.uploads import fetch, upload
from bot.views import Look
from crm import inbox
from crm.cloud import pages
from crm.db import transaction
from crm.outbox import Outgoing, Priority, await_writers, group_bucket
from crm.texts import texts
from crm.tickets import queries, status
from crm.tickets.models import DeskGroup
from crm.tickets.models import Message as Stored

# Telegram forgets a pressed button after 150 seconds; an answer that late helps nobody.
PRESS_LIFE = timedelta(seconds=120)
DIGEST_MESSAGES = 30
# So many of the last updates are looked through for a topic that may have been made.
LOOK_BACK = 2000


async def call(desk: Desk, row: Row, now: datetime) -> Result:
    """A call that was drawn when it was queued."""
    method, params = row.payload["method"], row.payload["params"]
    if method == "answerCallbackQuery" and now - row.created_at > PRESS_LIFE:
        return Result(Refused(400, "query is too old"))
    if method == "sendMessage":
        params = marked(desk, row, params)
    return Result(await desk.client.call(method, params))


async def open_topic(desk: Desk, row: Row, now: datetime) -> Result:
    if row.thread_id is not None:
        return Result(NOTHING_TO_DO)
    name = card_views.topic_name(texts(desk.profile.team_language), row.reference or "", row.subject or "")
    # Only the row that opens it: what rebuilds a lost topic must not find the lost one.
    if row.kind == "topic.open" and row.attempts > 1 and (made := await _made_before(desk, row)) is not None:
        return Result(NOTHING_TO_DO, thread_id=made)
    outcome = await desk.client.call("createForumTopic", {"chat_id": row.group_chat, "name": name})
    thread = int(outcome.result["message_thread_id"]) if isinstance(outcome, Sent) else None
    return Result(outcome, thread_id=thread)


async def _made_before(desk: Desk, row: Row) -> int | None:
    """An attempt whose outcome we never learnt may have made it: Telegram then told us of the new topic."""
    async with desk.sessions() as session:
        own = await inbox.lately(session, f"telegram:{desk.profile.name}", "own", row.created_at, LOOK_BACK)
    for payload in own:
        message = json.loads(payload)["message"]
        created = message.get("forum_topic_created") or {}
        reference = created.get("name", "").partition(" ")[0]
        if reference == row.reference and message["chat"]["id"] == row.group_chat:
            return int(message["message_thread_id"])
    return None


async def card(desk: Desk, row: Row, now: datetime) -> Result:
    """Drawn from the ticket as it is at this moment; edited in place once it is there."""
    async with desk.sessions() as session:
        facts = await queries.card(session, row.ticket_id or 0)
    if facts["thread_id"] is None:
        return Result(Later(1.0, "the topic is not there yet"))
    shown = card_views.card(Look(desk.profile, desk.profile.team_language, now), facts).params()
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
    place = {"chat": facts["chat_id"], "message": sent["message_id"]}
    pinned = await pin(desk, replace(row, payload=place), now)
    pair = paired(desk, facts["chat_id"], sent, "card", row.ticket_id, None)
    follow = [] if isinstance(pinned.outcome, Sent) else [_pin_later(row, place)]
    return Result(outcome, [pair], card_message_id=sent["message_id"], follow=follow)


def _pin_later(row: Row, place: dict[str, int]) -> Outgoing:
    """What did not work at once is a row of its own, that waits, is repeated or refused."""
    return Outgoing(
        bucket=row.bucket,
        lane=f"card:{row.ticket_id}",
        kind="pin",
        payload=place,
        ticket_id=row.ticket_id,
        priority=Priority.WARNING,
    )


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
    async with transaction(desk.sessions) as session:
        await await_writers(session, row.lane)
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
    return Result(await desk.client.call("sendMessage", {"chat_id": chat, **marked(desk, row, shown.params())}))


async def say(desk: Desk, row: Row, now: datetime) -> Result:
    """A notice about a ticket, in the words of whoever reads it."""
    chat_id, params = target(row)
    to_requester = row.payload["to"] == "requester"
    notices = views.NOTICES if to_requester else team_views.NOTICES
    if row.payload["notice"] == pages.NOTICE and not pages.usable(row.payload["facts"], now):
        return Result(Refused(0, "expired"))
    facts = {**row.payload["facts"], "ticket": row.ticket_id}
    shown: Rendered = notices[row.payload["notice"]](Look(desk.profile, language(desk, row), now), facts)
    outcome = await desk.client.call("sendMessage", marked(desk, row, {**params, **shown.params()}))
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [paired(desk, chat_id, outcome.result, "notice", row.ticket_id, None)])


async def digest(desk: Desk, row: Row, now: datetime) -> Result:
    async with desk.sessions() as session:
        last = await queries.last_messages(session, row.ticket_id or 0, DIGEST_MESSAGES, public_only=False)
    facts = [_history(message) for message in last]
    chat_id, params = target(row)
    shown = team_views.digest(Look(desk.profile, desk.profile.team_language, now), facts)
    outcome = await desk.client.call("sendMessage", marked(desk, row, {**params, **shown.params()}))
    if not isinstance(outcome, Sent):
        return Result(outcome)
    return Result(outcome, [paired(desk, chat_id, outcome.result, "notice", row.ticket_id, None)])


def _history(message: Stored) -> dict[str, Any]:
    return {
        "kind": message.kind,
        "author": message.author_name,
        "sent_at": message.sent_at,
        "content": message.content,
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
    "upload": upload,
    "fetch": fetch,
}

# These can only be carried out inside a topic.
IN_TOPIC = frozenset({"say", "relay", "digest", "upload"})

"""What follows when Telegram refuses: a lost topic is rebuilt, a migrated group followed, a failure is said aloud."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text

from bot.claim import Row
from bot.client import Later, Outcome, Refused, Sent
from bot.delivery import Desk, Result
from bot.operations import IN_TOPIC, open_topic
from bot.refusals import meaning
from crm.changes import Changes
from crm.db import Session, transaction
from crm.desks import Profile
from crm.outbox import Outgoing, group_bucket
from crm.people import service as people
from crm.tickets import groups, outward, work
from crm.tickets.models import Ticket

log = structlog.get_logger()

HOLD = 30.0
# A message that never reaches its reader is said aloud; a card that is not redrawn is not.
TOLD = frozenset({"relay", "say", "amend", "retract", "upload", "fetch"})


async def reconsider(desk: Desk, row: Row, result: Result, now: datetime) -> Result:
    """Mend what a refusal tells about; the row is then done, tried again, or refused for good."""
    outcome = result.outcome
    if not isinstance(outcome, Refused):
        return result
    if outcome.migrate_to is not None:
        return Result(await _migrate(desk, row, outcome.migrate_to, now))
    to_group = _to_group(row)
    match meaning(outcome.code, outcome.description, to_group):
        case "done":
            return Result(Sent(None))
        case "reply_gone":
            row.payload["no_reply"] = True
            return Result(Later(0.0, outcome.description))
        case "topic_lost" if row.ticket_id is not None:
            return Result(await _topic_lost(desk, row, now))
        case "topic_closed":
            place = {"chat_id": row.group_chat, "message_thread_id": row.thread_id}
            await desk.client.call("reopenForumTopic", place)
            return Result(Later(0.0, outcome.description))
        case "gone" if row.kind in ("pin", "react", "retract"):
            return Result(Sent(None))
        case "group_closed" if row.kind != "pin":
            log.error("group.closed", desk=desk.profile.name, chat=row.group_chat, answer=outcome.description)
            return Result(Later(HOLD, outcome.description))
        case "token":
            log.error("bot.unauthorized", desk=desk.profile.name, hint="the bot token is wrong or was revoked")
            return Result(Later(HOLD, outcome.description))
    return result


def _to_group(row: Row) -> bool:
    if row.kind == "call":
        return int(row.payload["params"].get("chat_id", 0)) < 0
    return row.payload.get("to") != "requester" and row.bucket.split(":")[1] == "group"


async def _migrate(desk: Desk, row: Row, new_chat: int, now: datetime) -> Outcome:
    old = row.group_chat
    if old is None:
        params = row.payload.get("params", {})
        old = params.get("chat_id") or row.payload.get("chat") or await _board_chat(desk, row)
    async with transaction(desk.sessions) as session:
        await groups.migrate(session, desk.profile.name, int(old or 0), new_chat, now)
    if row.kind == "call":
        row.payload["params"]["chat_id"] = new_chat
    elif "chat" in row.payload:
        # Pins and reactions name messages of the old chat: they are void.
        return Sent(None)
    return Later(0.0, "the group has moved")


async def _board_chat(desk: Desk, row: Row) -> int | None:
    async with desk.sessions() as session:
        found: int | None = await session.scalar(
            text("select chat_id from desk_group where id = :id"), {"id": row.payload.get("group")}
        )
        return found


async def _topic_lost(desk: Desk, row: Row, now: datetime) -> Outcome:
    """Any failed look-up says so, even a passing one: probe first, then rebuild once."""
    place = {"chat_id": row.group_chat, "message_thread_id": row.thread_id, "action": "typing"}
    probe = await desk.client.call("sendChatAction", place)
    if not (isinstance(probe, Refused) and meaning(probe.code, probe.description, True) == "topic_lost"):
        return Later(5.0, "the topic could not be found for a moment")
    async with transaction(desk.sessions) as session:
        mine = await session.scalar(
            text("""
                update ticket set thread_id = null, card_message_id = null
                where id = :id and thread_id = :thread returning id
            """),
            {"id": row.ticket_id, "thread": row.thread_id},
        )
        if mine is not None:
            log.warning("topic.lost", desk=desk.profile.name, ticket=row.reference, thread=row.thread_id)
            rebuilt = groups.rebuild(desk.profile.name, row.group_id, row.ticket_id or 0)
            await Changes(outgoing=rebuilt).write(session, desk.profile.name, now)
    if row.kind not in IN_TOPIC:
        return Later(1.0, "the topic is being rebuilt")
    row.thread_id = None
    return await ensure_topic(desk, row, now) or Later(0.0, "the topic is rebuilt")


async def ensure_topic(desk: Desk, row: Row, now: datetime) -> Outcome | None:
    """Make the topic that a row needs; None when it is there (`row.thread_id`).

    Only rows of the ticket's own lane come here, one at a time, so that no second one is made.
    """
    made = await open_topic(desk, row, now)
    if made.thread_id is None:
        reconsidered = (await reconsider(desk, row, made, now)).outcome
        return Later(1.0, "the topic could not be made") if isinstance(reconsidered, Sent) else reconsidered
    async with transaction(desk.sessions) as session:
        # Should another sender have been faster, its topic is the ticket's, and ours stays empty.
        row.thread_id = await session.scalar(
            text("update ticket set thread_id = coalesce(thread_id, :thread) where id = :id returning thread_id"),
            {"id": row.ticket_id, "thread": made.thread_id},
        )
    return None


def reason_of(row: Row, outcome: Any) -> str:
    """A word that the topic's notice knows, or Telegram's own words."""
    what = meaning(outcome.code, outcome.description, _to_group(row))
    known = {"unreachable": "blocked", "gone": "gone"}
    return known.get(what, str(outcome.description) or "refused")


async def given_up(session: Session, profile: Profile, row: Any, reason: str, now: datetime) -> None:
    """The engineer always knows what the customer did not get, and what did not reach the topic itself."""
    chat = row.payload.get("chat") or row.payload.get("params", {}).get("chat_id")
    if reason == "blocked" and chat is not None:
        await people.mark_reachable(session, profile.name, "telegram", str(chat), now)
    if row.kind == "topic.open":
        await _alarm(session, profile, row, reason, now)
    if row.ticket_id is None or row.kind not in TOLD:
        return
    ticket = await session.get(Ticket, row.ticket_id)
    if ticket is None or (row.kind == "say" and row.payload.get("to") != "requester"):
        return
    await work.undelivered(session, profile, ticket, reason, now, row.message_id)
    await Changes(
        outgoing=[outward.card(profile.name, ticket.group_id, ticket.id, now), *_broken_heart(profile, row)]
    ).write(session, profile.name, now)


async def _alarm(session: Session, profile: Profile, row: Any, reason: str, now: datetime) -> None:
    """A ticket that cannot have a topic is told of in General."""
    ticket = await session.get_one(Ticket, row.ticket_id)
    notice = {"notice": "no_topic", "facts": {"reference": ticket.reference, "reason": reason}}
    bucket = group_bucket(profile.name, ticket.group_id)
    alarm = Outgoing(bucket=bucket, lane=f"alarm:{profile.name}", kind="alarm", payload=notice)
    await Changes(outgoing=[alarm]).write(session, profile.name, now)


def _broken_heart(profile: Profile, row: Any) -> list[Outgoing]:
    """On the engineer's own message, where the mark of delivery would have been."""
    if row.kind != "relay" or row.payload.get("to") != "requester" or getattr(row, "origin_chat", None) is None:
        return []
    place = (row.origin_chat, row.origin_message)
    return [outward.react(profile.name, row.group_id, row.ticket_id, *place, outward.UNDELIVERED)]

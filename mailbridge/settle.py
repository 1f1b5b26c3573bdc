"""What became of an attempt at a mail, and what follows from it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.outbox import SETTLE, backoff
from crm.tickets import outward, work
from crm.tickets.models import Ticket
from mailbridge.claim import Row
from mailbridge.smtp import Outcome, Verdict

log = structlog.get_logger()

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=2)
PATIENCE = timedelta(days=5)
# A server that took it and was only slow to say so has it by then, and knows the id.
REPEAT_AFTER = timedelta(minutes=1)
_STATES = {"accepted": "sent", "refused": "failed", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Settled:
    """A row as it is to be written, and for whom the mail has failed by that."""

    state: str
    repeats: int
    recipients: dict[str, dict[str, str]]
    due_at: datetime | None = None
    error: str | None = None
    failed: tuple[tuple[str, Verdict], ...] = ()


def decide(row: Row, outcome: Outcome, now: datetime) -> Settled:
    """Who was refused for good or has it is done with; the others are tried again, for five days, and after an unknown
    outcome once. Pure."""
    if row.taken_back:
        return Settled("dropped", row.repeats, row.told, error="taken back before it left")
    repeats = row.repeats
    waiting: dict[str, Verdict] = {}
    final: dict[str, Verdict] = {}
    patient = now - row.created_at < PATIENCE
    for address, verdict in outcome.items():
        if verdict.state == "unknown" and row.repeats == 0:
            repeats = 1
            waiting[address] = verdict
        elif verdict.state == "later":
            (waiting if patient else final)[address] = verdict if patient else Verdict("refused", verdict.answer)
        else:
            final[address] = verdict
    recipients = row.told | {a: {"state": v.state, "answer": v.answer} for a, v in final.items()}
    failed = tuple((a, v) for a, v in final.items() if v.state != "accepted")
    error = next((v.answer for v in (*waiting.values(), *(v for _, v in failed))), None)
    if waiting:
        wait = REPEAT_AFTER if repeats > row.repeats else backoff(row.attempts, FIRST_WAIT, LONGEST_WAIT)
        return Settled("queued", repeats, recipients, now + wait, error, failed)
    state = _STATES[recipients[row.to.address]["state"]]
    # Should a person have it sent again, it goes to whoever does not have it.
    has_it = {address: one for address, one in recipients.items() if one["state"] == "accepted"}
    return Settled(state, repeats, has_it, None, error, failed)


_WRITE = f"""
    with done as ({SETTLE}),
    relayed as (update message set relayed_at = $1 where id = any($3::bigint[]) and relayed_at is null)
    select d.id, exists (select 1 from outbox e where e.lane = d.lane and e.id > d.id and e.state = 'queued') as more
    from done d
"""  # noqa: S608 - fixed words only


async def settle(session: Session, profile: Profile, row: Row, settled: Settled, now: datetime) -> bool:
    """Write it, and tell whoever has to know; says whether the lane has more to send now."""
    written = {
        "id": row.id,
        "fence": row.attempts,
        "state": settled.state,
        "due_at": settled.due_at,
        "repeats": settled.repeats,
        "error": settled.error,
        "payload": {**row.payload, "recipients": settled.recipients},
    }
    arrived = row.to.address not in row.told and (settled.recipients.get(row.to.address, {}).get("state") == "accepted")
    refs = [part["id"] for part in row.parts] if arrived and row.kind == "relay" else []
    done = await session.rows(_WRITE, now, json.dumps([written], default=datetime.isoformat), refs)
    if not done:
        log.warning("mail.overslept", row=row.id, ticket=row.reference)
        return False
    if settled.state == "queued" and (row.ticket_id is None or row.to.address in settled.recipients):
        # Those who only follow must not hold up the next answer, nor one stranger's server another stranger's mail.
        await session.rows("update outbox set lane = lane || ':' || id where id = $1", row.id)
    if refs:
        await _mark(session, profile, row, outward.DELIVERED, now)
    for address, verdict in settled.failed:
        await not_delivered(session, profile, row, _reason(address, verdict), now)
    if any(address == row.to.address for address, _ in settled.failed):
        await _mark(session, profile, row, outward.UNDELIVERED, now)
    return bool(done[0]["more"])


def _reason(address: str, verdict: Verdict) -> str:
    return "mail_unknown" if verdict.state == "unknown" else f"{address}: {verdict.answer}"


async def not_delivered(session: Session, profile: Profile, row: Any, reason: str, now: datetime) -> None:
    """The engineer always knows what the customer did not get."""
    ticket = await session.get(Ticket, row.ticket_id) if row.ticket_id is not None else None
    if ticket is not None:
        await work.undelivered(session, profile, ticket, reason, now, row.message_id)
        await Changes(outgoing=[outward.card(profile.name, ticket.group_id, ticket.id, now)]).write(
            session, profile.name, now
        )


async def _mark(session: Session, profile: Profile, row: Row, emoji: str, now: datetime) -> None:
    if row.kind == "relay" and row.origin_chat is not None and row.origin_message is not None:
        place = (row.origin_chat, row.origin_message)
        mark = outward.react(profile.name, row.group_id, row.ticket_id, *place, emoji)
        await Changes(outgoing=[mark]).write(session, profile.name, now)

"""Writing down what became of claimed rows, and what follows from it. One transaction for a batch.

A row is only written by the attempt that holds its lease: an attempt that overslept it is refused.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot import budget, claim, consequences
from bot.budget import Limits
from bot.claim import IDEMPOTENT, Row
from bot.client import Later, Refused, Sent
from bot.delivery import Desk, Result
from bot.refusals import meaning
from crm.changes import Changes
from crm.cloud.pages import unlinked
from crm.db import Session
from crm.outbox import SETTLE

REPEAT_AFTER = timedelta(seconds=2)

_SETTLE = f"""
    with done as ({SETTLE}),
    pairs as (
        insert into telegram_message (desk, chat_id, message_id, ticket_id, message_ref, role)
        select desk, chat_id, message_id, ticket_id, message_ref, role
        from jsonb_to_recordset($3::text::jsonb) as r(desk text, chat_id bigint, message_id bigint,
             ticket_id bigint, message_ref bigint, role text)
        where message_id <> 0 on conflict do nothing),
    topics as (
        update ticket t set thread_id = coalesce(t.thread_id, r.thread),
               card_message_id = coalesce(r.card, t.card_message_id)
        from jsonb_to_recordset($4::text::jsonb) as r(id bigint, thread bigint, card bigint) where t.id = r.id),
    relayed as (
        update message set relayed_at = $1 where id = any($5::bigint[]))
    select d.id, exists (select 1 from outbox e where e.lane = d.lane and e.id > d.id and e.state = 'queued') as more
    from done d
"""  # noqa: S608 - fixed words only


async def settle(
    session: Session, desk: Desk, limits: Limits | None, batch: list[tuple[Row, Result]], now: datetime
) -> bool:
    """Write it all; says whether there may be something to deliver now."""
    if limits is not None:
        private = [row.bucket for row, _ in batch if limits.of(row.bucket) == limits.chat]
        await budget.answered(session, private, now)
    rows = [_settled(row, result, now) for row, result in batch]
    topics = [
        {"id": row.ticket_id, "thread": result.thread_id, "card": result.card_message_id}
        for row, result in batch
        if result.thread_id or result.card_message_id
    ]
    done = await session.rows(
        _SETTLE,
        now,
        json.dumps(rows, default=datetime.isoformat),
        json.dumps([pair for _, result in batch for pair in result.pairs]),
        json.dumps(topics),
        [ref for _, result in batch for ref in result.relayed],
    )
    written = {row["id"] for row in done}
    # What an attempt that overslept would cause, the other one causes.
    changes = Changes(outgoing=[follow for row, result in batch if row.id in written for follow in result.follow])
    await changes.write(session, desk.profile.name, now)
    # Of a call that failed it is enough to speak once.
    riding = {rider.id for row, _ in batch for rider in row.riders}
    for (row, result), state in zip(batch, rows, strict=True):
        if row.id in written - riding:
            await _follow_up(session, desk, row, result, state["state"], now)
    return bool(changes.outgoing) or any(row["more"] for row in done) or any(row["state"] != "sent" for row in rows)


def _settled(row: Row, result: Result, now: datetime) -> dict[str, Any]:
    """The row as it is to be written: sent, queued again, given up; then it keeps no secret. Pure."""
    made = _judged(row, result, now)
    kept = unlinked(row.payload)
    return made if made["state"] == "queued" or kept == row.payload else {**made, "payload": kept}


def _judged(row: Row, result: Result, now: datetime) -> dict[str, Any]:
    outcome = result.outcome
    made: dict[str, Any] = {
        "id": row.id,
        "fence": row.attempts,
        "repeats": row.repeats,
        "error": None,
    }
    if isinstance(outcome, Sent):
        return {**made, "state": "sent", "payload": row.payload if "told" in row.payload else None}
    if isinstance(outcome, Later):
        wait = timedelta(seconds=outcome.seconds) if outcome.limited else _patience(row, outcome)
        return {
            **made,
            "state": "queued",
            "due_at": now + wait,
            "error": outcome.reason,
            "payload": row.payload,
        }
    if isinstance(outcome, Refused):
        too_old = meaning(outcome.code, outcome.description, False) == "too_old"
        return {**made, "state": "dropped" if too_old else "failed", "error": f"{outcome.code} {outcome.description}"}
    again = row.repeats == 0 or row.kind in IDEMPOTENT
    return {
        **made,
        "state": "queued" if again else "unknown",
        "due_at": now + (REPEAT_AFTER if row.repeats == 0 else claim.backoff(row.repeats)),
        "repeats": row.repeats + 1,
        "error": outcome.reason,
    }


def _patience(row: Row, outcome: Later) -> timedelta:
    return max(timedelta(seconds=outcome.seconds), min(claim.backoff(row.attempts), timedelta(seconds=30)))


async def _follow_up(session: Session, desk: Desk, row: Row, result: Result, state: str, now: datetime) -> None:
    outcome = result.outcome
    if isinstance(outcome, Later) and outcome.limited:
        await budget.block(session, row.bucket, now + timedelta(seconds=outcome.seconds))
    if result.board is not None:
        await session.execute(
            text("update desk_group set board_message_id = :message where id = :group"),
            {"group": result.board[0], "message": result.board[1]},
        )
    if state in ("failed", "unknown"):
        reason = consequences.reason_of(row, outcome) if state == "failed" else "unknown"
        await consequences.given_up(session, desk.profile, row, reason, now)

"""Taking rows of the outbox for delivery: heads of free lanes, as far as Telegram's limits reach.

The attempt is committed before the call is made. A row whose sender died is found by its lease, and its outcome is
unknown: it is repeated once, marked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot import budget, bundles
from bot.budget import Bucket, Limits
from crm import outbox
from crm.db import Session
from crm.outbox import FREE, LEASE, TAKE, group_bucket

# Repeating these changes nothing for people, so an unknown outcome needs no mark. A topic made twice is an empty
# twin; one given up would hold up all that its ticket has to say.
IDEMPOTENT = frozenset({"topic.open", "amend", "retract", "react", "pin", "card", "board", "topic.state", "fetch"})


@dataclass(slots=True)
class Row:
    """A claimed row with what is needed to deliver it."""

    id: int
    kind: str
    bucket: str
    lane: str
    payload: dict[str, Any]
    ticket_id: int | None
    message_id: int | None
    attempts: int
    repeats: int
    created_at: datetime
    group_id: int | None
    group_chat: int | None
    thread_id: int | None
    card_message_id: int | None
    reference: str | None
    subject: str | None
    content: dict[str, Any] | None
    album_id: str | None
    deleted: bool
    origin_chat: int | None
    origin_message: int | None
    reply_copies: list[list[int]]
    # What travels in the same call (bot/bundles.py), and is settled as this row is.
    riders: list["Row"] = field(default_factory=list)


_FREE = f"o.channel = 'telegram' and o.bucket <> $2 and {FREE}"
_HEADS = f"""
    select o.id, o.bucket, o.cost, o.lane, o.kind from outbox o
    left join send_budget b on b.bucket = o.bucket
    where {_FREE} and o.due_at <= $3 and (b.blocked_until is null or b.blocked_until <= $3)
    order by o.priority, o.id limit $4
"""  # noqa: S608 - fixed words only

_NEEDED = """
    select t.id, t.kind, t.bucket, t.lane, t.payload, t.ticket_id, t.message_id, t.attempts, t.repeats, t.created_at,
           k.group_id, g.chat_id as group_chat, k.thread_id, k.card_message_id, k.reference, k.subject,
           m.content, m.album_id, m.deleted_at is not null as deleted,
           p.chat_id as origin_chat, p.message_id as origin_message,
           coalesce((select json_agg(json_build_array(r.chat_id, r.message_id)) from telegram_message r
                     where r.message_ref = cast(m.content ->> 'reply_to' as bigint)), '[]') as reply_copies
    from taken t
    left join ticket k on k.id = t.ticket_id
    left join desk_group g on g.id = k.group_id
    left join message m on m.id = t.message_id
    left join telegram_message p on p.message_ref = m.id and p.role = 'origin'
    order by t.priority, t.id
"""
# A file takes its time on a slow line (bot/client.py): whoever is at it is not dead so soon.
_LEASE = "{} + case when kind in ('upload', 'fetch') then interval '3 minutes' else interval '0' end"
_TAKE_CHOSEN = f"with taken as ({TAKE.format(ids='$1::bigint[]', lease=_LEASE.format('$2::timestamptz'))}) {_NEEDED}"
_TAKE_HEADS = f"""
    with head as ({_HEADS} for update of o skip locked),
    taken as ({TAKE.format(ids="array(select id from head)", lease=_LEASE.format("$5::timestamptz"))})
    {_NEEDED}
"""  # noqa: S608
_NEXT_DUE = f"""
    select min(greatest(o.due_at, coalesce(b.blocked_until, o.due_at))) as due
    from outbox o left join send_budget b on b.bucket = o.bucket where {_FREE}
"""  # noqa: S608


async def claim(session: Session, desk: str, limits: Limits | None, now: datetime, limit: int) -> list[Row]:
    """Up to `limit` rows, leased. Nothing may be sent before that is committed."""
    # What waits for a group to be connected is no head of anything.
    heads = (desk, group_bucket(desk, None), now, limit)
    if limits is None:
        return [Row(**row) for row in await session.rows(_TAKE_HEADS, *heads, now + LEASE)]
    ids = await _within_limits(session, desk, limits, heads)
    return _together(await session.rows(_TAKE_CHOSEN, ids, now + LEASE)) if ids else []


def _together(taken: Sequence[Any]) -> list[Row]:
    """Rows of one lane were taken to travel together: the first carries the others."""
    heads: dict[str, Row] = {}
    for row in sorted((Row(**one) for one in taken), key=lambda row: row.id):
        head = heads.setdefault(row.lane, row)
        if head is not row:
            head.riders.append(row)
    order = {row["lane"]: place for place, row in enumerate(taken)}
    return sorted(heads.values(), key=lambda row: order[row.lane])


async def _within_limits(
    session: Session, desk: str, limits: Limits, wanted: tuple[str, str, datetime, int]
) -> list[int]:
    """Heads that the buckets admit; what they do not admit blocks them until they will."""
    now = wanted[2]
    # The overall bucket's lock makes the senders of a desk take turns here.
    overall = (await budget.lock(session, [desk]))[desk]
    heads = await session.rows(_HEADS, *wanted)
    if not heads:
        return []
    buckets = await budget.lock(session, [head["bucket"] for head in heads])
    chosen = [head for head in heads if _admit(overall, buckets[head["bucket"]], limits, head["cost"], now)]
    await budget.save(session, [overall, *buckets.values()])
    flooding = [head["lane"] for head in chosen if head["kind"] == "relay"]
    return [head["id"] for head in chosen] + await bundles.riders(session, flooding)


def _admit(overall: Bucket, own: Bucket, limits: Limits, cost: int, now: datetime) -> bool:
    window = limits.of(own.name)
    free = own.free_at(window, cost, now)
    if free > now:
        own.blocked_until = free
        return False
    if window is not None and overall.free_at(limits.overall, cost, now) > now:
        return False
    own.blocked_until = None
    own.spend(window, cost, now)
    overall.spend(limits.overall if window else None, cost, now)
    return True


async def next_due(session: Session, desk: str, now: datetime) -> float:
    """Seconds until something may leave, as far as it can be known; 1 at most, because limits move.

    What stands behind another row of its lane does not count: it may leave when that one is settled.
    """
    [found] = await session.rows(_NEXT_DUE, desk, group_bucket(desk, None))
    return min(max((found["due"] - now).total_seconds(), 0.03), 1.0) if found["due"] else 1.0


async def expire(session: Session, desk: str, now: datetime, limit: int = 100) -> Sequence[Any]:
    """Rows whose sender died while attempting; gives those given up as unknown, for the topics to be told."""
    return await outbox.expire(session, desk, "telegram", now, IDEMPOTENT, limit)


def backoff(attempts: int) -> timedelta:
    """Doubling from one second to one minute."""
    return outbox.backoff(attempts, timedelta(seconds=1), timedelta(minutes=1))

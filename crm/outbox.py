"""Everything outward is a row here before it happens, in the transaction that caused it.

States: queued → attempting → sent | unknown | failed | dropped. A lane keeps order; a bucket carries a limit of
the other side. `unknown`: the call may have happened, twice over; a person has to look.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import text

from crm.db import Session

LEASE = timedelta(seconds=30)
CHANNELS = ("telegram", "email")


class Priority(IntEnum):
    """Replies to people come first; what only decorates comes last."""

    PRESS = 0
    REPLY = 1
    TOPIC = 2
    WARNING = 3
    REACTION = 5
    CARD = 7
    BOARD = 9


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row to be. `due_at` None: at once. `dedupe_key`: while such a row is queued, another adds nothing."""

    bucket: str
    lane: str
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)
    ticket_id: int | None = None
    message_id: int | None = None
    dedupe_key: str | None = None
    priority: Priority = Priority.TOPIC
    cost: int = 1
    due_at: datetime | None = None
    channel: str = "telegram"

    def as_row(self, desk: str, now: datetime) -> dict[str, Any]:
        return {
            "desk": desk,
            "channel": self.channel,
            "bucket": self.bucket,
            "lane": self.lane,
            "kind": self.kind,
            "payload": self.payload,
            "ticket_id": self.ticket_id,
            "message_id": self.message_id,
            "dedupe_key": self.dedupe_key,
            "priority": int(self.priority),
            "cost": self.cost,
            "state": "queued",
            "due_at": self.due_at or now,
            "created_at": now,
        }


def chat_bucket(desk: str, chat_id: int) -> str:
    return f"{desk}:chat:{chat_id}"


def group_bucket(desk: str, group_id: int | None) -> str:
    """By our own id, which outlives a migration; `None` holds what waits for a group to be connected."""
    return f"{desk}:group:{group_id or 'none'}"


def mail_bucket(desk: str) -> str:
    return f"{desk}:mail"


def mail_lane(desk: str, ticket_id: int | None) -> str:
    return f"{desk}:mail:{ticket_id or 'none'}"


# Heads of free lanes of a desk ($1). One of a lane at a time, whatever its number: a transaction that began earlier may
# be committed later.
FREE = """
    o.desk = $1 and o.state = 'queued'
    and not exists (select 1 from outbox e where e.lane = o.lane and e.state in ('queued', 'attempting')
                    and (e.id < o.id or e.state = 'attempting'))
"""

# The key means something only until the row is taken: a later row with the same key may be queued before this one
# has to be queued again.
TAKE = """
    update outbox set state = 'attempting', attempts = attempts + 1, lease_until = {lease}, dedupe_key = null
    where id = any({ids}) and state = 'queued' returning *
"""


# Only the attempt that holds the lease writes what came of it ($1: now, $2: the rows): one that overslept is refused.
SETTLE = """
    update outbox o set state = r.state, due_at = coalesce(r.due_at, o.due_at), repeats = r.repeats,
           error = r.error, lease_until = null, payload = coalesce(r.payload, o.payload),
           settled_at = case when r.state = 'queued' then null else $1::timestamptz end
    from jsonb_to_recordset($2::text::jsonb) as r(id bigint, fence int, state text, due_at timestamptz,
         repeats int, error text, payload jsonb)
    where o.id = r.id and o.state = 'attempting' and o.attempts = r.fence returning o.id, o.lane
"""


async def expire(
    session: Session, desk: str, channel: str, now: datetime, harmless: Collection[str] = (), limit: int = 100
) -> Sequence[Any]:
    """Rows whose sender died while attempting: repeated once, then given up as unknown; kinds that are `harmless` to
    repeat are never given up.

    Gives those given up, for the topics to be told.
    """
    found = await session.execute(
        text("""
            update outbox set
                state = case when repeats = 0 or kind = any(:harmless) then 'queued' else 'unknown' end,
                repeats = repeats + 1, due_at = :now, lease_until = null, error = 'the sender died while attempting',
                settled_at = case when repeats = 0 or kind = any(:harmless) then null else :now end
            where id in (select id from outbox where desk = :desk and channel = :channel and state = 'attempting'
                         and lease_until < :now order by id limit :limit for update skip locked)
            returning id, state, kind, ticket_id, message_id, payload
        """),
        {"desk": desk, "channel": channel, "now": now, "limit": limit, "harmless": sorted(harmless)},
    )
    return [row for row in found if row.state == "unknown"]


def backoff(attempts: int, first: timedelta, most: timedelta) -> timedelta:
    """Doubling with each attempt, from the first wait to the longest."""
    return min(first * (1 << min(attempts - 1, 30)), most)


async def await_writers(session: Session, key: str) -> None:
    """Wait for transactions that counted on the queued row with that key, so that what they write is seen.

    In a transaction, after the row was taken and before what it shows is read.
    """
    await session.rows("select pg_advisory_xact_lock(hashtext($1))", key)


# Rows that stay make the look longer, so that they never hide what is done behind them.
_PRUNE = """
    delete from outbox where id in (
        select id from (
            select id, state, settled_at from outbox order by id
            limit 20 * $2 + (select count(*) from outbox where state in ('unknown', 'failed'))
                          + (select count(*) from outbox where state in ('queued', 'attempting'))) oldest
        where state in ('sent', 'dropped') and settled_at < $1 limit $2)
    returning id
"""
_FORGET_IDLE = """
    delete from send_budget where bucket in (
        select bucket from send_budget
        where coalesce(sent[cardinality(sent)], '-infinity') < $1 and coalesce(blocked_until, '-infinity') < $1
        limit $2 for update skip locked)
    returning bucket
"""


async def prune(session: Session, before: datetime, limit: int) -> int:
    """Forget what was sent before then, oldest first; what failed or is unknown stays. Gives how much that was."""
    return len(await session.rows(_PRUNE, before, limit))


async def forget_idle(session: Session, before: datetime, limit: int) -> int:
    """Drop buckets that nothing was sent through since then."""
    return len(await session.rows(_FORGET_IDLE, before, limit))


async def listing(session: Session, states: Sequence[str], desk: str | None = None, limit: int = 50) -> Sequence[Any]:
    """Rows in those states, newest first, for people to look at."""
    found = await session.execute(
        text("""
            select id, desk, bucket, lane, kind, ticket_id, message_id, state, attempts, repeats, due_at, settled_at,
                   error, payload
            from outbox where state = any(:states) and (cast(:desk as text) is null or desk = :desk)
            order by id desc limit :limit
        """),
        {"states": list(states), "desk": desk, "limit": limit},
    )
    return found.all()


async def show(session: Session, row_id: int) -> Any | None:
    found = await session.execute(text("select * from outbox where id = :id"), {"id": row_id})
    return found.one_or_none()


async def retry(session: Session, row_id: int, now: datetime) -> bool:
    """Queue a failed or unknown row again; whoever asks has decided that a repeat is right."""
    found = await session.execute(
        text("""
            update outbox set state = 'queued', due_at = :now, error = null, settled_at = null, dedupe_key = null,
                   repeats = case when state = 'unknown' then 1 else 0 end
            where id = :id and state in ('unknown', 'failed', 'dropped') returning id
        """),
        {"id": row_id, "now": now},
    )
    return found.scalar() is not None


async def dismiss(session: Session, row_id: int, now: datetime) -> Any | None:
    """Nothing more is to be done about a failed or unknown row; its error stays with it. None if it is neither."""
    found = await session.execute(
        text("""update outbox o set state = 'dropped', settled_at = :now
                from (select id, state from outbox where id = :id for update) before
                where o.id = before.id and o.state in ('unknown', 'failed')
                returning o.desk, o.ticket_id, o.message_id, o.kind, o.error, before.state as was"""),
        {"id": row_id, "now": now},
    )
    return found.one_or_none()

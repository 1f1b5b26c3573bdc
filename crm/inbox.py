"""Everything inward is stored here, raw, before it is acknowledged to whoever sent it.

One item is one transaction of the worker. A lane keeps order. The attempt is counted before it starts, so an
item that kills its worker is quarantined too; after a first failure an item is taken alone, so that none of its
neighbours is blamed for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from crm.db import Session

LEASE = timedelta(seconds=60)
# An item that fails is its own fault; one whose worker died may only have been near, so it is given more.
MAX_ATTEMPTS = 3
MAX_DEATHS = 5
PARK_STEP = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Received:
    """An item as it came: `external_key` is the sender's own id for it, unique within the source.

    With a `disposition` there is nothing to do about it: it is kept, and done at once.
    """

    external_key: str
    lane: str
    payload: bytes
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    source: str
    external_key: str
    lane: str
    payload: bytes
    received_at: datetime
    attempts: int
    # What it was settled as before, if somebody wants it worked on once more.
    disposition: str | None = None


_STORE = """
    insert into inbox (source, external_key, lane, payload, received_at, due_at, state, disposition, settled_at)
    select $1, k, l, p, $2, $2, case when d is null then 'queued' else 'done' end, d,
           case when d is not null then $2::timestamptz end
    from unnest($3::text[], $4::text[], $5::bytea[], $6::text[]) with ordinality as r(k, l, p, d, n) order by n
    on conflict (external_key, source) do nothing
    returning id
"""

# Claiming needs no durability: if the server forgets it, the item is simply claimed again.
_CLAIM = """
    with relaxed as (select set_config('synchronous_commit', 'off', true)),
    head as (
        select h.id, h.attempts
        from relaxed, unnest($1::text[]) as s(source) cross join lateral (
            select i.id, i.attempts from inbox i
            where i.state in ('queued', 'parked') and i.due_at <= $2 and i.source = s.source
              and i.attempts < $3 and (i.lease_until is null or i.lease_until < $2)
              and (i.state = 'parked' or not exists (
                  select 1 from inbox e where e.lane = i.lane and e.id < i.id and e.state = 'queued'))
            order by i.id limit $4 for update of i skip locked) h),
    oldest as (select id, attempts from head order by id limit 1),
    taken as (
        select id from oldest where attempts > 0
        union all select id from head where attempts = 0 and (select attempts from oldest) = 0)
    update inbox set attempts = inbox.attempts + 1, lease_until = $5
    from taken where inbox.id = taken.id
    returning inbox.id, source, external_key, lane, payload, received_at, inbox.attempts, disposition
"""

_SETTLE = """
    update inbox set state = 'done', disposition = $2, settled_at = $3, lease_until = null
    where id = $1 and state in ('queued', 'parked')
    returning exists (select 1 from inbox e
                      where e.lane = inbox.lane and e.id > inbox.id and e.state = 'queued') as more
"""


async def store(session: Session, source: str, items: Sequence[Received], now: datetime) -> int:
    """Insert what is new; says how much that was. The caller commits and only then acknowledges."""
    found = await session.rows(
        _STORE,
        source,
        now,
        [item.external_key for item in items],
        [item.lane for item in items],
        [item.payload for item in items],
        [item.disposition for item in items],
    )
    return len(found)


async def claim(session: Session, sources: Sequence[str], limit: int, now: datetime) -> list[Item]:
    """The oldest due item of each free lane, leased and with its attempt counted."""
    found = await session.rows(_CLAIM, list(sources), now, MAX_DEATHS, limit, now + LEASE)
    return sorted((Item(*row) for row in found), key=lambda item: item.id)


@dataclass(frozen=True, slots=True)
class Settled:
    """`more`: something of the same lane waits behind it."""

    more: bool


async def settle(session: Session, item: Item, disposition: str, now: datetime) -> Settled | None:
    """Done, in the transaction of its effects. None: another worker was faster, so roll back."""
    found = await session.rows(_SETTLE, item.id, disposition, now)
    return Settled(found[0]["more"]) if found else None


async def park(session: Session, item: Item, now: datetime) -> None:
    """Let it wait for what it refers to, without holding up its lane; parking is no failed attempt."""
    await session.execute(
        text("""update inbox set state = 'parked', due_at = :due, lease_until = null, attempts = attempts - 1
                where id = :id and state in ('queued', 'parked') and attempts = :attempts"""),
        {"id": item.id, "due": now + PARK_STEP, "attempts": item.attempts},
    )


async def fail(session: Session, item: Item, error: str, now: datetime, hopeless: bool = False) -> bool:
    """Record a failed attempt; after the last one, or a hopeless one, the item is quarantined (then True)."""
    quarantined = hopeless or item.attempts >= MAX_ATTEMPTS
    await session.execute(
        text("""update inbox set state = case when :bad then 'quarantined' else state end, error = :error,
                due_at = :due, lease_until = null
                where id = :id and state in ('queued', 'parked') and attempts = :attempts"""),
        {
            "id": item.id,
            "bad": quarantined,
            "error": error,
            "due": now + timedelta(seconds=item.attempts),
            "attempts": item.attempts,
        },
    )
    return quarantined


async def release(session: Session, item: Item) -> None:
    """Give it back untried, when the fault was not its own (a restarted database, a stopping worker)."""
    await session.execute(
        text("""update inbox set attempts = greatest(attempts - 1, 0), lease_until = null
                where id = :id and state in ('queued', 'parked') and attempts = :attempts"""),
        {"id": item.id, "attempts": item.attempts},
    )


async def quarantine_exhausted(
    session: Session, sources: Sequence[str], now: datetime, limit: int
) -> list[tuple[int, str]]:
    """Items whose last allowed attempt ended with its worker: nobody was left to record the failure."""
    found = await session.execute(
        text("""
            update inbox set state = 'quarantined', error = coalesce(error, 'the worker died at every attempt')
            where id in (select id from inbox where state in ('queued', 'parked') and attempts >= :most
                         and lease_until < :now and source = any(:sources)
                         order by id limit :limit for update skip locked)
            returning id, source
        """),
        {"most": MAX_DEATHS, "now": now, "limit": limit, "sources": list(sources)},
    )
    return [(row.id, row.source) for row in found]


async def listing(session: Session, states: Sequence[str], limit: int = 50) -> Sequence[Any]:
    found = await session.execute(
        text("""
            select id, source, external_key, lane, state, attempts, received_at, settled_at, disposition, error
            from inbox where state = any(:states) order by id desc limit :limit
        """),
        {"states": list(states), "limit": limit},
    )
    return found.all()


async def lately(session: Session, source: str, disposition: str, since: datetime, look_back: int) -> Sequence[bytes]:
    """Raw items with that disposition received since then, newest first, among the last `look_back` of all."""
    found = await session.rows(
        """select payload from (select * from inbox order by id desc limit $4) last
           where source = $1 and disposition = $2 and received_at >= $3 order by id desc""",
        source,
        disposition,
        since,
        look_back,
    )
    return [row["payload"] for row in found]


# Rows that stay make the look longer, so that they never hide what is done behind them.
_PRUNE = """
    delete from inbox where id in (
        select id from (
            select id, state, settled_at from inbox order by id
            limit 20 * $2 + (select count(*) from inbox where state = 'quarantined')
                          + (select count(*) from inbox where state in ('queued', 'parked'))) oldest
        where state = 'done' and settled_at < $1 limit $2)
    returning id
"""


async def prune(session: Session, before: datetime, limit: int) -> int:
    """Forget raw items that were done before then, oldest first; what is quarantined stays. Gives how much that was.

    `before` must be longer ago than a sender may repeat an item, or the repeat would be new.
    """
    return len(await session.rows(_PRUNE, before, limit))


async def show(session: Session, item_id: int) -> Any | None:
    found = await session.execute(text("select * from inbox where id = :id"), {"id": item_id})
    return found.one_or_none()


async def want(session: Session, item_id: int, now: datetime, source: str = "", also: Sequence[str] = ()) -> bool:
    """Have a held item worked on as what it was not taken for; False if it is not held (any more), nor settled as
    one of `also`. `source`: what its source must begin with."""
    found = await session.rows(
        """update inbox set state = 'queued', disposition = 'wanted', attempts = 0, due_at = $2, settled_at = null
           where id = $1 and state = 'done' and disposition = any($3::text[]) and starts_with(source, $4)
           returning id""",
        item_id,
        now,
        ["held", *also],
        source,
    )
    return bool(found)


async def retry(session: Session, item_id: int, now: datetime) -> bool:
    """Take a quarantined item back into work, with all its attempts; a dismissed one as well."""
    found = await session.execute(
        text("""update inbox set state = 'queued', attempts = 0, due_at = :now, lease_until = null, error = null,
                       disposition = null, settled_at = null
                where id = :id and (state = 'quarantined' or disposition = 'dismissed') returning id"""),
        {"id": item_id, "now": now},
    )
    return found.scalar() is not None


async def dismiss(session: Session, item_id: int, now: datetime) -> str | None:
    """Nothing more is to be done about a quarantined item; gives its error, which stays with it. None if it is not."""
    found = await session.execute(
        text("""update inbox set state = 'done', disposition = 'dismissed', settled_at = :now, lease_until = null
                where id = :id and state = 'quarantined' returning coalesce(error, '') as error"""),
        {"id": item_id, "now": now},
    )
    return found.scalar()

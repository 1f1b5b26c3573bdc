"""Telegram's limits, kept in the database, so that any number of senders together stay within them.

A bucket remembers when its last calls went out; a window admits so many. Windows are a little longer than
Telegram's, because some calls take longer to arrive than others; in a private chat, where one call follows the
other, the moment of the answer counts, so that nothing can overtake there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Window:
    """So many calls in any stretch of that length."""

    calls: int
    length: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages per second overall, per second and private chat, per minute and group."""

    overall: Window
    chat: Window
    group: Window

    @classmethod
    def parse(cls, setting: str) -> "Limits | None":
        """`30/1/20`; `off` is None. Raises ValueError."""
        if setting.strip().lower() == "off":
            return None
        try:
            overall, chat, group = (int(part) for part in setting.split("/"))
        except ValueError:
            raise ValueError("TELEGRAM_LIMITS is like 30/1/20, or off") from None
        if min(overall, chat, group) < 1:
            raise ValueError("TELEGRAM_LIMITS needs numbers of at least 1")
        second, minute = timedelta(seconds=1.1), timedelta(seconds=61)
        return cls(Window(overall, second), Window(chat, second), Window(group, minute))

    def of(self, bucket: str) -> Window | None:
        """The limit of a bucket; presses and leaving a group have none."""
        kind = bucket.split(":")[1] if ":" in bucket else ""
        if kind == "chat":
            return self.group if bucket.split(":")[2].startswith("-") else self.chat
        return {"group": self.group, "": self.overall}.get(kind)


@dataclass(slots=True)
class Bucket:
    name: str
    sent: list[datetime] = field(default_factory=list)
    blocked_until: datetime | None = None

    def free_at(self, window: Window | None, cost: int, now: datetime) -> datetime:
        """When a call of that cost may leave; not later than `now` means at once."""
        free = self.blocked_until or now
        if window is None:
            return free
        # An album may cost more than the whole window admits; then it takes all of it.
        needed = min(cost, window.calls)
        live = [at for at in self.sent if at + window.length > now]
        over = len(live) + needed - window.calls
        return max(free, live[over - 1] + window.length) if over > 0 else free

    def spend(self, window: Window | None, cost: int, now: datetime) -> None:
        if window is None:
            return
        live = [at for at in self.sent if at + window.length > now]
        self.sent = (live + [now] * cost)[-window.calls :]


async def lock(session: AsyncSession, names: Sequence[str]) -> dict[str, Bucket]:
    """The buckets, locked until the end of the transaction, in an order that admits no deadlock."""
    wanted = sorted(set(names))
    await session.execute(
        text("insert into send_budget (bucket) select unnest(cast(:names as text[])) on conflict do nothing"),
        {"names": wanted},
    )
    found = await session.execute(
        text("""select bucket, sent, blocked_until from send_budget where bucket = any(:names)
                order by bucket for update"""),
        {"names": wanted},
    )
    return {row.bucket: Bucket(row.bucket, list(row.sent), row.blocked_until) for row in found}


async def save(session: AsyncSession, buckets: Sequence[Bucket]) -> None:
    await session.execute(
        text("update send_budget set sent = :sent, blocked_until = :until where bucket = :name"),
        [{"name": b.name, "sent": b.sent, "until": b.blocked_until} for b in buckets],
    )


async def answered(session: AsyncSession, names: Sequence[str], now: datetime) -> None:
    """The last call of these private chats was answered only now."""
    await session.execute(
        text("""update send_budget set sent[cardinality(sent)] = :now
                where bucket = any(:names) and cardinality(sent) > 0"""),
        {"names": sorted(set(names)), "now": now},
    )


async def block(session: AsyncSession, name: str, until: datetime) -> None:
    """Telegram asked for silence there: nothing leaves before that moment."""
    await session.execute(
        text("""
            insert into send_budget (bucket, blocked_until) values (:name, :until)
            on conflict (bucket) do update set blocked_until = greatest(send_budget.blocked_until, :until)
        """),
        {"name": name, "until": until},
    )


async def forget_idle(session: AsyncSession, before: datetime, limit: int) -> int:
    """Drop buckets that nothing was sent through for long."""
    found: Any = await session.execute(
        text("""
            delete from send_budget where bucket in (
                select bucket from send_budget
                where coalesce(sent[cardinality(sent)], '-infinity') < :before
                  and coalesce(blocked_until, '-infinity') < :before limit :limit for update skip locked)
        """),
        {"before": before, "limit": limit},
    )
    return int(found.rowcount)

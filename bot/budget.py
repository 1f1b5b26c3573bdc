"""Telegram's limits, kept in the database, so that any number of senders together stay within them.

A bucket remembers when its last calls went out; a window admits so many. Windows are a little longer than
Telegram's, because some calls take longer to arrive than others; in a private chat, where one call follows the
other, the moment of the answer counts, so that nothing can overtake there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text

from crm.db import Session


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


_LOCK = """
    select bucket, sent, blocked_until from send_budget where bucket = any($1::text[]) order by bucket for update
"""


async def lock(session: Session, names: Sequence[str]) -> dict[str, Bucket]:
    """The buckets, locked until the end of the transaction, in an order that admits no deadlock."""
    wanted = sorted(set(names))
    found = await session.rows(_LOCK, wanted)
    if len(found) < len(wanted):
        await session.rows(
            "insert into send_budget (bucket) select unnest($1::text[]) order by 1 on conflict do nothing", wanted
        )
        found = await session.rows(_LOCK, wanted)
    return {row["bucket"]: Bucket(row["bucket"], list(row["sent"]), row["blocked_until"]) for row in found}


_SAVE = """
    update send_budget b set blocked_until = r.until, sent = r.sent
    from jsonb_to_recordset($1::text::jsonb) as r(name text, until timestamptz, sent timestamptz[])
    where b.bucket = r.name
"""


async def save(session: Session, buckets: Sequence[Bucket]) -> None:
    """Write back what was locked."""
    rows = [{"name": b.name, "sent": b.sent, "until": b.blocked_until} for b in buckets]
    await session.rows(_SAVE, json.dumps(rows, default=datetime.isoformat))


async def answered(session: Session, names: Sequence[str], now: datetime) -> None:
    """The last call of these private chats was answered only now."""
    await session.rows(
        """update send_budget set sent[cardinality(sent)] = $2
           where bucket = any($1::text[]) and cardinality(sent) > 0""",
        sorted(set(names)),
        now,
    )


async def block(session: Session, name: str, until: datetime) -> None:
    """Telegram asked for silence there: nothing leaves before that moment."""
    await session.execute(
        text("""
            insert into send_budget (bucket, blocked_until) values (:name, :until)
            on conflict (bucket) do update set blocked_until = greatest(send_budget.blocked_until, :until)
        """),
        {"name": name, "until": until},
    )

"""One bot's updates: the queue, the long poll, the journal of what was handed out."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sandbox.telegram.errors import OTHER_POLLER, WEBHOOK_ACTIVE, ApiError, conflict
from sandbox.telegram.journal import Journal

Json = dict[str, Any]
Lane = tuple[str, int]

DAY = 86_400.0
CALLBACK_LIFE = 150.0
UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
JOURNAL = 100_000


@dataclass(slots=True, eq=False)
class Entry:
    """An update on its way. A loose one came out of order, so a higher offset alone cannot confirm it."""

    seq: int
    update_id: int
    kind: str
    at: float
    lane: Lane
    update: Json
    loose: bool = False
    handed: int = 0
    confirmed: bool = False

    def expired(self, now: float) -> bool:
        return now - self.at > (CALLBACK_LIFE if self.kind == "callback_query" else DAY)

    def shown(self) -> Json:
        return {
            "n": self.seq,
            "update_id": self.update_id,
            "kind": self.kind,
            "at": self.at,
            "handed": self.handed,
            "confirmed": self.confirmed,
            "update": self.update,
        }


@dataclass(slots=True, eq=False)
class Hook:
    """A webhook as setWebhook left it, and how its deliveries went."""

    url: str
    secret: str | None = None
    max_connections: int = 40
    ip_address: str | None = None
    last_error_at: float | None = None
    last_error: str | None = None
    gone_since: float | None = None


@dataclass(eq=False)
class Inbox:
    """Everything between "something happened" and "the bot has it"."""

    now: Callable[[], float]
    next_id: int
    allowed: list[str] = field(default_factory=list)
    hook: Hook | None = None
    on_entry: Callable[[Entry], None] | None = None

    def __post_init__(self) -> None:
        self.journal: Journal[Entry] = Journal(JOURNAL)
        self.pending: dict[int, Entry] = {}
        self._handed: dict[int, Entry] = {}
        self._held: list[Entry] | None = None
        self._waiter: asyncio.Future[None] | None = None

    # Coming in

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in UNASKED

    def add(self, kind: str, payload: Json, lane: Lane) -> Entry | None:
        """Make an update of it, if the bot asked for that kind."""
        if not self.wants(kind):
            return None
        update = {"update_id": self.next_id, kind: payload}
        self.next_id += 1
        return self._admit(kind, update, lane, loose=False)

    def add_raw(self, update: Json, *, loose: bool = True) -> Entry:
        """Hand it out just as it is, whatever the bot asked for."""
        kind = next((key for key in update if key != "update_id"), "unknown")
        return self._admit(kind, update, lane_of(kind, update.get(kind)), loose=loose)

    def load(self, updates: Iterable[Json]) -> int:
        """Many at once, numbered in order."""
        count = 0
        for update in updates:
            self.add_raw({**update, "update_id": self.next_id}, loose=False)
            self.next_id += 1
            count += 1
        return count

    def _admit(self, kind: str, update: Json, lane: Lane, *, loose: bool) -> Entry:
        entry = Entry(self.journal.last + 1, int(update["update_id"]), kind, self.now(), lane, update, loose)
        self.journal.add(entry)
        if self._held is not None:
            self._held.append(entry)
        else:
            self._push(entry)
        return entry

    def _push(self, entry: Entry) -> None:
        self.pending[entry.seq] = entry
        if self.on_entry is not None:
            self.on_entry(entry)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Out of order, on purpose

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def release(self, order: str | None, seed: int | None) -> int:
        """Let the held updates go, in the order asked for."""
        held, self._held = self._held or [], None
        if order == "shuffle":
            random.Random(seed).shuffle(held)
        elif order == "reverse":
            held.reverse()
        for entry in held:
            entry.loose = entry.loose or order is not None
            self._push(entry)
        return len(held)

    def find(self, update_id: int) -> Entry | None:
        return next((e for e in self.journal.after(0) if e.update_id == update_id), None)

    # Going out

    async def poll(self, offset: int, limit: int, timeout: float) -> list[str]:
        """getUpdates: confirm what is below the offset, then wait for something to hand out."""
        if self.hook is not None:
            raise conflict(WEBHOOK_ACTIVE)
        self._confirm(offset)
        self.interrupt(conflict(OTHER_POLLER))
        if not self.pending and timeout > 0:
            await self._wait(timeout)
        return [json.dumps(entry.update, separators=(",", ":")) for entry in self._take(limit)]

    async def _wait(self, timeout: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            pass
        finally:
            if self._waiter is waiter:
                self._waiter = None

    def interrupt(self, error: ApiError | None = None) -> None:
        """End a waiting getUpdates: with that error, or empty-handed."""
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            for entry in list(self.pending.values())[:offset]:
                self.settle(entry)
            return
        for entry in [e for e in self._handed.values() if e.update_id < offset]:
            self.settle(entry)
        while self.pending:
            entry = next(iter(self.pending.values()))
            if entry.loose or entry.update_id >= offset:
                break
            self.settle(entry)

    def _take(self, limit: int) -> list[Entry]:
        self.drop_expired()
        batch = list(islice(self.pending.values(), limit))
        for entry in batch:
            entry.handed += 1
            self._handed[entry.seq] = entry
        return batch

    def drop_expired(self) -> None:
        """Forget what nobody fetched in time; a late button press must not hide behind fresh messages."""
        now = self.now()
        oldest = next(iter(self.pending.values()), None)
        if oldest is None or now - oldest.at <= CALLBACK_LIFE:
            return
        for entry in [e for e in self.pending.values() if e.expired(now)]:
            self.forget(entry)

    def settle(self, entry: Entry) -> None:
        """The bot has it."""
        entry.confirmed = True
        self.forget(entry)

    def forget(self, entry: Entry) -> None:
        self.pending.pop(entry.seq, None)
        self._handed.pop(entry.seq, None)

    def clear(self) -> None:
        self.pending.clear()
        self._handed.clear()


def lane_of(kind: str, payload: object) -> Lane:
    """The queue a webhook delivers it in: messages by chat, buttons by person, the rest apart."""
    body = payload if isinstance(payload, dict) else {}
    if kind == "callback_query":
        return ("callback", _id(body.get("from")))
    chat = _id(body.get("chat"))
    return ("message" if "message" in kind and "reaction" not in kind else kind, chat)


def _id(part: object) -> int:
    value = part.get("id") if isinstance(part, dict) else None
    return value if isinstance(value, int) else 0


def allowed_kinds(names: Sequence[str], known: frozenset[str]) -> list[str]:
    """What setWebhook and getUpdates remember; unknown names are dropped as the server does."""
    return [name for name in names if name in known]

"""The sender: claims rows, carries them out, and settles them; several at once, in order within a lane.

Outcomes are settled in small batches: one transaction for all that came back meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bot import claim, consequences, settle
from bot.budget import Limits
from bot.claim import Row
from bot.client import Later, Refused, Sent, Unknown
from bot.delivery import Desk, Result
from bot.operations import IN_TOPIC, OPERATIONS
from crm import failpoints
from crm.db import Session, passing, transaction
from crm.wake import OUTBOX, Waker

log = structlog.get_logger()

BATCH = 48
IN_FLIGHT = 96
OWN_FAULTS = 3

Spawn = Callable[[Coroutine[Any, Any, None]], object]


@dataclass(slots=True)
class Delivered:
    row: Row
    result: Result

    def settlements(self) -> list[tuple[Row, Result]]:
        """What came of the row, and with it of those that travelled in the same call."""
        return [(self.row, self.result), *((rider, Result(self.result.outcome)) for rider in self.row.riders)]


class Sender:
    """Delivers the outbox of one desk until it is cancelled; any number may run against one database."""

    def __init__(self, desk: Desk, limits: Limits | None, waker: Waker, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._limits = limits
        self._waker = waker
        self._clock = clock
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._done: asyncio.Queue[Delivered] = asyncio.Queue()
        self._stopping = False

    def stop(self) -> None:
        """Take nothing new; what is under way is still settled."""
        self._stopping = True
        self._waker.wake(OUTBOX)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            settling = group.create_task(self._settle_forever())
            await self._claim_forever(group.create_task)
            for _ in range(IN_FLIGHT):
                await self._free.acquire()
            await self._done.join()
            settling.cancel()

    async def _claim_forever(self, spawn: Spawn) -> None:
        while not self._stopping:
            try:
                # A connection of its own: what runs all the time need not ask the pool each time.
                async with self._desk.sessions() as session:
                    await self._claim_while_connected(session, spawn)
            except Exception as error:
                log.error("deliver.claim_failed", desk=self._desk.profile.name, error=repr(error))
                await asyncio.sleep(1)

    async def _claim_while_connected(self, session: Session, spawn: Spawn) -> None:
        expire_at = self._clock()
        while not self._stopping:
            if self._clock() >= expire_at:
                expire_at = self._clock() + claim.backoff(1)
                await self._give_up_the_dead()
            rows = await self._claim(session)
            for row in rows:
                await self._free.acquire()
                spawn(self._deliver(row))
            if len(rows) < BATCH:
                pause = await claim.next_due(session, self._desk.profile.name, self._clock())
                await self._waker.wait(OUTBOX, pause)

    async def _claim(self, session: Session) -> list[Row]:
        # Without limits it is a single statement, which is a transaction by itself.
        async with session.atomic() if self._limits else contextlib.nullcontext():
            rows = await claim.claim(session, self._desk.profile.name, self._limits, self._clock(), BATCH)
        if rows:
            failpoints.reach("deliver.claimed")
        return rows

    async def _give_up_the_dead(self) -> None:
        """What cannot be given up must not keep the living from leaving."""
        try:
            async with transaction(self._desk.sessions) as session:
                for dead in await claim.expire(session, self._desk.profile.name, self._clock()):
                    await consequences.given_up(session, self._desk.profile, dead, "unknown", self._clock())
        except Exception as error:
            log.error("deliver.expire_failed", desk=self._desk.profile.name, error=repr(error))

    async def _deliver(self, row: Row) -> None:
        try:
            result = await self._attempt(row)
        except Exception as error:
            if passing(error):
                # Whatever is read is read before the call.
                result = Result(Later(1.0, f"the database is away ({type(error).__name__})"))
            else:
                log.exception("deliver.broken", row=row.id, kind=row.kind)
                result = Result(_own_fault(row, f"{type(error).__name__}: {error}"))
        failpoints.reach("deliver.called")
        await self._done.put(Delivered(row, result))

    async def _attempt(self, row: Row) -> Result:
        now = self._clock()
        if _needs_topic(row):
            waiting = await consequences.ensure_topic(self._desk, row, now)
            if waiting is not None:
                return Result(waiting)
        result = await OPERATIONS[row.kind](self._desk, row, now)
        if isinstance(result.outcome, Sent):
            return result
        return await consequences.reconsider(self._desk, row, result, now)

    async def _settle_forever(self) -> None:
        while True:
            batch = [await self._done.get()]
            while not self._done.empty():
                batch.append(self._done.get_nowait())
            more = await self._settle(batch)
            for _ in batch:
                self._done.task_done()
                self._free.release()
            if more:
                self._waker.wake(OUTBOX)

    async def _settle(self, batch: list[Delivered]) -> bool:
        """Until the database has it: a result that is lost would be repeated. Says whether there may be more to do."""
        while True:
            try:
                async with transaction(self._desk.sessions) as session:
                    settled = [settlement for delivered in batch for settlement in delivered.settlements()]
                    more = await settle.settle(session, self._desk, self._limits, settled, self._clock())
                break
            except Exception as error:
                log.error("deliver.settle_failed", desk=self._desk.profile.name, rows=len(batch), error=repr(error))
                if not passing(error):
                    return await self._settle_apart(batch, error)
                await asyncio.sleep(0.5)
        failpoints.reach("deliver.settled")
        for delivered in batch:
            _report(delivered)
        return more

    async def _settle_apart(self, batch: list[Delivered], error: Exception) -> bool:
        """One result cannot be written: the others must not wait for it, and its own outcome counts as unknown."""
        if len(batch) > 1:
            return any([await self._settle([delivered]) for delivered in batch])
        only = batch[0]
        if isinstance(only.result.outcome, Unknown):
            log.critical("deliver.unsettled", row=only.row.id, kind=only.row.kind)
            return False
        return await self._settle([Delivered(only.row, Result(Unknown(f"{type(error).__name__}: {error}"[:500])))])


def _own_fault(row: Row, words: str) -> Unknown | Refused:
    """Before or after the call, nobody can say, so it counts as unknown; but not for ever."""
    return Refused(0, words) if row.kind in claim.IDEMPOTENT and row.attempts >= OWN_FAULTS else Unknown(words)


def _needs_topic(row: Row) -> bool:
    """Only rows of the ticket's own lane make its topic, so that it is made once."""
    if row.thread_id is not None or row.payload.get("to") == "requester":
        return False
    return row.kind in IN_TOPIC or (row.kind == "card" and row.lane == f"ticket:{row.ticket_id}")


def _report(delivered: Delivered) -> None:
    row, outcome = delivered.row, delivered.result.outcome
    if isinstance(outcome, Sent):
        log.debug("deliver.sent", row=row.id, kind=row.kind, ticket=row.ticket_id)
    elif isinstance(outcome, Later):
        log.info("deliver.later", row=row.id, kind=row.kind, seconds=outcome.seconds, reason=outcome.reason)
    else:
        log.warning("deliver.not_sent", row=row.id, kind=row.kind, ticket=row.ticket_id, outcome=repr(outcome))

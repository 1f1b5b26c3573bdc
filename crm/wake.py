"""LISTEN/NOTIFY wakes the workers of every process; each of them polls as well, since a hint may be lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import Session

log = structlog.get_logger()

CHANNEL = "kezekshi"
INBOX, OUTBOX, CLOUD = "inbox", "outbox", "cloud"
# Many wakes in a burst are one notification to the other processes.
DEBOUNCE = 0.02


async def wake_at_commit(session: Session, topic: str) -> None:
    """For what is waited for by few, and seldom: told by the transaction itself."""
    await session.rows("select pg_notify($1, $2)", CHANNEL, topic)


class Waker:
    """Call `wake` after a commit; wait with `wait`, which always comes back within its time limit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._events = {topic: asyncio.Event() for topic in (INBOX, OUTBOX, CLOUD)}
        self._told = asyncio.Event()
        self._topics: set[str] = set()
        self._own_pid = 0

    def wake(self, topic: str) -> None:
        self._events[topic].set()
        self._topics.add(topic)
        self._told.set()

    async def wait(self, topic: str, timeout: float) -> None:
        event = self._events[topic]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await event.wait()
        event.clear()

    async def run(self) -> None:
        """Listen and tell, until cancelled; a lost connection is made anew."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen())
                    group.create_task(self._tell())
            except* Exception as errors:
                log.warning("wake.lost", error=str(errors.exceptions[0]))
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        async with self._driver() as driver:
            closed = asyncio.Event()
            driver.add_termination_listener(lambda _: closed.set())
            await driver.add_listener(CHANNEL, self._heard)
            for event in self._events.values():
                event.set()
            await closed.wait()
            raise ConnectionError("the listening connection was closed")

    def _heard(self, _connection: Any, pid: int, _channel: str, payload: str) -> None:
        if pid == self._own_pid:
            return
        for topic in payload.split(","):
            if topic in self._events:
                self._events[topic].set()

    async def _tell(self) -> None:
        async with self._driver() as driver:
            # A hint needs no disk.
            await driver.execute("set synchronous_commit = off")
            self._own_pid = driver.get_server_pid()
            while True:
                await self._told.wait()
                await asyncio.sleep(DEBOUNCE)
                self._told.clear()
                topics, self._topics = ",".join(sorted(self._topics)), set()
                await driver.execute("select pg_notify($1, $2)", CHANNEL, topics)

    @contextlib.asynccontextmanager
    async def _driver(self) -> AsyncIterator[Any]:
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            try:
                yield raw.driver_connection
            finally:
                # A connection that listened does not go back among the others.
                await connection.invalidate()

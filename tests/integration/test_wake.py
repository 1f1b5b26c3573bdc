"""Workers of every process are woken by a commit of any."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import make_engine
from crm.wake import CHANNEL, INBOX, OUTBOX, Waker

BOUND = 10.0


@contextlib.asynccontextmanager
async def running(waker: Waker) -> AsyncIterator[Waker]:
    task = asyncio.ensure_future(waker.run())
    try:
        # Both events are set as soon as it listens; until then a hint would be lost.
        await woken(waker, INBOX)
        await woken(waker, OUTBOX)
        yield waker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def woken(waker: Waker, topic: str, bound: float = BOUND) -> bool:
    """Whether it was woken before the bound, and not by it."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await waker.wait(topic, bound)
    return loop.time() - begin < bound * 0.9


@pytest.fixture
async def other_engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database, size=2)
    yield engine
    await engine.dispose()


async def test_its_own_process_is_woken_at_once(engine: AsyncEngine) -> None:
    waker = Waker(engine)
    waker.wake(INBOX)
    assert await woken(waker, INBOX)


async def test_waiting_always_comes_back(engine: AsyncEngine) -> None:
    assert not await woken(Waker(engine), INBOX, 0.05)


async def test_another_process_is_woken_and_only_for_that_topic(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    async with running(Waker(engine)) as here, running(Waker(other_engine)) as there:
        # The other's start may have told us something.
        await woken(here, OUTBOX, 0.05)
        there.wake(INBOX)
        assert await woken(here, INBOX)
        assert not await woken(here, OUTBOX, 0.1)


async def test_a_topic_that_nobody_knows_does_no_harm(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    async with running(Waker(engine)) as here:
        async with other_engine.begin() as connection:
            for payload in ("nonsense", "", "nonsense,inbox"):
                await connection.execute(text("select pg_notify(:c, :p)"), {"c": CHANNEL, "p": payload})
        assert await woken(here, INBOX)


async def test_a_killed_connection_is_made_anew(engine: AsyncEngine, other_engine: AsyncEngine) -> None:
    async with running(Waker(engine)) as here:
        async with other_engine.begin() as connection:
            killed = await connection.execute(
                text("""select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()""")
            )
            assert killed.all()
        # It listens again: everything is looked at once more.
        assert await woken(here, INBOX)
        async with running(Waker(other_engine)) as there:
            await woken(here, INBOX, 0.05)
            there.wake(INBOX)
            assert await woken(here, INBOX)

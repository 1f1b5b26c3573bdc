"""The worker of the inbox under a clock that is moved by hand, fed with updates as Telegram writes them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot
from sqlalchemy.ext.asyncio import AsyncEngine

from app import boxes, cli
from bot import receive
from bot.dispatcher import make_dispatcher
from bot.process import Served, handlings, source_of
from crm import inbox
from crm.db import Sessions, transaction
from crm.inbox import Received
from crm.people.models import Agent
from crm.wake import Waker
from crm.worker import Worker
from tests.factories import (
    ADMIN,
    DESK,
    PROFILE,
    TOKEN,
    Group,
    Json,
    Moment,
    connected,
    engineer,
    in_topic,
    one,
    rows,
    said,
)


@dataclass
class Reception:
    """From an update to what is recorded of it. Nothing is delivered: what would be stands in the outbox."""

    sessions: Sessions
    processor: Worker
    clock: Moment = field(default_factory=Moment)

    async def store(self, *updates: Json) -> int:
        items = [receive.received(DESK, update) for update in updates]
        async with self.sessions() as session:
            return await receive.store(session, DESK, items, self.clock())

    async def store_raw(self, key: str, payload: bytes) -> None:
        async with self.sessions() as session:
            await receive.store(session, DESK, [Received(key, "raw", payload)], self.clock())

    async def work(self) -> int:
        """One attempt at everything that is due now; gives how many were made."""
        made = 0
        while True:
            async with transaction(self.sessions) as session:
                items = await inbox.claim(session, [source_of(DESK)], 12, self.clock())
            if not items:
                return made
            for item in items:
                await self.processor.process(item)
                made += 1

    async def until_settled(self, seconds: int = 90) -> None:
        for _ in range(seconds):
            await self.work()
            if not await self.fetch("select 1 from inbox where state in ('queued', 'parked')"):
                return
            self.clock.move(seconds=1)
        raise AssertionError("the inbox does not become empty")

    async def feed(self, update: Json) -> Any:
        """Store it, make one attempt at it, and show its row."""
        await self.store(update)
        await self.work()
        return await self.item(update)

    async def item(self, update: Json) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from inbox where external_key = :key", key=str(update["update_id"]))

    async def did(self, update: Json) -> str:
        """The disposition of an update that is settled at once."""
        row = await self.feed(update)
        assert row.state == "done", (row.state, row.error)
        return str(row.disposition)

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await rows(session, query, **values)

    async def calls(self, method: str) -> list[Json]:
        """Parameters of the calls that wait to be made."""
        found = await self.fetch(
            "select payload -> 'params' as p from outbox where payload ->> 'method' = :m order by id", m=method
        )
        return [row.p for row in found]

    async def relayed(self) -> list[Json]:
        """What would reach the customer of an engineer's words."""
        found = await self.fetch(
            """select m.content from outbox o join message m on m.id = o.message_id
               where o.kind = 'relay' and o.payload ->> 'to' = 'requester' order by o.id"""
        )
        return [row.content for row in found]

    async def agent(self, telegram_id: int = 900, role: str = "agent") -> Agent:
        async with transaction(self.sessions) as session:
            return await engineer(session, telegram_id, role)

    async def topic(self, words: str = "Не открывается кабинет", customer: int = 501) -> Group:
        """A customer has written; the ticket stands in the group."""
        assert await self.did(said(words, customer)) == "opened"
        async with transaction(self.sessions) as session:
            from crm.people import service as people

            who = await people.recognise(session, PROFILE, customer, "", None, None, self.clock())
            ticket = who.tickets[-1]
            return await in_topic(session, ticket, thread=70 + 10 * ticket.id)


@pytest.fixture
async def reception(sessions: Sessions, engine: AsyncEngine) -> AsyncIterator[Reception]:
    """The desk with its group, before anybody has written."""
    clock = Moment()
    bot = Bot(TOKEN)
    served = {DESK: Served(PROFILE, bot, frozenset({ADMIN}), pages=True)}
    made = Reception(sessions, Worker(sessions, handlings(served, make_dispatcher()), Waker(engine), clock), clock)
    async with transaction(sessions) as session:
        await connected(session)
    yield made
    await bot.session.close()


def as_bytes(update: Json) -> bytes:
    return json.dumps(update).encode()


# --- the command line --------------------------------------------------------------------------------------------

Command = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def kezekshi(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """One command in this process; gives exit code, stdout, stderr."""
    # Neither the working folder's `.env` nor this process's logs are touched.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(boxes, "configure", lambda level: None)
    monkeypatch.setattr(cli, "configure", lambda level: None)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("DATABASE_URL", "DESKS", "PRODATA_BOT_TOKEN", "TELEGRAM_API_BASE", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)

    async def run(*words: str, **environment: str) -> tuple[int, str, str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["kezekshi", *words])
        capsys.readouterr()

        def main() -> int:
            try:
                cli.main()
            except SystemExit as end:
                return int(end.code or 0)

        code = await asyncio.to_thread(main)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def desk(kezekshi: Command, database: str) -> Command:
    """The same, on the test's database."""

    async def run(*words: str) -> tuple[int, str, str]:
        return await kezekshi(*words, DATABASE_URL=database)

    return run

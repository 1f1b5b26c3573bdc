"""A desk as it really runs: its own process, a database, the stand-in for Telegram, people on both sides."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from sandbox.client import Sandbox, find_button

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "700000001:sandbox-token-of-the-tests-00000000001"
START_SECONDS = 60
Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process whose lines on stderr are kept and can be waited for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def start(self, *command: str, env: dict[str, str] | None = None) -> None:
        self._child = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=10_000_000,
        )
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        async for line in self._child.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip())
            self._news.set()
        self._news.set()

    async def wait_line(self, containing: str, timeout: float = START_SECONDS) -> str:
        assert self._child is not None
        seen = 0
        async with asyncio.timeout(timeout):
            while True:
                for line in self.lines[seen:]:
                    seen += 1
                    if containing in line:
                        return line
                if self._reader is not None and self._reader.done():
                    raise AssertionError(f"{self.name} ended without {containing!r}:\n" + "\n".join(self.lines[-40:]))
                self._news.clear()
                await self._news.wait()

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    async def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 30) -> int:
        """Signal it and wait; gives the exit code."""
        assert self._child is not None
        if self._child.returncode is None:
            self._child.send_signal(number)
        return await self.ended(timeout)

    async def ended(self, timeout: float = 30) -> int:
        assert self._child is not None
        async with asyncio.timeout(timeout):
            code = await self._child.wait()
            if self._reader is not None:
                await self._reader
        return code


class World:
    """One desk, one group with a lead and an engineer, one customer to begin with."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.port = free_port()
        self.telegram = Process("stand-in")
        self.desks: list[Process] = []
        self.sandbox = Sandbox(f"http://127.0.0.1:{self.port}")
        self.env: dict[str, str] = {}
        self.bot = 0
        self.lead = 0
        self.engineer = 0
        self.group = 0

    async def open(self, limits: str = "off") -> None:
        command = (sys.executable, "-m", "sandbox", "--port", str(self.port))
        await self.telegram.start(*command, *(("--limits", "off") if limits == "off" else ()))
        await self.telegram.wait_line(str(self.port))
        await self.sandbox.__aenter__()
        self.bot = (await self.sandbox.add_bot(TOKEN, "ProData", "prodata_bot"))["id"]
        self.lead = (await self.sandbox.add_user("Ерлан", language_code="ru"))["id"]
        self.engineer = (await self.sandbox.add_user("Динара", language_code="kk"))["id"]
        self.group = (await self.sandbox.add_group("Инженеры", owner=self.lead))["id"]
        await self.sandbox.add_member(self.group, user=self.engineer)
        await self.sandbox.add_member(self.group, bot=TOKEN, by=self.lead)
        self.env = {
            "DATABASE_URL": self.database,
            "PRODATA_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": self.sandbox.url,
            "ADMIN_TELEGRAM_IDS": str(self.lead),
            "TELEGRAM_LIMITS": limits,
            "WEB_PORT": "0",
            "LOG_LEVEL": "debug",
            "KEZEKSHI_FAILPOINT": "",
        }

    async def close(self) -> None:
        for desk in self.desks:
            if desk.alive:
                await desk.end(signal.SIGKILL)
        await self.sandbox.__aexit__(None, None, None)
        if self.telegram.alive:
            await self.telegram.end(signal.SIGKILL)

    async def start_desk(self, *roles: str, ready: bool = True, **settings: str) -> Process:
        desk = Process("desk")
        self.desks.append(desk)
        await desk.start(sys.executable, "-m", "app.cli", "run", *roles, env={**self.env, **settings})
        if ready:
            await desk.wait_line("desk.ready")
        return desk

    async def connect(self, named: bool = True) -> None:
        """The lead connects the group and names the engineer, as an admin does."""
        await self.sandbox.say(self.lead, self.group, "/connect")
        await self.in_group("/agent add")
        if named:
            hello = await self.sandbox.say(self.engineer, self.group, "salem")
            await self.sandbox.say(self.lead, self.group, "/agent add", reply_to=hello["message_id"])
            await self.until(self._named, "the engineer to be named")

    async def _named(self) -> bool:
        return bool(await self.fetch("select 1 from agent where telegram_id = $1 and active", self.engineer))

    # --- waiting -----------------------------------------------------------------------------------------

    async def until(self, look: Callable[[], Awaitable[Any]], what: str, timeout: float = 30) -> Any:
        return await self.sandbox.wait(look, timeout=timeout, what=what)

    async def in_group(self, *words: str, thread: int | None = None, timeout: float = 30) -> Json:
        """The first message in the group that contains one of the words."""
        return await self._message(self.group, self.lead, words, thread, timeout)

    async def in_chat(self, customer: int, *words: str, timeout: float = 30, after: int = 0) -> Json:
        """The first message of the bot in the customer's chat that contains one of the words."""
        return await self._message(self.bot, customer, words, None, timeout, after)

    async def _message(
        self, chat: int, viewer: int, words: Sequence[str], thread: int | None, timeout: float, after: int = 0
    ) -> Json:
        async def look() -> Json | None:
            for message in (await self.sandbox.chat(chat, viewer=viewer))["messages"]:
                said = str(message.get("text") or message.get("caption") or "")
                in_thread = thread is None or message.get("message_thread_id") == thread
                from_bot = message.get("from", {}).get("id") == self.bot
                fresh = message["message_id"] > after and not message.get("deleted")
                if in_thread and from_bot and fresh and any(word in said for word in words):
                    return message
            return None

        found: Json = await self.until(look, f"a message with {words} in chat {chat}", timeout)
        return found

    async def topic(self, containing: str, timeout: float = 30) -> Json:
        async def look() -> Json | None:
            seen = await self.sandbox.chat(self.group, viewer=self.lead)
            fitting = [t for t in seen["topics"] if containing in t["name"] and not t.get("deleted")]
            return fitting[-1] if fitting else None

        found: Json = await self.until(look, f"a topic with {containing!r}", timeout)
        return found

    async def messages(self, chat: int, viewer: int, thread: int | None = None) -> list[Json]:
        seen = await self.sandbox.chat(chat, viewer=viewer)
        return [
            m
            for m in seen["messages"]
            if not m.get("deleted") and (thread is None or m.get("message_thread_id") == thread)
        ]

    async def card(self, thread: int, timeout: float = 30) -> Json:
        return await self.in_group("PD-", thread=thread, timeout=timeout)

    async def press_card(self, who: int, thread: int, *labels: str) -> str:
        """Press a button of the topic's card, by one of its possible labels."""
        card = await self.card(thread)
        return await self.press(who, self.group, card, *labels)

    async def press(self, who: int, chat: int, message: Json, *labels: str) -> str:
        for label in labels:
            try:
                button = find_button(message, label)
            except AssertionError:
                continue
            return await self.sandbox.press(who, chat, message["message_id"], button)
        raise AssertionError(f"no button {labels} on {json.dumps(message.get('reply_markup'), ensure_ascii=False)}")

    # --- the database as witness ----------------------------------------------------------------------------

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        parsed = make_url(self.database)
        connection = await asyncpg.connect(
            user=parsed.username, database=parsed.database, host=str(parsed.query["host"]), port=parsed.port
        )
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def settled(self, timeout: float = 30) -> None:
        """Nothing waits any more, neither inward nor outward (what has a later time aside)."""

        async def look() -> bool:
            rows = await self.fetch(
                """select (select count(*) from inbox where state in ('queued', 'parked'))
                        + (select count(*) from outbox where state in ('queued', 'attempting')
                           and due_at < now() + interval '5 seconds') as waiting"""
            )
            return bool(rows[0]["waiting"] == 0)

        await self.until(look, "inbox and outbox to be empty", timeout)

"""The stage of a measurement: one durable PostgreSQL, a stand-in for Telegram, and whoever is measured, all apart."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import psutil
from sqlalchemy.engine import make_url

from app import postgres
from app.migrate import migrate
from crm.db import make_engine
from sandbox.client import Sandbox
from tests.bench.load import Stuck, Watch
from tests.e2e.processes import Process, free_port
from tests.e2e.world import TOKEN

CORES = 2
READY = "floor.ready"


def pin() -> int:
    """Keep to two cores, children included; gives the number of cores in use."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    return len(os.sched_getaffinity(0))


async def connect(url: str) -> asyncpg.Connection:
    parsed = make_url(url)
    return await asyncpg.connect(
        user=parsed.username, database=parsed.database, host=parsed.query.get("host") or parsed.host, port=parsed.port
    )


def machine_busy() -> float:
    """Seconds of CPU that everything on this machine has spent, what a host took from it included."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def our_own() -> float:
    """Seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def family(process: psutil.Process) -> float:
    """Seconds of CPU of a process and of its children, those that have ended included."""
    own = process.cpu_times()
    spent = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return float(spent)


class Server:
    """The embedded PostgreSQL with its data in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._url = postgres.start(folder)
        self._postmaster = psutil.Process(int((folder / "pg" / "postmaster.pid").read_text().split()[0]))
        self._count = 0

    async def version(self) -> str:
        """Its version; raises Stuck if it is not durable."""
        admin = await connect(self._url)
        durable = [await admin.fetchval(f"show {name}") for name in ("fsync", "synchronous_commit")]
        version = str(await admin.fetchval("show server_version"))
        await admin.close()
        if durable != ["on", "on"]:
            raise Stuck(f"the server is not durable: fsync, synchronous_commit = {durable}")
        return version

    async def copy(self, database: str) -> str:
        """Address of a database with the same in it. Nobody may be connected to that one."""
        return await self._create(f" template {make_url(database).database}")

    async def _create(self, more: str = "") -> str:
        self._count += 1
        name = f"bench_{self._count}"
        admin = await connect(self._url)
        await admin.execute(f"create database {name}{more}")
        await admin.close()
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)

    async def new_database(self) -> str:
        """Address of an empty desk database with today's schema."""
        url = await self._create()
        engine = make_engine(url, size=1)
        await migrate(engine)
        await engine.dispose()
        return url

    async def calm(self) -> None:
        """Nothing of the last measurement is left to be written during the next one."""
        admin = await connect(self._url)
        await admin.execute("checkpoint")
        await admin.close()

    def cpu(self) -> float:
        """Seconds of all its processes, those that have ended included."""
        return family(self._postmaster)


class Stage:
    """A stand-in without limits, a bot, a group, and one process that is measured: the desk or the floor."""

    def __init__(self, server: Server, database: str) -> None:
        self.server = server
        self.database = database
        self.bot = 0
        self.group = 0
        self._lead = 0
        self._telegram = Process("stand-in")
        self._measured = Process("measured")
        port = free_port()
        self.sandbox = Sandbox(f"http://127.0.0.1:{port}")
        self._command = (sys.executable, "-m", "sandbox", "--port", str(port), "--limits", "off", "--quiet")

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _open(self) -> None:
        await self._telegram.start(*self._command)
        await self.sandbox.__aenter__()
        await self._until(self._there, "the stand-in to listen")
        self.bot = (await self.sandbox.add_bot(TOKEN, "ProData", "prodata_bot"))["id"]
        self._lead = (await self.sandbox.add_user("Ерлан", language_code="ru"))["id"]
        self.group = (await self.sandbox.add_group("Инженеры", owner=self._lead))["id"]
        await self.sandbox.add_member(self.group, bot=TOKEN, by=self._lead)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._measured.lines:
            print("\n".join(self._measured.lines[-20:]), file=sys.stderr)
        for child, number in ((self._measured, signal.SIGTERM), (self._telegram, signal.SIGKILL)):
            try:
                if child.alive:
                    await child.end(number)
            except TimeoutError:
                await child.end(signal.SIGKILL)
        await self.sandbox.__aexit__(None, None, None)

    async def start_desk(self) -> None:
        """The real program, connected to the group by its admin."""
        settings = {
            "DATABASE_URL": self.database,
            "PRODATA_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": self.sandbox.url,
            "ADMIN_TELEGRAM_IDS": str(self._lead),
            "TELEGRAM_LIMITS": "off",
            "PUBLIC_URL": "",
            "WEB_PORT": "0",
            "LOG_LEVEL": "warning",
            "KEZEKSHI_FAILPOINT": "",
        }
        await self._measured.start(sys.executable, "-m", "app.cli", "run", env=settings)
        await self.sandbox.say(self._lead, self.group, "/connect")
        await self._until(self._connected, "the desk to connect its group")
        await self.settled()

    async def start_floor(self, *, calls: str, topics: int) -> None:
        """The bare loop; it says when it listens."""
        await self._measured.start(
            sys.executable, "-m", "tests.bench.floor", self.database, self.sandbox.url, TOKEN,
            str(self.group), calls, str(topics),
        )  # fmt: skip
        await self._measured.wait_line(READY)

    async def watch(self) -> Watch:
        made = Watch(self.sandbox, self.bot, self.group)
        await made.start()
        return made

    def cpu(self) -> tuple[float, float]:
        """Seconds spent so far by what is measured, and by PostgreSQL."""
        times = psutil.Process(self._measured.pid).cpu_times()
        return times.user + times.system, self.server.cpu()

    async def settled(self, timeout: float = 120) -> None:
        """Nothing waits any more, what has a later time aside."""
        await self._until(self._idle, "inbox and outbox to be empty", timeout)

    async def _until(self, look: Any, what: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not await look():
            if time.monotonic() > deadline:
                raise Stuck(f"waited {timeout:.0f} s for {what}")
            await asyncio.sleep(0.2)

    async def _there(self) -> bool:
        try:
            await self.sandbox.state()
        except OSError:
            return False
        return True

    async def _connected(self) -> bool:
        return bool(await self._one("select count(*) from desk_group where state = 'connected'"))

    async def _idle(self) -> bool:
        waiting = await self._one(
            """select (select count(*) from inbox where state in ('queued', 'parked'))
                    + (select count(*) from outbox where state in ('queued', 'attempting')
                       and due_at < now() + interval '5 seconds')"""
        )
        return waiting == 0

    async def _one(self, query: str) -> Any:
        connection = await connect(self.database)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

"""The stage of mail: a real IMAP server, a durable database, and the desk's mail role in one process or several."""

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import psutil

from tests.bench.letters import OWN
from tests.bench.load import Stuck
from tests.bench.stage import Server, connect, family
from tests.e2e.processes import Process
from tests.integration.mailserver import MailServer

LOOK_EVERY = 0.1
LISTENING = """select count(*) from pg_stat_activity
               where datname = current_database() and query ilike 'listen%kezekshi%'"""
SETTLED = """select count(*) filter (where state in ('queued', 'parked')) as waiting,
                    count(*) filter (where state = 'done' and disposition = $2) as taken, count(*) as all,
                    min(received_at) as first, max(settled_at) as last
             from inbox where id > $1"""
# What a mail leaves behind, in rows.
TABLES = ("inbox", "mail_seen", "person", "identity", "ticket", "sla_target", "message", "ticket_event", "outbox",
          "mail_message", "attachment", "automatic_mail")  # fmt: skip


class Desk:
    """The mail role over one mailbox. Nobody sends: what is to be said waits in the outbox."""

    def __init__(self, server: Server, database: str, mail: MailServer, processes: int) -> None:
        self._server = server
        self._database = database
        self._user = mail.user()
        self._authority = mail.authority
        self._processes = [Process(f"desk {number}") for number in range(1, processes + 1)]
        self._look: asyncpg.Connection | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _open(self) -> None:
        self._look = await connect(self._database)
        settings = {
            "DATABASE_URL": self._database,
            "PRODATA_IMAP_URL": self._user.url(query=f"?ca={self._authority}"),
            "PRODATA_MAIL_FROM": OWN,
            "PRODATA_SMTP_URL": "",
            "PRODATA_MAIL_AUTHSERV": "",
            "LOG_LEVEL": "warning",
            "KEZEKSHI_FAILPOINT": "",
        }
        for process in self._processes:
            await process.start(sys.executable, "-m", "app.cli", "run", "mail", env=settings)
        await self._until(self._listening, "the desk to listen")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if error is not None and process.lines:
                print("\n".join(process.lines[-20:]), file=sys.stderr)
            try:
                if process.alive:
                    await process.end(signal.SIGTERM)
            except TimeoutError:
                await process.end(signal.SIGKILL)
        if self._look is not None:
            await self._look.close()

    async def take(self, mails: Sequence[bytes], disposition: str, timeout: float) -> tuple[float, float, float]:
        """Seconds from the first mail in the inbox to the last one committed, then seconds of CPU of the desk and of
        PostgreSQL until all mail has left its folder. Raises Stuck, also if one mail became something else."""
        assert self._look is not None
        last = await self._look.fetchval("select coalesce(max(id), 0) from inbox")
        desk, database = self.cpu(), self._server.cpu()
        await asyncio.to_thread(self._user.deliver, *mails)
        deadline = time.monotonic() + timeout
        while True:
            found = await self._look.fetchrow(SETTLED, last, disposition)
            if found["all"] == len(mails) and not found["waiting"] and not self._lying():
                break
            if time.monotonic() > deadline:
                raise Stuck(f"{found['taken']} of {len(mails)} mails within {timeout:.0f} s")
            await asyncio.sleep(LOOK_EVERY)
        if found["taken"] != len(mails):
            raise Stuck(f"{len(mails) - found['taken']} of {len(mails)} mails became something else")
        seconds = (found["last"] - found["first"]).total_seconds()
        return seconds, self.cpu() - desk, self._server.cpu() - database

    def cpu(self) -> float:
        """Seconds of all processes of the desk, those that read mails included."""
        return sum(family(psutil.Process(process.pid)) for process in self._processes)

    def _lying(self) -> bool:
        folder: Path = self._user.folder()
        return any(path.is_file() for part in ("new", "cur") for path in (folder / part).iterdir())

    async def _listening(self) -> bool:
        assert self._look is not None
        return bool(await self._look.fetchval(LISTENING) == len(self._processes))

    async def _until(self, look: Any, what: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not await look():
            if time.monotonic() > deadline or not all(process.alive for process in self._processes):
                raise Stuck(f"waited for {what}")
            await asyncio.sleep(LOOK_EVERY)


async def connect_group(database: str) -> None:
    """The engineers' group, as the desk knows it once it is connected."""
    connection = await connect(database)
    await connection.execute(
        """insert into desk_group (desk, chat_id, title, state, rights, connected_at)
           values ('prodata', -1001, 'bench', 'connected', '{}', now())"""
    )
    await connection.close()


async def counted(database: str) -> dict[str, int]:
    """Rows of each table."""
    connection = await connect(database)
    try:
        return {name: await connection.fetchval(f"select count(*) from {name}") for name in TABLES}
    finally:
        await connection.close()

"""Child processes of a test: started as commands, or forked from the nursery; their lines are kept."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child whose lines, stdout and stderr together, can be waited for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid = 0
        self.lines: list[str] = []
        self._reading: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[int] | None = None
        self._news = asyncio.Event()
        # A command may have children of its own, which must not outlive a kill.
        self._group = False

    async def start(self, *command: str, env: dict[str, str] | None = None) -> Self:
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=10_000_000,
            start_new_session=True,
        )
        self._group = True
        assert child.stdout is not None
        self._follow(child.pid, child.stdout, child.wait())
        return self

    async def fork(self, nursery: str, program: str, *arguments: str, env: dict[str, str] | None = None) -> Self:
        """A child of the nursery: the same program, without the wait for its imports."""
        ours, theirs = os.pipe()
        caller = socket.socket(socket.AF_UNIX)
        caller.connect(nursery)
        order = {"program": program, "arguments": arguments, "env": env or {}}
        socket.send_fds(caller, [json.dumps(order).encode()], [theirs])
        os.close(theirs)
        answers, writer = await asyncio.open_unix_connection(sock=caller)
        pid = int(await answers.readline())
        output = asyncio.StreamReader(limit=10_000_000)
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), os.fdopen(ours, "rb"))

        async def end() -> int:
            code = int(await answers.readline())
            writer.close()
            await asyncio.shield(self._reading or asyncio.sleep(0))
            pipe.close()
            return code

        self._follow(pid, output, end())
        return self

    def _follow(self, pid: int, output: asyncio.StreamReader, end: Coroutine[Any, Any, int]) -> None:
        self.pid = pid
        self._reading = asyncio.create_task(self._read(output))
        self._ending = asyncio.create_task(end)

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            self.lines.append(line.decode("utf-8", "replace").rstrip())
            self._news.set()
        self._news.set()

    async def wait_line(self, containing: str, timeout: float = START_SECONDS, count: int = 1) -> str:
        """The line that contains it, or the `count`-th such line."""
        seen = found = 0
        async with asyncio.timeout(timeout):
            while True:
                for line in self.lines[seen:]:
                    seen += 1
                    found += containing in line
                    if found == count:
                        return line
                if self._reading is None or self._reading.done():
                    raise AssertionError(f"{self.name} ended without {containing!r}:\n" + self.last_words())
                self._news.clear()
                await self._news.wait()

    def last_words(self, lines: int = 60) -> str:
        return "\n".join(self.lines[-lines:])

    @property
    def alive(self) -> bool:
        return self._ending is not None and not self._ending.done()

    def send(self, number: signal.Signals) -> None:
        """Nothing happens if it has ended already."""
        if self.alive:
            try:
                if self._group and number == signal.SIGKILL:
                    os.killpg(self.pid, number)
                else:
                    os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    async def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 30) -> int:
        """Signal it and wait; gives the exit code."""
        self.send(number)
        return await self.ended(timeout)

    async def ended(self, timeout: float = 30) -> int:
        assert self._ending is not None
        assert self._reading is not None
        async with asyncio.timeout(timeout):
            code = await asyncio.shield(self._ending)
            await asyncio.shield(self._reading)
        return code


def nursery_command(path: str) -> list[str]:
    return [sys.executable, "-m", "tests.e2e.nursery", path]

"""Mails are read by processes of their own, each within its budget of CPU, memory and time (pitfall P14)."""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from types import TracebackType
from typing import Self

from crm.errors import Unreadable
from crm.mail.letter import Letter
from mailbridge.reading import CPU, FRAME, READ
from mailbridge.wire import unpack

# Seconds of the wall clock for one mail: a busy machine gives a process little of its CPU.
PATIENCE = 60.0
# Seconds that a process gets to end by itself.
LEAVE = 2.0

_START = "import sys; sys.path[:] = {!r}; from mailbridge.reading import serve; serve()"
_LARGEST_ANSWER = 1 << 30


class Readers:
    """A pool of reading processes. They start when needed, die with this one, and are replaced when they do."""

    def __init__(self, count: int, authserv_id: str | None = None) -> None:
        self._count = count
        self._authserv_id = (authserv_id or "").encode()[:255]
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        self._processes: set[Process] = set()

    async def __aenter__(self) -> Self:
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in [*self._processes]:
            if process.stdin:
                process.stdin.close()
            await self._end(process)

    async def read(self, raw: bytes) -> Letter:
        """Raises Unreadable. As many at once as the pool has places; the others wait."""
        process = await self._idle.get()
        served = process is not None
        try:
            if process is None or process.returncode is not None:
                process, served = await self._start(), False
            try:
                answer = await self._exchange(process, raw)
            except EOFError:
                if not served:
                    raise
                # It ended between two mails, which says nothing about this one.
                await self._end(process)
                process = await self._start()
                answer = await self._exchange(process, raw)
        except EOFError:
            reason = await self._end(process) if process else ""
            process = None
            raise Unreadable(reason) from None
        except TimeoutError:
            if process:
                await self._end(process, at_once=True)
            process = None
            raise Unreadable(f"more than {PATIENCE:.0f} s") from None
        except BaseException:
            # Cancelled in the middle: what it still answers would be taken for the next mail's.
            if process:
                await self._end(process, at_once=True)
            process = None
            raise
        finally:
            self._idle.put_nowait(process)
        return self._letter(*answer)

    def _letter(self, kind: int, answer: bytes) -> Letter:
        if kind != READ:
            raise Unreadable(answer.decode("utf-8", "replace"))
        try:
            return unpack(answer)
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable(f"no answer of ours: {error!r}") from error

    async def _exchange(self, process: Process, raw: bytes) -> tuple[int, bytes]:
        """Raises EOFError if the process is gone."""
        inlet, outlet = process.stdin, process.stdout
        if inlet is None or outlet is None:
            raise EOFError
        try:
            async with asyncio.timeout(PATIENCE):
                inlet.writelines([FRAME.pack(len(self._authserv_id), len(raw)), self._authserv_id, raw])
                await inlet.drain()
                kind, length = FRAME.unpack(await outlet.readexactly(FRAME.size))
                return kind, await outlet.readexactly(min(length, _LARGEST_ANSWER))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error

    async def _start(self) -> Process:
        code = _START.format([*sys.path])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=1 << 20
        )
        self._processes.add(process)
        return process

    async def _end(self, process: Process, at_once: bool = False) -> str:
        """Leaves no zombie; says what it died of. A process that is ending by itself is not killed: asyncio would
        lose its exit code."""
        try:
            async with asyncio.timeout(0 if at_once else LEAVE):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        code = await process.wait()
        self._processes.discard(process)
        if process.stdin:
            process.stdin.close()
        return f"more than {CPU} s of CPU" if code == -signal.SIGXCPU else f"its reader ended with {code}"

"""A TCP connection with a will of its own, between a client and a real server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """`cut_after`: bytes, of both directions, after which the next connection is cut, None for never. `swallowing`:
    nothing gets through, and nobody is told. `connections`: how many there were. `sent`: what the clients said."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: list[asyncio.StreamWriter] = []
        self.cut_after: int | None = None
        self.swallowing = False
        self.connections = 0
        self.cuts = 0
        self.sent = bytearray()
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.drop()

    def drop(self) -> None:
        """Cut all that is there now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        pipe = _Pipe(self.cut_after)
        self.cut_after = None
        try:
            there_reader, there = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, there]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(reader, there, pipe))
                group.create_task(self._down(there_reader, writer, pipe))
        except* OSError:
            pass
        if pipe.left == 0:
            self.cuts += 1
        writer.close()
        there.close()

    async def _up(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter, pipe: "_Pipe") -> None:
        while data := await reader.read(65536):
            self.sent += data
            await self._pass(data, there, pipe)
        there.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pipe: "_Pipe") -> None:
        while data := await reader.read(65536):
            await self._pass(data, writer, pipe)
        writer.close()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, pipe: "_Pipe") -> None:
        """What fits before the cut still arrives. Raises ConnectionAbortedError at the cut."""
        if self.swallowing:
            return
        writer.write(pipe.fitting(data))
        await writer.drain()
        if pipe.left == 0:
            raise ConnectionAbortedError


class _Pipe:
    """Both directions of a connection, and how many bytes may still pass."""

    def __init__(self, left: int | None) -> None:
        self.left = left

    def fitting(self, data: bytes) -> bytes:
        if self.left is None:
            return data
        data = data[: self.left]
        self.left -= len(data)
        return data

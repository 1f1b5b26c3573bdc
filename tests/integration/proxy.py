"""A TCP connection with a will of its own, between a client and a real server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """`cut_after`: bytes from the server after which the next connection is cut, None for never. `swallowing`: nothing
    gets through, and nobody is told. `connections`: how many there were. `sent`: what the clients said."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: list[asyncio.StreamWriter] = []
        self.cut_after: int | None = None
        self.swallowing = False
        self.connections = 0
        self.cuts = 0
        self.passed = 0
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
        left, self.cut_after = self.cut_after, None
        try:
            there_reader, there = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, there]
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(reader, there))
                group.create_task(self._down(there_reader, writer, there, left))

    async def _up(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.sent += data
            if not self.swallowing:
                there.write(data)
                await there.drain()
        there.close()

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamWriter, left: int | None
    ) -> None:
        while data := await reader.read(65536):
            if self.swallowing:
                continue
            if left is not None and len(data) >= left:
                writer.write(data[:left])
                await writer.drain()
                self.cuts += 1
                # What was written still arrives; the reset comes right behind it.
                writer.close()
                there.transport.abort()
                return
            left = None if left is None else left - len(data)
            self.passed += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()

"""A door in front of an HTTP service that answers one request for each connection, and ways in which it fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.conformance.stage import DONE, Fault

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
GARBLED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html>Welcome"
# What discovery asks is never spoilt: there is nothing unknown about it.
CONCERNED = b"/servers"


class Door:
    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._fault: Fault | None = None
        self._over = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        await self._listen()
        try:
            yield
        finally:
            self._close()

    @contextlib.asynccontextmanager
    async def failing(self, fault: Fault) -> AsyncIterator[None]:
        self._fault = fault
        self._over.clear()
        if fault == "down":
            self._close()
        try:
            yield
        finally:
            self._fault = None
            self._over.set()
            if fault == "down":
                await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            fault = self._fault if CONCERNED in request.split(b"\r\n", 1)[0] else None
            if fault in ("busy", "broken"):
                writer.write(BUSY if fault == "busy" else BROKEN)
            else:
                answer = await self._asked(request)
                if fault == "silent":
                    await self._over.wait()
                if fault in ("cut", "silent"):
                    writer.transport.abort()
                    return
                writer.write(GARBLED if fault in DONE else answer)
            await writer.drain()
        except (OSError, EOFError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._target)
        try:
            writer.write(request)
            return await reader.read(-1)
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0])) if lengths else b"")

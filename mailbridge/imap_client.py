"""What aioimaplib does not do by itself: its protocol takes answers apart without recursion and tells what it hears."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Any

from aioimaplib import AUTH, IMAP4, NONAUTH, Command, IMAP4ClientProtocol

from mailbridge.accounts import Account

MOST_LITERAL = 64_000_000

_ANNOUNCED = re.compile(rb"\{(\d{1,18})\}$")


class Protocol(IMAP4ClientProtocol):  # type: ignore[misc]
    """The library's, telling what it keeps to itself: that something was heard, that there is new mail, the end. Its
    greeting would wait for an answer under a lock that no timeout gets past, and its log would show passwords."""

    incomplete_line: bytes
    current_command: Any

    def __init__(self, loop: asyncio.AbstractEventLoop, heard: Callable[[], None], ended: Callable[[], None]) -> None:
        super().__init__(loop, lambda _: ended())
        self.greeted = asyncio.Event()
        self.news = asyncio.Event()
        self._heard = heard

    async def welcome(self, line: bytes) -> None:
        if line.startswith((b"* OK", b"* PREAUTH")):
            self.state = NONAUTH if line.startswith(b"* OK") else AUTH
            self.greeted.set()
        else:
            self.transport.abort()

    def send(self, line: str, scrub: str | None = None) -> None:
        self.transport.write(f"{line}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._heard()
        try:
            self._take_apart(self.incomplete_line + data)
        except Exception:
            # An answer to nothing that was asked: there is no knowing what the next ones belong to.
            self.transport.abort()

    def _take_apart(self, data: bytes) -> None:
        """In a loop: the library's own way calls itself for every line, and falls over a thousand of them."""
        command, at = self.current_command, 0
        while at < len(data):
            if command is not None and command.wait_literal_data():
                missing = command._expected_size - len(command._resp_literal_data)
                command.append_literal_data(data[at : at + missing])
                at += missing
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            line, at = data[at:end], end + 2
            taker = self._handle_line(line, command)
            if announced := _ANNOUNCED.search(line):
                command = taker or Command("NIL", "unused")
                command.begin_literal_data(self._bounded(int(announced[1])))
            else:
                command = taker if taker is not None and taker.wait_data() else None
        self.incomplete_line, self.current_command = data[at:], command
        if not self.incomplete_line and self.pending_sync_command is not None:
            self.pending_sync_command.flush()

    def _bounded(self, size: int) -> int:
        """The size was asked for before; a server that then sends so much more is up to no good."""
        if size > MOST_LITERAL:
            self.transport.abort()
        return size

    def _untagged_response(self, line: bytes) -> Any:
        if line.endswith(b" EXISTS"):
            self.news.set()
        return super()._untagged_response(line)


class Client(IMAP4):  # type: ignore[misc]
    """The library's client with that protocol, whose connecting can be waited for."""

    def __init__(self, account: Account, context: ssl.SSLContext | None, protocol: Protocol) -> None:
        self._made = protocol
        super().__init__(account.host, account.port, timeout=24 * 3600, ssl_context=context)

    def create_client(
        self,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: Any = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        running = asyncio.get_running_loop()
        self.protocol = self._made
        # The library awaits it.
        self._client_task = running.create_task(
            running.create_connection(lambda: self._made, host, port, ssl=ssl_context)
        )

    async def greeting(self) -> None:
        await self._client_task
        await self._made.greeted.wait()

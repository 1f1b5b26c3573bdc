"""The mailboxes and the IMAP server that shows them: pymap, with everything in memory (docs/decisions/0009)."""

import asyncio
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.mailbox import MailboxData, Message
from pymap.concurrent import Subsystem
from pymap.flags import FlagOp
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement
from pymap.parsing.specials.flag import Seen
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

INBOX, SENT = "INBOX", "Sent"


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail in a folder. `id` stays the same when the mail is moved; `uid` is the folder's."""

    id: str
    folder: str
    uid: int
    at: float
    seen: bool
    raw: bytes


class _Settings(Config):
    # The greeting would ask the resolver for this machine's name at every connection.
    greeting = b"The sandbox's mailboxes"


class Mailboxes:
    """Every account's folders. IMAP clients change them too, so nothing here is remembered between two calls."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self.clear()

    def clear(self) -> None:
        """No account has a mailbox any more; whoever is logged in is cut off."""
        for line in self._lines:
            line.cancel()
        self._config = _Settings(
            Namespace(proxy_protocol=None),
            host=None,
            port=0,
            demo_data=False,
            demo_user="",
            demo_password="",
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            tls_enabled=False,
        )
        self._login = Login(self._config)

    async def listen(self, host: str, port: int) -> int:
        """Serve until closed; the answer is the port."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)
        await IMAPServer(self._login, self._config)(reader, writer, SocketInfo.get(writer, None))

    async def add(self, address: str, password: str) -> None:
        await self._identity(address).set(UserMetadata(self._config, address, password=password))
        await self._folder(address, SENT, create=True)

    def _identity(self, address: str) -> Identity:
        return Identity(address, self._login, None, frozenset())

    async def _folder(self, address: str, name: str, *, create: bool = False) -> MailboxData:
        async with self._identity(address).new_session() as session:
            if create:
                await session.mailbox_set.add_mailbox(name)
            return await session.mailbox_set.get_mailbox(name)

    async def put(self, address: str, folder: str, raw: bytes, at: float, *, seen: bool = False) -> Kept:
        """Lay a mail into a folder."""
        flags = frozenset({Seen}) if seen else frozenset()
        mailbox = await self._folder(address, folder)
        message = await mailbox.append(AppendMessage(raw, datetime.fromtimestamp(at, UTC), flags), recent=not seen)
        return await _kept(folder, message)

    async def all(self, address: str) -> AsyncIterator[Kept]:
        """Every mail of every folder."""
        async with self._identity(address).new_session() as session:
            for entry in (await session.mailbox_set.list_mailboxes()).list():
                if entry.exists:
                    mailbox = await session.mailbox_set.get_mailbox(entry.name)
                    async for message in mailbox.messages():
                        yield await _kept(entry.name, message)

    async def mark_seen(self, address: str, mails: Iterable[Kept]) -> None:
        for mail in mails:
            mailbox = await self._folder(address, mail.folder)
            message = next(iter([message async for message in mailbox.messages() if message.uid == mail.uid]))
            await mailbox.update(mail.uid, message, frozenset({Seen}), FlagOp.ADD)


async def _kept(folder: str, message: Message) -> Kept:
    loaded = await message.load_content(FetchRequirement.CONTENT)
    at = message.internal_date.timestamp()
    return Kept(
        message.email_id.value.decode(), folder, message.uid, at, Seen in message.permanent_flags, bytes(loaded)
    )

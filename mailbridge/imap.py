"""One folder on an IMAP server, with everything that can go wrong turned into `Lost`.

aioimaplib waits for ever on a connection that has gone and takes texts for its own syntax, so it is asked only for
numbers and for whole mails as literals, every command has a limit of its own, and after any doubt the connection is
thrown away. What its protocol does not do is in `imap_client.py`.
"""

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from aioimaplib import AUTH, Command, quoted

from mailbridge.accounts import Account, folder_name
from mailbridge.imap_client import Client, Protocol

# Nothing heard for so long in the middle of a command: the connection is dead.
SILENCE = 30.0
# A command may go on while something is heard, but a server slower than this many bytes a second is no server.
SLOWEST = 20_000
CONNECTING = 30.0
# Of a mail that is too big the header is read, and of that not more than a header should have.
MOST_HEADER = 256 * 1024

_FETCHED = re.compile(rb"\d+ FETCH \(")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_LITERAL = re.compile(rb'\bBODY\[(?:HEADER)?\](?:<0>)? (?:\{(\d+)\}|"")')
_STATED = re.compile(rb"\[(UIDVALIDITY|UIDNEXT) (\d+)\]")


class Lost(Exception):
    """The connection cannot be used, or was never had. The text is one line for people, and never has a password."""

    mend = "is the server up, and the address right?"


class Untrusted(Lost):
    """No TLS, or a certificate that proves nothing: no credentials were sent."""

    mend = "the certificate must be valid for that name; a private authority is named by ?ca=/path/ca.pem"


class LoginRefused(Lost):
    mend = "check user and password; percent-encode @ : / ? # % in them"


class FolderMissing(Lost):
    mend = "create the folder on the server, or name another one after the slash"


@dataclass(frozen=True, slots=True)
class Selected:
    uidvalidity: int
    next_uid: int


@contextlib.asynccontextmanager
async def connected(account: Account, silence: float = SILENCE) -> AsyncIterator["Connection"]:
    """Connected and logged in; thrown away at the end. Raises Lost."""
    context = None if account.security == "none" else _context(account)
    connection = Connection(account, context, silence)
    try:
        await connection.open()
        yield connection
    finally:
        connection.discard()


def _context(account: Account) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=account.ca)
    except (OSError, ssl.SSLError):
        raise Untrusted(f"{account.ca} is no readable file of certificates") from None


class Connection:
    """Commands one at a time. Each raises Lost if there is the slightest doubt about what was answered."""

    def __init__(self, account: Account, context: ssl.SSLContext | None, silence: float) -> None:
        self._account = account
        self._context = context
        self._silence = silence
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._limit: asyncio.Timeout | None = None
        self._latest = 0.0
        self._protocol = Protocol(self._loop, self._heard, self._end)
        self._client = Client(account, context if account.security == "tls" else None, self._protocol)

    async def open(self) -> None:
        account = self._account
        await self._ask(self._client.greeting, seconds=CONNECTING)
        await self._ask(self._protocol.capability)
        if account.security == "starttls" and self._context is not None:
            await self._start_tls(self._context)
        await self._log_in()
        # What a server can do it often says only to those it knows.
        await self._ask(self._protocol.capability)

    def discard(self) -> None:
        """At once, without a farewell. The library's own tasks wait for answers that will not come."""
        self._end()
        if self._protocol.transport is not None:
            self._protocol.transport.abort()
        for task in [*self._client.tasks, *self._protocol.tasks, self._client._client_task]:
            task.cancel()

    def can(self, capability: str) -> bool:
        return bool(self._client.has_capability(capability))

    @property
    def news(self) -> asyncio.Event:
        """Set when the server tells of new mail, or when the connection ends."""
        return self._protocol.news

    async def select(self, folder: str) -> Selected:
        answer = await self._ask(self._client.select, folder_name(folder))
        if answer.result != "OK":
            raise FolderMissing(f"there is no folder {folder}")
        stated = {name: int(number) for line in answer.lines for name, number in _STATED.findall(line)}
        try:
            return Selected(stated[b"UIDVALIDITY"], stated.get(b"UIDNEXT", 2**32))
        except KeyError:
            raise Lost("the server gives its mails no lasting numbers (UIDVALIDITY)") from None

    async def exists(self, folder: str) -> bool:
        return bool((await self._ask(self._client.status, folder_name(folder), "(MESSAGES)")).result == "OK")

    async def uids(self, since: int) -> list[int]:
        """Of all mails from that UID on, ascending. The answer is one line, about 8 bytes a mail."""
        answer = self._good(await self._ask(self._client.uid_search, f"UID {since}:*", charset=None))
        # A star is the last mail, even below `since`.
        found = {int(word) for line in answer.lines[:-1] for word in line.split() if word.isdigit()}
        return sorted(uid for uid in found if uid >= since)

    async def sizes(self, uids: Collection[int]) -> dict[int, int]:
        """In bytes, of those that are still there; not more than 200 at a time."""
        answer = self._good(await self._ask(self._client.uid, "fetch", uid_set(uids), "(UID RFC822.SIZE)"))
        found = {}
        for line in answer.lines:
            if (uid := _UID.search(line)) and (size := _SIZE.search(line)):
                found[int(uid[1])] = int(size[1])
        return {uid: size for uid, size in found.items() if uid in uids}

    async def bodies(self, uids: Collection[int], expected: int) -> dict[int, bytes]:
        """Whole mails, as they lie there; `expected` is about how many bytes that is."""
        return await self._literals(uids, "BODY.PEEK[]", expected)

    async def header(self, uid: int) -> bytes:
        """The beginning of a mail that is too big to be taken whole."""
        found = await self._literals([uid], f"BODY.PEEK[HEADER]<0.{MOST_HEADER}>", MOST_HEADER)
        return found.get(uid, b"")

    async def _literals(self, uids: Collection[int], item: str, expected: int) -> dict[int, bytes]:
        seconds = self._silence + expected / SLOWEST
        answer = self._good(await self._ask(self._client.uid, "fetch", uid_set(uids), f"(UID {item})", seconds=seconds))
        return {uid: body for uid, body in _bodies(answer.lines) if uid in uids}

    async def move(self, uids: Collection[int], folder: str) -> bool:
        """Into another folder, which is made if it is missing; False if they are still there and may be tried again.

        A server that can neither move nor expunge single mails keeps them, marked as deleted.
        """
        command = "move" if self.can("MOVE") else "copy"
        arguments = (command, uid_set(uids), folder_name(folder))
        answer = await self._ask(self._client.uid, *arguments)
        if answer.result == "NO":
            await self._ask(self._client.create, folder_name(folder))
            answer = await self._ask(self._client.uid, *arguments)
        if answer.result != "OK":
            return False
        if command == "copy":
            self._good(await self._ask(self._client.uid, "store", uid_set(uids), "+FLAGS.SILENT", r"(\Deleted)"))
            if self.can("UIDPLUS"):
                self._good(await self._ask(self._client.uid, "expunge", uid_set(uids)))
        return True

    @property
    def empties(self) -> bool:
        """Whether what is moved really leaves the folder."""
        return self.can("MOVE") or self.can("UIDPLUS")

    async def idle(self, seconds: float) -> None:
        """Until there is news or the time is over; the server has answered then, so it is alive."""
        idling = await self._ask(self._client.idle_start, 2 * seconds)
        await self.wait(seconds)
        self._client.idle_done()
        answer = await self._ask(lambda: idling)
        while not self._protocol.idle_queue.empty():
            self._protocol.idle_queue.get_nowait()
        self._good(answer)

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.news.wait()

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        protocol = self._protocol
        answer = await self._ask(protocol.execute, Command("STARTTLS", protocol.new_tag()))
        # What came with the answer came unprotected, from whoever is between.
        if answer.result != "OK" or protocol.incomplete_line:
            raise Untrusted("the server offers no TLS (STARTTLS)")

        async def shake_hands() -> None:
            protocol.transport = await self._loop.start_tls(
                protocol.transport, protocol, context, server_hostname=self._account.host
            )

        await self._ask(shake_hands, seconds=CONNECTING)
        await self._ask(protocol.capability)

    async def _log_in(self) -> None:
        account, password = self._account, self._account.password.get_secret_value()
        if self.can("LOGINDISABLED"):
            raise Untrusted("the server takes no password without TLS")
        if (account.user + password).isascii():
            answer = await self._ask(self._client.login, quoted(account.user), password)
        else:
            # Only ASCII goes into a quoted string.
            words = base64.b64encode(f"\0{account.user}\0{password}".encode()).decode()
            command = Command("AUTHENTICATE", self._protocol.new_tag(), "PLAIN", words)
            answer = await self._ask(self._protocol.execute, command, words)
            self._protocol.state = AUTH
        if answer.result != "OK":
            said = answer.lines[-1].decode("ascii", "replace") if answer.lines else ""
            raise LoginRefused(f"the server refuses {account.user}: {said.replace(password, '***')}")

    def _good(self, answer: Any) -> Any:
        if answer.result != "OK":
            raise Lost(f"the server answers {answer.result}")
        return answer

    async def _ask(self, what: Callable[..., Awaitable[Any]], *values: Any, seconds: float = 0.0, **named: Any) -> Any:
        """Within `seconds`, and not longer than the silence allowed without hearing anything."""
        now = self._loop.time()
        self._latest = now + max(seconds, 4 * self._silence)
        try:
            async with asyncio.timeout_at(now if self._ended else now + self._silence) as self._limit:
                return await what(*values, **named)
        except TimeoutError:
            raise Lost("the connection was lost" if self._ended else "the server is silent") from None
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
            raise Untrusted(f"TLS with {self._account.host} fails: {reason}") from None
        except OSError as error:
            raise Lost(f"{self._account.host}:{self._account.port} cannot be reached: {_words(error)}") from None
        except Exception as error:
            # The library's own errors may quote the command, with the password in it.
            raise Lost(f"the server is not understood ({type(error).__name__})") from None
        finally:
            self._limit = None

    def _heard(self) -> None:
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(self._loop.time() + self._silence, self._latest))

    def _end(self) -> None:
        """The library wakes nobody, so whoever waits is let go by the limit."""
        self._ended = True
        self.news.set()
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._loop.time())


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _bodies(lines: Iterable[bytes | bytearray]) -> list[tuple[int, bytes]]:
    """(UID, mail) of each response: a line with the length, the literal (a bytearray), the rest of the line."""
    found: list[tuple[int, bytes]] = []
    words, body, wanted = b"", None, False
    for line in [*lines, b"0 FETCH ("]:
        if isinstance(line, bytearray):
            body, wanted = (bytes(line), False) if wanted else (body, False)
        elif _FETCHED.match(line):
            if body is not None and (uid := _UID.search(words)):
                found.append((int(uid[1]), body))
            words, body, wanted = line, None, False
        else:
            words += line
        if not isinstance(line, bytearray) and (literal := _LITERAL.search(line)):
            body, wanted = (b"", False) if literal[1] is None else (None, True)
    return found


def uid_set(uids: Iterable[int]) -> str:
    """`3,5:7`, as short as it can be."""
    spans: list[list[int]] = []
    for uid in sorted(uids):
        if spans and uid == spans[-1][1] + 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in spans)

"""Handing a mail to a server: a connection of its own for each, and for each recipient what became of it.

What the server may have taken although it did not say so is `unknown`: measured, a server that was silent after DATA
had stored the mail.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from pydantic import SecretStr

from mailbridge.accounts import is_loopback
from mailbridge.headers import with_ascii_domain, words

# Of one step, and of all of them together, in seconds.
STEP = 60.0
SESSION = 150.0
State = Literal["accepted", "refused", "later", "unknown"]

_FORM = "must be like smtp://user:password@host:587 or smtps://user:password@host:465"
_PORTS = {"smtp": 587, "smtps": 465}
# Said to MAIL these are about us, not about the mail: log in first, encrypt first.
_OURS = (530, 534, 535, 538)


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """A server that sends for us. `secure`: nothing is said before TLS stands; `ca`: a file with the certificates to
    trust, None for the machine's own. As text it has no password."""

    host: str
    port: int
    user: str | None = None
    password: SecretStr | None = None
    implicit: bool = False
    secure: bool = True
    ca: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> "SmtpAddress":
        """`smtp://user:password@host:587?ca=/path`, percent-encoded where needed.

        `smtp` begins with STARTTLS anywhere but on this machine itself, and here too if a `ca` is given. Raises
        ValueError with words that never hold the password.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError:
            raise ValueError(_FORM) from None
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or options.keys() - {"ca"}:
            raise ValueError(_FORM)
        if bool(parts.username) != bool(parts.password):
            raise ValueError(f"{_FORM}: user and password go together")
        words = [unquote(word) for word in (parts.hostname, parts.username or "", parts.password or "")]
        if any(not character.isprintable() for word in words for character in word):
            raise ValueError("has a control character in it")
        implicit, ca = parts.scheme == "smtps", options.get("ca")
        secure = implicit or ca is not None or not is_loopback(parts.hostname)
        port = port or _PORTS[parts.scheme]
        password = SecretStr(words[2]) if words[2] else None
        return cls(words[0], port, words[1] or None, password, implicit, secure, ca)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mail for one recipient: taken, refused for good, not taken for now, or nobody knows."""

    state: State
    answer: str = ""


Outcome = dict[str, Verdict]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and how to mend it."""

    good: bool
    what: str
    mend: str = ""


async def send(smtp: SmtpAddress, envelope_from: str, recipients: Sequence[str], message: bytes) -> Outcome:
    """One attempt, within `SESSION` seconds. `envelope_from` is empty for a mail that must never come back.

    Nothing that a server or the network does is raised. A recipient that is no address is refused before the wire;
    ValueError for a sender that is none.
    """
    sender = with_ascii_domain(envelope_from) if envelope_from else ""
    outcome: Outcome = {}
    wires: dict[str, str] = {}
    for one in recipients:
        try:
            wires[one] = with_ascii_domain(one)
        except ValueError:
            outcome[one] = Verdict("refused", "not an address")
    if not wires:
        return outcome
    conversation = _Conversation(sender, message, wires)
    try:
        async with asyncio.timeout(SESSION):
            await conversation.hold(smtp)
    except (SMTPException, OSError, TimeoutError) as error:
        # An error of TLS is one of the system's.
        conversation.broken(error)
    return outcome | conversation.outcome


class _Conversation:
    """`wires`: the recipients, each with the address as it is said to the server."""

    def __init__(self, sender: str, message: bytes, wires: dict[str, str]) -> None:
        self.outcome: Outcome = {}
        self._sender = sender
        self._message = message
        self._wires = wires
        # Those for whom nothing is final yet.
        self._open = list(wires)
        self._sending = False

    async def hold(self, smtp: SmtpAddress) -> None:
        client = _client(smtp)
        try:
            await client.connect()
            await self._talk(client)
            await self._leave(client)
        finally:
            client.close()

    async def _talk(self, client: aiosmtplib.SMTP) -> None:
        if client.is_ehlo_or_helo_needed:
            # What it can do is known from its answer only.
            await client.ehlo()
        wide = not (self._message.isascii() and all(one.isascii() for one in (self._sender, *self._wires.values())))
        if wide and not client.supports_extension("smtputf8"):
            self._conclude(Verdict("refused", "the server takes ASCII addresses only (no SMTPUTF8)"))
            return
        encoding = "utf-8" if wide else "ascii"
        await client.mail(self._sender, options=self._options(client, wide), encoding=encoding)
        for one, wire in self._wires.items():
            try:
                await client.rcpt(wire, encoding=encoding)
            except SMTPRecipientRefused as error:
                self._open.remove(one)
                self.outcome[one] = _verdict(error)
        if self._open:
            self._sending = True
            answer = await client.data(self._message)
            self._conclude(Verdict("accepted", words(f"{answer.code} {answer.message}", 300)))

    def _options(self, client: aiosmtplib.SMTP, wide: bool) -> list[str]:
        size = [f"SIZE={len(self._message)}"] if client.supports_extension("size") else []
        return [*size, *(["SMTPUTF8", "BODY=8BITMIME"] if wide else [])]

    async def _leave(self, client: aiosmtplib.SMTP) -> None:
        """What was said stands; how the server takes leave changes nothing."""
        with contextlib.suppress(SMTPException, OSError, TimeoutError):
            await client.quit(timeout=5)

    def _conclude(self, verdict: Verdict) -> None:
        self.outcome |= dict.fromkeys(self._open, verdict)
        self._open = []

    def broken(self, error: Exception) -> None:
        if self._sending and not (isinstance(error, SMTPDataError) and error.code >= 400):
            self._conclude(Verdict("unknown", _words(error)))
        elif isinstance(error, SMTPDataError | SMTPSenderRefused):
            self._conclude(_verdict(error))
        else:
            self._conclude(Verdict("later", _words(error)))


def _client(smtp: SmtpAddress) -> aiosmtplib.SMTP:
    context = None
    if smtp.secure:
        context = ssl.create_default_context(cafile=smtp.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.user,
        password=smtp.password.get_secret_value() if smtp.password else None,
        timeout=STEP,
        use_tls=smtp.implicit,
        # Where it is required, a server without it is left before anything is said.
        start_tls=smtp.secure and not smtp.implicit,
        tls_context=context,
    )


def _verdict(error: SMTPResponseException) -> Verdict:
    good = 500 <= error.code < 600 and not (isinstance(error, SMTPSenderRefused) and error.code in _OURS)
    return Verdict("refused" if good else "later", _words(error))


def _words(error: Exception) -> str:
    """What the server said, in one line; without that, what happened."""
    if isinstance(error, SMTPResponseException):
        said = f"{error.code} {error.message}"
    else:
        said = str(error) or type(error).__name__
    # What it said may hold bytes that no database keeps.
    return words(said, 300)


async def probe(smtp: SmtpAddress, mail_from: str) -> list[Finding]:
    """Whether mail can be handed over: connect, log in, name the sender. Nothing is sent."""
    try:
        client = _client(smtp)
    except OSError as error:
        return [Finding(False, f"{smtp}: {smtp.ca}: {error.strerror or error}", "check the file that ?ca= names")]
    try:
        async with asyncio.timeout(STEP):
            return await _probed(client, smtp, mail_from)
    except TimeoutError:
        return [Finding(False, f"{smtp}: no answer", "check host and port, and that a firewall lets it through")]
    finally:
        client.close()


async def _probed(client: aiosmtplib.SMTP, smtp: SmtpAddress, mail_from: str) -> list[Finding]:
    try:
        await client.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        return [Finding(False, f"{smtp}: {_words(error)}", "check user and password of the SMTP address")]
    except ssl.SSLCertVerificationError as error:
        mend = "name the host as its certificate does, or trust its issuer with ?ca=/path"
        return [Finding(False, f"{smtp}: the certificate is not trusted: {error.verify_message}", mend)]
    except (SMTPException, OSError) as error:
        return [Finding(False, f"{smtp}: {_words(error)}", _mend(smtp, error))]
    safe = "encrypted" if smtp.secure else "not encrypted, on this machine itself"
    found = [Finding(True, f"{smtp}: connected, {safe}{', logged in' if smtp.user else ''}")]
    try:
        await client.mail(with_ascii_domain(mail_from))
        found.append(Finding(True, f"{smtp}: may send as {mail_from}"))
        await client.quit(timeout=5)
    except SMTPSenderRefused as error:
        mend = "give a user that may send as this address, or another MAIL_FROM"
        found.append(Finding(False, f"{smtp}: {mail_from} is refused: {_words(error)}", mend))
    except (SMTPException, OSError, ValueError) as error:
        found.append(Finding(False, f"{smtp}: {_words(error)}", "check MAIL_FROM"))
    return found


def _mend(smtp: SmtpAddress, error: Exception) -> str:
    if "STARTTLS" in str(error):
        return "the server offers no encryption: use smtps:// with its port (465), or another server"
    if "AUTH" in str(error):
        return "the server takes no user and password there: check the port (587 or 465)"
    if isinstance(error, ssl.SSLError):
        return (
            f"check the scheme: smtps:// speaks TLS at once (465), smtp:// begins with STARTTLS (587), not {smtp.port}"
        )
    return "check host and port, and that a firewall lets it through"

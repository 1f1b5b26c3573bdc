"""A mail server on loopback that does as it is told: takes, refuses, is silent, hangs up."""

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

OK = "250 OK"
SILENT, DROP, STORE_SILENT, STORE_DROP = "silent", "drop", "store, silent", "store, drop"


@dataclass
class Script:
    """What is said to whom; `taken` is what the server has stored: envelope sender, recipients, bytes."""

    mail: str = OK
    rcpt: dict[str, list[str]] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    sessions: int = 0
    # Between having a mail and saying so, in seconds.
    pause: float = 0.0

    # --- aiosmtpd's handler ---

    async def handle_MAIL(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        answers = self.rcpt.get(address, [])
        answer = answers.pop(0) if answers else OK
        if answer in (SILENT, DROP):
            return await _leave(server, answer)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        answer = self.data.pop(0) if self.data else OK
        if answer.startswith("250") or answer in (STORE_SILENT, STORE_DROP):
            content = envelope.original_content or b""
            self.taken.append(((envelope.mail_from or "").strip("<>"), list(envelope.rcpt_tos), content))
            await asyncio.sleep(self.pause)
        if answer in (SILENT, DROP, STORE_SILENT, STORE_DROP):
            return await _leave(server, answer)
        return answer

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, found: LoginPassword
    ) -> AuthResult:
        self.logins.append((found.login, found.password))
        return AuthResult(success=found.password == b"secret", handled=False)


async def _leave(server: Any, how: str) -> str:
    if how in (DROP, STORE_DROP):
        server.transport.abort()
    await asyncio.sleep(30)
    return OK


class Listening(SMTP):
    """Notes every line that comes in before TLS."""

    script: Script

    async def smtp_EHLO(self, hostname: str) -> None:
        self.script.heard.append("EHLO")
        await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        self.script.heard.append(f"AUTH over TLS: {self.session.ssl is not None}" if self.session else "AUTH")
        await super().smtp_AUTH(arg)


@contextlib.asynccontextmanager
async def serving(script: Script, context: ssl.SSLContext | None = None, **more: Any) -> AsyncIterator[int]:
    """The port. With a context the server offers STARTTLS; with `implicit` it speaks TLS at once."""
    implicit = more.pop("implicit", False)
    tasks: list[SMTP] = []

    def made() -> SMTP:
        script.sessions += 1
        server = Listening(
            script,
            enable_SMTPUTF8=more.get("utf8", True),
            tls_context=None if implicit else context,
            authenticator=script.authenticate,
            auth_require_tls=more.get("auth_require_tls", False),
            timeout=60,
            loop=asyncio.get_running_loop(),
            ident="the tests",
        )
        server.script = script
        tasks.append(server)
        return server

    listener = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=context if implicit else None)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for server in tasks:
            if server.transport is not None:
                server.transport.abort()
            if server._handler_coroutine is not None:
                server._handler_coroutine.cancel()
        await asyncio.sleep(0)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context for that host, and the file to trust it by."""
    trusted, own = folder / f"{name}.pem", folder / f"{name}.key"
    kind = "IP" if name[0].isdigit() else "DNS"
    made = [
        "-keyout",
        str(own),
        "-out",
        str(trusted),
        "-subj",
        f"/CN={name}",
        "-addext",
        f"subjectAltName={kind}:{name}",
    ]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *curve, *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, own)
    return context, trusted

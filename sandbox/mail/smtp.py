"""The SMTP server: takes mail for the mailboxes here and for nobody else, and misbehaves on order."""

import asyncio
import logging
import re
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.mail.border import AUTHSERV
from sandbox.mail.office import Office
from sandbox.mail.writing import DAEMON, bounce

LARGEST = 50 * 1024 * 1024
# pymap takes a mail apart by recursion, in time that grows with the square of the depth.
MOST_WRAPPERS = 100
_WRAPPER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.I | re.M)
# Every login makes aiosmtpd warn of an attribute of its own that it sets itself.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Submission:
    """aiosmtpd's handler. Who logs in writes as themselves; who does not is a stranger from outside."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Serve until closed; the answer is the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname=AUTHSERV,
            ident="the sandbox",
            auth_require_tls=False,
            authenticator=self.authenticate,
            loop=asyncio.get_running_loop(),
        )

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        account = self._office.accounts.find(data.login.decode("utf-8", "replace"))
        if account is None or data.password.decode("utf-8", "replace") != account.password:
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=account.address)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._office.faults.hit("rcpt", envelope.mail_from or "", address)
        if fault is not None:
            return fault.reply
        accounts = self._office.accounts
        if not accounts.is_local(address):
            return f"550 5.7.1 <{address}>: nothing leaves this machine"
        if accounts.find(address) is None:
            return f"550 5.1.1 <{address}>: no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        sender, raw = envelope.mail_from or "", envelope.original_content or b""
        login = session.auth_data if session.authenticated else None
        faults = {to: self._office.faults.hit("data", sender, to) for to in envelope.rcpt_tos}
        # One answer stands for all recipients here, so the first that refuses refuses for all.
        for fault in faults.values():
            if fault is not None and fault.kind in ("defer", "refuse"):
                return fault.reply
        if len(_WRAPPER.findall(raw)) > MOST_WRAPPERS:
            return "554 5.6.0 too many parts with parts in them"
        hung = next((fault for fault in faults.values() if fault is not None and fault.kind == "hang"), None)
        if hung is None or hung.done:
            for to, fault in faults.items():
                if fault is not None and fault.kind == "bounce":
                    await self._return(sender, to, raw)
                    continue
                await self._office.deliver(raw, sender, to, session.host_name or "unknown", login)
        if hung is not None:
            await asyncio.sleep(hung.seconds)
            cast(asyncio.Transport, server.transport).abort()
        return "250 2.0.0 OK: delivered"

    async def _return(self, sender: str, recipient: str, raw: bytes) -> None:
        """To nobody when the envelope names nobody: a bounce never begets a bounce."""
        account = self._office.accounts.find(sender)
        if account is not None:
            report = bounce(account, recipient, raw, self._office.now())
            await self._office.deliver(report, "", sender, AUTHSERV, DAEMON.lower())

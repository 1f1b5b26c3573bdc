"""The sandbox's mail from a test: people write, mailboxes are read, and one waits for what must arrive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from sandbox.client import Json, Sandbox


class MailSide:
    """What `Sandbox.mail` is."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    async def state(self) -> "Json":
        """`imap` and `smtp` as {host, port}, `authserv`, `accounts`."""
        return cast("Json", await self._call("GET", ""))

    async def add_account(
        self, address: str, name: str, *, password: str = "sandbox", language: str = "en", desk: bool = False
    ) -> None:
        body = {"address": address, "name": name, "password": password, "language": language, "desk": desk}
        await self._call("POST", "/accounts", body)

    async def mails(self, account: str, folder: str | None = None) -> list["Json"]:
        """Every mail of an account, or of one folder, in order of time."""
        found = (await self._call("GET", "/mails", account=account))["mails"]
        return [mail for mail in found if folder in (None, mail["folder"])]

    async def send(self, account: str, text: str, **more: object) -> "Json":
        """As that person; `more`: to, cc, subject, reply_to (id of a mail of theirs), files (of `upload`)."""
        return cast("Json", await self._call("POST", "/mails", {"account": account, "text": text, **more}))

    async def send_raw(
        self, raw: str, to: Sequence[str], *, account: str | None = None, sender: str | None = None
    ) -> None:
        """A source as it is; without an account a stranger sends it, and it fails authentication."""
        await self._call("POST", "/raw", {"raw": raw, "to": list(to), "account": account, "sender": sender})

    async def source(self, account: str, mail_id: str) -> bytes:
        url = f"{self._sandbox.url}/sandbox/mail/{account}/{mail_id}/source"
        async with self._sandbox.session.get(url) as answer:
            return await answer.read()

    async def mark_seen(self, account: str, ids: Sequence[str]) -> None:
        await self._call("POST", "/seen", {"account": account, "ids": list(ids)})

    async def fault(self, kind: str, **order: object) -> int:
        """`order` as in docs/sandbox.md: at, sender, recipient, code, text, seconds, done, times, after."""
        return cast(int, (await self._call("POST", "/faults", {"kind": kind, **order}))["id"])

    async def clear_faults(self) -> None:
        await self._call("DELETE", "/faults")

    async def wait(
        self, account: str, *, containing: str = "", folder: str = "INBOX", count: int = 1, timeout: float = 10
    ) -> list["Json"]:
        """Until that many mails with that in subject or text are in the folder."""

        async def look() -> list["Json"] | None:
            mails = await self.mails(account, folder)
            found = [mail for mail in mails if containing in f"{mail['subject']}\n{mail['text']}"]
            return found if len(found) >= count else None

        return await self._sandbox.wait(look, timeout, f"{count} × a mail with «{containing}» in {folder} of {account}")

    async def _call(self, verb: str, path: str, body: "Json | None" = None, **query: object) -> Any:
        return await self._sandbox.call(verb, f"/mail{path}", body, **query)

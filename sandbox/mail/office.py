"""The post office: it knows the accounts, stamps what comes in, lays it into mailboxes and tells of it."""

import time
from collections.abc import Callable

from sandbox.mail.accounts import Account, Accounts
from sandbox.mail.border import Passage, stamped
from sandbox.mail.faults import MailFaults
from sandbox.mail.imap import INBOX, Kept, Mailboxes
from sandbox.mail.reading import summary
from sandbox.telegram.errors import Refused
from sandbox.telegram.events import Events


class Office:
    """Everybody's mail; one per server, in memory."""

    def __init__(self, events: Events, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.accounts = Accounts()
        self.faults = MailFaults()
        self.mailboxes = Mailboxes()
        self._events = events
        self._passages = 0

    def clear(self) -> None:
        self.accounts = Accounts()
        self.faults.clear()
        self.mailboxes.clear()

    async def open_account(self, account: Account) -> None:
        """Raises Refused when the address is taken or is none."""
        local, _, domain = account.address.partition("@")
        if not local or not domain or account.address != account.address.strip().lower() or "+" in local:
            raise Refused("address: small letters, as in support@prodata.example, without a plus sign")
        if self.accounts.find(account.address):
            raise Refused(f"{account.address} is taken")
        self.accounts.add(account)
        await self.mailboxes.add(account.address, account.password)
        self._events.emit("mail_account", {"account": account.address})

    def account(self, address: object) -> Account:
        found = self.accounts.find(address) if isinstance(address, str) else None
        if found is None:
            raise Refused(f"no account {address}")
        return found

    async def deliver(self, raw: bytes, sender: str, recipient: str, client: str, login: str | None) -> None:
        """A mail for a local address, over the border into its INBOX."""
        self._passages += 1
        passage = Passage(sender, recipient, client, login, self.now(), f"{self._passages:08X}")
        await self.keep(self.account(recipient), INBOX, stamped(raw, passage))

    async def keep(self, account: Account, folder: str, raw: bytes, *, seen: bool = False) -> Kept:
        kept = await self.mailboxes.put(account.address, folder, raw, self.now(), seen=seen)
        self._events.emit("mail", {"account": account.address}, lambda: {"mail": summary(kept)})
        return kept

    async def mark_seen(self, account: Account, ids: list[str]) -> None:
        found = [mail async for mail in self.mailboxes.all(account.address) if mail.id in ids and not mail.seen]
        if found:
            await self.mailboxes.mark_seen(account.address, found)
            self._events.emit("mail_seen", {"account": account.address})

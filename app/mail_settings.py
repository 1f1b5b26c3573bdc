"""Mail as settings name it: for each desk its mailboxes by queue, its server for sending, its addresses."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from crm.desks import QUEUE
from mailbridge.accounts import Account, parse_imap
from mailbridge.smtp import SmtpAddress

T = TypeVar("T")
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@dataclass(frozen=True, slots=True)
class DeskMail:
    """`boxes` and `senders` by queue. `authserv`: how the server that takes our mail in calls itself in
    Authentication-Results; `plus`: answers to `address+something` reach the address as well."""

    boxes: Mapping[str, Account] = field(default_factory=dict)
    smtp: SmtpAddress | None = None
    senders: Mapping[str, str] = field(default_factory=dict)
    authserv: str | None = None
    plus: bool = False

    def sender(self, queue: str) -> str:
        """From which address the mail of a queue goes out."""
        return self.senders.get(queue) or self.senders[QUEUE]

    @property
    def own(self) -> frozenset[str]:
        """The desk's addresses, in small letters."""
        return frozenset(address.lower() for address in self.senders.values())


def mail_names(desk: str) -> tuple[str, ...]:
    """All settings of a desk's mail, but for those of further queues."""
    own = (f"{desk.upper()}_{what}" for what in ("SMTP_URL", "MAIL_AUTHSERV", "MAIL_PLUS"))
    return (imap_name(desk, QUEUE), from_name(desk, QUEUE), *own)


def imap_name(desk: str, queue: str) -> str:
    return _name(desk, queue, "IMAP_URL")


def from_name(desk: str, queue: str) -> str:
    return _name(desk, queue, "MAIL_FROM")


def _name(desk: str, queue: str, what: str) -> str:
    """Those of the first queue need no name of their own."""
    middle = "" if queue == QUEUE else f"{queue.upper().replace('-', '_')}_"
    return f"{desk.upper()}_{middle}{what}"


def read(desk: str, queues: Sequence[str], environment: Mapping[str, str | None]) -> DeskMail:
    """The mail of one desk. Raises ValueError naming the setting that is wrong, never what stands in it."""

    def value(name: str) -> str:
        return (environment.get(name) or "").strip()

    prefix = desk.upper()
    boxes = {
        queue: _parsed(name, url, parse_imap) for queue in queues if (url := value(name := imap_name(desk, queue)))
    }
    senders = {queue: address for queue in queues if (address := value(from_name(desk, queue)))}
    for queue, address in senders.items():
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{from_name(desk, queue)}: must be an address like support@example.kz")
    smtp = value(f"{prefix}_SMTP_URL")
    if (boxes or smtp) and QUEUE not in senders:
        raise ValueError(f"{from_name(desk, QUEUE)}: the address that mail is sent from is needed")
    plus = value(f"{prefix}_MAIL_PLUS").lower() or "no"
    if plus not in ("yes", "no"):
        raise ValueError(f"{prefix}_MAIL_PLUS: must be yes or no")
    server = _parsed(f"{prefix}_SMTP_URL", smtp, SmtpAddress.parse) if smtp else None
    return DeskMail(boxes, server, senders, value(f"{prefix}_MAIL_AUTHSERV").lower() or None, plus == "yes")


def _parsed(name: str, url: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(url)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None

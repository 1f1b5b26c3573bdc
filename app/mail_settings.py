"""Mail as settings name it: for each desk its mailboxes by queue, its server for sending, its addresses."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from crm.desks import QUEUE

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+|[^\s@<>]+@localhost")


class DeskMail(BaseModel):
    """`boxes` and `senders` by queue. `border` is how the mail server that takes our mail in calls itself in
    Authentication-Results; `plus`: answers to `address+something` reach the address as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boxes: dict[str, SecretStr] = Field(default_factory=dict)
    smtp: SecretStr | None = None
    senders: dict[str, str] = Field(default_factory=dict)
    border: str | None = None
    plus: bool = False

    @field_validator("senders")
    @classmethod
    def _addresses(cls, value: dict[str, str]) -> dict[str, str]:
        for address in value.values():
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no mail address")
        return value

    def sender(self, queue: str) -> str | None:
        """From which address the mail of a queue goes out."""
        return self.senders.get(queue) or self.senders.get(QUEUE)


def imap_name(desk: str, queue: str) -> str:
    return _name(desk, queue, "IMAP_URL")


def from_name(desk: str, queue: str) -> str:
    return _name(desk, queue, "MAIL_FROM")


def _name(desk: str, queue: str, what: str) -> str:
    """The first queue's needs no name of its own."""
    middle = "" if queue == QUEUE else f"{queue.upper().replace('-', '_')}_"
    return f"{desk.upper()}_{middle}{what}"


def read(desk: str, queues: list[str], environment: Mapping[str, str | None]) -> DeskMail:
    """Of one desk. Raises ValueError naming the setting that is wrong."""

    def value(name: str) -> str:
        return (environment.get(name) or "").strip()

    boxes = {queue: SecretStr(url) for queue in queues if (url := value(imap_name(desk, queue)))}
    senders = {queue: address for queue in queues if (address := value(from_name(desk, queue)))}
    smtp = value(f"{desk.upper()}_SMTP_URL")
    plus = value(f"{desk.upper()}_MAIL_PLUS").lower()
    if plus not in ("", "yes", "no"):
        raise ValueError(f"{desk.upper()}_MAIL_PLUS: must be yes or no")
    if (boxes or smtp) and QUEUE not in senders:
        raise ValueError(f"{from_name(desk, QUEUE)}: the address that mail is sent from is needed")
    return DeskMail(
        boxes=boxes,
        smtp=SecretStr(smtp) if smtp else None,
        senders=senders,
        border=value(f"{desk.upper()}_MAIL_BORDER").lower() or None,
        plus=plus == "yes",
    )

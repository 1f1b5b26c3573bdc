"""A mail as the desk understands it: plain values that every reading of its bytes comes down to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# What a mail is. Only a `request` is answered by a person, and only that may be acknowledged by the desk itself.
Nature = Literal["request", "auto_reply", "bounce", "list", "spam", "own", "machine"]


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as a header names it. The domain is in small letters and in its ASCII form."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class File:
    """What a person would call an attachment. `filename` is safe to show and to store; `data` is unpacked."""

    filename: str
    content_type: str
    data: bytes
    inline: bool = False
    content_id: str | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Authentication:
    """What the border's own Authentication-Results says: words of RFC 8601 (`pass`, `fail`, `none`, …), None if it says
    nothing. `verified`: the domain of From is proven. `failed`: it is disproven."""

    authserv_id: str | None = None
    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    verified: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of ours that came back. `original_id`: the Message-ID of what was returned, without brackets."""

    recipients: tuple[str, ...] = ()
    permanent: bool = True
    status: str | None = None
    reason: str = ""
    original_id: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """`senders`: all of From; a mail with none or several is ambiguous and speaks for nobody. Ids are without brackets.

    `text` is the whole body, `reply_text` what was newly written, without quotes and signature; `html` is safe to
    show. `sent_at` is aware UTC, None if the mail says nothing usable.
    """

    senders: tuple[Address, ...]
    subject: str
    text: str
    reply_text: str
    nature: Nature = "request"
    # A program sent it. A person's mail to a mailing list is a `list` and not automatic.
    automatic: bool = False
    html: str = ""
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    # Where it was delivered, as far as headers say (Delivered-To, X-Original-To): they may carry a token.
    delivered_to: tuple[str, ...] = ()
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    files: tuple[File, ...] = ()
    bounce: Bounce | None = None
    authentication: Authentication = Authentication()
    # Only its header was taken: the mail itself lies in the mailbox.
    too_big: bool = False

    @property
    def sender(self) -> Address | None:
        """Who speaks; None if that is ambiguous."""
        return self.senders[0] if len(self.senders) == 1 else None

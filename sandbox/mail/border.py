"""What the border of a mail system writes over a mail that comes in, and what it must not leave standing there."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from typing import Final

AUTHSERV: Final = "mx.prodata.example"
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*")
_COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Passage:
    """One mail's way in: envelope, who logged in, when (Unix seconds), under which number."""

    sender: str
    recipient: str
    client: str
    login: str | None
    at: float
    number: str


def stamped(raw: bytes, passage: Passage) -> bytes:
    """The mail as it is laid into the mailbox: Return-Path, Authentication-Results and Received on top, any that
    speak in our name taken out. Its lines end with CRLF whatever they ended with before, so that no reader sees
    fields that the border did not."""
    head, body = split(_NEWLINE.sub(b"\r\n", raw))
    fields = [field for field in _FIELD.findall(head) if not _ours(field)]
    when = format_datetime(datetime.fromtimestamp(passage.at, UTC))
    return b"".join(
        (
            f"Return-Path: <{passage.sender}>\r\n".encode(),
            f"Authentication-Results: {AUTHSERV};\r\n {results(fields, passage)}\r\n".encode(),
            f"Received: from {passage.client}\r\n by {AUTHSERV} with ESMTP{'A' if passage.login else ''}"
            f" id {passage.number}\r\n for <{passage.recipient}>; {when}\r\n".encode(),
            *fields,
            b"\r\n",
            body,
        )
    )


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Head and body; a mail without an empty line is all head."""
    if raw.startswith(b"\r\n"):
        return b"", raw[2:]
    head, _, body = raw.partition(b"\r\n\r\n")
    return head.removesuffix(b"\r\n") + b"\r\n", body


def results(fields: list[bytes], passage: Passage) -> str:
    """Only who logged in may write as that address; everybody else fails, whoever they say they are."""
    froms = [_value(field) for field in fields if _name(field) == "from"]
    address = parseaddr(froms[0])[1] if len(froms) == 1 else ""
    domain = address.rpartition("@")[2] or "invalid"
    honest = passage.login is not None and address.lower() == passage.login
    verdict = "pass" if honest else "fail"
    signature = f"dkim=pass header.d={domain}" if honest else "dkim=none"
    spf = f"spf={verdict} smtp.mailfrom={passage.sender or '<>'}"
    return f"{signature};\r\n {spf};\r\n dmarc={verdict} header.from={domain}"


def _ours(field: bytes) -> bool:
    name = _name(field)
    return name == "return-path" or (name == "authentication-results" and _speaker(_value(field)) == AUTHSERV)


def _speaker(value: str) -> str:
    """The authserv-id, wherever comments stand before it."""
    while (shorter := _COMMENT.sub(" ", value)) != value:
        value = shorter
    found = re.match(r'\s*"?([^\s;"]+)', value)
    return found[1].lower() if found else ""


def _name(field: bytes) -> str:
    return field.partition(b":")[0].strip().decode("ascii", "replace").lower()


def _value(field: bytes) -> str:
    return re.sub(r"\s+", " ", field.partition(b":")[2].decode("utf-8", "replace")).strip()

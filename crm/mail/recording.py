"""Writing a mail down: what it was, to which ticket and message it belongs, what came with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.changes import Changes
from crm.db import Session
from crm.mail.letter import File, Letter
from crm.tickets.written import shortened

_FILE = """
    insert into attachment (message_ref, filename, content_type, inline, content_id, data)
    values ($1, $2, $3, $4, $5, $6)
"""


def row(desk: str, letter: Letter, digest: bytes, now: datetime, shown: bool = False) -> dict[str, Any]:
    """For `Changes.mails`. The whole body is kept, unless it is `shown` by a message and nothing was cut from it."""
    sender = letter.sender
    return {
        "desk": desk,
        "direction": "in",
        "message_id": letter.message_id or "",
        "in_reply_to": letter.in_reply_to,
        "digest": digest,
        "address": sender.address if sender else "",
        "subject": letter.subject,
        "nature": letter.nature,
        "verified": letter.authentication.verified,
        "body": None if shown and letter.text == letter.reply_text else letter.text,
        "html": letter.html or None,
        "at": now,
    }


async def record(
    session: Session, desk: str, letter: Letter, digest: bytes, now: datetime, ticket_id: int | None = None
) -> None:
    """One that no message shows."""
    await Changes(mails=[{**row(desk, letter, digest, now), "ticket_id": ticket_id}]).write(session, desk, now)


async def attach(session: Session, message_id: int, files: Sequence[File]) -> None:
    rows = [(message_id, f.filename, f.content_type, f.inline, f.content_id, f.data) for f in files]
    if rows:
        await session.driver.executemany(_FILE, rows)


def content_of(letter: Letter, border_proves: bool) -> dict[str, Any]:
    """The message as every channel can show it. `proven` is None where nobody could say."""
    sender = letter.sender
    mail = {
        "address": sender.address if sender else "",
        "name": shortened(sender.name) if sender else "",
        "proven": letter.authentication.verified if border_proves else None,
        "failed": letter.authentication.failed,
        **({"too_big": True} if letter.too_big else {}),
    }
    files = [{"name": f.filename, "type": f.content_type, "size": f.size, "inline": f.inline} for f in letter.files]
    return {"type": "text", "text": letter.reply_text, "mail": mail, **({"files": files} if files else {})}

"""Writing a mail down: what it was, to which ticket and message it belongs, what came with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.db import Session
from crm.mail.letter import File, Letter
from crm.tickets.service import shortened

_IN = """
    insert into mail_message (desk, direction, message_id, in_reply_to, digest, address, subject, nature, verified,
                              ticket_id, message_ref, body, html, at)
    values ($1, 'in', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_FILE = """
    insert into attachment (message_ref, filename, content_type, inline, content_id, data)
    values ($1, $2, $3, $4, $5, $6)
"""


async def record(
    session: Session,
    desk: str,
    letter: Letter,
    digest: bytes,
    now: datetime,
    ticket_id: int | None = None,
    message_id: int | None = None,
) -> None:
    """After the rows that it refers to. The whole body is kept where a message shows only what was newly written."""
    sender = letter.sender
    whole = letter.text if message_id is None or letter.text != letter.reply_text else None
    await session.rows(
        _IN,
        desk,
        letter.message_id or "",
        letter.in_reply_to,
        digest,
        sender.address if sender else "",
        letter.subject,
        letter.nature,
        letter.authentication.verified,
        ticket_id,
        message_id,
        whole,
        letter.html or None,
        now,
    )
    if message_id is not None:
        await attach(session, message_id, letter.files)


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

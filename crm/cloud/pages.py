"""A secret that one person reads once: sealed with the key that stands only in the link, for fifteen minutes.

The page's row alone gives nothing away, and neither does the link once it was used or has expired. The link itself
waits in the outbox until it is delivered, and is removed from there then (`bot/settle.py`).
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from crm import journal
from crm.changes import Changes
from crm.cloud.models import SecretPage
from crm.db import Session
from crm.journal import Actor
from crm.tickets import outward
from crm.tickets.models import Ticket

# prodata: delivered once through a page of its own, never by the chat or by mail.
LIFE = timedelta(minutes=15)
# Of whoever has the link nothing else is known.
READER = Actor("system", None, "the page", "web")
# Its fact `url` is the one thing that opens the page.
NOTICE = "secret_ready"


@dataclass(frozen=True, slots=True)
class Secret:
    """What stands on the page, and where pages are found (`PAGES_URL`)."""

    login: str
    # Never in a log, whatever is logged.
    password: str = field(repr=False)
    pages_url: str


def usable(facts: Mapping[str, Any], now: datetime) -> bool:
    """Whether the link of a notice still leads anywhere."""
    return "url" in facts and datetime.fromisoformat(facts["expires_at"]) > now


def unlinked(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload of a notice that is over and done with; any other as it is."""
    if payload.get("notice") != NOTICE:
        return payload
    return {**payload, "facts": {name: fact for name, fact in payload["facts"].items() if name != "url"}}


@dataclass(frozen=True, slots=True)
class Opened:
    """What is shown, once."""

    desk: str
    language: str
    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can still be opened."""

    id: int
    language: str
    desk: str
    expires_at: datetime


def _key(token: str) -> bytes:
    """Another hash than the one that is stored."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"seal:" + token.encode()).digest())


def _digest(token: str) -> bytes:
    return hashlib.sha256(b"find:" + token.encode()).digest()


def make(
    session: Session, desk: str, secret: Secret, language: str, ticket_id: int | None, now: datetime
) -> tuple[str, datetime]:
    """Give the address of a new page, which only its reader gets to know, and when it expires."""
    token = secrets.token_urlsafe(32)
    plain = json.dumps({"login": secret.login, "password": secret.password}).encode()
    page = SecretPage(
        desk=desk,
        digest=_digest(token),
        sealed=Fernet(_key(token)).encrypt(plain),
        language=language,
        ticket_id=ticket_id,
        created_at=now,
        expires_at=now + LIFE,
    )
    session.add(page)
    return f"{secret.pages_url.rstrip('/')}/secret/{token}", page.expires_at


_OPEN = """
    update secret_page p set sealed = null, opened_at = $2
    from (select id, sealed from secret_page
          where digest = $1 and sealed is not null and expires_at > $2 for update) was
    where p.id = was.id returning was.sealed, p.desk, p.language, p.ticket_id
"""
# Rows whose sender died before anybody could write down that they were sent (`bot/settle.py`).
_FORGET = """
    with unlinked as (
        update outbox set payload = payload #- '{facts,url}'
        where state in ('unknown', 'failed') and payload ->> 'notice' = $2 and payload #> '{facts,url}' is not null
              and (payload #>> '{facts,expires_at}')::timestamptz <= $1)
    update secret_page set sealed = null where sealed is not null and expires_at <= $1 returning id
"""


async def find(session: Session, token: str, now: datetime) -> Page | None:
    """The page, unopened; None for one that was opened, has expired or never was."""
    found = await session.rows(
        """select id, language, desk, expires_at from secret_page
           where digest = $1 and sealed is not null and expires_at > $2""",
        _digest(token),
        now,
    )
    return Page(**found[0]) if found else None


async def open_once(session: Session, token: str, now: datetime) -> Opened | None:
    """What the page shows, and then never again; None for everybody who comes second or late.

    The ticket's log and its topic say when; by whom, nobody can know.
    """
    found = await session.rows(_OPEN, _digest(token), now)
    if not found:
        return None
    row = found[0]
    await _tell(session, row["desk"], row["ticket_id"], now)
    try:
        plain = json.loads(Fernet(_key(token)).decrypt(row["sealed"]))
    except InvalidToken:
        return None
    return Opened(row["desk"], row["language"], plain["login"], plain["password"])


async def _tell(session: Session, desk: str, ticket_id: int | None, now: datetime) -> None:
    if ticket_id is None:
        return
    ticket = await session.get_one(Ticket, ticket_id)
    said = outward.say_in_topic(desk, ticket.group_id, ticket.id, "secret_opened", at=now)
    event = journal.event(ticket.id, READER, "secret_opened", now)
    await Changes(events=[event], outgoing=[said]).write(session, desk, now)


async def forget(session: Session, now: datetime) -> int:
    """What has expired unopened is unreadable for good, and its link is nowhere any more. Gives how many that were."""
    found = await session.rows(_FORGET, now, NOTICE)
    return len(found)

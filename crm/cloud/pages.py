"""A secret that one person reads once: sealed with the key that stands only in the link, for fifteen minutes.

The database alone gives nothing away, and neither does the link once it was used or has expired.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken

from crm.cloud.models import SecretPage
from crm.db import Session

# prodata: delivered once through a page of its own, never by the chat or by mail.
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Secret:
    """What stands on the page, and where pages are found (`PAGES_URL`)."""

    login: str
    password: str
    pages_url: str


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


async def find(session: Session, token: str, now: datetime) -> Page | None:
    """The page, unopened; None for one that was opened, has expired or never was."""
    found = await session.rows(
        """select id, language, desk, expires_at from secret_page
           where digest = $1 and sealed is not null and expires_at > $2""",
        _digest(token),
        now,
    )
    return Page(**found[0]) if found else None


async def open_once(session: Session, token: str, now: datetime) -> tuple[str, str] | None:
    """Login and password, and then never again; None for everybody who comes second or late."""
    found = await session.rows(
        """update secret_page p set sealed = null, opened_at = $2
           from (select id, sealed from secret_page
                 where digest = $1 and sealed is not null and expires_at > $2 for update) was
           where p.id = was.id returning was.sealed""",
        _digest(token),
        now,
    )
    if not found:
        return None
    try:
        plain = json.loads(Fernet(_key(token)).decrypt(bytes(found[0]["sealed"])))
    except InvalidToken:
        return None
    return plain["login"], plain["password"]


async def forget(session: Session, now: datetime) -> int:
    """What has expired unopened is unreadable for good."""
    found = await session.rows(
        "update secret_page set sealed = null where sealed is not null and expires_at <= $1 returning id", now
    )
    return len(found)

"""The floor of mail: the standard library reads it, plain statements write the desk's rows, one transaction a mail.

No IMAP, no safe HTML, no quotes cut, no lanes, no recovery; what the desk looks up, this remembers.
"""

import email
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr
from hashlib import sha256
from uuid import UUID

import asyncpg
import uvloop

from crm.tickets.outward import DECORATION
from tests.bench.stage import connect

SEEN = "insert into mail_seen values ($1)"
INBOX = """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, attempts, settled_at,
           disposition) values ('mail:prodata:support', $1, $2, $3, $4, $4, 'done', 1, $4, 'opened')"""
PERSON = """with p as (insert into person (name, language, created_at) values ($1, 'ru', $2) returning id)
            insert into identity (person_id, desk, channel, address, created_at)
            select id, 'prodata', 'email', $3, $2 from p returning person_id, id"""
TICKET = """insert into ticket (desk, reference, queue, requester_id, channel, answers_to, request_type, priority,
            status, subject, group_id, opened_at, updated_at)
            values ('prodata', 'PD-' || nextval('ticket_number'), 'support', $1, 'email', $2, 'other', 'normal', 'new',
            $3, 1, $4, $4) returning id"""
TARGETS = """insert into sla_target (ticket_id, metric, round, terms_hash, started_at, budget, due_at, stage, next_at)
             values ($1, 'first_response', 1, 'floor', $2, 86400, $3, 0, $3),
                    ($1, 'resolution', 1, 'floor', $2, 86400, $3, 0, $3)"""
MESSAGE = """insert into message (desk, ticket_id, requester_id, kind, author_kind, author_id, author_name, channel,
             content, sent_at) values ('prodata', $1, $2, 'public', 'requester', $2, $3, 'email', $4, $5)
             returning id"""
EVENT = """insert into ticket_event (ticket_id, at, actor_kind, actor_id, actor_name, channel, kind, data)
           values ($1, $2, 'requester', $3, $4, 'email', $5, $6)"""
OUTBOX = """insert into outbox (desk, channel, bucket, lane, kind, payload, ticket_id, message_id, priority, state,
            due_at, created_at)
            select 'prodata', c, 'prodata:group:1', 'ticket:' || $1::bigint, k, $3, $1, $2, 2, 'queued', $4, $4
            from unnest($5::text[], $6::text[]) as r(c, k)"""
MAIL = """insert into mail_message (desk, direction, message_id, in_reply_to, digest, address, subject, nature,
          verified, ticket_id, message_ref, body, html, at)
          values ('prodata', 'in', $1, $2, $3, $4, $5, 'request', false, $6, $7, $8, $9, $10)"""
FILE = """insert into attachment (message_ref, filename, content_type, inline, content_id, data)
          values ($1, $2, $3, $4, $5, $6)"""
AUTOMATIC = "insert into automatic_mail (desk, address, at) values ('prodata', $1, $2)"
OPENED = (["telegram"] * 3 + ["email"], ["topic.open", "card", "relay", "say"])
ADDED = (["telegram"], ["relay"])


@dataclass(frozen=True, slots=True)
class Read:
    """A mail as the standard library gives it."""

    message_id: str
    answered: str
    name: str
    address: str
    subject: str
    text: str
    html: str
    files: list[tuple[str, str, bool, str | None, bytes]]


@dataclass(frozen=True, slots=True)
class Open:
    """What is remembered of a thread."""

    ticket: int
    person: int


def read(raw: bytes) -> Read:
    """By the older of the library's two ways, which is ten times as fast."""
    parsed = email.message_from_bytes(raw)
    plain, rich = "", ""
    files = []
    for part in parsed.walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        kind, named = part.get_content_type(), part.get_filename()
        if named or part.get_content_maintype() != "text":
            inline = part.get_content_disposition() == "inline"
            files.append((named or "file", kind, inline, part["content-id"], data))
        elif kind == "text/html":
            rich = rich or data.decode(part.get_content_charset("utf-8"), "replace")
        else:
            plain = plain or data.decode(part.get_content_charset("utf-8"), "replace")
    name, address = parseaddr(_words(parsed["from"]))
    return Read(
        _words(parsed["message-id"]).strip("<>"), _words(parsed["in-reply-to"]).strip("<>"), name, address,
        _words(parsed["subject"]), plain or rich, rich, files,
    )  # fmt: skip


def _words(value: str | None) -> str:
    return str(make_header(decode_header(value or "")))


class Floor:
    """One connection, one mail after the other. `threads`: by the id of a mail that may be answered."""

    def __init__(self, database: asyncpg.Connection, threads: dict[str, Open]) -> None:
        self._db = database
        self._threads = threads

    async def take(self, raw: bytes) -> None:
        mail, now = read(raw), datetime.now(UTC)
        key, digest = sha256(raw), sha256(mail.text.encode()).digest()
        lane = f"mail:prodata:{sha256((mail.answered or mail.message_id).encode()).hexdigest()[:32]}"
        content = {"type": "text", "text": mail.text, "mail": {"address": mail.address, "name": mail.name}}
        async with self._db.transaction():
            await self._db.execute(SEEN, UUID(bytes=key.digest()[:16]))
            await self._db.execute(INBOX, key.hexdigest(), lane, raw, now)
            known = self._threads.get(mail.answered)
            thread = known or await self._open(mail, now)
            values = (thread.ticket, thread.person, mail.name, json.dumps(content), now)
            ref = await self._db.fetchval(MESSAGE, *values)
            fact = {"message": ref} if known else {"subject": mail.subject}
            kind = "wrote" if known else "opened"
            await self._db.execute(EVENT, thread.ticket, now, thread.person, mail.name, kind, json.dumps(fact))
            channels, kinds = ADDED if known else OPENED
            shown = [kind for _, kind, inline, _, data in mail.files if not inline or len(data) >= DECORATION]
            channels, kinds = [*channels, *["telegram"] * len(shown)], [*kinds, *["upload"] * len(shown)]
            await self._db.execute(OUTBOX, thread.ticket, ref, '{"to": "topic"}', now, channels, kinds)
            await self._db.execute(
                MAIL, mail.message_id, mail.answered or None, digest, mail.address, mail.subject, thread.ticket, ref,
                mail.text, mail.html or None, now,
            )  # fmt: skip
            if mail.files:
                await self._db.executemany(FILE, [(ref, *file) for file in mail.files])
        self._threads[mail.message_id] = thread

    async def _open(self, mail: Read, now: datetime) -> Open:
        person, identity = await self._db.fetchrow(PERSON, mail.name, now, mail.address)
        ticket = await self._db.fetchval(TICKET, person, identity, mail.subject, now)
        await self._db.execute(TARGETS, ticket, now, now + timedelta(days=1))
        await self._db.execute(AUTOMATIC, mail.address, now)
        return Open(ticket, person)


def run(
    url: str, mails: Sequence[bytes], threads: dict[str, Open], database: Callable[[], float]
) -> tuple[float, float, float]:
    """Seconds, and seconds of CPU: of the thread that this is called in, and of the `database`."""

    async def work() -> tuple[float, float, float]:
        connection = await connect(url)
        await connection.execute("insert into sla_terms values ('floor', '{}') on conflict do nothing")
        floor = Floor(connection, threads)
        begin, cpu, pg = time.perf_counter(), time.thread_time(), database()
        for mail in mails:
            await floor.take(mail)
        took = time.perf_counter() - begin, time.thread_time() - cpu, database() - pg
        # A server process that has ended is counted only when it has been waited for.
        await connection.close()
        return took

    return uvloop.run(work())

"""What one input changes, gathered as plain rows and written by one statement.

Measured on two cores: four rows of a ticket as one statement go through four times as often as the same
rows by the ORM (docs/performance.md), so everything that is only inserted goes this way.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from crm.db import Session
from crm.outbox import Outgoing

Row = dict[str, Any]

_OUTBOX = (
    "outbox",
    "desk text, channel text, bucket text, lane text, kind text, payload jsonb, ticket_id bigint, "
    "message_id bigint, dedupe_key text, priority smallint, cost smallint, state text, due_at timestamptz, "
    "created_at timestamptz",
)
_TABLES = {
    "tickets": (
        "ticket",
        "id bigint, desk text, reference text, queue text, requester_id bigint, organization_id bigint, channel text, "
        "request_type text, priority text, status text, subject text, related_id bigint, group_id bigint, "
        "assignee_id bigint, answers_to bigint, opened_at timestamptz, updated_at timestamptz",
    ),
    "targets": (
        "sla_target",
        "ticket_id bigint, metric text, round smallint, terms_hash text, started_at timestamptz, budget int, "
        "due_at timestamptz, stage smallint, "
        "next_at timestamptz",
    ),
    "messages": (
        "message",
        "id bigint, desk text, ticket_id bigint, requester_id bigint, kind text, author_kind text, author_id bigint, "
        "author_name text, channel text, content jsonb, album_id text, sent_at timestamptz",
    ),
    "pairs": (
        "telegram_message",
        "desk text, chat_id bigint, message_id bigint, ticket_id bigint, message_ref bigint, role text",
    ),
    "mails": (
        "mail_message",
        "desk text, direction text, message_id text, in_reply_to text, digest bytea, address text, subject text, "
        "nature text, verified boolean, ticket_id bigint, message_ref bigint, body text, html text, at timestamptz",
    ),
    "events": (
        "ticket_event",
        "ticket_id bigint, at timestamptz, actor_kind text, actor_id bigint, actor_name text, channel text, "
        "kind text, data jsonb",
    ),
    "outgoing": _OUTBOX,
    "shared": _OUTBOX,
}

_QUEUED_ALREADY = " on conflict (dedupe_key) where state = 'queued' and dedupe_key is not null"
# A second row with the same key adds nothing, but an album grows by a part and waits for the next one. The row that
# stands is locked: nobody takes it before the change that counts on it is committed.
_COALESCE = f"""{_QUEUED_ALREADY} do update set cost = least(outbox.cost + excluded.cost, 10),
    due_at = excluded.due_at where outbox.kind = 'relay'"""
# Where all tickets share a row, that lock would make them take turns; a shared one, waited for by whoever carries
# the row out (`outbox.await_writers`), serves as well.
_SHARE = f"{_QUEUED_ALREADY} do nothing"
_SHARED_KINDS = ("board",)


def _coalesced(rows: list[Row]) -> list[Row]:
    """One row for each dedupe key, as the database would have it."""
    kept: dict[object, Row] = {}
    for row in rows:
        key = row["dedupe_key"] or id(row)
        if key not in kept:
            kept[key] = row
        elif row["kind"] == "relay":
            kept[key]["cost"] += row["cost"]
    return list(kept.values())


@cache
def _statement(keys: tuple[str, ...]) -> str:
    """Inserts into these tables only: an empty insert costs the server as well."""
    parts = []
    for number, key in enumerate(keys, 1):
        table, columns = _TABLES[key]
        names = ", ".join(part.split()[0] for part in columns.split(", "))
        source = f"jsonb_to_recordset(${number}::text::jsonb) as r({columns})"
        if key == "shared":
            source += " cross join lateral (select pg_advisory_xact_lock_shared(hashtext(r.dedupe_key))) held"
        conflict = {"outgoing": _COALESCE, "shared": _SHARE}.get(key, "")
        # Fixed names only.
        parts.append(f"{key} as (insert into {table} ({names}) select {names} from {source}{conflict})")  # noqa: S608
    return f"with {', '.join(parts)} select 1"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"cannot store {type(value).__name__}")


@dataclass(slots=True)
class Changes:
    """Rows to insert, in the order in which they refer to one another."""

    tickets: list[Row] = field(default_factory=list)
    targets: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    pairs: list[Row] = field(default_factory=list)
    mails: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)

    async def write(self, session: Session, desk: str, now: datetime) -> None:
        """Insert everything by one statement of the caller's transaction."""
        # What the ORM still holds comes first: the new rows may refer to it.
        await session.flush()
        outgoing = _coalesced([row.as_row(desk, now) for row in self.outgoing])
        rows: dict[str, list[Row]] = {
            "tickets": self.tickets,
            "targets": self.targets,
            "messages": self.messages,
            "pairs": self.pairs,
            "mails": self.mails,
            "events": self.events,
            "outgoing": [row for row in outgoing if row["kind"] not in _SHARED_KINDS],
            "shared": [row for row in outgoing if row["kind"] in _SHARED_KINDS],
        }
        filled = {key: json.dumps(value, default=_plain, ensure_ascii=False) for key, value in rows.items() if value}
        if filled:
            await session.rows(_statement(tuple(filled)), *filled.values())

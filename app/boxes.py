"""`kezekshi inbox …` and `kezekshi outbox …`: what waits, what failed, and taking it back into work."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.table import Table

from app.logs import configure, scrub
from app.settings import WrongSettings, load
from crm import inbox as inbox_box
from crm import journal, time
from crm import outbox as outbox_box
from crm.changes import Changes
from crm.db import Session, Sessions, transaction

T = TypeVar("T")
log = structlog.get_logger()
# Whoever has the database at hand.
OPERATOR = journal.Actor("system", None, "kezekshi outbox", "command line")
# What people wrote is no markup; and what goes into a pipe is not to be wrapped.
console = Console(markup=False, width=None if sys.stdout.isatty() else 200)
inbox = typer.Typer(help="What came in: what waits, what is quarantined.", no_args_is_help=True)
outbox = typer.Typer(help="What goes out: what waits, what failed, what is unknown.", no_args_is_help=True)

INBOX_STATES = ("queued", "parked", "done", "quarantined")
OUTBOX_STATES = ("queued", "attempting", "sent", "unknown", "failed", "dropped")
Id = Annotated[int, typer.Argument(help="Its id, as listed.")]
# What a mail may have been taken for although a person wants something.
MISTAKEN = ("list", "spam")
MOST = 2**63 - 1
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many rows.")]


def with_session(work: Callable[[Session], Awaitable[T]]) -> T:
    """Do one thing in one transaction on the configured database."""
    from app.run import database

    async def connected() -> T:
        settings = load()
        configure("warning")
        engine = await database(settings)
        try:
            async with transaction(Sessions(engine)) as session:
                return await work(session)
        finally:
            await engine.dispose()

    return asyncio.run(connected())


def _states(wanted: list[str] | None, known: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    for state in wanted or ():
        if state not in known:
            raise WrongSettings(f"no state {state!r}; there are: {', '.join(known)}")
    return tuple(wanted) if wanted else default


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return json.loads(value)
        except ValueError:
            return value.decode("utf-8", "replace")
    return value if isinstance(value, dict | list | int) or value is None else str(value)


def _print(row: Any, kind: str, row_id: int) -> None:
    """One row, whole, as JSON: to be read by people and by programs. Only links that open a secret are masked."""
    if row is None:
        raise WrongSettings(f"no {kind} item {row_id}")
    shown = json.dumps({key: _shown(value) for key, value in row._mapping.items()}, ensure_ascii=False, indent=2)
    print(scrub(shown))


@inbox.command("list")
def inbox_list(
    state: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(INBOX_STATES)}; repeatable.")] = None,
    limit: Limit = 50,
) -> None:
    """Items that wait or are quarantined, newest first."""
    states = _states(state, INBOX_STATES, ("queued", "parked", "quarantined"))
    rows = with_session(lambda session: inbox_box.listing(session, states, limit))
    table = Table("id", "source", "key", "state", "attempts", "received", "what became of it")
    for row in rows:
        words = row.error or row.disposition or ""
        received = time.stamp(row.received_at, "UTC")
        table.add_row(str(row.id), row.source, row.external_key, row.state, str(row.attempts), received, words[:80])
    console.print(table if rows else "Nothing there.")


@inbox.command("show")
def inbox_show(
    item: Id,
    raw: Annotated[bool, typer.Option("--raw", help="Its bytes alone, as they came: a mail to a file.")] = False,
) -> None:
    """One item with its raw content."""
    row = with_session(lambda session: inbox_box.show(session, min(item, MOST)))
    if raw and row is not None:
        sys.stdout.buffer.write(row.payload)
    else:
        _print(row, "inbox", item)


@inbox.command("retry")
def inbox_retry(item: Id) -> None:
    """Take a quarantined item back into work; a mail that was held, or taken for spam or a list's, as a request."""
    if not with_session(lambda session: _retry(session, min(item, MOST), time.utcnow())):
        raise WrongSettings(f"no quarantined inbox item {item}")
    console.print(f"Item {item} is queued again.")


async def _retry(session: Session, item: int, now: datetime) -> bool:
    return await inbox_box.retry(session, item, now) or await inbox_box.want(session, item, now, "mail:", MISTAKEN)


@inbox.command("dismiss")
def inbox_dismiss(item: Id) -> None:
    """Nothing more is to be done about a quarantined item: it is kept a while, and can still be retried."""
    error = with_session(lambda session: inbox_box.dismiss(session, min(item, MOST), time.utcnow()))
    if error is None:
        raise WrongSettings(f"no quarantined inbox item {item}")
    log.warning("inbox.dismissed", item=item, error=error)
    console.print(f"Item {item} is dismissed.")


@outbox.command("list")
def outbox_list(
    state: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(OUTBOX_STATES)}; repeatable.")] = None,
    limit: Limit = 50,
) -> None:
    """Rows that wait, failed, or whose outcome is unknown, newest first."""
    states = _states(state, OUTBOX_STATES, ("queued", "attempting", "unknown", "failed"))
    rows = with_session(lambda session: outbox_box.listing(session, states, limit=limit))
    table = Table("id", "desk", "kind", "to", "state", "attempts", "due", "why")
    for row in rows:
        due = time.stamp(row.due_at, "UTC")
        table.add_row(
            str(row.id), row.desk, row.kind, row.bucket, row.state, str(row.attempts), due, (row.error or "")[:80]
        )
    console.print(table if rows else "Nothing there.")


@outbox.command("show")
def outbox_show(row: Id) -> None:
    """One row, whole."""
    _print(with_session(lambda session: outbox_box.show(session, min(row, MOST))), "outbox", row)


@outbox.command("retry")
def outbox_retry(row: Id) -> None:
    """Send it again: you have made sure that a repeat is right."""
    if not with_session(lambda session: outbox_box.retry(session, min(row, MOST), time.utcnow())):
        raise WrongSettings(f"no failed, unknown or dropped outbox row {row}")
    console.print(f"Row {row} is queued again.")


@outbox.command("dismiss")
def outbox_dismiss(row: Id) -> None:
    """Nothing more is to be done about a failed or unknown row; the log of its ticket says so."""
    dismissed = with_session(lambda session: _dismiss(session, min(row, MOST), time.utcnow()))
    if dismissed is None:
        raise WrongSettings(f"no failed or unknown outbox row {row}")
    log.warning("outbox.dismissed", row=row, kind=dismissed.kind, error=dismissed.error)
    console.print(f"Row {row} is dismissed.")


async def _dismiss(session: Session, row_id: int, now: datetime) -> Any | None:
    row = await outbox_box.dismiss(session, row_id, now)
    if row is not None and row.ticket_id is not None:
        facts = {"row": row_id, "what": row.kind, "was": row.was, "error": row.error, "message": row.message_id}
        told = journal.event(row.ticket_id, OPERATOR, "dismissed", now, **facts)
        await Changes(events=[told]).write(session, row.desk, now)
    return row

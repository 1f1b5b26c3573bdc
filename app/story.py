"""`kezekshi ticket show`: the whole story of a ticket, and whether its log is untouched."""

from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import text

from app.boxes import console, with_session
from app.settings import WrongSettings
from crm import journal, time
from crm.db import Session
from crm.desks import load_profile
from crm.tickets import queries
from crm.tickets.models import Message, Ticket
from scheduler.jobs import KEPT_FOR

ticket = typer.Typer(help="Tickets.", no_args_is_help=True)


@ticket.callback()
def tickets() -> None:
    """Tickets."""


@ticket.command("show")
def show(reference: Annotated[str, typer.Argument(help="Reference, like PD-1042.")]) -> None:
    """Facts, promises, every event and message, and what was or was not delivered."""
    found = with_session(lambda session: _gather(session, reference))
    if found is None:
        raise WrongSettings(f"no ticket {reference}")
    _print(*found)


async def _gather(
    session: Session, reference: str
) -> tuple[Ticket, dict[str, Any], list[Any], list[Any], list[Any], list[int]] | None:
    one = await queries.by_reference(session, reference)
    if one is None:
        return None
    facts = await queries.card(session, one.id)
    events = await journal.story(session, one.id)
    written = await queries.last_messages(session, one.id, 10_000, public_only=False)
    deliveries = await session.execute(
        text(
            "select id, kind, state, attempts, repeats, error, message_id from outbox where ticket_id = :id order by id"
        ),
        {"id": one.id},
    )
    return one, facts, list(events), list(written), list(deliveries.all()), await journal.broken_links(session, one.id)


def _print(
    one: Ticket,
    facts: dict[str, Any],
    events: list[Any],
    written: list[Message],
    deliveries: list[Any],
    broken: list[int],
) -> None:
    zone = load_profile(one.desk).timezone

    def at(instant: Any) -> str:
        return time.stamp(instant, zone) if instant else "–"

    console.print(f"{one.reference} · {one.subject}", style="bold")
    console.print(f"{one.status}, {one.priority}, {one.request_type}; opened {at(one.opened_at)} ({zone})")
    console.print(f"requester {facts['requester']} ({facts['language']}), engineer {facts['assignee'] or 'none'}")
    if facts["organization"]:
        console.print(f"organization {facts['organization']}, contract {facts['contract'] or 'unknown'}")
    promises = Table("promise", "due", "met", "breached", title="Promises", title_justify="left")
    for target in facts["targets"]:
        promises.add_row(target["metric"], at(target["due_at"]), at(target["met_at"]), at(target["breached_at"]))
    console.print(promises)
    words = {message.id: f"{message.kind}: {queries.words_of(message)}" for message in written}
    log = Table("#", "when", "who", "what", "", title="Log", title_justify="left")
    for event in events:
        said = words.get(event.data.get("message"), "") or ", ".join(f"{k} {v}" for k, v in event.data.items() if v)
        log.add_row(str(event.seq), at(event.at), f"{event.actor_name} ({event.actor_kind})", event.kind, said)
    console.print(log)
    out = Table("row", "kind", "state", "attempts", "why", title="Deliveries", title_justify="left")
    for row in deliveries:
        out.add_row(str(row.id), row.kind, row.state, str(row.attempts), row.error or "")
    console.print(out)
    if one.opened_at < time.utcnow() - KEPT_FOR:
        console.print(f"Deliveries older than {KEPT_FOR.days} days are kept only if they failed or are unknown.")
    if broken:
        console.print(f"The log was tampered with at events {broken}.", style="bold red")
    else:
        console.print("The log is whole: every event follows from the one before.")

"""The append-only log of a ticket: who, when, what, by which channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, text

from crm.db import Session
from crm.tickets.models import TicketEvent

ActorKind = Literal["requester", "agent", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts now. `id` is of a person or of an agent, by the kind; the desk itself has none."""

    kind: ActorKind
    id: int | None
    name: str
    channel: str = "telegram"


SYSTEM = Actor("system", None, "Kezekshi", "clock")


def event(ticket_id: int, actor: Actor, kind: str, at: datetime, **data: Any) -> dict[str, Any]:
    """A row for `Changes.events`; its number, stamp and hash are set by the database."""
    return {
        "ticket_id": ticket_id,
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "channel": actor.channel,
        "kind": kind,
        "data": data,
    }


async def story(session: Session, ticket_id: int) -> list[TicketEvent]:
    found = await session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq)
    )
    return list(found)


async def broken_links(session: Session, ticket_id: int) -> list[int]:
    """Numbers of the events whose hash does not follow from the row before: empty when untouched."""
    found = await session.execute(
        text("""
            select seq from (
                select e.seq, e.hash, ticket_event_digest(e, lag(e.hash) over (order by e.seq)) as expected
                from ticket_event e where e.ticket_id = :id) chain
            where hash <> expected order by seq
        """),
        {"id": ticket_id},
    )
    return [row.seq for row in found]

"""What was planned and done in the cloud, for people to look at."""

from collections.abc import Sequence

from sqlalchemy import select

from crm.cloud.models import CloudAction, Vm
from crm.db import Session
from crm.tickets.models import Ticket, TicketEvent


async def listing(
    session: Session, states: Sequence[str], desk: str | None, limit: int
) -> list[tuple[CloudAction, str | None]]:
    """Actions in those states with the references of their tickets, newest first."""
    query = select(CloudAction, Ticket.reference).outerjoin(Ticket, Ticket.id == CloudAction.ticket_id)
    query = query.where(CloudAction.state.in_(states)).order_by(CloudAction.id.desc()).limit(limit)
    if desk is not None:
        query = query.where(CloudAction.desk == desk)
    return [(action, reference) for action, reference in await session.execute(query)]


async def find(session: Session, action_id: int) -> tuple[CloudAction, str | None] | None:
    query = select(CloudAction, Ticket.reference).outerjoin(Ticket, Ticket.id == CloudAction.ticket_id)
    found = (await session.execute(query.where(CloudAction.id == action_id))).one_or_none()
    return (found[0], found[1]) if found else None


async def story(session: Session, action: CloudAction) -> list[TicketEvent]:
    """What its ticket's log says of it."""
    about = TicketEvent.data["what"]["action"].as_integer() == action.id
    query = select(TicketEvent).where(TicketEvent.ticket_id == action.ticket_id, about).order_by(TicketEvent.seq)
    return list(await session.scalars(query))


async def machines(session: Session, desk: str, name: str) -> list[Vm]:
    """Those of that name that were seen last; several customers may have one."""
    query = select(Vm).where(Vm.desk == desk, Vm.name == name, Vm.deleted_at.is_(None)).order_by(Vm.id)
    return list(await session.scalars(query))

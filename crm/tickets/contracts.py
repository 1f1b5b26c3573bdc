"""Under whose contract a ticket is: a lead says of which organization its requester is a contact."""

from datetime import datetime

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAllowed
from crm.outbox import Priority
from crm.people import organizations
from crm.people.models import Agent, Organization
from crm.people.service import actor_of
from crm.sla import keeping
from crm.tickets import moves, outward
from crm.tickets.models import Ticket
from crm.tickets.work import living


async def bind(session: Session, profile: Profile, lead: Agent, ticket_id: int, name: str, now: datetime) -> Ticket:
    """The requester is a contact of that organization from now on, and of no other; this ticket is under its contract,
    and its promises are counted anew from the same start.

    Other tickets that are open stay as they are. Raises NotAllowed for anybody but a lead, NotFound for an organization
    that is not there, WrongStatus for a ticket that has ended.
    """
    if lead.role != "lead":
        raise NotAllowed(what="lead")
    ticket = await living(session, profile, ticket_id)
    organization = await organizations.find(session, profile.name, name)
    await organizations.bind(session, organization, ticket.requester_id, now)
    if ticket.organization_id == organization.id:
        return ticket
    former = await session.get(Organization, ticket.organization_id) if ticket.organization_id is not None else None
    ticket.organization_id, ticket.updated_at = organization.id, now
    moved = await keeping.recompute(session, profile, ticket, now)
    changes = Changes()
    data = {"before": former.name if former else None, "after": organization.name}
    due = {"due_at": moved.due_at.isoformat()} if moved else {}
    changes.events.append(journal.event(ticket.id, actor_of(lead), "organization", now, **data, **due))
    said = {"name": lead.name, "organization": organization.name}
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "bound", Priority.TOPIC, **said)
    )
    changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    changes.outgoing += await moves.told(session, profile, ticket, [moved] if moved else [], "contract")
    await changes.write(session, profile.name, now)
    return ticket

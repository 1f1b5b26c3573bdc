"""What an agreement says of those who write: who may follow a ticket, who may ask at all and with which facts."""

from datetime import datetime
from typing import Any

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.mail.letter import Letter
from crm.outbox import Priority
from crm.people.organizations import Membership, organization_of
from crm.people.service import OpenTicket, Requester
from crm.tickets import outward, service, wanted

# Only named persons of the same organization, and only where it lets them: a stranger in copy reads nothing.
_FOLLOW = """
    insert into follower (ticket_id, address, name, added_at)
    select t.id, c.email, c.name, $3
    from ticket t
    join organization o on o.id = t.organization_id and o.active and o.followers = 'contacts'
    join contact c on c.organization_id = o.id and c.active
    where t.id = $1 and c.email = any($2::text[]) and c.email <> $4
    on conflict do nothing returning name, address
"""


async def follow(session: Session, ticket_id: int, who: Requester, letter: Letter, now: datetime) -> None:
    """Colleagues in copy join the ticket."""
    others = [one.address.lower() for one in (*letter.to, *letter.cc)]
    if not letter.cc and len(others) < 2:
        return
    found = await session.rows(_FOLLOW, ticket_id, others, now, who.address)
    changes = Changes()
    for row in found:
        changes.events.append(
            journal.event(ticket_id, who.actor, "follows", now, name=row["name"], address=row["address"])
        )
    await changes.write(session, "", now)


async def lacking(session: Session, profile: Profile, queue: str, who: Requester, letter: Letter) -> list[str]:
    """What the agreement wants of a request in that queue and this one leaves out; nothing where it wants nothing."""
    asks = profile.queue(queue)
    if asks is None or not (asks.named_only or asks.wanted):
        return []
    member = await organization_of(session, profile.name, "email", who.address)
    found: list[str] = list(wanted.missing(asks.wanted, f"{letter.subject}\n{letter.text}", _known(member)))
    return ["named_person", *found] if asks.named_only and member is None else found


def _known(member: Membership | None) -> list[Any]:
    if member is None:
        return []
    return ["organization", "full_name", *(["contract"] if member.contract else [])]


async def ask(
    session: Session,
    profile: Profile,
    who: Requester,
    ticket: OpenTicket,
    fields: list[str],
    may_write: bool,
    now: datetime,
) -> None:
    """The ticket waits for what is missing, and its clock with it; its requester is asked, unless mail to them has to
    stop for now."""
    changes = Changes()
    await service.change_status(session, profile, ticket.id, "ask", journal.SYSTEM, None, now, changes, wanted=fields)
    changes.outgoing.append(
        outward.say_in_topic(
            profile.name, ticket.group_id, ticket.id, "missing", Priority.TOPIC, fields=fields, asked=may_write
        )
    )
    if may_write:
        told = {"reference": ticket.reference, "fields": fields}
        changes.outgoing.append(outward.say_to_requester(profile.name, who.reach, ticket.id, "wanted", **told))
    await changes.write(session, profile.name, now)

"""A new ticket: its number, topic, promises, acknowledgement, and who answers for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import QUEUE, Profile, RequestType
from crm.journal import Actor
from crm.outbox import Outgoing
from crm.people.models import Agent
from crm.people.organizations import CONTACT
from crm.people.service import OpenTicket, Requester
from crm.sla import maintenance, targets
from crm.sla.policy import Facts, organization_key
from crm.tickets import assignment, outward
from crm.tickets.written import Written, message_rows, subject_of


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new ticket is besides its first message. `acknowledge`: whether its requester may be told of it; `by`: who
    opens it, if that is not its requester."""

    request_type: str | None = None
    related_id: int | None = None
    queue: str = QUEUE
    subject: str | None = None
    acknowledge: bool = True
    by: Actor | None = None


_NEW_TICKET = f"""
    with told as (update person set rules_shown_at = $3
                  where $4 and id = $2 and rules_shown_at is null and rules_accepted_at is null returning id),
    own as (select channel, address, person_id from identity where desk = $1 and person_id = $2)
    select nextval('ticket_id_seq') as id, nextval('ticket_number') as number, exists (select from told) as rules,
           (select id from desk_group where desk = $1 and state = 'connected'
            order by connected_at desc limit 1) as group_id,
           (select json_agg(json_build_array(starts_at, ends_at)) from maintenance
            where desk = $1 and ends_at > $3 and cancelled_at is null) as maintenance,
           coalesce(e.minutes, 0) as minutes, e.reason, o.id as organization_id, o.name as organization
    from (select 1) one
    left join emergency e on e.desk = $1 and e.ended_at is null and e.started_at <= $3 and e.ends_at > $3
    left join ({CONTACT}) c on true
    left join organization o on o.id = c.organization_id
"""  # noqa: S608


async def open_ticket(
    session: Session,
    profile: Profile,
    who: Requester,
    written: Written,
    now: datetime,
    opening: Opening = Opening(),
) -> OpenTicket:
    """Register a request from its first message, and promise an answer (prodata 5.1)."""
    changes = Changes()
    ticket = await begin(session, profile, who, written.content, now, changes, opening)
    message_rows(changes, profile.name, who, who.next_message_id, ticket.id, written)
    changes.outgoing[2:2] = outward.relay_to_topic(
        profile.name, ticket.group_id, ticket.id, who.next_message_id, written.content, written.album, now
    )
    await changes.write(session, profile.name, now)
    return ticket


async def begin(
    session: Session,
    profile: Profile,
    who: Requester,
    content: dict[str, Any],
    now: datetime,
    changes: Changes,
    opening: Opening = Opening(),
) -> OpenTicket:
    """Gather the rows of a new ticket; the caller adds its first message and writes."""
    kind = profile.request_type(opening.request_type or profile.default_type)
    [row] = await session.rows(_NEW_TICKET, profile.name, who.person_id, now, who.channel == "telegram")
    reference = f"{profile.prefix}-{row['number']}"
    ticket = OpenTicket(row["id"], reference, opening.subject or subject_of(content), "new", row["group_id"])
    assignee = await assignment.at_opening(session, profile, now)
    changes.tickets.append(_ticket_row(profile, who, ticket, opening, kind, row["organization_id"], assignee, now))
    organization = organization_key(row["organization"]) if row["organization"] else None
    facts = Facts(who.channel, kind.key, kind.priority, opening.queue, organization)
    least, windows = row["minutes"] * 60, maintenance.from_plain(row["maintenance"])
    promises = await targets.made_at_opening(session, profile, ticket.id, facts, now, least, windows)
    changes.targets += promises
    # An emergency that changes nothing for this ticket is no business of its requester.
    emergency = {"reason": row["reason"], "minutes": row["minutes"]} if promises[0]["budget"] == least else None
    logged = {"type": kind.key, "related": opening.related_id, "subject": ticket.subject, "emergency": emergency}
    changes.events.append(journal.event(ticket.id, opening.by or who.actor, "opened", now, **logged))
    changes.outgoing += [
        *outward.open_topic(profile.name, ticket.group_id, ticket.id),
        outward.board(profile.name, ticket.group_id, now),
    ]
    if opening.acknowledge:
        why = emergency and emergency["reason"]
        facts_told = {"due_at": promises[0]["due_at"], "type": kind.key, "rules": row["rules"], "emergency": why}
        changes.outgoing.append(_acknowledged(profile, who, ticket, facts_told))
    if assignee is not None:
        assignment.tell(changes, profile.name, ticket.group_id, ticket.id, assignee, now)
    return ticket


def _acknowledged(profile: Profile, who: Requester, ticket: OpenTicket, facts: dict[str, Any]) -> Outgoing:
    told = {"reference": ticket.reference, **facts}
    return outward.say_to_requester(profile.name, who.reach, ticket.id, "acknowledged", **told)


def _ticket_row(
    profile: Profile,
    who: Requester,
    ticket: OpenTicket,
    opening: Opening,
    kind: RequestType,
    organization_id: int | None,
    assignee: Agent | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "desk": profile.name,
        "reference": ticket.reference,
        "queue": opening.queue,
        "requester_id": who.person_id,
        "organization_id": organization_id,
        "channel": opening.by.channel if opening.by else who.channel,
        "answers_to": who.identity_id,
        "request_type": kind.key,
        "priority": kind.priority,
        "status": "new",
        "subject": ticket.subject,
        "related_id": opening.related_id,
        "group_id": ticket.group_id,
        "assignee_id": assignee.id if assignee else None,
        "opened_at": now,
        "updated_at": now,
    }

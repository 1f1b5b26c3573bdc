"""What requesters do: open a ticket, write to it, answer a solution, rate, withdraw."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import QUEUE, Profile
from crm.errors import NotFound, WrongStatus
from crm.outbox import Priority
from crm.people import service as people
from crm.people.organizations import CONTACT
from crm.people.reach import Reach
from crm.people.service import OpenTicket, Requester
from crm.plain import visible
from crm.sla import keeping, maintenance, targets
from crm.sla.policy import Facts, organization_key
from crm.tickets import assignment, outward, queries, status, thanks
from crm.tickets.models import Ticket

SUBJECT_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message stands in its own chat."""

    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Written:
    """A message as the desk understands it: content, when, from where in Telegram, part of which album; the record of
    the mail that brought it, but for its ticket and message."""

    content: dict[str, Any]
    sent_at: datetime
    origin: Origin | None
    album: str | None = None
    mail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new ticket is besides its first message. `acknowledge`: whether its requester may be told of it."""

    request_type: str | None = None
    related_id: int | None = None
    queue: str = QUEUE
    subject: str | None = None
    acknowledge: bool = True


def subject_of(content: dict[str, Any]) -> str:
    """What was written, short and in one line; the kind of content if nothing was (`[photo]`)."""
    return shortened(str(content.get("text") or "")) or f"[{content['type']}]"


def shortened(text: str) -> str:
    """In one line, as long as a subject may be."""
    words = visible(re.sub(r"\s+", " ", text)).strip()
    return words if len(words) <= SUBJECT_LENGTH else words[: SUBJECT_LENGTH - 1].rstrip() + "…"


def message_rows(
    changes: Changes, desk: str, who: Requester, message_id: int, ticket_id: int | None, written: Written
) -> None:
    """A requester's message and its place in the chat, or the mail that it came by."""
    changes.messages.append(
        {
            "id": message_id,
            "desk": desk,
            "ticket_id": ticket_id,
            "requester_id": who.person_id,
            "kind": "public",
            "author_kind": "requester",
            "author_id": who.person_id,
            "author_name": who.name,
            "channel": who.channel,
            "content": written.content,
            "album_id": written.album,
            "sent_at": written.sent_at,
        }
    )
    changes.pairs += origin_pairs(desk, ticket_id, message_id, written)
    if written.mail is not None:
        changes.mails.append({**written.mail, "ticket_id": ticket_id, "message_ref": message_id})


def origin_pairs(desk: str, ticket_id: int | None, message_id: int, written: Written) -> list[dict[str, Any]]:
    """Where the original stands in Telegram, if it does."""
    if written.origin is None:
        return []
    return [
        {
            "desk": desk,
            "chat_id": written.origin.chat_id,
            "message_id": written.origin.message_id,
            "ticket_id": ticket_id,
            "message_ref": message_id,
            "role": "origin",
        }
    ]


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
    changes.tickets.append(
        {
            "id": ticket.id,
            "desk": profile.name,
            "reference": ticket.reference,
            "queue": opening.queue,
            "requester_id": who.person_id,
            "organization_id": row["organization_id"],
            "channel": who.channel,
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
    )
    organization = organization_key(row["organization"]) if row["organization"] else None
    facts = Facts(who.channel, kind.key, kind.priority, opening.queue, organization)
    least, windows = row["minutes"] * 60, maintenance.from_plain(row["maintenance"])
    promises = await targets.made_at_opening(session, profile, ticket.id, facts, now, least, windows)
    # An emergency that changes nothing for this ticket is no business of its requester.
    emergency = {"reason": row["reason"], "minutes": row["minutes"]} if promises[0]["budget"] == least else None
    changes.targets += promises
    told = {"type": kind.key, "related": opening.related_id, "subject": ticket.subject, "emergency": emergency}
    changes.events.append(journal.event(ticket.id, who.actor, "opened", now, **told))
    changes.outgoing += [
        *outward.open_topic(profile.name, ticket.group_id, ticket.id),
        outward.board(profile.name, ticket.group_id, now),
    ]
    if opening.acknowledge:
        told = {
            "reference": ticket.reference,
            "due_at": promises[0]["due_at"],
            "type": kind.key,
            "rules": row["rules"],
            "emergency": emergency and emergency["reason"],
        }
        changes.outgoing.append(outward.say_to_requester(profile.name, who.reach, ticket.id, "acknowledged", **told))
    if assignee is not None:
        assignment.tell(changes, profile.name, ticket.group_id, ticket.id, assignee, now)
    return ticket


async def add_message(
    session: Session,
    profile: Profile,
    who: Requester,
    ticket: OpenTicket,
    written: Written,
    now: datetime,
    asks: bool = True,
) -> None:
    """A requester's message in a ticket; one that waited for it, or was thought solved, goes on.

    Not if it `asks` for nothing: then no clock starts.
    """
    changes = Changes()
    message_rows(changes, profile.name, who, who.next_message_id, ticket.id, written)
    changes.events.append(journal.event(ticket.id, who.actor, "wrote", now, message=who.next_message_id))
    changes.outgoing += outward.relay_to_topic(
        profile.name, ticket.group_id, ticket.id, who.next_message_id, written.content, written.album, now
    )
    if ticket.answers_to != who.identity_id:
        # Whoever only follows it moves nobody's answers.
        moved = "update ticket set answers_to = $2 where id = $1 and requester_id = $3"
        await session.rows(moved, ticket.id, who.identity_id, who.person_id)
    # «Thank you» asks for nothing: it starts no clock and opens nothing again.
    if asks and not thanks.only_thanks(written.content):
        await wants_an_answer(session, profile, who, ticket, now, changes)
    await changes.write(session, profile.name, now)


async def wants_an_answer(
    session: Session, profile: Profile, who: Requester, ticket: OpenTicket, now: datetime, changes: Changes
) -> None:
    """What waited for the requester goes on, and an answer is promised where the policy does so."""
    if status.after("hear", ticket.status) != ticket.status:
        await change_status(session, profile, ticket.id, "hear", who.actor, who.reach, now, changes)
    if profile.promises.answers_again:
        await keeping.heard(session, profile, await load(session, profile.name, ticket.id), now)


async def load(session: Session, desk: str, ticket_id: int) -> Ticket:
    """The ticket, locked for a change, as it is once nobody else changes it. Raises NotFound."""
    await session.flush()
    found = await session.scalars(
        select(Ticket)
        .where(Ticket.id == ticket_id, Ticket.desk == desk)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    ticket = found.one_or_none()
    if ticket is None:
        raise NotFound(what="ticket")
    return ticket


async def change_status(
    session: Session,
    profile: Profile,
    ticket_id: int,
    action: status.Action,
    actor: journal.Actor,
    requester: Reach | None,
    now: datetime,
    changes: Changes,
    **facts: Any,
) -> Ticket:
    """One step of the ticket's life: status, clock, log, and what has to be drawn anew.

    The requester hears of a promise that runs again. Raises WrongStatus, NotFound.
    """
    ticket = await load(session, profile.name, ticket_id)
    before, ticket.status = ticket.status, status.after(action, ticket.status)
    ticket.updated_at = now
    ticket.resolved_at = now if ticket.status == "resolved" else ticket.resolved_at
    ticket.closed_at = now if ticket.status in status.ENDED else None
    ticket.merged_into_id = ticket.merged_into_id if ticket.status in status.ENDED else None
    ticket.silence_at = profile.silence(now)[0] if ticket.status == "resolved" else None
    moved = await keeping.follow_status(session, profile, ticket_id, ticket.status, now)
    changes.events.append(journal.event(ticket_id, actor, action, now, before=before, after=ticket.status, **facts))
    changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket_id, now)
    if (before in status.ENDED) != (ticket.status in status.ENDED):
        changes.outgoing.append(outward.topic_state(profile.name, ticket.group_id, ticket_id))
    if moved is not None and requester is not None:
        told = {"reference": ticket.reference, "due_at": moved.due_at}
        changes.outgoing.append(outward.say_to_requester(profile.name, requester, ticket_id, "resumed", **told))
    return ticket


async def own_ticket(session: Session, profile: Profile, who: Requester, ticket_id: int) -> Ticket:
    """The requester's own ticket, locked. Raises NotFound for anybody else's, as for none at all."""
    ticket = await load(session, profile.name, ticket_id)
    if ticket.requester_id != who.person_id:
        raise NotFound(what="ticket")
    return ticket


async def confirm(session: Session, profile: Profile, who: Requester, ticket_id: int, now: datetime) -> Ticket:
    """The requester agrees that it is solved."""
    return await _answer(session, profile, who, ticket_id, "confirm", "confirmed", now)


async def reject(session: Session, profile: Profile, who: Requester, ticket_id: int, now: datetime) -> Ticket:
    """Not solved: work goes on, the same promise resumes."""
    return await _answer(session, profile, who, ticket_id, "reject", "rejected", now)


async def withdraw(session: Session, profile: Profile, who: Requester, ticket_id: int, now: datetime) -> Ticket:
    return await _answer(session, profile, who, ticket_id, "withdraw", "withdrawn", now)


async def _answer(
    session: Session,
    profile: Profile,
    who: Requester,
    ticket_id: int,
    action: status.Action,
    notice: str,
    now: datetime,
) -> Ticket:
    await own_ticket(session, profile, who, ticket_id)
    changes = Changes()
    ticket = await change_status(session, profile, ticket_id, action, who.actor, who.reach, now, changes)
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket_id, notice, Priority.TOPIC, name=who.name)
    )
    await changes.write(session, profile.name, now)
    return ticket


async def rate(session: Session, profile: Profile, who: Requester, ticket_id: int, stars: int, now: datetime) -> Ticket:
    """1 to 5; the last word counts. Raises WrongStatus while it is in work."""
    ticket = await own_ticket(session, profile, who, ticket_id)
    if ticket.status not in ("resolved", "closed"):
        raise WrongStatus(status=ticket.status)
    ticket.rating = stars
    changes = Changes()
    changes.events.append(journal.event(ticket_id, who.actor, "rated", now, stars=stars))
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket_id, "rated", Priority.CARD, stars=stars)
    )
    await changes.write(session, profile.name, now)
    return ticket


async def reachable(session: Session, profile: Profile, channel: str, address: str, can: bool, now: datetime) -> bool:
    """The customer has blocked the bot, the mailbox is gone, or can be written to again: the engineers learn it.

    False if it is no news.
    """
    person_id = await people.mark_reachable(session, profile.name, channel, address, None if can else now)
    if person_id is None:
        return False
    changes = Changes()
    for ticket in await queries.reachable_of(session, profile.name, person_id):
        changes.outgoing.append(
            outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "reachable", reachable=can, channel=channel)
        )
        changes.outgoing.append(outward.card(profile.name, ticket.group_id, ticket.id, now))
    await changes.write(session, profile.name, now)
    return True

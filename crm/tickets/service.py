"""What requesters do with a ticket: write to it, answer a solution, rate, withdraw."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotFound, WrongStatus
from crm.outbox import Priority
from crm.people import service as people
from crm.people.reach import Reach
from crm.people.service import OpenTicket, Requester
from crm.sla import keeping
from crm.tickets import outward, queries, status, thanks
from crm.tickets.models import Ticket
from crm.tickets.written import Written, message_rows


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

"""Who answers for a ticket when nobody has taken it: by choice of the profile, by a step of a promise, after an away.

`manual`: whoever takes it. `round_robin`: whoever's turn it is. `least_loaded`: whoever has the fewest active tickets.
A ticket that opens while nobody is on duty stays for whoever takes it; the steps of its promises see to it that
somebody does.
"""

from datetime import datetime

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.people.duty import Team, team
from crm.people.models import Agent
from crm.people.service import actor_of
from crm.tickets import outward
from crm.tickets.models import Ticket
from crm.tickets.status import ACTIVE

# Turns are numbers, not times: clocks of several processes differ, and a clock that stands has no order.
_NEXT = """
    update agent set turn = 1 + (select max(turn) from agent where desk = $1)
    where id = (
        select a.id from agent a where a.id = any($2::bigint[])
        order by case when $3 then (select count(*) from ticket t where t.assignee_id = a.id
                                    and t.status in ('new', 'open', 'pending', 'on_hold')) else 0 end,
                 a.turn, a.id limit 1)
    returning id
"""


async def choose(
    session: Session, profile: Profile, known: Team, now: datetime, but: int | None = None
) -> Agent | None:
    """Whose turn it is of those on duty; None if there is nobody (else).

    Choices of a desk are made one after the other, so that each knows of the one before; whoever waits for the turn
    holds the tickets that it is about, and waits for no ticket afterwards.
    """
    ready = {agent.id: agent for agent in known.on_duty(now) if agent.id != but}
    if not ready:
        return None
    await session.rows("select pg_advisory_xact_lock(hashtext('assignment:' || $1))", profile.name)
    by_load = profile.assignment != "round_robin"
    [row] = await session.rows(_NEXT, profile.name, list(ready), by_load)
    return ready[row["id"]]


async def at_opening(session: Session, profile: Profile, now: datetime) -> Agent | None:
    """Who answers for a ticket that opens now."""
    if profile.assignment == "manual":
        return None
    return await choose(session, profile, await team(session, profile, now), now)


def tell(changes: Changes, desk: str, group_id: int | None, ticket_id: int, agent: Agent, now: datetime) -> None:
    """The log and the topic learn whose it is."""
    changes.events.append(assigned(ticket_id, agent, now))
    changes.outgoing.append(outward.say_in_topic(desk, group_id, ticket_id, "assigned", mention=[named(agent)]))


def assigned(ticket_id: int, agent: Agent, now: datetime) -> dict[str, object]:
    """The event of the log."""
    return journal.event(ticket_id, journal.SYSTEM, "assigned", now, agent=agent.name)


def named(agent: Agent) -> dict[str, object]:
    """As notices mention people."""
    return {"id": agent.telegram_id, "name": agent.name}


async def hand_back(session: Session, profile: Profile, agent: Agent, now: datetime) -> int:
    """The active tickets of an agent who is away go back to the queue, or to others if the profile assigns by itself;
    gives how many there were."""
    await session.flush()
    found = await session.scalars(
        select(Ticket)
        .where(Ticket.desk == profile.name, Ticket.assignee_id == agent.id, Ticket.status.in_(sorted(ACTIVE)))
        .order_by(Ticket.id)
        .with_for_update(key_share=True)
    )
    tickets = found.all()
    known = await team(session, profile, now)
    changes = Changes()
    for ticket in tickets:
        ticket.assignee_id = None
        changes.events.append(journal.event(ticket.id, actor_of(agent), "released", now))
        changes.outgoing.append(
            outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "released", name=agent.name)
        )
        await session.flush()
        other = await choose(session, profile, known, now) if profile.assignment != "manual" else None
        if other is not None:
            ticket.assignee_id = other.id
            tell(changes, profile.name, ticket.group_id, ticket.id, other, now)
        ticket.updated_at = now
        changes.outgoing += outward.shown(profile.name, ticket.group_id, ticket.id, now)
    await changes.write(session, profile.name, now)
    return len(tickets)

"""Who is on duty, who is told of a promise in danger, and who takes a ticket that nobody took."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from crm.db import Session
from crm.desks import Profile
from crm.people.models import Agent
from crm.tickets.models import Ticket
from crm.tickets.status import ACTIVE


async def on_duty(session: Session, profile: Profile, now: datetime) -> list[Agent]:
    """Active agents who are on duty at that moment."""
    found = await session.scalars(
        select(Agent).where(Agent.desk == profile.name, Agent.active, Agent.on_duty).order_by(Agent.id)
    )
    return list(found)


async def recipients(
    session: Session, profile: Profile, assignee_id: int | None, tell: Sequence[str], now: datetime
) -> list[Agent]:
    """The people meant by these words, each once; everybody on duty if the ticket has no active assignee."""
    found: dict[int, Agent] = {}
    assignee = await session.get(Agent, assignee_id) if assignee_id is not None else None
    for word in tell:
        if word == "assignee" and assignee is not None and assignee.active:
            found[assignee.id] = assignee
        elif word == "lead":
            leads = await session.scalars(
                select(Agent).where(Agent.desk == profile.name, Agent.active, Agent.role == "lead").order_by(Agent.id)
            )
            found |= {agent.id: agent for agent in leads}
        else:
            found |= {agent.id: agent for agent in await on_duty(session, profile, now)}
    return list(found.values())


async def free_agent(session: Session, profile: Profile, now: datetime, but: int | None = None) -> Agent | None:
    """The agent on duty who has the fewest active tickets; None if there is nobody else."""
    candidates = [agent for agent in await on_duty(session, profile, now) if agent.id != but]
    found = await session.execute(
        select(Ticket.assignee_id, func.count().label("open"))
        .where(Ticket.desk == profile.name, Ticket.status.in_(ACTIVE), Ticket.assignee_id.is_not(None))
        .group_by(Ticket.assignee_id)
    )
    loads = {row.assignee_id: row.open for row in found}
    return min(candidates, key=lambda agent: (loads.get(agent.id, 0), agent.id), default=None)

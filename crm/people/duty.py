"""Who is on duty, and who is told of a promise in danger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from crm.db import Session
from crm.desks import Profile
from crm.people.models import Agent, DutyOverride, DutyShift
from crm.people.shifts import Duty, Override, Shift, week


@dataclass(frozen=True, slots=True)
class Team:
    """The active agents of a desk with their duty, as it is known from a moment on."""

    members: tuple[tuple[Agent, Duty], ...]

    def on_duty(self, now: datetime) -> list[Agent]:
        return [agent for agent, duty in self.members if duty.on(now)]

    def leads(self, now: datetime) -> list[Agent]:
        """The leads on duty; all of them if none is."""
        leads = [agent for agent, _ in self.members if agent.role == "lead"]
        return [agent for agent in self.on_duty(now) if agent.role == "lead"] or leads

    def recipients(self, assignee_id: int | None, tell: Sequence[str], now: datetime) -> list[Agent]:
        """The people meant by these words, each once.

        For an assignee who is not on duty, or was removed, whoever is; where nobody is, the leads: a promise in danger
        is told to somebody, and nobody is woken while somebody else is awake.
        """
        awake = self.on_duty(now)
        found: dict[int, Agent] = {}
        for word in tell:
            meant = self.leads(now) if word == "lead" else awake
            if word == "assignee":
                meant = [agent for agent in awake if agent.id == assignee_id] or awake
            found |= {agent.id: agent for agent in meant or self.leads(now)}
        return list(found.values())

    def duty_of(self, agent: Agent) -> Duty:
        return next(duty for member, duty in self.members if member.id == agent.id)


async def team(session: Session, profile: Profile, now: datetime) -> Team:
    """All that is known of duty from now on."""
    agents = await session.scalars(select(Agent).where(Agent.desk == profile.name, Agent.active).order_by(Agent.id))
    shifts: dict[int, list[Shift]] = {}
    found = await session.scalars(select(DutyShift).where(DutyShift.desk == profile.name))
    for row in found:
        shifts.setdefault(row.agent_id, []).append(Shift(row.weekday, row.starts, row.ends))
    overrides: dict[int, list[Override]] = {}
    for said in await session.scalars(
        select(DutyOverride)
        .where(DutyOverride.desk == profile.name, or_(DutyOverride.ends_at.is_(None), DutyOverride.ends_at > now))
        .order_by(DutyOverride.id)
        # What was taken back in this very transaction is read as it is now.
        .execution_options(populate_existing=True)
    ):
        overrides.setdefault(said.agent_id, []).append(Override(said.on_duty, said.starts_at, said.ends_at))
    return Team(tuple((agent, _duty(profile, agent, shifts, overrides)) for agent in agents))


def _duty(profile: Profile, agent: Agent, shifts: dict[int, list[Shift]], overrides: dict[int, list[Override]]) -> Duty:
    weekly = week(profile.timezone, tuple(sorted(shifts.get(agent.id, ()))))
    return Duty(weekly, tuple(overrides.get(agent.id, ())), agent.on_duty)


async def on_duty(session: Session, profile: Profile, now: datetime) -> list[Agent]:
    """Active agents who are on duty at that moment."""
    return (await team(session, profile, now)).on_duty(now)

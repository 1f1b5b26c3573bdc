"""Changing who is on duty: weekly shifts, a word for now, away and back, swaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert

from crm.db import Session
from crm.desks import Profile
from crm.errors import NotFound, WrongInput
from crm.people import duty
from crm.people.models import Agent, DutyOverride, DutyShift
from crm.people.shifts import Duty, Shift, Stretch

# What an agent says of oneself; a swap is a matter of two.
OWN_WORDS = ("said", "away")


async def add_shifts(session: Session, agent: Agent, shifts: Sequence[Shift]) -> None:
    """Beside those that there are; what overlaps is one."""
    rows = [{"desk": agent.desk, "agent_id": agent.id, **shift._asdict()} for shift in shifts]
    await session.execute(insert(DutyShift).values(rows).on_conflict_do_nothing())


async def clear_shifts(session: Session, agent: Agent) -> None:
    """No shifts any more: what the agent says with `/duty on` and `/duty off` counts."""
    await session.execute(delete(DutyShift).where(DutyShift.agent_id == agent.id))


async def say(
    session: Session, profile: Profile, agent: Agent, on: bool, until: datetime | None, now: datetime
) -> None:
    """On or off duty now. Without an end it holds until the shifts say the same by themselves."""
    await _end_own(session, agent, now)
    known = await _duty(session, profile, agent, now)
    if until is None and known.shifts is None:
        agent.on_duty = on
        known = await _duty(session, profile, agent, now)
    if until is not None or known.on(now) != on:
        ends_at = until or known.changes_at(now)
        session.add(_override(agent, agent, on, (now, ends_at), "said", now))
        await session.flush()


async def leave(session: Session, agent: Agent, until: datetime | None, now: datetime) -> None:
    """Away: off duty whatever the shifts say, without an end until the agent is back."""
    await _end_own(session, agent, now)
    session.add(_override(agent, agent, False, (now, until), "away", now))
    await session.flush()


async def back(session: Session, profile: Profile, agent: Agent, now: datetime) -> Duty:
    """The shifts count again; an agent without any is on duty."""
    await _end_own(session, agent, now)
    agent.on_duty = True
    return await _duty(session, profile, agent, now)


@dataclass(frozen=True, slots=True)
class Swapped:
    """What went to a colleague, and the id by which the colleague may refuse it."""

    stretches: list[Stretch]
    id: int


async def swap(session: Session, profile: Profile, giver: Agent, taker: Agent, day: date, now: datetime) -> Swapped:
    """What is left of the giver's shifts that begin on that date goes to the taker.

    Raises WrongInput if it is the same person, or there is no such shift (any more).
    """
    if giver.id == taker.id:
        raise WrongInput(what="duty_swap")
    own = await _duty(session, profile, giver, now)
    coming = [(max(begin, now), end) for begin, end in own.begun_on(day) if end > now]
    given = [stretch for stretch in coming if own.on(stretch[0])]
    if not given:
        raise WrongInput(what="no_shift")
    session.add_all(_override(giver, giver, False, stretch, "swap", now) for stretch in given)
    taken = [_override(taker, giver, True, stretch, "swap", now) for stretch in given]
    session.add_all(taken)
    await session.flush()
    return Swapped(given, taken[0].id)


async def refuse(session: Session, taker: Agent, swap_id: int, now: datetime) -> Agent:
    """The taker does not want it: what is left of the shift is the giver's again; gives the giver.

    Raises NotFound if it was not given to this agent, or nothing of it is left.
    """
    taken = await session.get(DutyOverride, swap_id, with_for_update=True)
    if taken is None or taken.agent_id != taker.id or taken.reason != "swap" or not taken.on_duty:
        raise NotFound(what="swap")
    both = (
        DutyOverride.by_agent_id == taken.by_agent_id,
        DutyOverride.created_at == taken.created_at,
        DutyOverride.reason == "swap",
        DutyOverride.ends_at > func.greatest(DutyOverride.starts_at, now),
    )
    ended = await session.execute(
        update(DutyOverride)
        .where(*both)
        .values(ends_at=func.greatest(DutyOverride.starts_at, now))
        .returning(DutyOverride.id)
        .execution_options(synchronize_session=False)
    )
    if not ended.all():
        raise NotFound(what="swap")
    return await session.get_one(Agent, taken.by_agent_id)


async def _duty(session: Session, profile: Profile, agent: Agent, now: datetime) -> Duty:
    return (await duty.team(session, profile, now)).duty_of(agent)


def _override(
    agent: Agent, by: Agent, on: bool, stretch: tuple[datetime, datetime | None], reason: str, now: datetime
) -> DutyOverride:
    return DutyOverride(
        desk=agent.desk,
        agent_id=agent.id,
        on_duty=on,
        starts_at=stretch[0],
        ends_at=stretch[1],
        reason=reason,
        by_agent_id=by.id,
        created_at=now,
    )


async def _end_own(session: Session, agent: Agent, now: datetime) -> None:
    """What the agent said before holds no longer."""
    await session.execute(
        update(DutyOverride)
        .where(
            DutyOverride.agent_id == agent.id,
            DutyOverride.reason.in_(OWN_WORDS),
            or_(DutyOverride.ends_at.is_(None), DutyOverride.ends_at > now),
        )
        .values(ends_at=func.greatest(DutyOverride.starts_at, now))
        .execution_options(synchronize_session=False)
    )

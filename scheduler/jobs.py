"""What the clock does: each job is one bounded batch, (sessions, profiles, now) → how much was done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm import inbox, outbox
from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.sla import emergency, maintenance
from crm.sla.sweep import sweep
from crm.sla.targets import register_terms
from crm.tickets import holding, silence

SWEEP_BATCH = 100
# So long may a message wait for its requester to say which request it belongs to.
HELD_FOR = timedelta(minutes=5)
PRUNE_BATCH = 1000
# Boxes keep what is done for as long as somebody may ask what became of it; Telegram repeats for a day at most.
KEPT_FOR = timedelta(days=30)
IDLE_FOR = timedelta(days=1)


Batch = Callable[[Session, Profile, datetime, int], Awaitable[int]]


async def to_the_end(batch: Batch, sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Goes on until nothing is left, a batch a transaction.

    What fails at one desk is raised after the others had their turn.
    """
    handled, failed = 0, []
    for profile in profiles:
        try:
            handled += await _all_of_desk(batch, sessions, profile, now)
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return handled


async def _all_of_desk(batch: Batch, sessions: Sessions, profile: Profile, now: datetime) -> int:
    handled = 0
    while True:
        async with transaction(sessions) as session:
            done = await batch(session, profile, now, SWEEP_BATCH)
        handled += done
        if done < SWEEP_BATCH:
            return handled


async def promises(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Warnings and breaches that are due."""
    return await to_the_end(sweep, sessions, profiles, now)


async def unanswered(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Solutions that wait for a word of their requesters: the next batch of those that are due."""
    handled = 0
    for profile in profiles:
        async with transaction(sessions) as session:
            handled += await silence.sweep(session, profile, now, SWEEP_BATCH)
    return handled


async def emergencies(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Those that have run out, to be told; they have ended without that."""
    handled = 0
    for profile in profiles:
        async with transaction(sessions) as session:
            handled += await emergency.sweep(session, profile, now)
    return handled


async def windows(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Promises that announced maintenance moves, and those who are to hear of it; a batch a transaction."""
    handled = 0
    for profile in profiles:
        while True:
            async with transaction(sessions) as session:
                done = await maintenance.move_promises(session, profile, now, SWEEP_BATCH)
            handled += done
            if done < SWEEP_BATCH:
                break
    return handled


async def held_messages(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Those that were asked about and never answered; one a transaction."""
    handled = 0
    for profile in profiles:
        last: int | None = 0
        while last is not None:
            async with transaction(sessions) as session:
                last = await holding.place_forgotten(session, profile, now - HELD_FOR, now, last)
            handled += last is not None
    return handled


async def housekeeping(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """What is done and old is forgotten, a batch at a time; the tickets, their messages and their log stay."""
    async with sessions() as session:
        handled = await outbox.forget_idle(session, now - IDLE_FOR, PRUNE_BATCH)
        handled += await inbox.prune(session, now - KEPT_FOR, PRUNE_BATCH)
        return handled + await outbox.prune(session, now - KEPT_FOR, PRUNE_BATCH)


async def terms(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """The terms of a new year, before its first ticket."""
    async with sessions() as session:
        for profile in profiles:
            await register_terms(session, profile, now + timedelta(days=1))
    return 0


Sweep = Callable[[Sessions, Sequence[Profile], datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    every: float
    sweep: Sweep


JOBS = (
    Job("promises", 1, promises),
    Job("unanswered", 5, unanswered),
    Job("emergencies", 5, emergencies),
    Job("maintenance", 2, windows),
    Job("held messages", 20, held_messages),
    Job("housekeeping", 60, housekeeping),
    Job("terms", 3600, terms),
)

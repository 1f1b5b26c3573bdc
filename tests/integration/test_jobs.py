"""What the clock does, and that a job which fails stops nothing."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.people import duty
from crm.tickets import assignment, holding, service
from crm.wake import Waker
from scheduler.clock import Clock
from scheduler.jobs import HELD_FOR, JOBS, KEPT_FOR, Job, held_messages, housekeeping, promises
from tests.factories import (
    CUSTOMER,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    Moment,
    customer,
    engineer,
    minutes,
    opened,
    rows,
    variant,
    written,
)


async def test_promises_are_swept_for_every_desk(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await opened(session)
    assert await promises(sessions, [PROFILE], NOW) == 0
    assert await promises(sessions, [PROFILE], NOW + minutes(5)) == 1
    assert await promises(sessions, [], NOW + minutes(9)) == 0


async def test_a_held_message_waits_its_time_and_is_then_placed(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await holding.hold(session, PROFILE, await customer(session), written("?"), NOW)
    assert await held_messages(sessions, [PROFILE], NOW + HELD_FOR) == 0
    assert await held_messages(sessions, [PROFILE], NOW + HELD_FOR + timedelta(seconds=1)) == 1
    async with sessions() as session:
        assert await rows(session, "select 1 from message where ticket_id is null") == []


async def test_whoever_opens_tickets_for_held_messages_waits_for_nobody_who_waits_for_the_turn(
    sessions: Sessions,
) -> None:
    """A sweep that reassigns holds tickets and then takes the turn; the other way round they would wait for ever."""
    in_turn = variant(assignment="round_robin")
    async with transaction(sessions) as session:
        await engineer(session)
        ticket = await opened(session, OTHER_CUSTOMER)
        await rows(session, "update ticket set status = 'pending' returning 1")
        for chat in (CUSTOMER, OTHER_CUSTOMER):
            await holding.hold(session, PROFILE, await customer(session, chat), written("?", chat), NOW)
    async with transaction(sessions) as sweeping:
        await service.load(sweeping, in_turn.name, ticket.id)
        placing = asyncio.create_task(held_messages(sessions, [in_turn], NOW + minutes(10)))
        try:
            await _until_it_waits(sweeping)
            known = await duty.team(sweeping, in_turn, NOW)
            assert await assignment.choose(sweeping, in_turn, known, NOW) is not None
        except BaseException:
            placing.cancel()
            raise
    assert await placing == 2


async def _until_it_waits(session: Session) -> None:
    for _ in range(1000):
        if await session.rows("select 1 from pg_locks where not granted"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_old_boxes_are_pruned_and_what_needs_a_look_stays(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        for state in ("queued", "done", "quarantined"):
            await session.rows(
                """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, settled_at)
                   values ('s', $1, 'l', '', $2, $2, $1, $2)""",
                state,
                NOW,
            )
        for state in ("queued", "sent", "dropped", "failed", "unknown"):
            await session.rows(
                """insert into outbox (desk, channel, bucket, lane, kind, payload, priority, state, due_at, created_at,
                   settled_at) values ('d', 'telegram', 'b', 'l', 'call', '{}', 1, $1, $2, $2, $2)""",
                state,
                NOW,
            )
    assert await housekeeping(sessions, [PROFILE], NOW + KEPT_FOR) == 0
    assert await housekeeping(sessions, [PROFILE], NOW + KEPT_FOR + timedelta(seconds=1)) == 3
    async with sessions() as session:
        left = await rows(session, "select state from inbox union all select state from outbox")
    assert sorted(row.state for row in left) == ["failed", "quarantined", "queued", "queued", "unknown"]


async def test_rows_that_stay_do_not_hide_what_is_old(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.jobs.PRUNE_BATCH", 1)
    async with transaction(sessions) as session:
        for state, count in (("quarantined", 30), ("done", 1)):
            await session.rows(
                """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, settled_at)
                   select 's', $1 || n, 'l', '', $2, $2, $1, $2 from generate_series(1, $3::int) n""",
                state,
                NOW,
                count,
            )
        for state, count in (("failed", 30), ("sent", 1)):
            await session.rows(
                """insert into outbox (desk, channel, bucket, lane, kind, payload, priority, state, due_at, created_at,
                   settled_at) select 'd', 'telegram', 'b', 'l', 'call', '{}', 1, $1, $2, $2, $2
                   from generate_series(1, $3::int)""",
                state,
                NOW,
                count,
            )
    assert await housekeeping(sessions, [PROFILE], NOW + KEPT_FOR + timedelta(seconds=1)) == 2


def job(result: Any) -> Job:
    async def sweep(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
        if isinstance(result, Exception):
            raise result
        return int(result)

    return Job("test", 1, sweep)


async def test_a_job_that_fails_is_no_end_of_the_clock_and_work_wakes_the_senders(
    sessions: Sessions, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waker = Waker(engine)
    woken: list[str] = []
    monkeypatch.setattr(waker, "wake", woken.append)
    clock = Clock(sessions, [PROFILE], waker, Moment())
    await clock.tick(job(RuntimeError("broken")))
    await clock.tick(job(0))
    assert woken == []
    await clock.tick(job(3))
    assert woken == ["outbox"]


def test_jobs_have_names_of_their_own_and_a_pace() -> None:
    assert len({job.id for job in JOBS}) == len(JOBS)
    assert all(job.every > 0 for job in JOBS)


async def test_every_job_runs_on_an_empty_database(sessions: Sessions) -> None:
    for each in JOBS:
        assert await each.sweep(sessions, [PROFILE], NOW) == 0

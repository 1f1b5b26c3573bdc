"""Promises of a ticket over its life, and the sweep that speaks of them."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.sla.sweep import sweep
from crm.sla.targets import register_terms
from crm.tickets import service, work
from scheduler import jobs
from tests.factories import (
    GROUP,
    LEAD,
    NOW,
    PROFILE,
    add,
    connected,
    customer,
    engineer,
    minutes,
    one,
    opened,
    rows,
    written,
)


async def begun(sessions: Sessions, request_type: str | None = None) -> tuple[OpenTicket, Agent]:
    async with transaction(sessions) as session:
        await connected(session)
        return await opened(session, request_type=request_type), await engineer(session)


async def target(session: Session, metric: str) -> Any:
    return await one(session, "select * from sla_target where metric = :metric", metric=metric)


async def swept(sessions: Sessions, now: datetime) -> int:
    async with transaction(sessions) as session:
        return await sweep(session, PROFILE, now)


async def said(sessions: Sessions) -> list[tuple[str, str, float | None]]:
    """What the topic was told: notice, metric, share."""
    async with sessions() as session:
        found = await rows(
            session,
            """select payload ->> 'notice' as n, payload -> 'facts' as f from outbox
               where payload ->> 'notice' in ('warned', 'breached') order by id""",
        )
    return [(row.n, row.f["metric"], row.f["share"]) for row in found]


async def reply(sessions: Sessions, agent: Agent, ticket: OpenTicket, now: datetime, kind: str = "public") -> None:
    async with transaction(sessions) as session:
        await work.write(session, PROFILE, agent, ticket.id, kind, written("Смотрим", GROUP), now)


async def step(sessions: Sessions, action: Any, agent: Agent, ticket: OpenTicket, now: datetime) -> None:
    async with transaction(sessions) as session:
        await action(session, PROFILE, agent, ticket.id, now)


async def test_warned_at_half_and_four_fifths_and_then_broken(sessions: Sessions) -> None:
    await begun(sessions)
    for minute, expected in ((4.9, 0), (5, 1), (7.9, 0), (8, 1), (9.9, 0), (10, 1), (11, 0)):
        assert await swept(sessions, NOW + minutes(minute)) == expected, minute
    assert await said(sessions) == [
        ("warned", "first_response", 0.5),
        ("warned", "first_response", 0.8),
        ("breached", "first_response", None),
    ]
    async with sessions() as session:
        found = await target(session, "first_response")
        assert (found.breached_at, found.next_at, found.met_at) == (NOW + minutes(10), NOW + minutes(40), None)


async def test_a_sweep_that_was_down_says_only_the_last_step_and_records_the_true_time(sessions: Sessions) -> None:
    ticket, _ = await begun(sessions)
    assert await swept(sessions, NOW + minutes(35)) == 1
    assert await said(sessions) == [("breached", "first_response", None)]
    async with sessions() as session:
        assert (await target(session, "first_response")).breached_at == NOW + minutes(10)
        last = (await journal.story(session, ticket.id))[-1]
        assert (last.kind, last.data["due_at"]) == ("breached", (NOW + minutes(10)).isoformat())


async def test_a_late_answer_is_a_breach_even_if_the_sweep_was_down(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await reply(sessions, agent, ticket, NOW + minutes(20))
    await swept(sessions, NOW + minutes(21))
    async with sessions() as session:
        found = await target(session, "first_response")
    assert found.met_at == NOW + minutes(20)
    assert found.breached_at == NOW + minutes(10)


async def test_several_sweeps_at_once_say_it_once(sessions: Sessions) -> None:
    await begun(sessions)
    async with transaction(sessions) as one_session, transaction(sessions) as other:
        # Nobody waits for the other.
        await other.execute(text("set local lock_timeout = '2s'"))
        assert await sweep(one_session, PROFILE, NOW + minutes(5)) == 1
        assert await sweep(other, PROFILE, NOW + minutes(5)) == 0
    assert len(await said(sessions)) == 1


async def test_a_sweep_is_bounded_and_the_job_goes_on_until_nothing_is_left(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction(sessions) as session:
        for _ in range(5):
            await opened(session)
        assert await sweep(session, PROFILE, NOW + minutes(5), limit=2) == 2
    monkeypatch.setattr(jobs, "SWEEP_BATCH", 2)
    assert await jobs.promises(sessions, [PROFILE], NOW + minutes(5)) == 3
    assert await jobs.promises(sessions, [PROFILE], NOW + minutes(5)) == 0


async def test_another_desk_is_not_swept(sessions: Sessions) -> None:
    await begun(sessions)
    async with transaction(sessions) as session:
        assert await sweep(session, PROFILE.model_copy(update={"name": "other"}), NOW + minutes(60)) == 0


# --- what counts as an answer ------------------------------------------------------------------------------------


async def test_a_public_reply_keeps_the_first_promise(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await reply(sessions, agent, ticket, NOW + minutes(3))
    await reply(sessions, agent, ticket, NOW + minutes(4))
    assert await swept(sessions, NOW + minutes(30)) == 0
    async with sessions() as session:
        assert (await target(session, "first_response")).met_at == NOW + minutes(3)


async def test_notes_taking_and_the_bots_own_words_are_no_answer(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await reply(sessions, agent, ticket, NOW + minutes(1), kind="note")
    await step(sessions, work.take, agent, ticket, NOW + minutes(2))
    async with transaction(sessions) as session:
        await add(session, ticket, "Ау", NOW + minutes(3))
        await work.set_priority(session, PROFILE, agent, ticket.id, "high", NOW + minutes(3))
    async with sessions() as session:
        assert (await target(session, "first_response")).met_at is None
    assert await swept(sessions, NOW + minutes(10)) == 1


async def test_a_solution_keeps_both_promises(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await step(sessions, work.resolve, agent, ticket, NOW + minutes(3))
    async with sessions() as session:
        for metric in ("first_response", "resolution"):
            assert (await target(session, metric)).met_at == NOW + minutes(3)
    assert await swept(sessions, NOW + minutes(10**4)) == 0


# --- the clock stands and runs -----------------------------------------------------------------------------------


async def test_while_it_waits_for_the_customer_nothing_is_due(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "fault")
    await reply(sessions, agent, ticket, NOW + minutes(1))
    await step(sessions, work.ask, agent, ticket, NOW + minutes(20))
    assert await swept(sessions, NOW + minutes(500)) == 0
    async with transaction(sessions) as session:
        await add(session, ticket, "Вот", NOW + minutes(500))
        resumed = await one(session, "select payload from outbox where payload ->> 'notice' = 'resumed'")
        found = await target(session, "resolution")
    assert found.due_at == NOW + minutes(720)
    assert found.next_at == NOW + minutes(600)
    assert resumed.payload["facts"]["due_at"] == (NOW + minutes(720)).isoformat()


async def test_a_step_that_fell_before_the_pause_is_said_when_the_clock_runs_again(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await step(sessions, work.ask, agent, ticket, NOW + minutes(6))
    assert await swept(sessions, NOW + minutes(100)) == 0
    await step(sessions, work.reopen, agent, ticket, NOW + minutes(101))
    assert await swept(sessions, NOW + minutes(101)) == 1
    assert await said(sessions) == [("warned", "first_response", 0.5)]


async def test_what_was_due_before_the_pause_is_broken_even_if_the_sweep_was_down(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await step(sessions, work.ask, agent, ticket, NOW + minutes(12))
    assert await swept(sessions, NOW + minutes(100)) == 0
    assert await said(sessions) == [("breached", "first_response", None)]
    async with sessions() as session:
        assert (await target(session, "first_response")).breached_at == NOW + minutes(10)


async def test_one_standing_follows_another_without_a_gap(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "outage")
    await step(sessions, work.ask, agent, ticket, NOW + minutes(10))
    await step(sessions, work.resolve, agent, ticket, NOW + minutes(30))
    async with transaction(sessions) as session:
        await service.reject(session, PROFILE, await customer(session), ticket.id, NOW + minutes(50))
        found = await target(session, "resolution")
        ledger = await rows(session, "select kind, started_at, ended_at from sla_pause order by id")
    assert [(row.kind, row.started_at, row.ended_at) for row in ledger] == [
        ("pending", NOW + minutes(10), NOW + minutes(30)),
        ("resolved", NOW + minutes(30), NOW + minutes(50)),
    ]
    assert (found.met_at, found.due_at) == (None, NOW + minutes(100))


async def test_after_a_rejection_the_same_promise_runs_on_and_breaks(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "outage")
    await step(sessions, work.resolve, agent, ticket, NOW + minutes(59))
    async with transaction(sessions) as session:
        await service.reject(session, PROFILE, await customer(session), ticket.id, NOW + minutes(90))
    await swept(sessions, NOW + minutes(91))
    async with sessions() as session:
        assert (await target(session, "resolution")).breached_at == NOW + minutes(91)


async def test_a_closed_ticket_promises_nothing(sessions: Sessions) -> None:
    ticket, _ = await begun(sessions)
    async with transaction(sessions) as session:
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, NOW + minutes(1))
    assert await swept(sessions, NOW + minutes(10**5)) == 0


# --- another type ------------------------------------------------------------------------------------------------


async def test_another_type_counts_from_the_same_start_with_all_pauses(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "outage")
    await reply(sessions, agent, ticket, NOW + minutes(1))
    await step(sessions, work.ask, agent, ticket, NOW + minutes(10))
    await step(sessions, work.reopen, agent, ticket, NOW + minutes(15))
    async with transaction(sessions) as session:
        await work.set_type(session, PROFILE, agent, ticket.id, "quota", NOW + minutes(16))
        found = await target(session, "resolution")
        told = await one(session, "select payload from outbox where payload ->> 'notice' = 'retyped'")
    assert (found.budget, found.due_at) == (20 * 60, NOW + minutes(25))
    assert told.payload["facts"]["due_at"] == (NOW + minutes(25)).isoformat()


async def test_a_longer_promise_warns_anew(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "vm")
    await reply(sessions, agent, ticket, NOW + minutes(1))
    await swept(sessions, NOW + minutes(8))
    async with transaction(sessions) as session:
        await work.set_type(session, PROFILE, agent, ticket.id, "outage", NOW + minutes(9))
        assert (await target(session, "resolution")).next_at == NOW + minutes(30)


async def test_a_broken_promise_does_not_show_a_time_that_is_still_to_come(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions, "vm")
    await swept(sessions, NOW + minutes(10))
    async with transaction(sessions) as session:
        await work.set_type(session, PROFILE, agent, ticket.id, "outage", NOW + minutes(12))
        found = await target(session, "resolution")
    # Either it is broken as it was, or the new promise is kept watch of; not both halves of each.
    assert (found.breached_at is None and found.next_at is not None) or found.due_at <= NOW + minutes(12)


# --- who is called -----------------------------------------------------------------------------------------------


async def mentioned(sessions: Sessions) -> list[int]:
    async with sessions() as session:
        found = await rows(
            session, "select payload -> 'facts' -> 'mention' as m from outbox where payload ->> 'notice' = 'warned'"
        )
    return [agent["id"] for agent in found[-1].m]


async def test_a_warning_calls_those_on_duty_and_the_assignee_once_there_is_one(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    async with transaction(sessions) as session:
        await engineer(session, LEAD, "lead")
        away = await engineer(session, 7)
        away.on_duty = False
    await swept(sessions, NOW + minutes(5))
    assert await mentioned(sessions) == [agent.telegram_id, LEAD]
    await step(sessions, work.take, agent, ticket, NOW + minutes(6))
    await swept(sessions, NOW + minutes(8))
    assert await mentioned(sessions) == [agent.telegram_id]


async def test_an_assignee_who_was_removed_is_not_called(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await step(sessions, work.take, agent, ticket, NOW + minutes(1))
    async with transaction(sessions) as session:
        await engineer(session, LEAD, "lead")
        await rows(session, "update agent set active = false where id = :id returning id", id=agent.id)
    await swept(sessions, NOW + minutes(5))
    assert await mentioned(sessions) == [LEAD]


async def test_terms_that_are_registered_are_not_written_again(sessions: Sessions) -> None:
    """And those that are not come with the ticket."""
    async with sessions() as session:
        await register_terms(session, PROFILE, NOW)
        known = len(await rows(session, "select 1 from sla_terms"))
    async with transaction(sessions) as session:
        await opened(session)
        await opened(session, chat=777, now=NOW.replace(year=2031))
    async with sessions() as session:
        found = await rows(session, "select 1 from sla_terms")
    # Another year would bring other holidays; this calendar has none.
    assert len(found) == known

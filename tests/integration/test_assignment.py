"""Who answers for a new ticket, by choice of the profile."""

import asyncio
from collections import Counter

import pytest

from crm.db import Session, Sessions, transaction
from crm.people import duty, roster
from crm.people.models import Agent
from crm.people.shifts import Shift
from crm.tickets import assignment, work
from tests.factories import LEAD, NOW, PROFILE, connected, engineer, minutes, one, opened, rows, variant

ROUND_ROBIN = variant(assignment="round_robin")
LEAST_LOADED = variant(assignment="least_loaded")


async def three(session: Session) -> list[Agent]:
    await connected(session)
    return [await engineer(session, number) for number in (11, 12, 13)]


async def assignees(sessions: Sessions) -> list[int | None]:
    """Telegram ids, by ticket."""
    async with sessions() as session:
        found = await rows(
            session, "select a.telegram_id from ticket t left join agent a on a.id = t.assignee_id order by t.id"
        )
    return [row.telegram_id for row in found]


async def test_by_hand_nothing_is_asked_and_nobody_is_assigned(sessions: Sessions) -> None:
    assert await assignment.at_opening(None, PROFILE, NOW) is None  # type: ignore[arg-type]
    async with transaction(sessions) as session:
        await three(session)
        await opened(session)
    assert await assignees(sessions) == [None]


async def test_in_turn_also_when_the_clock_stands(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await three(session)
    for _ in range(7):
        async with transaction(sessions) as session:
            await opened(session, profile=ROUND_ROBIN)
    assert await assignees(sessions) == [11, 12, 13, 11, 12, 13, 11]


async def test_whoever_was_off_duty_is_next_and_gets_no_more_than_that(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, *_ = await three(session)
        first.on_duty = False
    for _ in range(3):
        async with transaction(sessions) as session:
            await opened(session, profile=ROUND_ROBIN)
    async with transaction(sessions) as session:
        await rows(session, "update agent set on_duty = true returning id")
    for _ in range(4):
        async with transaction(sessions) as session:
            await opened(session, profile=ROUND_ROBIN)
    assert await assignees(sessions) == [12, 13, 12, 11, 13, 12, 11]


@pytest.mark.parametrize("profile", [ROUND_ROBIN, LEAST_LOADED], ids=lambda p: p.assignment)
async def test_several_processes_share_fairly(sessions: Sessions, profile: object) -> None:
    async with transaction(sessions) as session:
        await three(session)

    async def process(number: int) -> None:
        for _ in range(3):
            async with transaction(sessions) as session:
                await opened(session, 600 + number, profile=profile)  # type: ignore[arg-type]

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(process(number))
    assert Counter(await assignees(sessions)) == {11: 5, 12: 5, 13: 5}


async def test_the_fewest_active_tickets_count(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, second, third = await three(session)
        for agent, number in ((first, 2), (second, 1), (third, 1)):
            for _ in range(number):
                ticket = await opened(session)
                await work.take(session, PROFILE, agent, ticket.id, NOW)
        done = await opened(session)
        await work.take(session, PROFILE, third, done.id, NOW)
        await work.resolve(session, PROFILE, third, done.id, NOW)
    for _ in range(2):
        async with transaction(sessions) as session:
            await opened(session, profile=LEAST_LOADED)
    assert (await assignees(sessions))[-2:] == [12, 13]


async def test_the_card_the_log_and_the_topic_know_it(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await connected(session)
        agent = await engineer(session)
        ticket = await opened(session, profile=ROUND_ROBIN)
    async with sessions() as session:
        events = await rows(session, "select kind, actor_kind, data from ticket_event order by seq")
        lane = await rows(
            session, "select kind, payload from outbox where lane = :l order by id", l=f"ticket:{ticket.id}"
        )
    assert [(row.kind, row.actor_kind) for row in events] == [("opened", "requester"), ("assigned", "system")]
    assert events[1].data == {"agent": agent.name}
    assert [row.kind for row in lane] == ["topic.open", "card", "relay", "say"]
    assert lane[3].payload["notice"] == "assigned"
    assert lane[3].payload["facts"]["mention"] == [{"id": agent.telegram_id, "name": agent.name}]


async def test_while_nobody_is_on_duty_it_stays_for_whoever_takes_it(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await connected(session)
        agent = await engineer(session)
        await roster.add_shifts(session, agent, [Shift(6, 1200, 1920)])  # NOW is a Sunday, 14:00
        await opened(session, profile=ROUND_ROBIN)
    async with transaction(sessions) as session:
        await opened(session, profile=ROUND_ROBIN, now=NOW + minutes(6 * 60))
        told = await rows(session, "select 1 from outbox where payload ->> 'notice' = 'assigned'")
    assert await assignees(sessions) == [None, agent.telegram_id]
    assert len(told) == 1


async def test_the_last_one_of_the_team_is_not_chosen_for_what_they_have(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        agent = await engineer(session, LEAD, "lead")
        known = await duty.team(session, PROFILE, NOW)
        assert await assignment.choose(session, PROFILE, known, NOW, but=agent.id) is None
        assert (await one(session, "select turn from agent")).turn == 0

"""Transfers between queues: whose work it is, by when it is taken over, and what the customer sees of that."""

from datetime import datetime
from typing import Any

import pytest

from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.errors import WrongInput, WrongStatus
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.sla.sweep import sweep
from crm.tickets import queries, queues, service, work
from tests.factories import GROUP, NOW, PROFILE, connected, customer, engineer, minutes, one, opened, rows, written


async def begun(sessions: Sessions) -> tuple[OpenTicket, Agent]:
    async with transaction(sessions) as session:
        await connected(session)
        ticket, agent = await opened(session, request_type="fault"), await engineer(session)
        await work.write(session, PROFILE, agent, ticket.id, "public", written("Смотрим", GROUP), NOW)
    return ticket, agent


async def given(sessions: Sessions, agent: Agent, ticket: OpenTicket, queue: str, now: datetime, **more: Any) -> None:
    async with transaction(sessions) as session:
        await queues.transfer(session, more.get("profile", PROFILE), agent, ticket.id, queue, now)


async def taking(sessions: Sessions) -> list[Any]:
    async with sessions() as session:
        return await rows(
            session,
            "select round, due_at, met_at, breached_at from sla_target where metric = 'transfer' order by round",
        )


async def test_a_transfer_has_a_target_of_its_own_until_somebody_takes_it(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await given(sessions, agent, ticket, "infrastructure", NOW + minutes(5))
    async with sessions() as session:
        stored = await one(session, "select queue, assignee_id from ticket")
        event = await one(session, "select data from ticket_event where kind = 'transferred'")
    assert tuple(stored) == ("infrastructure", None)
    assert event.data == {"before": "support", "after": "infrastructure"}
    assert [tuple(row) for row in await taking(sessions)] == [(1, NOW + minutes(35), None, None)]
    async with transaction(sessions) as session:
        other = await engineer(session, 77)
        await work.take(session, PROFILE, other, ticket.id, NOW + minutes(20))
    assert (await taking(sessions))[0].met_at == NOW + minutes(20)


@pytest.mark.parametrize("action", [work.ask, work.hold, work.resolve, work.reopen])
async def test_whoever_does_something_with_it_has_taken_it_over(sessions: Sessions, action: Any) -> None:
    ticket, agent = await begun(sessions)
    if action is work.reopen:
        async with transaction(sessions) as session:
            await work.ask(session, PROFILE, agent, ticket.id, NOW + minutes(1))
    await given(sessions, agent, ticket, "infrastructure", NOW + minutes(5))
    async with transaction(sessions) as session:
        await action(session, PROFILE, agent, ticket.id, NOW + minutes(6))
    assert (await taking(sessions))[0].met_at == NOW + minutes(6)


async def test_an_answer_takes_it_over_and_a_note_does_not(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await given(sessions, agent, ticket, "infrastructure", NOW)
    for kind, minute, met in (("note", 1, None), ("public", 2, NOW + minutes(2))):
        async with transaction(sessions) as session:
            await work.write(session, PROFILE, agent, ticket.id, kind, written("Вот", GROUP), NOW + minutes(minute))
        assert (await taking(sessions))[0].met_at == met


async def test_warned_and_broken_in_the_topic_and_never_before_the_customer(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await given(sessions, agent, ticket, "infrastructure", NOW)
    async with sessions() as session:
        [seen] = await queries.own(session, PROFILE.name, (await customer(session)).person_id)
    assert seen["due_at"] == NOW + minutes(240)
    async with transaction(sessions) as session:
        await sweep(session, PROFILE, NOW + minutes(15))
        await sweep(session, PROFILE, NOW + minutes(30))
    async with sessions() as session:
        said = await rows(
            session,
            """select payload ->> 'notice' as n, payload ->> 'to' as who from outbox
               where payload -> 'facts' ->> 'metric' = 'transfer' order by id""",
        )
        card = await queries.card(session, ticket.id)
    assert [tuple(row) for row in said] == [("warned", "topic"), ("breached", "topic")]
    assert "transfer" in [target["metric"] for target in card["targets"]]


async def test_given_on_it_is_a_new_round_and_given_back_to_support_nobody_has_to_hurry(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await given(sessions, agent, ticket, "infrastructure", NOW)
    await given(sessions, agent, ticket, "billing", NOW + minutes(40))
    await given(sessions, agent, ticket, "support", NOW + minutes(41))
    assert [tuple(row) for row in await taking(sessions)] == [
        (1, NOW + minutes(30), NOW + minutes(40), NOW + minutes(30)),
        (2, NOW + minutes(100), NOW + minutes(41), None),
    ]


async def test_a_transfer_survives_that_the_ticket_is_something_else_now(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    await given(sessions, agent, ticket, "infrastructure", NOW)
    async with transaction(sessions) as session:
        await work.set_type(session, PROFILE, agent, ticket.id, "quota", NOW + minutes(1))
    assert [tuple(row) for row in await taking(sessions)] == [(1, NOW + minutes(30), None, None)]


async def test_another_queue_may_promise_another_time_and_the_customer_hears_it(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    plain = PROFILE.model_dump(by_alias=True, exclude={"calendars", "closing", "policies"})
    slower = {"queues": ["billing"], "resolution": {"minutes": 600}}
    own = [policy.model_dump(exclude_defaults=True) for policy in PROFILE.policies]
    calendars = {"always": {"timezone": "Asia/Almaty", "hours": "24/7"}}
    profile = Profile.model_validate(plain | {"calendars": calendars, "policies": [slower, *own]})
    await given(sessions, agent, ticket, "billing", NOW + minutes(5), profile=profile)
    async with sessions() as session:
        found = await one(session, "select due_at from sla_target where metric = 'resolution'")
        told = await one(session, "select payload from outbox where payload ->> 'notice' = 'moved'")
    assert found.due_at == NOW + minutes(600)
    assert told.payload["facts"]["reason"] == "transfer"


async def test_what_is_refused(sessions: Sessions) -> None:
    ticket, agent = await begun(sessions)
    for queue in ("support", "nowhere", ""):
        with pytest.raises(WrongInput):
            await given(sessions, agent, ticket, queue, NOW)
    async with transaction(sessions) as session:
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, NOW)
    with pytest.raises(WrongStatus):
        await given(sessions, agent, ticket, "billing", NOW)

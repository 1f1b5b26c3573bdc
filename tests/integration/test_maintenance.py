"""Maintenance that leads announce: clocks stand for it, promises move once, and each customer is told once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.errors import DeskError, NotAllowed, NotFound, WrongInput
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.sla import accounts, maintenance
from crm.sla.explain import running
from crm.sla.models import Maintenance
from crm.sla.sweep import sweep
from crm.sla.windows import Window
from crm.tickets import opening, work
from crm.tickets.opening import Opening
from scheduler.jobs import windows
from tests.factories import (
    CUSTOMER,
    GROUP,
    LEAD,
    NOW,
    PROFILE,
    connected,
    customer,
    engineer,
    minutes,
    opened,
    rows,
    written,
)

WEEKLY = Profile.model_validate(
    PROFILE.model_dump(by_alias=True, exclude={"calendars", "closing"})
    | {"calendars": {"always": {"timezone": "Asia/Almaty", "hours": "24/7"}}}
    # NOW is a Sunday, 14:00 in Almaty and 12:00 in Moscow.
    | {"maintenance": [{"weekday": "sun", "from": "12:05", "to": "13:05", "timezone": "Europe/Moscow"}]}
)


def at(minute: float) -> datetime:
    return NOW + minutes(minute)


async def begun(sessions: Sessions, request_type: str = "outage") -> tuple[OpenTicket, Agent]:
    async with transaction(sessions) as session:
        await connected(session)
        await engineer(session)
        return await opened(session, request_type=request_type), await engineer(session, LEAD, "lead")


async def announced(sessions: Sessions, lead: Agent, begin: float, end: float, now: float = 0) -> Maintenance:
    async with transaction(sessions) as session:
        asked = Window(at(begin), at(end), "Замена дисков")
        return await maintenance.announce(session, PROFILE, lead, asked, at(now))


async def cancelled(sessions: Sessions, lead: Agent, window: Maintenance, now: float) -> None:
    async with transaction(sessions) as session:
        await maintenance.cancel(session, PROFILE, lead, window.id, at(now))


async def moved(sessions: Sessions, now: float) -> int:
    return await windows(sessions, [PROFILE], at(now))


async def due(sessions: Sessions, metric: str = "resolution") -> float:
    """Minutes after the beginning."""
    async with sessions() as session:
        [row] = await rows(session, "select due_at from sla_target where metric = :m", m=metric)
    return float((row.due_at - NOW) / timedelta(minutes=1))


async def told(sessions: Sessions) -> list[dict[str, float]]:
    """What customers heard of moved promises, in minutes after the beginning."""
    async with sessions() as session:
        found = await rows(
            session, "select payload -> 'facts' as f from outbox where payload ->> 'notice' = 'moved' order by id"
        )
    return [
        {p["metric"]: (datetime.fromisoformat(p["due_at"]) - NOW) / timedelta(minutes=1) for p in row.f["promises"]}
        for row in found
    ]


async def said(sessions: Sessions) -> list[tuple[str, str]]:
    async with sessions() as session:
        found = await rows(
            session,
            """select payload ->> 'notice' as n, payload -> 'facts' ->> 'metric' as m from outbox
               where payload ->> 'notice' in ('warned', 'breached') order by id""",
        )
    return [(row.n, row.m) for row in found]


async def test_a_promise_moves_and_its_customer_is_told_once(sessions: Sessions) -> None:
    ticket, lead = await begun(sessions)
    await announced(sessions, lead, 5, 25)
    assert await moved(sessions, 1) == 1
    assert await moved(sessions, 2) == 0
    assert (await due(sessions, "first_response"), await due(sessions)) == (30, 80)
    assert await told(sessions) == [{"first_response": 30, "resolution": 80}]
    async with sessions() as session:
        for one in await accounts.of_ticket(session, ticket.id, at(10)):
            assert one.due_at == one.promise.due_at
            assert (one.ran, running([*one.past, *one.ahead])) == (minutes(5), one.budget)
        events = await rows(
            session, "select data ->> 'metric' as m from ticket_event where kind = 'moved' order by seq"
        )
        general = await rows(session, "select payload, bucket from outbox where kind = 'alarm'")
    # Word to the customer moves as well, but was never told as a time.
    assert sorted(row.m for row in events) == ["first_response", "inform", "resolution"]
    assert [row.payload["notice"] for row in general] == ["maintenance"]


async def test_what_is_due_before_it_does_not_move(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    await announced(sessions, lead, 10, 25)
    await moved(sessions, 1)
    # Used up at the very moment at which the work begins.
    assert (await due(sessions, "first_response"), await due(sessions)) == (10, 75)
    assert await told(sessions) == [{"resolution": 75}]


async def test_a_sweep_that_comes_before_the_job_breaks_no_promise_that_has_moved(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    await announced(sessions, lead, 1, 61)
    async with transaction(sessions) as session:
        assert await sweep(session, PROFILE, at(60)) > 0
    assert await said(sessions) == []
    assert await due(sessions) == 120
    # The job still tells, though the row is right already.
    await moved(sessions, 60)
    assert await told(sessions) == [{"first_response": 70, "resolution": 120}]
    async with transaction(sessions) as session:
        await sweep(session, PROFILE, at(70))
    assert ("breached", "first_response") in await said(sessions)


async def test_an_answer_that_the_job_has_not_heard_of_is_not_late(sessions: Sessions) -> None:
    ticket, lead = await begun(sessions)
    await announced(sessions, lead, 1, 61)
    async with transaction(sessions) as session:
        await work.write(session, PROFILE, lead, ticket.id, "public", written("Смотрим", GROUP), at(65))
    async with sessions() as session:
        [row] = await rows(session, "select due_at, breached_at from sla_target where metric = 'first_response'")
    assert (row.breached_at, row.due_at) == (None, at(70))


async def test_an_answer_while_it_waits_for_the_customer_is_not_late(sessions: Sessions) -> None:
    """The clock stood at six of ten minutes: an hour later it still stands there."""
    ticket, lead = await begun(sessions)
    async with transaction(sessions) as session:
        await work.ask(session, PROFILE, lead, ticket.id, at(6))
    async with transaction(sessions) as session:
        await work.write(session, PROFILE, lead, ticket.id, "public", written("Смотрим", GROUP), at(60))
    async with sessions() as session:
        [row] = await rows(session, "select met_at, breached_at from sla_target where metric = 'first_response'")
    assert (row.met_at, row.breached_at) == (at(60), None)


async def test_a_ticket_that_opens_later_is_promised_with_it_at_once(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    await announced(sessions, lead, 5, 25)
    async with transaction(sessions) as session:
        late = await opened(session, chat=CUSTOMER + 5, request_type="outage", now=at(3))
        found = {one.promise.metric: one.promise.due_at for one in await accounts.of_ticket(session, late.id, at(3))}
    assert (found["first_response"], found["resolution"]) == (at(33), at(83))
    await moved(sessions, 4)
    assert len(await told(sessions)) == 1


async def test_its_own_wait_and_maintenance_over_one_another_count_once(sessions: Sessions) -> None:
    ticket, lead = await begun(sessions)
    await announced(sessions, lead, 10, 30)
    await moved(sessions, 1)
    async with transaction(sessions) as session:
        await work.ask(session, PROFILE, lead, ticket.id, at(20))
    async with transaction(sessions) as session:
        await work.reopen(session, PROFILE, lead, ticket.id, at(40))
    assert await due(sessions) == 90


async def test_what_waits_for_its_customer_is_not_told_of_a_time_that_nobody_knows(sessions: Sessions) -> None:
    ticket, lead = await begun(sessions)
    async with transaction(sessions) as session:
        await work.ask(session, PROFILE, lead, ticket.id, at(2))
    await announced(sessions, lead, 10, 30, now=3)
    await moved(sessions, 3)
    assert await told(sessions) == []


async def test_cancelled_before_it_began_everything_is_as_it_was(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    window = await announced(sessions, lead, 5, 25)
    await moved(sessions, 1)
    await cancelled(sessions, lead, window, 2)
    await moved(sessions, 2)
    assert (await due(sessions, "first_response"), await due(sessions)) == (10, 60)
    assert await told(sessions) == [
        {"first_response": 30, "resolution": 80},
        {"first_response": 10, "resolution": 60},
    ]


async def test_cancelled_on_the_way_it_has_ended_with_that(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    window = await announced(sessions, lead, 5, 25)
    await moved(sessions, 1)
    await cancelled(sessions, lead, window, 15)
    await moved(sessions, 15)
    assert await due(sessions) == 70


async def test_cancelled_before_anybody_was_told_nobody_is(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    window = await announced(sessions, lead, 5, 25)
    await cancelled(sessions, lead, window, 1)
    await moved(sessions, 1)
    assert await told(sessions) == []
    assert await due(sessions) == 60


async def test_many_tickets_go_by_in_batches_and_each_is_told_once(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.jobs.SWEEP_BATCH", 2)
    _, lead = await begun(sessions)
    async with transaction(sessions) as session:
        for number in range(4):
            await opened(session, chat=700 + number, request_type="outage")
    await announced(sessions, lead, 5, 25)
    async with transaction(sessions) as session:
        assert await maintenance.move_promises(session, PROFILE, at(1), limit=2) == 2
    assert len(await told(sessions)) == 2
    assert await moved(sessions, 1) == 3
    assert await told(sessions) == [{"first_response": 30, "resolution": 80}] * 5


async def test_cancelled_half_way_only_those_who_had_heard_are_told_again(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    async with transaction(sessions) as session:
        await opened(session, chat=700, request_type="outage")
    window = await announced(sessions, lead, 5, 25)
    async with transaction(sessions) as session:
        await maintenance.move_promises(session, PROFILE, at(1), limit=1)
    await cancelled(sessions, lead, window, 2)
    await moved(sessions, 2)
    assert await told(sessions) == [{"first_response": 30, "resolution": 80}, {"first_response": 10, "resolution": 60}]


async def test_who_may_and_what_may_not_be(sessions: Sessions) -> None:
    _, lead = await begun(sessions)
    window = await announced(sessions, lead, 5, 25)
    async with transaction(sessions) as session:
        agent = await engineer(session)
        wrong: list[tuple[type[DeskError], Any]] = [
            (NotAllowed, maintenance.announce(session, PROFILE, agent, Window(at(5), at(6), "x"), NOW)),
            (NotAllowed, maintenance.cancel(session, PROFILE, agent, window.id, NOW)),
            (WrongInput, maintenance.announce(session, PROFILE, lead, Window(at(-1), at(6), "x"), NOW)),
            (NotFound, maintenance.cancel(session, PROFILE, lead, 99, NOW)),
            (NotFound, maintenance.cancel(session, PROFILE, lead, window.id, at(25))),
        ]
        for error, call in wrong:
            with pytest.raises(error):
                await call
        assert len(await maintenance.listing(session, PROFILE, NOW)) == 1
        assert await maintenance.listing(session, PROFILE, at(25)) == []


async def test_the_weekly_window_is_in_the_terms_and_the_account_agrees_with_what_is_stored(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        who = await customer(session)
        ticket = await opening.open_ticket(session, WEEKLY, who, written(), NOW, Opening("outage"))
        found = {one.promise.metric: one for one in await accounts.of_ticket(session, ticket.id, at(30))}
    assert found["first_response"].promise.due_at == at(70)
    for one in found.values():
        assert one.due_at == one.promise.due_at
    stands = found["resolution"].stands
    assert stands is not None
    assert (stands.kind, stands.start, stands.end) == ("maintenance", at(5), at(65))

"""Emergency mode: what opens while it holds, who may declare it, and that it ends by itself."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.journal import Actor
from crm.sla import emergency
from crm.tickets import work
from scheduler.jobs import emergencies
from tests.factories import (
    ADMIN,
    CUSTOMER,
    ENGINEER,
    LEAD,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    STRANGER,
    engineer,
    in_group,
    minutes,
    one,
    opened,
    rows,
    said,
    undone,
)
from tests.integration.conftest import Reception

FOUR_HOURS = timedelta(hours=4)
REASON = "Авария в дата-центре"
LATER = NOW + minutes(1)


async def declared(
    sessions: Sessions, number: int = 60, lasts: timedelta = FOUR_HOURS, reason: str = REASON, now: datetime = NOW
) -> None:
    async with transaction(sessions) as session:
        lead = await engineer(session, LEAD, "lead", "Ерлан")
        await emergency.declare(session, PROFILE, Actor("agent", lead.id, lead.name), number, lasts, reason, now)


async def due(session: Session, ticket: int, metric: str = "first_response") -> datetime:
    found = await one(
        session, "select due_at from sla_target where ticket_id = :id and metric = :metric", id=ticket, metric=metric
    )
    assert isinstance(found.due_at, datetime)
    return found.due_at


async def acknowledged(session: Session, ticket: int) -> Any:
    found = await one(
        session,
        "select payload -> 'facts' as f from outbox where ticket_id = :id and payload ->> 'notice' = 'acknowledged'",
        id=ticket,
    )
    return found.f


async def alarms(sessions: Sessions) -> list[tuple[str, str | None]]:
    """What General is told, and by whose doing."""
    async with sessions() as session:
        found = await rows(session, "select payload as p from outbox where kind = 'alarm' order by id")
    return [(row.p["notice"], row.p["facts"]["name"]) for row in found]


# --- what opens while it holds -----------------------------------------------------------------------------------


async def test_a_first_response_is_promised_later_and_the_customer_reads_why(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        before = await opened(session)
    await declared(sessions)
    async with transaction(sessions) as session:
        ticket = await opened(session, now=LATER)
        assert await due(session, before.id) == NOW + minutes(10)
        assert await due(session, ticket.id) == LATER + minutes(60)
        assert await due(session, ticket.id, "resolution") == LATER + minutes(1440)
        said_to = await acknowledged(session, ticket.id)
        assert (said_to["emergency"], said_to["due_at"]) == (REASON, (LATER + minutes(60)).isoformat())
        assert (await acknowledged(session, before.id))["emergency"] is None
        [event] = await journal.story(session, ticket.id)
        assert event.data["emergency"] == {"minutes": 60, "reason": REASON}


async def test_warnings_follow_the_longer_promise(sessions: Sessions) -> None:
    await declared(sessions)
    async with transaction(sessions) as session:
        ticket = await opened(session, now=LATER)
        target = await one(
            session, "select next_at from sla_target where ticket_id = :id and metric = 'first_response'", id=ticket.id
        )
    assert target.next_at == LATER + minutes(30)


@pytest.mark.parametrize(("at", "promised"), [(FOUR_HOURS - timedelta(seconds=1), 60), (FOUR_HOURS, 10)])
async def test_it_ends_by_itself_whether_a_sweep_runs_or_not(sessions: Sessions, at: timedelta, promised: int) -> None:
    await declared(sessions)
    async with transaction(sessions) as session:
        ticket = await opened(session, now=NOW + at)
        assert await due(session, ticket.id) == NOW + at + minutes(promised)


async def test_what_takes_longer_anyway_is_not_shortened_and_nobody_is_alarmed(sessions: Sessions) -> None:
    await declared(sessions, number=5)
    async with transaction(sessions) as session:
        ticket = await opened(session, now=LATER)
        assert await due(session, ticket.id) == LATER + minutes(10)
        assert (await acknowledged(session, ticket.id))["emergency"] is None


async def test_another_desk_goes_on_as_usual(sessions: Sessions) -> None:
    other = PROFILE.model_copy(update={"name": "other"})
    async with transaction(sessions) as session:
        await emergency.declare(session, other, Actor("agent", None, "Другой"), 60, FOUR_HOURS, REASON, NOW)
        ticket = await opened(session, now=LATER)
        assert await due(session, ticket.id) == LATER + minutes(10)


async def test_a_change_of_type_keeps_what_was_promised_in_an_emergency(sessions: Sessions) -> None:
    """And gives nothing to what had opened before it, also once it is over."""
    async with transaction(sessions) as session:
        agent, before = await engineer(session), await opened(session)
    await declared(sessions, now=LATER)
    async with transaction(sessions) as session:
        during = await opened(session, OTHER_CUSTOMER, now=LATER)
    async with transaction(sessions) as session:
        await emergency.end(session, PROFILE, Actor("agent", None, "Ерлан"), LATER + minutes(1))
        await emergency.end(session, PROFILE, Actor("agent", None, "Ерлан"), LATER + minutes(1))
        for ticket in (before, during):
            await work.set_type(session, PROFILE, agent, ticket.id, "fault", LATER + minutes(2))
        assert await due(session, before.id) == NOW + minutes(10)
        assert await due(session, during.id) == LATER + minutes(60)
        assert await due(session, during.id, "resolution") == LATER + minutes(240)


async def test_opening_a_ticket_asks_the_database_no_more_often(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = Session.rows

    async def counted(self: Session, statement: str, *values: Any) -> list[Any]:
        asked.append(statement)
        return await plain(self, statement, *values)

    monkeypatch.setattr(Session, "rows", counted)
    numbers = []
    for chat in (CUSTOMER, OTHER_CUSTOMER):
        async with transaction(sessions) as session:
            asked.clear()
            await opened(session, chat, now=LATER)
        numbers.append(len(asked))
        await declared(sessions)
    assert numbers[0] == numbers[1]


# --- one at a time, kept for good --------------------------------------------------------------------------------


async def test_a_new_one_takes_the_place_of_the_old(sessions: Sessions) -> None:
    await declared(sessions)
    await declared(sessions, 120, timedelta(days=1), "Обрыв магистрали", LATER)
    async with transaction(sessions) as session:
        held = await emergency.current(session, PROFILE, LATER)
        assert held is not None
        assert (held.minutes, held.reason, held.agent_name) == (120, "Обрыв магистрали", "Ерлан")
        history = await rows(session, "select started_at, ends_at, ended_at, ended_by from emergency order by id")
        assert [tuple(row) for row in history] == [
            (NOW, NOW + FOUR_HOURS, LATER, "Ерлан"),
            (LATER, LATER + timedelta(days=1), None, None),
        ]


async def test_two_leads_at_once_take_turns(sessions: Sessions) -> None:
    by = Actor("agent", None, "Ерлан")
    async with transaction(sessions) as first, undone(sessions) as second:
        await emergency.declare(first, PROFILE, by, 60, FOUR_HOURS, "Первая", NOW)
        await second.execute(text("set local lock_timeout = '200ms'"))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await emergency.declare(second, PROFILE, by, 60, FOUR_HOURS, "Вторая", NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "update emergency set reason = 'Ничего не было'",
        "update emergency set ended_at = started_at, minutes = 5",
        "delete from emergency",
    ],
)
async def test_nothing_of_it_can_be_rewritten(sessions: Sessions, statement: str) -> None:
    await declared(sessions)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        async with transaction(sessions) as session:
            await session.rows(statement)


async def test_an_end_is_said_once_and_cannot_be_moved(sessions: Sessions) -> None:
    await declared(sessions)
    over = NOW + FOUR_HOURS
    assert await emergencies(sessions, [PROFILE], over - timedelta(seconds=1)) == 0
    async with transaction(sessions) as first, transaction(sessions) as second:
        await second.execute(text("set local lock_timeout = '2s'"))
        assert await emergency.sweep(first, PROFILE, over + minutes(9)) == 1
        assert await emergency.sweep(second, PROFILE, over + minutes(9)) == 0
    assert await emergencies(sessions, [PROFILE], over + minutes(9)) == 0
    assert await alarms(sessions) == [("emergency", "Ерлан"), ("emergency_over", None)]
    async with sessions() as session:
        row = await one(session, "select ended_at, ended_by from emergency")
        # The true time, though the sweep came later.
        assert tuple(row) == (over, None)
    with pytest.raises(asyncpg.RaiseError):
        async with transaction(sessions) as session:
            await session.rows("update emergency set ended_at = started_at")


async def test_one_that_has_run_out_unseen_ends_at_its_own_time_when_the_next_begins(sessions: Sessions) -> None:
    await declared(sessions)
    await declared(sessions, now=NOW + FOUR_HOURS * 2)
    async with sessions() as session:
        first = (await rows(session, "select ended_at, ended_by from emergency order by id"))[0]
    assert tuple(first) == (NOW + FOUR_HOURS, None)


# --- in the group ------------------------------------------------------------------------------------------------


@pytest.fixture
async def desk(reception: Reception) -> Reception:
    await reception.agent(ENGINEER)
    await reception.agent(LEAD, "lead")
    return reception


async def hints(desk: Reception) -> list[str]:
    return [call["text"] for call in await desk.calls("sendMessage")]


async def history(desk: Reception) -> list[Any]:
    return await desk.fetch("select * from emergency order by id")


async def test_a_lead_declares_looks_and_ends(desk: Reception) -> None:
    assert await desk.did(in_group(f"/emergency 60 4h {REASON}", LEAD)) == "emergency_declared"
    [row] = await history(desk)
    assert (row.minutes, row.reason, row.ends_at, row.ended_at) == (60, REASON, NOW + FOUR_HOURS, None)
    assert row.agent_id is not None
    assert await desk.did(in_group("/emergency", LEAD)) == "emergency"
    [state] = await hints(desk)
    assert REASON in state
    assert "18:00" in state
    assert await desk.did(said("Не открывается")) == "opened"
    assert await desk.did(in_group("/emergency OFF", LEAD)) == "emergency_ended"
    assert await desk.did(said("Другое", OTHER_CUSTOMER)) == "opened"
    found = await desk.fetch("select budget from sla_target where metric = 'first_response' order by id")
    assert [row.budget for row in found] == [3600, 600]
    notices = await desk.fetch("select payload ->> 'notice' as n, bucket from outbox where kind = 'alarm' order by id")
    assert [row.n for row in notices] == ["emergency", "emergency_over"]
    assert {row.bucket for row in notices} == {"prodata:group:1"}
    assert (await history(desk))[0].ended_by == "Инженер 901"


async def test_a_topic_where_it_was_asked_for_hears_of_it_too(desk: Reception) -> None:
    group = await desk.topic()
    for words in (f"/emergency 60 4h {REASON}", "/emergency off"):
        await desk.did(in_group(words, LEAD, thread=group.thread))
    declared, ended = await hints(desk)
    assert REASON in declared
    assert REASON not in ended


async def test_when_there_is_none_that_is_said(desk: Reception) -> None:
    for words in ("/emergency", "/emergency off"):
        await desk.did(in_group(words, LEAD))
    first, second = await hints(desk)
    assert first == second
    assert await history(desk) == []


@pytest.mark.parametrize(
    ("sender", "words", "disposition"),
    [
        (ENGINEER, "/emergency 60 4h Авария", "refused:NotAllowed"),
        (ENGINEER, "/emergency off", "refused:NotAllowed"),
        (ENGINEER, "/emergency nonsense", "refused:NotAllowed"),
        (ENGINEER, "/emergency", "emergency"),
        (STRANGER, "/emergency 60 4h Авария", "refused:NotAnAgent"),
        (STRANGER, "/emergency off", "refused:NotAnAgent"),
        (STRANGER, "/emergency", "refused:NotAnAgent"),
        (ADMIN, "/emergency 90 1d Авария", "emergency_declared"),
        (ADMIN, "/emergency off", "emergency_ended"),
    ],
)
async def test_who_may(desk: Reception, sender: int, words: str, disposition: str) -> None:
    await desk.did(in_group(f"/emergency 60 4h {REASON}", LEAD))
    assert await desk.did(in_group(words, sender)) == disposition
    refused = disposition.startswith("refused") or disposition == "emergency"
    if refused:
        [row] = await history(desk)
        assert (row.reason, row.ended_at) == (REASON, None)
        assert len(await hints(desk)) == 1


async def test_an_admin_who_is_no_engineer_is_named(desk: Reception) -> None:
    await desk.did(in_group("/emergency 90 1d Авария", ADMIN))
    [row] = await history(desk)
    assert (row.agent_id, row.agent_name) == (None, f"Человек {ADMIN}")


async def test_a_former_lead_may_not(desk: Reception) -> None:
    await desk.agent(LEAD, "agent")
    assert await desk.did(in_group("/emergency 60 4h Авария", LEAD)) == "refused:NotAllowed"


async def test_words_that_cannot_be_understood_get_one_clear_hint(desk: Reception) -> None:
    assert await desk.did(in_group("/emergency 4h Авария", LEAD)) == "refused:WrongInput"
    [hint] = await hints(desk)
    assert "/emergency 60 4h" in hint
    assert "/emergency off" in hint
    assert await history(desk) == []


async def test_a_customer_cannot_reach_it(desk: Reception) -> None:
    await desk.did(said("/emergency 60 4h Авария"))
    assert await history(desk) == []


async def test_in_a_topic_it_is_no_note(desk: Reception) -> None:
    place = await desk.topic()
    assert await desk.did(in_group("/emergency 60 4h Авария", LEAD, thread=place.thread)) == "emergency_declared"
    assert len(await desk.fetch("select 1 from message")) == 1

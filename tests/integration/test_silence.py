"""After the solution: reminders, the end by itself, and what becomes of a word that comes later."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.sla.closing import Closing
from crm.tickets import ended, service, silence, work
from scheduler.jobs import unanswered
from tests.factories import (
    BOT,
    CUSTOMER,
    DESK,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    Json,
    add,
    connected,
    customer,
    engineer,
    message,
    minutes,
    one,
    opened,
    photo,
    pressed,
    private,
    rows,
    said,
)
from tests.integration.conftest import Reception

# NOW is a Sunday, so the office counts from Monday on: reminders on Tuesday and Thursday, the end on Friday.
SECOND, FOURTH, FIFTH = (NOW + timedelta(days=days) for days in (2, 4, 5))
JUST_BEFORE = timedelta(seconds=-1)
WINDOW = timedelta(days=14)


async def resolved(sessions: Sessions, at: datetime = NOW) -> tuple[OpenTicket, Agent]:
    async with transaction(sessions) as session:
        await connected(session)
        ticket, agent = await opened(session, now=at), await engineer(session)
        await work.resolve(session, PROFILE, agent, ticket.id, at)
    return ticket, agent


async def swept(sessions: Sessions, now: datetime, profile: Profile = PROFILE, limit: int = 100) -> int:
    async with transaction(sessions) as session:
        return await silence.sweep(session, profile, now, limit)


async def ticket_row(sessions: Sessions, ticket: int) -> Any:
    async with sessions() as session:
        return await one(session, "select * from ticket where id = :id", id=ticket)


async def told(sessions: Sessions) -> list[tuple[str, str]]:
    """Notices of silence, and to whom."""
    async with sessions() as session:
        found = await rows(
            session,
            """select payload ->> 'to' as who, payload ->> 'notice' as notice from outbox
               where payload ->> 'notice' in ('reminded', 'lapsed') order by id""",
        )
    return [(row.who, row.notice) for row in found]


async def facts(session: Session, notice: str, who: str = "requester") -> Any:
    found = await rows(
        session,
        """select payload -> 'facts' as f from outbox
           where payload ->> 'notice' = :notice and payload ->> 'to' = :who order by id desc""",
        notice=notice,
        who=who,
    )
    return found[0].f


# --- reminders and the end ---------------------------------------------------------------------------------------


async def test_reminded_twice_and_then_closed(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    assert (await ticket_row(sessions, ticket.id)).silence_at == SECOND
    for at, looked_at in (
        (SECOND + JUST_BEFORE, 0),
        (SECOND, 1),
        (SECOND, 0),
        (FOURTH + JUST_BEFORE, 0),
        (FOURTH, 1),
        (FIFTH + JUST_BEFORE, 0),
        (FIFTH, 1),
        (FIFTH + timedelta(days=30), 0),
    ):
        assert await swept(sessions, at) == looked_at, at
    assert await told(sessions) == [
        ("requester", "reminded"),
        ("requester", "reminded"),
        ("topic", "lapsed"),
        ("requester", "lapsed"),
    ]
    row = await ticket_row(sessions, ticket.id)
    assert (row.status, row.closed_at, row.silence_at) == ("closed", FIFTH, None)


async def test_what_is_said_names_the_end_and_the_way_back(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    await swept(sessions, SECOND)
    await swept(sessions, FIFTH)
    async with sessions() as session:
        reminded, lapsed = await facts(session, "reminded"), await facts(session, "lapsed")
        assert reminded == {"reference": ticket.reference, "closes_at": FIFTH.isoformat()}
        assert lapsed == {"reference": ticket.reference, "reopen_days": 14}
        assert await facts(session, "lapsed", "topic") == {"days": 5}
        told_in = await rows(session, "select payload ->> 'language' as l from outbox where kind = 'say'")
        assert {row.l for row in told_in} == {"ru", None}
        assert len(await rows(session, "select 1 from outbox where kind = 'topic.state'")) == 1


async def test_the_log_holds_it_as_done_by_the_desk_itself(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    await swept(sessions, SECOND)
    await swept(sessions, FIFTH)
    async with sessions() as session:
        reminded, lapse = (await journal.story(session, ticket.id))[-2:]
        assert await journal.broken_links(session, ticket.id) == []
    assert (reminded.kind, reminded.actor_kind, reminded.data["closes_at"]) == ("reminded", "system", FIFTH.isoformat())
    assert (lapse.kind, lapse.actor_kind, lapse.at) == ("lapse", "system", FIFTH)
    assert lapse.data == {"before": "resolved", "after": "closed", "days": 5}


async def test_the_promise_stays_met(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions, NOW)
    await swept(sessions, FIFTH)
    async with sessions() as session:
        for row in await rows(session, "select * from sla_target where ticket_id = :id", id=ticket.id):
            assert (row.met_at, row.next_at, row.breached_at) == (NOW, None, None)
        pauses = await rows(session, "select kind, started_at, ended_at from sla_pause order by id")
        assert [tuple(pause) for pause in pauses] == [("resolved", NOW, FIFTH), ("closed", FIFTH, None)]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (FOURTH, [("requester", "reminded")]),
        (FIFTH, [("topic", "lapsed"), ("requester", "lapsed")]),
        (FIFTH + timedelta(days=60), [("topic", "lapsed"), ("requester", "lapsed")]),
    ],
)
async def test_a_sweep_that_was_down_does_only_the_last_step(
    sessions: Sessions, at: datetime, expected: list[tuple[str, str]]
) -> None:
    await resolved(sessions)
    assert await swept(sessions, at) == 1
    assert await swept(sessions, at) == 0
    assert await told(sessions) == expected


@pytest.mark.parametrize(("at", "said_once"), [(SECOND, 1), (FIFTH, 2)])
async def test_several_sweeps_at_once_do_it_once(sessions: Sessions, at: datetime, said_once: int) -> None:
    await resolved(sessions)
    async with transaction(sessions) as first, transaction(sessions) as second:
        # Nobody waits for the other.
        await second.execute(text("set local lock_timeout = '2s'"))
        assert await silence.sweep(first, PROFILE, at) == 1
        assert await silence.sweep(second, PROFILE, at) == 0
    assert await swept(sessions, at) == 0
    assert len(await told(sessions)) == said_once


async def test_a_sweep_is_bounded_and_keeps_to_its_desk(sessions: Sessions) -> None:
    for _ in range(3):
        await resolved(sessions)
    assert await swept(sessions, SECOND, PROFILE.model_copy(update={"name": "other"})) == 0
    assert [await swept(sessions, SECOND, limit=2) for _ in range(3)] == [2, 1, 0]


async def test_the_job_sweeps_every_desk(sessions: Sessions) -> None:
    await resolved(sessions)
    assert await unanswered(sessions, [PROFILE], NOW) == 0
    assert await unanswered(sessions, [PROFILE], SECOND) == 1


# --- what ends the silence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["confirm", "reject", "withdraw", "reopen", "hear"])
async def test_whoever_answers_is_left_in_peace(sessions: Sessions, step: str) -> None:
    ticket, agent = await resolved(sessions)
    async with transaction(sessions) as session:
        if step == "hear":
            await add(session, ticket, "Всё ещё не открывается", NOW + minutes(5))
        elif step == "reopen":
            await work.reopen(session, PROFILE, agent, ticket.id, NOW + minutes(5))
        else:
            await getattr(service, step)(session, PROFILE, await customer(session), ticket.id, NOW + minutes(5))
    assert (await ticket_row(sessions, ticket.id)).silence_at is None
    assert await swept(sessions, FIFTH) == 0


async def test_a_second_solution_is_counted_anew(sessions: Sessions) -> None:
    ticket, agent = await resolved(sessions)
    await swept(sessions, SECOND)
    async with transaction(sessions) as session:
        await service.reject(session, PROFILE, await customer(session), ticket.id, SECOND)
        await work.resolve(session, PROFILE, agent, ticket.id, SECOND)
    # From Tuesday: Thursday.
    assert (await ticket_row(sessions, ticket.id)).silence_at == SECOND + timedelta(days=2)
    assert await swept(sessions, FIFTH) == 1
    assert await told(sessions) == [("requester", "reminded")] * 2


async def test_thanks_are_no_confirmation(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    async with transaction(sessions) as session:
        await add(session, ticket, "Спасибо!", NOW + minutes(5))
    assert (await ticket_row(sessions, ticket.id)).silence_at == SECOND


async def test_a_profile_may_change_its_days_meanwhile(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    patient = PROFILE.model_copy(update={"closing": Closing(remind=(4,), close=5, calendar="office")})
    assert await swept(sessions, SECOND, patient) == 1
    assert await told(sessions) == []
    assert (await ticket_row(sessions, ticket.id)).silence_at == FOURTH
    hasty = PROFILE.model_copy(update={"closing": Closing(remind=(), close=1, calendar="office")})
    assert await swept(sessions, FOURTH, hasty) == 1
    assert (await ticket_row(sessions, ticket.id)).status == "closed"


async def test_what_was_resolved_before_there_was_a_sweep_finds_its_place(sessions: Sessions) -> None:
    """The migration says only «look at it»."""
    ticket, _ = await resolved(sessions)
    async with transaction(sessions) as session:
        await session.rows("update ticket set silence_at = resolved_at")
    assert await swept(sessions, NOW + minutes(1)) == 1
    assert await told(sessions) == []
    assert (await ticket_row(sessions, ticket.id)).silence_at == SECOND


# --- a later word ------------------------------------------------------------------------------------------------


async def finished(reception: Reception, action: str = "close") -> tuple[int, Json]:
    """A ticket that ended at NOW, and a notice about it that can be replied to."""
    agent = await reception.agent()
    assert await reception.did(said("Не открывается кабинет")) == "opened"
    async with transaction(reception.sessions) as session:
        [ticket] = (await customer(session)).tickets
        if action == "decline":
            await work.decline(session, PROFILE, agent, ticket.id, "Не по договору", NOW)
        else:
            await work.resolve(session, PROFILE, agent, ticket.id, NOW)
            await service.confirm(session, PROFILE, await customer(session), ticket.id, NOW)
        await session.rows(
            """insert into telegram_message (desk, chat_id, message_id, ticket_id, role)
               values ($1, $2, 400, $3, 'notice')""",
            DESK,
            CUSTOMER,
            ticket.id,
        )
    return ticket.id, message("Заявка закрыта", CUSTOMER, private(CUSTOMER), number=400) | {"from": BOT}


async def tickets(reception: Reception) -> list[tuple[str, int | None]]:
    return [
        (row.status, row.related_id)
        for row in await reception.fetch("select status, related_id from ticket order by id")
    ]


@pytest.mark.parametrize("after", [timedelta(minutes=1), WINDOW])
async def test_a_reply_within_the_window_opens_it_again(reception: Reception, after: timedelta) -> None:
    ticket, notice = await finished(reception)
    [before] = await reception.fetch("select due_at from sla_target where metric = 'resolution'")
    reception.clock.now = NOW + after
    assert await reception.did(said("Опять не открывается", reply_to_message=notice)) == "added"
    assert await tickets(reception) == [("open", None)]
    [row] = await reception.fetch("select due_at, met_at, next_at from sla_target where metric = 'resolution'")
    # The same promise goes on, later by the time for which it was thought solved.
    assert (row.due_at, row.met_at) == (before.due_at + after, None)
    assert row.next_at is not None
    async with reception.sessions() as session:
        events = [event.kind for event in await journal.story(session, ticket)]
        assert events[-2:] == ["wrote", "hear"]
        assert (await facts(session, "resumed"))["due_at"] == row.due_at.isoformat()
    assert len(await reception.fetch("select 1 from outbox where kind = 'topic.state' and state = 'queued'")) == 1
    assert len(await reception.fetch("select 1 from outbox where kind = 'relay'")) == 2


async def test_a_reply_after_the_window_continues_in_a_new_ticket(reception: Reception) -> None:
    ticket, notice = await finished(reception)
    reception.clock.now = NOW + WINDOW + timedelta(seconds=1)
    assert await reception.did(said("Опять не открывается", reply_to_message=notice)) == "opened"
    assert await tickets(reception) == [("closed", None), ("new", ticket)]


async def test_what_was_declined_is_not_opened_again_by_its_requester(reception: Reception) -> None:
    ticket, notice = await finished(reception, "decline")
    reception.clock.move(minutes=1)
    assert await reception.did(said("А теперь?", reply_to_message=notice)) == "opened"
    assert await tickets(reception) == [("declined", None), ("new", ticket)]


async def test_a_closed_ticket_is_not_asked_about_when_nobody_replies_to_it(reception: Reception) -> None:
    await finished(reception)
    reception.clock.move(minutes=1)
    assert await reception.did(said("Другое дело")) == "opened"
    assert await tickets(reception) == [("closed", None), ("new", None)]


async def test_the_rest_of_an_album_follows_the_part_that_opened_it_again(reception: Reception) -> None:
    _, notice = await finished(reception)
    reception.clock.move(minutes=1)
    first = said(None, photo=photo("a"), media_group_id="7", reply_to_message=notice)
    assert await reception.did(first) == "added"
    assert await reception.did(said(None, photo=photo("b"), media_group_id="7")) == "added"
    assert await tickets(reception) == [("open", None)]


@pytest.mark.parametrize("action", ["close", "decline"])
@pytest.mark.parametrize("after", [timedelta(minutes=1), WINDOW * 2])
async def test_a_reply_of_thanks_is_told_and_changes_nothing(
    reception: Reception, action: str, after: timedelta
) -> None:
    ticket, notice = await finished(reception, action)
    reception.clock.now = NOW + after
    assert await reception.did(said("Спасибо!", reply_to_message=notice)) == "added"
    [(status, _)] = await tickets(reception)
    assert status in ("closed", "declined")
    stored = await reception.fetch(
        "select content ->> 'text' as words, ticket_id from message order by id desc limit 1"
    )
    assert [tuple(row) for row in stored] == [("Спасибо!", ticket)]
    assert len(await reception.fetch("select 1 from outbox where kind = 'relay' and ticket_id = :id", id=ticket)) == 2


async def test_plain_thanks_belong_to_what_was_closed_lately(reception: Reception) -> None:
    ticket, _ = await finished(reception)
    reception.clock.now = NOW + WINDOW
    assert await reception.did(said("Рахмет")) == "added"
    assert await tickets(reception) == [("closed", None)]
    assert len(await reception.fetch("select 1 from message where ticket_id = :id", id=ticket)) == 2


@pytest.mark.parametrize(("action", "after"), [("close", WINDOW + timedelta(seconds=1)), ("decline", minutes(1))])
async def test_plain_thanks_without_anything_to_belong_to_are_a_request(
    reception: Reception, action: str, after: timedelta
) -> None:
    await finished(reception, action)
    reception.clock.now = NOW + after
    assert await reception.did(said("Рахмет")) == "opened"


async def test_whoever_chose_to_open_a_request_opens_one(reception: Reception) -> None:
    await finished(reception)
    assert await reception.did(said("/new")) == "new"
    assert await reception.did(said("Отлично")) == "opened"


async def test_with_a_living_ticket_plain_thanks_are_meant_for_that(reception: Reception) -> None:
    await finished(reception)
    assert await reception.did(said("Другое дело")) == "opened"
    assert await reception.did(said("Спасибо")) == "added"
    [row] = await reception.fetch(
        "select t.status from message m join ticket t on t.id = ticket_id order by m.id desc limit 1"
    )
    assert row.status == "new"


async def test_nobody_opens_a_foreign_ticket_again(sessions: Sessions) -> None:
    ticket, _ = await resolved(sessions)
    await swept(sessions, FIFTH)
    async with transaction(sessions) as session:
        stranger = await customer(session, OTHER_CUSTOMER)
        stranger.replied_ticket_id = ticket.id
        content = {"type": "text", "text": "Моя?"}
        assert await ended.replied_to(session, PROFILE, stranger, content, FIFTH) is None
        assert await ended.replied_to(session, PROFILE, stranger, {**content, "text": "Спасибо"}, FIFTH) is None
        assert await ended.latest(session, PROFILE, stranger, FIFTH) is None
        own = await customer(session)
        own.replied_ticket_id = ticket.id
        assert (await ended.replied_to(session, PROFILE, own, content, FIFTH)) is not None


# --- rejected with a reason --------------------------------------------------------------------------------------


async def test_the_reason_of_a_rejection_reaches_the_topic_and_the_same_promise_goes_on(reception: Reception) -> None:
    agent = await reception.agent()
    place = await reception.topic()
    assert await reception.did(said("И ещё одно")) == "added"
    async with transaction(reception.sessions) as session:
        await work.resolve(session, PROFILE, agent, place.ticket.id, NOW)
    [before] = await reception.fetch("select due_at from sla_target where metric = 'resolution'")
    reception.clock.move(days=1)
    assert await reception.did(pressed(f"mine:reject:{place.ticket.id}", CUSTOMER, private(CUSTOMER))) == "rejected"
    assert await reception.did(said("Пароль не подходит")) == "added"
    [row] = await reception.fetch("select due_at, met_at from sla_target where metric = 'resolution'")
    assert (row.due_at, row.met_at) == (before.due_at + timedelta(days=1), None)
    [relayed] = await reception.fetch(
        """select m.content ->> 'text' as words from outbox o join message m on m.id = o.message_id
           where o.kind = 'relay' and o.payload ->> 'to' = 'topic' order by o.id desc limit 1"""
    )
    assert relayed.words == "Пароль не подходит"
    assert len(await reception.fetch("select 1 from outbox where payload ->> 'notice' = 'rejected'")) == 1


async def test_the_reason_finds_its_ticket_among_several(reception: Reception) -> None:
    agent = await reception.agent()
    place = await reception.topic()
    async with transaction(reception.sessions) as session:
        await opened(session)
        await work.resolve(session, PROFILE, agent, place.ticket.id, NOW)
    assert await reception.did(pressed(f"mine:reject:{place.ticket.id}", CUSTOMER, private(CUSTOMER))) == "rejected"
    assert await reception.did(said("Пароль не подходит")) == "added"
    [row] = await reception.fetch("select ticket_id from message order by id desc limit 1")
    assert row.ticket_id == place.ticket.id

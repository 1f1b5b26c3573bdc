"""What requesters do with tickets, and what follows from it in the database."""

from typing import Any

import pytest

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.errors import NotFound
from crm.tickets import holding, queries, work
from crm.tickets.written import subject_of
from tests.factories import (
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    add,
    connected,
    customer,
    engineer,
    minutes,
    one,
    opened,
    rows,
    undone,
    written,
)

LATER = NOW + minutes(3)


async def status_of(sessions: Sessions, ticket: int) -> str:
    async with sessions() as session:
        return str((await one(session, "select status from ticket where id = :id", id=ticket)).status)


async def set_status(sessions: Sessions, ticket: int, status: str) -> None:
    async with transaction(sessions) as session:
        await rows(session, "update ticket set status = :status where id = :id returning id", status=status, id=ticket)
        if status not in ("new", "open"):
            await rows(
                session,
                "insert into sla_pause (ticket_id, kind, started_at) values (:id, :kind, :at) returning id",
                id=ticket,
                kind=status,
                at=NOW,
            )


async def kinds(session: Session, ticket: int) -> list[str]:
    return [event.kind for event in await journal.story(session, ticket)]


async def outgoing(session: Session, ticket: int | None = None) -> list[Any]:
    return await rows(
        session,
        """select kind, lane, bucket, payload ->> 'notice' as notice, payload -> 'facts' as facts from outbox
           where cast(:id as bigint) is null or ticket_id = :id order by id""",
        id=ticket,
    )


# --- opening -----------------------------------------------------------------------------------------------------


async def test_a_sentence_opens_a_ticket_with_its_promises_and_its_answer(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        group = await connected(session)
        ticket = await opened(session, words="Не открывается\n\nкабинет")
    async with sessions() as session:
        row = await one(session, "select * from ticket where id = :id", id=ticket.id)
        assert (row.reference, row.subject, row.status) == (ticket.reference, "Не открывается кабинет", "new")
        assert (row.request_type, row.priority, row.group_id) == ("other", "normal", group.id)
        targets = await rows(session, "select metric, due_at from sla_target where ticket_id = :id", id=ticket.id)
        assert dict(map(tuple, targets)) == {"first_response": NOW + minutes(10), "resolution": NOW + minutes(1440)}
        assert await kinds(session, ticket.id) == ["opened"]
        sent = await outgoing(session, ticket.id)
        assert [row.kind for row in sent] == ["topic.open", "card", "relay", "say"]
        assert sent[3].notice == "acknowledged"
        assert sent[3].facts["reference"] == ticket.reference
        assert {row.lane for row in sent[:3]} == {f"ticket:{ticket.id}"}


async def test_references_count_up_and_name_the_desk(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, second = await opened(session), await opened(session, OTHER_CUSTOMER)
    assert [t.reference for t in (first, second)] == ["PD-1001", "PD-1002"]


async def test_a_chosen_type_sets_priority_and_promise(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session, request_type="outage")
        row = await one(session, "select priority from ticket where id = :id", id=ticket.id)
        due = await one(session, "select due_at from sla_target where metric = 'resolution'")
    assert (row.priority, due.due_at) == ("urgent", NOW + minutes(60))


async def test_nothing_remains_of_a_request_that_was_rolled_back(sessions: Sessions) -> None:
    async with undone(sessions) as session:
        await opened(session)
    async with sessions() as session:
        for table in ("ticket", "person", "message", "sla_target", "outbox", "ticket_event"):
            assert await rows(session, f"select 1 from {table}") == []


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ({"type": "photo"}, "[photo]"),
        ({"type": "text", "text": "  "}, "[text]"),
        ({"type": "text", "text": "ы" * 200}, "ы" * 79 + "…"),
        ({"type": "photo", "text": "a\n b"}, "a b"),
        ({"type": "text", "text": "\u202eкод\u2066 \u200b"}, "код"),
    ],
)
def test_a_subject_is_short_and_in_one_line(content: dict[str, Any], subject: str) -> None:
    assert subject_of(content) == subject


# --- writing -----------------------------------------------------------------------------------------------------


async def test_a_further_message_goes_to_the_topic_and_stays_in_the_ticket(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        await add(session, ticket, "Всё ещё", LATER)
    async with sessions() as session:
        assert await kinds(session, ticket.id) == ["opened", "wrote"]
        assert [m.content["text"] for m in await queries.last_messages(session, ticket.id, 9, True)][-1] == "Всё ещё"
        assert [row.kind for row in await outgoing(session, ticket.id)].count("relay") == 2


@pytest.mark.parametrize("before", ["pending", "resolved"])
async def test_a_message_wakes_a_ticket_that_waited(sessions: Sessions, before: str) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
    await set_status(sessions, ticket.id, before)
    async with transaction(sessions) as session:
        await add(session, ticket, "Ответ", LATER)
        assert "resumed" in [row.notice for row in await outgoing(session, ticket.id)]
    assert await status_of(sessions, ticket.id) == "open"


async def test_a_held_message_goes_where_its_requester_says(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, second = await opened(session), await opened(session)
        who = await customer(session)
        held = await holding.hold(session, PROFILE, who, written("К какой?"), NOW)
    async with transaction(sessions) as session:
        who = await customer(session)
        placed = await holding.place_held(session, PROFILE, who, held, first.id, LATER)
        assert placed.id == first.id
    async with sessions() as session:
        assert (await one(session, "select ticket_id from message where id = :id", id=held)).ticket_id == first.id
        pair = await one(session, "select ticket_id from telegram_message where message_ref = :id", id=held)
        assert pair.ticket_id == first.id
        assert await kinds(session, second.id) == ["opened"]


async def test_a_held_message_can_open_a_ticket_of_its_own(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await opened(session)
        held = await holding.hold(session, PROFILE, await customer(session), written("Другое дело"), NOW)
    async with transaction(sessions) as session:
        ticket = await holding.place_held(session, PROFILE, await customer(session), held, None, LATER)
    async with sessions() as session:
        assert ticket.subject == "Другое дело"
        kinds_out = [row.kind for row in await outgoing(session, ticket.id)]
        assert kinds_out.index("topic.open") < kinds_out.index("card") < kinds_out.index("relay")


async def held_album(session: Session) -> list[int]:
    return [
        await holding.hold(session, PROFILE, await customer(session), written(f"{n}", album="501:9"), NOW)
        for n in range(3)
    ]


async def test_a_held_album_is_placed_whole(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        held = await held_album(session)
        await holding.place_held(session, PROFILE, await customer(session), held[1], ticket.id, LATER)
        found = await rows(session, "select ticket_id from message where id = any(:ids)", ids=held)
    assert {row.ticket_id for row in found} == {ticket.id}


async def test_a_message_that_nobody_placed_finds_the_latest_ticket(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await opened(session)
        latest = await opened(session)
        held = await holding.hold(session, PROFILE, await customer(session), written("?"), NOW)
        assert await holding.place_forgotten(session, PROFILE, NOW, LATER) is None
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER, after=held) is None
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER) == held
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER) is None
        row = await one(session, "select ticket_id from message where id = :id", id=held)
    assert row.ticket_id == latest.id


async def test_a_message_that_nobody_placed_is_about_nothing_later_and_nothing_solved(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        then, solved = await opened(session), await opened(session)
        held = await holding.hold(session, PROFILE, await customer(session), written("?"), NOW)
        await work.resolve(session, PROFILE, await engineer(session), solved.id, LATER)
        await opened(session, now=LATER)
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER) == held
        row = await one(session, "select ticket_id from message where id = :id", id=held)
        states = await rows(session, "select status from ticket where id = :id", id=solved.id)
    assert row.ticket_id == then.id
    assert [state.status for state in states] == ["resolved"]


async def test_an_album_that_nobody_placed_is_placed_once_and_whole(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        first, *_ = await held_album(session)
    async with transaction(sessions) as session:
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER) == first
        assert await holding.place_forgotten(session, PROFILE, LATER, LATER) is None
    async with sessions() as session:
        found = await rows(session, "select ticket_id from message where album_id is not null")
        assert [row.ticket_id for row in found] == [ticket.id] * 3
        assert (await kinds(session, ticket.id)).count("wrote") == 3


@pytest.mark.parametrize("whose", ["message to an own ticket", "message to a new one", "ticket"])
async def test_nobody_places_what_is_not_theirs(sessions: Sessions, whose: str) -> None:
    async with transaction(sessions) as session:
        foreign = await opened(session)
        held = await holding.hold(session, PROFILE, await customer(session), written("?"), NOW)
        own = await opened(session, OTHER_CUSTOMER)
        stranger = await customer(session, OTHER_CUSTOMER)
        own_held = await holding.hold(session, PROFILE, stranger, written("?", OTHER_CUSTOMER), NOW)
    wanted, place = {
        "message to an own ticket": (held, own.id),
        "message to a new one": (held, None),
        "ticket": (own_held, foreign.id),
    }[whose]
    async with undone(sessions) as session:
        stranger = await customer(session, OTHER_CUSTOMER)
        with pytest.raises(NotFound):
            await holding.place_held(session, PROFILE, stranger, wanted, place, LATER)
    async with sessions() as session:
        assert (await one(session, "select ticket_id from message where id = :id", id=held)).ticket_id is None

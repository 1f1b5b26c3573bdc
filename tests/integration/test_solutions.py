"""What requesters answer to a solution; and that a foreign ticket is as absent as none."""

from typing import Any

import pytest

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.errors import DeskError, NotFound, WrongStatus
from crm.people.service import OpenTicket
from crm.tickets import queries, service
from tests.factories import (
    CUSTOMER,
    DESK,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    customer,
    minutes,
    one,
    opened,
    rows,
    undone,
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


# --- answering a solution ----------------------------------------------------------------------------------------

STEPS = {"confirm": service.confirm, "reject": service.reject, "withdraw": service.withdraw}


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("confirm", "resolved", "closed"),
        ("reject", "resolved", "open"),
        ("withdraw", "new", "closed"),
        ("withdraw", "pending", "closed"),
        ("withdraw", "resolved", "closed"),
    ],
)
async def test_a_step_of_the_requester(sessions: Sessions, step: str, before: str, after: str) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
    await set_status(sessions, ticket.id, before)
    async with transaction(sessions) as session:
        await STEPS[step](session, PROFILE, await customer(session), ticket.id, LATER)
    assert await status_of(sessions, ticket.id) == after
    async with sessions() as session:
        assert (await kinds(session, ticket.id))[-1] == step
        row = await one(session, "select closed_at from ticket where id = :id", id=ticket.id)
        assert row.closed_at == (LATER if after == "closed" else None)


@pytest.mark.parametrize(
    ("step", "before"),
    [("confirm", "open"), ("confirm", "closed"), ("reject", "new"), ("reject", "declined"), ("withdraw", "closed")],
)
async def test_a_step_that_means_nothing_there_changes_nothing(sessions: Sessions, step: str, before: str) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
    await set_status(sessions, ticket.id, before)
    with pytest.raises(WrongStatus):
        async with transaction(sessions) as session:
            await STEPS[step](session, PROFILE, await customer(session), ticket.id, LATER)
    assert await status_of(sessions, ticket.id) == before
    async with sessions() as session:
        assert await kinds(session, ticket.id) == ["opened"]


async def rate(session: Session, ticket: OpenTicket, chat: int, stars: int = 4) -> None:
    await service.rate(session, PROFILE, await customer(session, chat), ticket.id, stars, LATER)


@pytest.mark.parametrize("step", [*STEPS, "rate"])
async def test_a_foreign_ticket_is_as_absent_as_none(sessions: Sessions, step: str) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        await opened(session, OTHER_CUSTOMER)
    await set_status(sessions, ticket.id, "resolved")

    async def stars(session: Session, *rest: Any) -> None:
        await service.rate(session, *rest[:3], 5, rest[3])

    async def refusal(ticket_id: int) -> DeskError:
        async with undone(sessions) as session:
            stranger = await customer(session, OTHER_CUSTOMER)
            with pytest.raises(NotFound) as found:
                await STEPS.get(step, stars)(session, PROFILE, stranger, ticket_id, LATER)
        return found.value

    assert (await refusal(ticket.id)).facts == (await refusal(10**6)).facts
    assert await status_of(sessions, ticket.id) == "resolved"


async def test_the_last_rating_counts(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
    await set_status(sessions, ticket.id, "closed")
    async with transaction(sessions) as session:
        await rate(session, ticket, CUSTOMER, 2)
        await rate(session, ticket, CUSTOMER, 5)
        assert (await one(session, "select rating from ticket")).rating == 5


async def test_what_is_not_finished_is_not_rated(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
    with pytest.raises(WrongStatus):
        async with transaction(sessions) as session:
            await rate(session, ticket, CUSTOMER)


async def test_own_tickets_are_own(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        who, stranger = await customer(session), await customer(session, OTHER_CUSTOMER)
        assert [t["id"] for t in await queries.own(session, DESK, who.person_id)] == [ticket.id]
        assert await queries.own(session, DESK, stranger.person_id) == []
        assert await queries.own_one(session, DESK, stranger.person_id, ticket.id) is None
        assert (await queries.own_one(session, "other", who.person_id, ticket.id)) is None

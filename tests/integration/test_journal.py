"""The log of a ticket: nothing can be changed, removed or dated back, and whoever does it anyway is found out."""

from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import LockNotAvailableError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm import journal
from crm.changes import Changes
from crm.db import Session, Sessions, transaction
from crm.journal import Actor
from tests.factories import DESK, NOW, one, opened, rows

AGENT = Actor("agent", 3, "Динара")


async def log_of_three(sessions: Sessions) -> int:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        for kind in ("replied", "noted"):
            await Changes(events=[journal.event(ticket.id, AGENT, kind, NOW, message=1)]).write(session, DESK, NOW)
    return ticket.id


async def broken(sessions: Sessions, ticket: int) -> list[int]:
    async with sessions() as session:
        return await journal.broken_links(session, ticket)


@pytest.mark.parametrize(
    "statement",
    [
        "update ticket_event set actor_name = 'Никто'",
        "update ticket_event set recorded_at = recorded_at - interval '1 hour'",
        "delete from ticket_event",
        "truncate ticket_event",
        "truncate ticket cascade",
    ],
)
async def test_the_database_refuses_to_change_the_log(sessions: Sessions, statement: str) -> None:
    ticket = await log_of_three(sessions)
    with pytest.raises(DBAPIError, match="append-only"):
        async with transaction(sessions) as session:
            await session.execute(text(statement))
    async with sessions() as session:
        assert len(await journal.story(session, ticket)) == 3
    assert await broken(sessions, ticket) == []


async def test_numbers_stamps_and_hashes_are_the_databases_own(sessions: Sessions) -> None:
    ticket = await log_of_three(sessions)
    before = datetime.now(UTC)
    async with transaction(sessions) as session:
        await session.execute(
            text("""insert into ticket_event
                    values (:id, 1, :at, :at, 'agent', 3, 'Динара', 'telegram', 'closed', '{}', 'x')"""),
            {"id": ticket, "at": NOW - timedelta(days=365)},
        )
    async with sessions() as session:
        last = (await journal.story(session, ticket))[-1]
    assert last.seq == 4
    assert last.recorded_at >= before - timedelta(seconds=5)
    assert last.hash != b"x"
    assert await broken(sessions, ticket) == []


async def test_events_are_numbered_within_their_ticket(sessions: Sessions) -> None:
    first, second = await log_of_three(sessions), await log_of_three(sessions)
    async with sessions() as session:
        for ticket in (first, second):
            assert [event.seq for event in await journal.story(session, ticket)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("update ticket_event set actor_name = 'Никто' where seq = 2", [2]),
        ("update ticket_event set actor_id = null where seq = 2", [2]),
        ("update ticket_event set data = '{\"message\": 9}' where seq = 3", [3]),
        ("update ticket_event set at = at - interval '1 second' where seq = 1", [1]),
        ("update ticket_event set recorded_at = recorded_at - interval '1 second' where seq = 1", [1]),
        ("update ticket_event set kind = 'wrote', hash = sha256('x') where seq = 2", [2, 3]),
        ("delete from ticket_event where seq = 2", [3]),
        ("delete from ticket_event where seq = 1", [2]),
    ],
)
async def test_tampering_behind_the_triggers_back_is_found(
    sessions: Sessions, tampering: str, found: list[int]
) -> None:
    ticket = await log_of_three(sessions)
    async with transaction(sessions) as session:
        await session.execute(text("alter table ticket_event disable trigger user"))
        await session.execute(text(tampering))
        await session.execute(text("alter table ticket_event enable trigger user"))
    assert await broken(sessions, ticket) == found


async def test_a_row_whose_hash_was_made_to_fit_breaks_the_next(sessions: Sessions) -> None:
    ticket = await log_of_three(sessions)
    async with transaction(sessions) as session:
        await session.execute(text("alter table ticket_event disable trigger user"))
        await session.execute(text("update ticket_event set actor_name = 'Никто' where seq = 2"))
        await session.execute(
            text("""update ticket_event e set hash = ticket_event_digest(e, p.hash)
                    from ticket_event p where e.seq = 2 and p.seq = 1""")
        )
        await session.execute(text("alter table ticket_event enable trigger user"))
    assert await broken(sessions, ticket) == [3]


async def test_two_writers_of_one_ticket_do_not_fork_its_log(sessions: Sessions) -> None:
    ticket = await log_of_three(sessions)

    async def write(session: Session, kind: str) -> None:
        await Changes(events=[journal.event(ticket, AGENT, kind, NOW)]).write(session, DESK, NOW)

    async with transaction(sessions) as first:
        await write(first, "take")
        # The second waits for the first: it would otherwise see the same last row.
        async with sessions() as second:
            await second.execute(text("set lock_timeout = '200ms'"))
            with pytest.raises(LockNotAvailableError):
                await write(second, "ask")
            await second.execute(text("reset lock_timeout"))
    async with sessions() as session:
        assert (await one(session, "select count(*) as n from ticket_event where ticket_id = :t", t=ticket)).n == 4
        seqs = await rows(session, "select seq from ticket_event where ticket_id = :t order by 1", t=ticket)
    assert [row.seq for row in seqs] == [1, 2, 3, 4]
    assert await broken(sessions, ticket) == []

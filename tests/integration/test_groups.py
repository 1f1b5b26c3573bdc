"""Groups of engineers: connected, migrated, left."""

from typing import Any

from crm.db import Session, Sessions, transaction
from crm.outbox import group_bucket
from crm.tickets import groups
from tests.factories import DESK, GROUP, NOW, OTHER_CUSTOMER, connected, in_topic, minutes, one, opened, rows

NEW_CHAT = GROUP - 5


async def waiting(session: Session, bucket: str) -> list[Any]:
    return await rows(session, "select kind, lane from outbox where bucket = :b and state = 'queued'", b=bucket)


async def test_tickets_wait_for_a_group_and_then_come_with_all_that_belongs_to_them(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, second = await opened(session), await opened(session, OTHER_CUSTOMER)
        assert first.group_id is None
        group = await groups.seen(session, DESK, GROUP, "Инженеры", {"can_manage_topics": True})
        assert await groups.connect(session, DESK, group, NOW) == 2
    async with sessions() as session:
        tickets = await rows(session, "select group_id from ticket")
        assert {row.group_id for row in tickets} == {group.id}
        assert [row.kind for row in await waiting(session, group_bucket(DESK, None)) if row.kind != "board"] == []
        moved = await waiting(session, group_bucket(DESK, group.id))
        for ticket in (first, second):
            kinds = [row.kind for row in moved if row.lane == f"ticket:{ticket.id}"]
            assert kinds == ["topic.open", "card", "relay"]
        assert "board" in {row.kind for row in moved}


async def test_connecting_again_moves_nothing(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await opened(session)
        group = await connected(session)
        assert await groups.connect(session, DESK, group, NOW) == 0


async def test_new_tickets_go_to_the_group_connected_last(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        old = await connected(session)
        first = await opened(session)
        new = await connected(session, NEW_CHAT, NOW + minutes(5))
        second = await opened(session)
    assert (first.group_id, second.group_id) == (old.id, new.id)
    async with sessions() as session:
        assert await groups.current(session, DESK) == new.id
        assert await groups.current(session, "other") is None


async def test_a_group_that_was_left_gets_nothing_new(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        group = await connected(session)
        await groups.left(session, group)
        await session.flush()
        assert (await opened(session)).group_id is None
        assert (await groups.seen(session, DESK, GROUP, "Снова", None)).state == "added"


async def test_a_migrated_group_is_followed_and_its_topics_are_built_anew(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        group = await connected(session)
        living, ended = await opened(session), await opened(session, OTHER_CUSTOMER)
        await in_topic(session, living, 70)
        await in_topic(session, ended, 80)
        await rows(session, "update ticket set status = 'closed' where id = :id returning id", id=ended.id)
        await rows(session, "update outbox set state = 'sent' returning id")
        await rows(session, "update desk_group set board_message_id = 9 returning id")
    async with transaction(sessions) as session:
        assert await groups.migrate(session, DESK, GROUP, NEW_CHAT, NOW)
        assert not await groups.migrate(session, DESK, GROUP, NEW_CHAT, NOW)
    async with sessions() as session:
        row = await one(session, "select * from desk_group")
        assert (row.id, row.chat_id, row.board_message_id, row.state) == (group.id, NEW_CHAT, None, "connected")
        topics = await rows(session, "select thread_id, card_message_id from ticket")
        assert {tuple(row) for row in topics} == {(None, None)}
        again = await rows(session, "select kind, ticket_id from outbox where state = 'queued' order by id")
        assert [row.kind for row in again if row.ticket_id == living.id] == ["topic.open", "card", "digest"]
        assert [row.kind for row in again if row.ticket_id == ended.id] == []
        assert "board" in [row.kind for row in again]


async def test_the_news_of_a_migration_may_come_after_the_bots_entry_into_the_new_group(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        group = await connected(session)
        await groups.seen(session, DESK, NEW_CHAT, "Инженеры", None)
        assert await groups.migrate(session, DESK, GROUP, NEW_CHAT, NOW)
        found = await groups.by_chat(session, DESK, NEW_CHAT)
        assert found is not None
        assert (found.id, found.state) == (group.id, "connected")
        assert await groups.by_chat(session, DESK, GROUP) is None


async def test_a_group_that_nobody_knows_does_not_migrate(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        assert not await groups.migrate(session, DESK, GROUP, NEW_CHAT, NOW)
        assert await rows(session, "select 1 from desk_group") == []

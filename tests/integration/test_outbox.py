"""Claiming rows of the outbox: order, limits, leases, repeats, coalescing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from asyncpg import LockNotAvailableError

from bot import budget, claim, settle
from bot.budget import Limits
from bot.claim import Row
from bot.client import Client, Sent, Unknown
from bot.operations import Desk, Result
from crm import outbox
from crm.changes import Changes
from crm.db import Sessions, transaction
from crm.outbox import LEASE, Outgoing, Priority, chat_bucket
from crm.tickets import outward
from tests.factories import DESK, NOW, PROFILE, TOKEN, Moment, one, opened, rows

CHAT = chat_bucket(DESK, 501)
GROUP = f"{DESK}:group:1"


class Outbox:
    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.clock = Moment()

    async def put(self, name: str, lane: str = "l", bucket: str = GROUP, **more: Any) -> None:
        made = Outgoing(bucket=bucket, lane=lane, kind="call", payload={"name": name}, **more)
        async with transaction(self.sessions) as session:
            await Changes(outgoing=[made]).write(session, DESK, self.clock())

    async def claim(self, limits: str = "off", limit: int = 50) -> list[Row]:
        async with transaction(self.sessions) as session:
            return await claim.claim(session, DESK, Limits.parse(limits), self.clock(), limit)

    async def names(self, limits: str = "off", limit: int = 50) -> list[str]:
        return [row.payload["name"] for row in await self.claim(limits, limit)]

    async def settle(self, row: Row, outcome: Any, limits: str = "off") -> None:
        desk = Desk(PROFILE, Client(TOKEN), self.sessions)
        async with transaction(self.sessions) as session:
            await settle.settle(session, desk, Limits.parse(limits), [(row, Result(outcome))], self.clock())

    async def expire(self) -> list[Any]:
        async with transaction(self.sessions) as session:
            return list(await claim.expire(session, DESK, self.clock()))

    async def row(self, row_id: int) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from outbox where id = :id", id=row_id)


@pytest.fixture
def box(sessions: Sessions) -> Outbox:
    return Outbox(sessions)


@pytest.mark.parametrize("limits", ["off", "100/100/100"])
async def test_replies_come_before_cards_and_lanes_keep_their_order(box: Outbox, limits: str) -> None:
    await box.put("card", "card", priority=Priority.CARD)
    await box.put("first", "ticket", priority=Priority.TOPIC)
    await box.put("second", "ticket", priority=Priority.PRESS)
    await box.put("reply", "chat", priority=Priority.REPLY)
    assert await box.names(limits) == ["reply", "first", "card"]
    assert await box.names(limits) == []


async def test_a_lane_goes_on_when_its_head_is_settled(box: Outbox) -> None:
    await box.put("first")
    await box.put("second")
    [head] = await box.claim()
    await box.settle(head, Sent(None))
    assert await box.names() == ["second"]


@pytest.mark.parametrize("limits", ["off", "100/100/100"])
async def test_a_row_committed_late_does_not_overtake_the_one_under_way(box: Outbox, limits: str) -> None:
    """A relay that began before a migration and was committed after it: its number is the lower one."""
    made = Outgoing(bucket=GROUP, lane="l", kind="call", payload={"name": "late"})
    async with transaction(box.sessions) as slow:
        await Changes(outgoing=[made]).write(slow, DESK, box.clock())
        await box.put("quick")
        [under_way] = await box.claim(limits)
    assert under_way.payload["name"] == "quick"
    assert await box.names(limits) == []
    await box.settle(under_way, Sent(None))
    assert await box.names(limits) == ["late"]


async def test_what_is_due_later_waits_and_holds_its_lane(box: Outbox) -> None:
    await box.put("album", due_at=NOW + timedelta(seconds=2))
    await box.put("text")
    assert await box.names() == []
    box.clock.move(seconds=2)
    assert await box.names() == ["album"]


@pytest.mark.parametrize("limits", ["off", "100/100/100"])
async def test_two_senders_never_take_the_same_row(box: Outbox, limits: str) -> None:
    for number in range(4):
        await box.put(str(number), lane=str(number))
    parsed = Limits.parse(limits)
    async with transaction(box.sessions) as other:
        async with transaction(box.sessions) as one_session:
            first = await claim.claim(one_session, DESK, parsed, NOW, 2)
            # With limits, senders take turns.
            second = await claim.claim(other, DESK, parsed, NOW, 10) if parsed is None else []
        second = second or await claim.claim(other, DESK, parsed, NOW, 10)
    assert sorted(row.payload["name"] for row in [*first, *second]) == ["0", "1", "2", "3"]


async def test_a_chat_gets_one_message_a_second(box: Outbox) -> None:
    for number in range(3):
        await box.put(str(number), lane=str(number), bucket=CHAT)
    assert await box.names("30/1/20") == ["0"]
    box.clock.move(seconds=0.9)
    assert await box.names("30/1/20") == []
    box.clock.move(seconds=0.3)
    assert await box.names("30/1/20") == ["1"]


async def test_a_group_gets_twenty_messages_a_minute_over_all_its_topics(box: Outbox) -> None:
    for number in range(25):
        await box.put(str(number), lane=str(number))
    assert len(await box.names("30/1/20")) == 20
    box.clock.move(seconds=59)
    assert await box.names("30/1/20") == []
    box.clock.move(seconds=3)
    assert len(await box.names("30/1/20")) == 5


async def test_all_chats_together_get_what_the_whole_allows(box: Outbox) -> None:
    for number in range(10):
        await box.put(str(number), lane=str(number), bucket=chat_bucket(DESK, number))
    assert len(await box.names("4/1/20")) == 4
    assert await box.names("4/1/20") == []
    box.clock.move(seconds=1.2)
    assert len(await box.names("4/1/20")) == 4


async def test_an_album_costs_its_parts(box: Outbox) -> None:
    await box.put("album", lane="a", cost=8)
    await box.put("text", lane="b")
    await box.put("late", lane="c")
    assert await box.names("30/1/9") == ["album", "text"]


async def test_presses_have_no_limit(box: Outbox) -> None:
    for number in range(40):
        await box.put(str(number), lane=str(number), bucket=f"{DESK}:press:501", priority=Priority.PRESS)
    assert len(await box.names("1/1/1")) == 40


async def test_a_bucket_that_telegram_silenced_is_silent_and_others_are_not(box: Outbox) -> None:
    await box.put("group")
    await box.put("chat", lane="c", bucket=CHAT)
    async with transaction(box.sessions) as session:
        await budget.block(session, GROUP, NOW + timedelta(seconds=30))
        await budget.block(session, GROUP, NOW + timedelta(seconds=5))
    assert await box.names("30/1/20") == ["chat"]
    box.clock.move(seconds=29)
    assert await box.names("30/1/20") == []
    box.clock.move(seconds=1)
    assert await box.names("30/1/20") == ["group"]


async def test_silence_is_obeyed_with_the_limits_lifted_too(box: Outbox) -> None:
    await box.put("group")
    async with transaction(box.sessions) as session:
        await budget.block(session, GROUP, NOW + timedelta(seconds=30))
    assert await box.names() == []


async def test_what_waits_for_a_group_is_not_sent_anywhere(box: Outbox) -> None:
    await box.put("topic", bucket=outbox.group_bucket(DESK, None))
    assert await box.names() == []
    assert await box.names("30/1/20") == []


# --- attempts ------------------------------------------------------------------------------------------------


async def test_an_attempt_is_counted_and_leased(box: Outbox) -> None:
    await box.put("x")
    [row] = await box.claim()
    stored = await box.row(row.id)
    assert (row.attempts, stored.attempts, stored.state) == (1, 1, "attempting")
    assert stored.lease_until == NOW + LEASE


async def test_a_dead_senders_row_is_repeated_once_and_then_unknown(box: Outbox) -> None:
    await box.put("x")
    [row] = await box.claim()
    assert await box.expire() == []
    assert (await box.row(row.id)).state == "attempting"
    box.clock.move(seconds=LEASE.total_seconds() + 1)
    assert await box.expire() == []
    [again] = await box.claim()
    assert (again.id, again.repeats, again.attempts) == (row.id, 1, 2)
    box.clock.move(seconds=LEASE.total_seconds() + 1)
    assert [dead.id for dead in await box.expire()] == [row.id]
    assert (await box.row(row.id)).state == "unknown"
    assert await box.claim() == []


async def test_an_attempt_that_overslept_its_lease_writes_nothing(box: Outbox) -> None:
    await box.put("x")
    [overslept] = await box.claim()
    box.clock.move(seconds=LEASE.total_seconds() + 1)
    await box.expire()
    [current] = await box.claim()
    await box.settle(overslept, Unknown("late"))
    stored = await box.row(current.id)
    assert (stored.state, stored.attempts, stored.repeats) == ("attempting", 2, 1)
    await box.settle(current, Sent(None))
    await box.settle(overslept, Unknown("late"))
    assert (await box.row(current.id)).state == "sent"


async def test_an_unknown_outcome_is_repeated_once(box: Outbox) -> None:
    await box.put("x")
    for expected in ("queued", "unknown"):
        [row] = await box.claim()
        await box.settle(row, Unknown("TimeoutError"))
        assert (await box.row(row.id)).state == expected
        box.clock.move(seconds=5)
    assert await box.claim() == []


async def test_a_person_may_repeat_what_is_unknown_and_it_stays_marked(box: Outbox) -> None:
    await box.put("x")
    for _ in range(2):
        [row] = await box.claim()
        await box.settle(row, Unknown("x"))
        box.clock.move(seconds=5)
    async with transaction(box.sessions) as session:
        assert await outbox.retry(session, row.id, box.clock())
        assert not await outbox.retry(session, row.id, box.clock())
    [again] = await box.claim()
    assert again.repeats == 1
    assert again.attempts > row.attempts


# --- coalescing ----------------------------------------------------------------------------------------------


async def test_a_queued_row_with_the_same_key_is_enough(box: Outbox) -> None:
    for name in ("one", "two"):
        await box.put(name, dedupe_key="card:1")
    assert await box.names() == ["one"]
    await box.put("three", lane="m", dedupe_key="card:1")
    assert await box.names() == ["three"]


async def test_an_album_grows_by_its_parts_and_waits_for_the_last(sessions: Sessions) -> None:
    async def part(now: datetime, number: int) -> None:
        async with transaction(sessions) as session:
            made = outward.relay_to_topic(DESK, 1, ticket.id, None, {}, "501:7", now)[0]  # type: ignore[arg-type]
            await Changes(outgoing=[made]).write(session, DESK, now)

    async with transaction(sessions) as session:
        ticket = await opened(session)
    for number in range(3):
        await part(NOW + timedelta(seconds=number), number)
    async with sessions() as session:
        row = await one(session, "select cost, due_at from outbox where kind = 'relay' and dedupe_key is not null")
    assert row.cost == 3
    assert row.due_at == NOW + timedelta(seconds=2) + outward.ALBUM_SETTLES


async def test_parts_of_an_album_in_one_statement_are_one_row(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        parts = [outward.relay_to_topic(DESK, 1, ticket.id, None, {}, "501:7", NOW)[0] for _ in range(4)]  # type: ignore[arg-type]
        await Changes(outgoing=parts).write(session, DESK, NOW)
        found = await rows(session, "select cost from outbox where dedupe_key like 'album:%'")
    assert [row.cost for row in found] == [4]


async def test_idle_buckets_are_forgotten_and_busy_ones_kept(box: Outbox) -> None:
    await box.put("x")
    await box.names("30/1/20")
    async with transaction(box.sessions) as session:
        assert await outbox.forget_idle(session, NOW - timedelta(hours=1), 10) == 0
        assert await outbox.forget_idle(session, NOW + timedelta(hours=1), 10) == 2


async def test_tickets_do_not_wait_for_one_another_on_the_board(box: Outbox) -> None:
    shared = outward.board(DESK, 1, NOW)
    async with transaction(box.sessions) as session:
        await Changes(outgoing=[shared]).write(session, DESK, NOW)
    async with transaction(box.sessions) as one_session, transaction(box.sessions) as other:
        await other.rows("set local lock_timeout = '2s'")
        await Changes(outgoing=[shared]).write(one_session, DESK, NOW)
        await Changes(outgoing=[shared]).write(other, DESK, NOW)
    async with box.sessions() as session:
        assert (await one(session, "select count(*) as n from outbox")).n == 1


async def test_the_board_is_drawn_only_after_those_who_counted_on_it(box: Outbox) -> None:
    """A change finds the board queued, and is committed after the board was taken: it must still be seen."""
    shared = outward.board(DESK, 1, NOW)
    async with transaction(box.sessions) as session:
        await Changes(outgoing=[shared]).write(session, DESK, NOW)
    async with transaction(box.sessions) as change:
        await Changes(outgoing=[shared]).write(change, DESK, NOW)
        box.clock.move(seconds=30)
        [taken] = await box.claim()
        with pytest.raises(LockNotAvailableError):
            await drawn(box, taken, "100ms")
    await drawn(box, taken, "2s")


async def drawn(box: Outbox, row: Row, patience: str) -> None:
    async with transaction(box.sessions) as session:
        await session.rows(f"set local lock_timeout = '{patience}'")
        await outbox.await_writers(session, row.lane)

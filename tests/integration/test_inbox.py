"""The inbox: stored once, in order within a lane, leased, counted, quarantined, replayed."""

from typing import Any

import pytest
from sqlalchemy import text

from crm import inbox
from crm.db import Session, Sessions, transaction
from crm.inbox import LEASE, MAX_ATTEMPTS, MAX_DEATHS, Item, Received
from tests.factories import NOW, Moment, one, rows, undone

SOURCE = "telegram:prodata"


class Box:
    """The inbox under a clock that is moved by hand; every step is its own transaction."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.clock = Moment()

    async def store(self, *keys: str, lane: str = "a") -> int:
        async with transaction(self.sessions) as session:
            items = [Received(key, lane, key.encode()) for key in keys]
            return await inbox.store(session, SOURCE, items, self.clock())

    async def claim(self, limit: int = 10) -> list[Item]:
        async with transaction(self.sessions) as session:
            return await inbox.claim(session, [SOURCE], limit, self.clock())

    async def keys(self, limit: int = 10) -> list[str]:
        return [item.external_key for item in await self.claim(limit)]

    async def done(self, item: Item) -> bool:
        async with transaction(self.sessions) as session:
            return await inbox.settle(session, item, "done", self.clock()) is not None

    async def fail(self, item: Item) -> bool:
        async with transaction(self.sessions) as session:
            return await inbox.fail(session, item, "ValueError: broken", self.clock())

    async def park(self, item: Item) -> None:
        async with transaction(self.sessions) as session:
            await inbox.park(session, item, self.clock())

    async def exhausted(self) -> list[tuple[int, str]]:
        async with transaction(self.sessions) as session:
            return await inbox.quarantine_exhausted(session, [SOURCE], self.clock(), 10)

    async def row(self, key: str) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from inbox where external_key = :key", key=key)


@pytest.fixture
def box(sessions: Sessions) -> Box:
    return Box(sessions)


async def test_the_same_key_is_stored_once_whatever_it_brings(box: Box) -> None:
    assert await box.store("1", "2") == 2
    assert await box.store("2", "3") == 1
    assert await box.store("1", "1") == 0
    assert (await box.row("1")).payload == b"1"


async def test_bytes_are_kept_exactly(box: Box) -> None:
    async with transaction(box.sessions) as session:
        await inbox.store(session, SOURCE, [Received("x", "a", b'\xff\x00{"a": "\xd2\x9b"}')], NOW)
    assert (await box.claim())[0].payload == b'\xff\x00{"a": "\xd2\x9b"}'


async def test_another_source_may_use_the_same_key(box: Box) -> None:
    await box.store("1")
    async with transaction(box.sessions) as session:
        assert await inbox.store(session, "telegram:other", [Received("1", "b", b"")], NOW) == 1
    assert await box.keys() == ["1"]


async def test_a_lane_gives_one_item_at_a_time_in_order_and_lanes_do_not_wait(box: Box) -> None:
    await box.store("a1", "a2", lane="a")
    await box.store("b1", lane="b")
    first = await box.claim()
    assert [item.external_key for item in first] == ["a1", "b1"]
    assert await box.claim() == []
    await box.done(first[0])
    assert await box.keys() == ["a2"]


async def test_two_claimers_never_get_the_same_item_nor_the_same_lane(box: Box) -> None:
    await box.store("a1", "a2", lane="a")
    await box.store("b1", lane="b")
    async with transaction(box.sessions) as one_session, transaction(box.sessions) as other:
        # Nobody waits for the other.
        await other.execute(text("set local lock_timeout = '2s'"))
        first = await inbox.claim(one_session, [SOURCE], 1, NOW)
        second = await inbox.claim(other, [SOURCE], 10, NOW)
        assert [item.external_key for item in first] == ["a1"]
        assert [item.external_key for item in second] == ["b1"]


async def test_an_attempt_is_counted_before_it_starts_and_leased(box: Box) -> None:
    await box.store("1")
    assert (await box.claim())[0].attempts == 1
    row = await box.row("1")
    assert (row.attempts, row.lease_until) == (1, NOW + LEASE)


async def test_a_dead_workers_item_comes_back_after_its_lease_and_not_before(box: Box) -> None:
    await box.store("1")
    await box.claim()
    box.clock.move(seconds=LEASE.total_seconds())
    assert await box.claim() == []
    box.clock.move(seconds=1)
    assert [item.attempts for item in await box.claim()] == [2]


async def test_a_claim_that_was_rolled_back_is_no_attempt(box: Box) -> None:
    await box.store("1")
    async with undone(box.sessions) as session:
        await inbox.claim(session, [SOURCE], 1, NOW)
    assert [item.attempts for item in await box.claim()] == [1]


async def test_poison_is_quarantined_after_three_attempts_and_its_lane_goes_on(box: Box) -> None:
    await box.store("bad", "next")
    verdicts = []
    for _ in range(MAX_ATTEMPTS):
        [item] = await box.claim()
        assert item.external_key == "bad"
        verdicts.append(await box.fail(item))
        box.clock.move(seconds=10)
    assert verdicts == [False, False, True]
    row = await box.row("bad")
    assert (row.state, row.error, row.attempts) == ("quarantined", "ValueError: broken", 3)
    assert await box.keys() == ["next"]


async def test_after_a_failure_there_is_a_pause(box: Box) -> None:
    await box.store("bad")
    [item] = await box.claim()
    await box.fail(item)
    assert await box.claim() == []
    box.clock.move(seconds=1)
    assert await box.keys() == ["bad"]


async def test_what_failed_once_is_taken_alone(box: Box) -> None:
    await box.store("bad", lane="a")
    await box.store("bad too", lane="b")
    for item in await box.claim():
        await box.fail(item)
    box.clock.move(seconds=5)
    assert await box.keys() == ["bad"]
    assert await box.keys() == ["bad too"]


async def test_a_failed_item_is_not_starved_by_a_stream_of_new_ones(box: Box) -> None:
    await box.store("bad", lane="a")
    await box.fail((await box.claim())[0])
    for number in range(12):
        box.clock.move(seconds=5)
        await box.store(f"new {number}", lane=f"n{number}")
        claimed = await box.claim()
        for item in claimed:
            await box.done(item)
        if "bad" in [item.external_key for item in claimed]:
            return
    pytest.fail("a minute has passed and the failed item was not tried again")


async def test_a_parked_item_does_not_hold_its_lane_and_comes_again(box: Box) -> None:
    await box.store("early", "next")
    [early] = await box.claim()
    await box.park(early)
    [following] = await box.claim()
    assert following.external_key == "next"
    await box.done(following)
    assert await box.claim() == []
    box.clock.move(seconds=inbox.PARK_STEP.total_seconds())
    assert [(item.external_key, item.attempts) for item in await box.claim()] == [("early", 1)]


async def test_what_is_settled_stays_settled_whatever_a_late_worker_writes(box: Box) -> None:
    await box.store("1")
    [overslept] = await box.claim()
    box.clock.move(seconds=LEASE.total_seconds() + 1)
    [faster] = await box.claim()
    assert await box.done(faster)
    assert not await box.done(overslept)
    await box.fail(overslept)
    assert (await box.row("1")).state == "done"
    await box.park(overslept)
    assert (await box.row("1")).state == "done"


async def test_an_item_whose_worker_died_every_time_is_quarantined(box: Box) -> None:
    await box.store("deadly", "next")
    for _ in range(MAX_DEATHS):
        assert await box.exhausted() == []
        assert await box.keys() == ["deadly"]
        box.clock.move(seconds=LEASE.total_seconds() + 1)
    # Whoever claims before the sweep comes does not take it once more.
    assert "deadly" not in await box.keys()
    assert [source for _, source in await box.exhausted()] == [SOURCE]
    row = await box.row("deadly")
    assert row.state == "quarantined"
    assert "died" in row.error
    assert await box.keys() == ["next"]


async def test_a_quarantined_item_is_replayed_with_all_its_attempts(box: Box) -> None:
    await box.store("bad")
    for _ in range(MAX_ATTEMPTS):
        await box.fail((await box.claim())[0])
        box.clock.move(seconds=10)
    item_id = (await box.row("bad")).id
    async with transaction(box.sessions) as session:
        assert await inbox.retry(session, item_id, box.clock())
        assert not await inbox.retry(session, item_id, box.clock())
    assert [item.attempts for item in await box.claim()] == [1]


async def test_what_is_given_back_has_not_been_tried(box: Box) -> None:
    await box.store("1")
    [item] = await box.claim()
    async with transaction(box.sessions) as session:
        await inbox.release(session, item)
    assert [item.attempts for item in await box.claim()] == [1]


async def test_listing_and_showing(box: Box) -> None:
    await box.store("1", "2")
    await box.done((await box.claim())[0])

    async def listed(session: Session, *states: str) -> list[str]:
        return [row.external_key for row in await inbox.listing(session, states)]

    async with box.sessions() as session:
        assert await listed(session, "queued") == ["2"]
        assert await listed(session, "queued", "done") == ["2", "1"]
        [row] = await rows(session, "select id from inbox where external_key = '1'")
        shown = await inbox.show(session, row.id)
        assert shown is not None
        assert (shown.disposition, shown.settled_at) == ("done", NOW)
        assert await inbox.show(session, row.id + 100) is None


async def test_a_lane_of_thousands_is_claimed_by_an_index(box: Box) -> None:
    await box.store(*(str(number) for number in range(2000)))
    async with box.sessions() as session:
        plan = await rows(session, "explain select 1 from inbox e where e.lane = 'a' and e.id < 5 and state = 'queued'")
    assert any("inbox_" in row[0] for row in plan)

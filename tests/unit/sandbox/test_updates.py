"""The inbox: offsets, orders, expiry."""

import json

import pytest

from sandbox.telegram.errors import ApiError
from sandbox.telegram.model import Json
from sandbox.telegram.updates import CALLBACK_LIFE, DAY, Hook, Inbox, lane_of


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(clock: Clock) -> Inbox:
    return Inbox(clock, 100)


def put(inbox: Inbox, count: int = 1, kind: str = "message") -> None:
    for _ in range(count):
        inbox.add(kind, {"message_id": 1}, ("message", 1))


async def poll(inbox: Inbox, offset: int = 0, limit: int = 100) -> list[int]:
    return [json.loads(text)["update_id"] for text in await inbox.poll(offset, limit, 0)]


async def test_handed_out_again_until_confirmed(inbox: Inbox) -> None:
    put(inbox, 3)
    assert await poll(inbox) == [100, 101, 102]
    assert await poll(inbox, limit=2) == [100, 101]
    assert await poll(inbox, offset=102) == [102]
    assert await poll(inbox, offset=103) == []
    assert [(e.handed, e.confirmed) for e in inbox.journal.after(0)] == [(2, True), (2, True), (2, True)]


async def test_a_far_offset_forgets_what_was_never_handed_out(inbox: Inbox) -> None:
    put(inbox, 3)
    assert await poll(inbox, offset=10_000) == []


async def test_a_negative_offset_keeps_the_last(inbox: Inbox) -> None:
    put(inbox, 5)
    assert await poll(inbox, offset=-2) == [103, 104]


@pytest.mark.parametrize("order", ["reverse", "shuffle"])
async def test_what_comes_out_of_order_is_not_lost_to_a_high_offset(inbox: Inbox, order: str) -> None:
    inbox.hold()
    put(inbox, 4)
    assert await poll(inbox) == []
    assert inbox.release(order, 5) == 4
    first = await poll(inbox, limit=2)
    rest = await poll(inbox, offset=max(first) + 1)
    assert sorted({*first, *rest}) == [100, 101, 102, 103]
    assert first + rest != [100, 101, 102, 103]


async def test_the_same_seed_gives_the_same_order(clock: Clock) -> None:
    orders = []
    for _ in range(2):
        inbox = Inbox(clock, 1)
        inbox.hold()
        put(inbox, 20)
        inbox.release("shuffle", 7)
        orders.append(await poll(inbox))
    assert orders[0] == orders[1]


async def test_a_repeated_update_comes_though_its_offset_has_passed(inbox: Inbox) -> None:
    put(inbox)
    await poll(inbox)
    await poll(inbox, offset=101)
    entry = inbox.find(100)
    assert entry is not None
    inbox.add_raw(entry.update)
    assert await poll(inbox, offset=101) == [100]
    assert await poll(inbox, offset=101) == []


async def test_presses_expire_long_before_messages(inbox: Inbox, clock: Clock) -> None:
    put(inbox)
    put(inbox, kind="callback_query")
    clock.at += CALLBACK_LIFE + 1
    assert await poll(inbox) == [100]
    clock.at += DAY
    assert await poll(inbox) == []


@pytest.mark.parametrize("kind", ["chat_member", "message_reaction", "message_reaction_count"])
async def test_some_kinds_must_be_asked_for(inbox: Inbox, kind: str) -> None:
    put(inbox, kind=kind)
    assert await poll(inbox) == []
    inbox.allowed = [kind]
    put(inbox, kind=kind)
    put(inbox, kind="message")
    assert await poll(inbox) == [100], "and then nothing else comes"


async def test_no_polling_with_a_webhook(inbox: Inbox) -> None:
    inbox.hook = Hook("http://127.0.0.1")
    with pytest.raises(ApiError, match="can't use getUpdates method while webhook is active"):
        await poll(inbox)


async def test_loading_numbers_in_order(inbox: Inbox) -> None:
    updates: list[Json] = [{"update_id": 5, "message": {"chat": {"id": 1}}} for _ in range(10_000)]
    assert inbox.load(updates) == 10_000
    seen: list[int] = []
    while batch := await poll(inbox, offset=seen[-1] + 1 if seen else 0):
        seen += batch
    assert seen == list(range(100, 10_100))


@pytest.mark.parametrize(
    ("kind", "body", "lane"),
    [
        ("message", {"chat": {"id": 5}}, ("message", 5)),
        ("edited_message", {"chat": {"id": 5}}, ("message", 5)),
        ("callback_query", {"from": {"id": 7}, "message": {"chat": {"id": 5}}}, ("callback", 7)),
        ("message_reaction", {"chat": {"id": 5}}, ("message_reaction", 5)),
        ("my_chat_member", {"chat": {"id": 5}}, ("my_chat_member", 5)),
        ("kind_of_the_future", "nonsense", ("kind_of_the_future", 0)),
    ],
)
def test_lanes(kind: str, body: object, lane: tuple[str, int]) -> None:
    assert lane_of(kind, body) == lane

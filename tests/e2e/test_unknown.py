"""Nobody can say whether a call was carried out: one repeat, marked and on record; then a person is asked."""

import pytest

from crm.texts import texts
from tests.e2e.crowd import Crowd
from tests.e2e.ledger import MARK
from tests.e2e.world import Json, World, said

t = texts("ru")
ONCE: list[tuple[str, Json]] = [
    ("drop", {"done": True}),
    ("drop", {"done": False}),
    ("hang", {"done": True, "seconds": 30}),
    ("500", {"done": True}),
    ("html", {"done": True}),
    ("html", {"done": False}),
    ("undecodable", {}),
]


@pytest.mark.parametrize(("kind", "how"), ONCE, ids=lambda value: str(value))
async def test_one_repeat_marked(world: World, kind: str, how: Json) -> None:
    """The customer reads it once, or twice with a mark; the topic hears of no trouble."""
    await world.ready()
    crowd = Crowd(world)
    case = await crowd.case()
    await world.sandbox.fault(kind, method="sendMessage", chat=case.customer, times=1, **how)
    reply = await crowd.says(case)
    await world.reaction(reply, "👌")
    await world.settled()
    heard = [words for words in await world.words(case.customer) if "an answer" in words]
    assert [words.startswith(MARK) for words in heard] == ([False, True] if how.get("done", True) else [True])
    assert await crowd.complaints() == []
    rows = await world.fetch("select repeats from outbox where kind = 'relay' and payload ->> 'to' = 'requester'")
    assert [row["repeats"] for row in rows] == [1]
    texts_there = [said(m) for m in await world.messages(world.group, world.lead, case.thread)]
    assert not any(t("Not delivered:") in words for words in texts_there)


async def test_twice_unknown_is_told(world: World) -> None:
    """Not a third time: the topic says that nobody knows, the row is kept as unknown, and the lane goes on."""
    await world.ready()
    crowd = Crowd(world)
    case = await crowd.case()
    await world.sandbox.fault("drop", method="sendMessage", chat=case.customer, times=2, done=True)
    reply = await crowd.says(case)
    told = await world.in_group(t("Not delivered:"), thread=case.thread)
    assert t("Telegram did not say whether it arrived, twice; please ask the customer") in said(told)
    await world.reaction(reply, "💔")
    await crowd.says(case)
    await world.settled()
    rows = await world.fetch("select state, repeats from outbox where kind = 'relay' order by id desc limit 2")
    assert [tuple(row) for row in rows] == [("sent", 0), ("unknown", 2)]
    heard = [words for words in await world.words(case.customer) if "an answer" in words]
    assert [words.startswith(MARK) for words in heard] == [False, True, False]


async def test_media_are_announced(world: World) -> None:
    """A photo cannot bear the mark, so the mark goes before it."""
    await world.ready()
    case = await world.case("send me the graph")
    await world.sandbox.fault("drop", method="copyMessage", chat=case.customer, times=1, done=True)
    sent = await world.sandbox.say(world.engineer, world.group, kind="photo", caption="the graph", **case.reply)
    await world.reaction(sent, "👌")
    await world.settled()
    heard = await world.words(case.customer)
    assert heard[-3:] == ["the graph", texts("en")("↻ The next message may be a repeat."), "the graph"]


@pytest.mark.parametrize("method", ["sendMessage", "copyMessage", "createForumTopic", "sendMediaGroup"])
async def test_a_strange_answer_stops_nobody(world: World, method: str) -> None:
    """The call was carried out, the answer makes no sense: this row may be in doubt, all the others go on."""
    await world.ready()
    old = await world.case("an old request")
    await world.settled()
    await world.sandbox.fault("garble", method=method, times=1)
    customer = await world.customer()
    if method == "sendMediaGroup":
        await world.sandbox.album(customer, world.bot, [{"kind": "photo", "caption": "odd"}, {"kind": "photo"}])
    elif method == "copyMessage":
        await world.sandbox.say(customer, world.bot, kind="photo", caption="odd")
    else:
        await world.sandbox.say(customer, world.bot, "odd")
    thread = (await world.topic("odd"))["thread"]
    assert thread
    await world.sandbox.say(old.customer, world.bot, "and now something ordinary")
    await world.copy("and now something ordinary", old.thread, timeout=15)
    await world.in_chat(customer, "is registered", timeout=15)
    await world.settled()


async def test_an_unknown_outcome_in_the_topic(world: World) -> None:
    """The same for what goes to the engineers: one repeat, marked in their language."""
    await world.ready()
    case = await world.case("say it twice")
    await world.sandbox.fault("drop", method="sendMessage", chat=world.group, times=1, done=True)
    await world.sandbox.say(case.customer, world.bot, "once or twice?")
    await world.in_group(t("↻ Possibly a repeat:") + "\nonce or twice?", thread=case.thread)
    await world.untroubled()


async def test_a_dead_api_is_waited_for(world: World) -> None:
    """No connection at all is surely not done: everything waits, unmarked, and comes when it is back."""
    await world.ready()
    crowd = Crowd(world)
    case = await crowd.case()
    await world.sandbox.fault("500", done=False, times=6)
    for _ in range(3):
        await crowd.asks(case.customer)
    await world.settled(timeout=60)
    assert await crowd.complaints() == []


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_topic_that_nobody_knows_of(world: World, times: int) -> None:
    """However often its making ends in doubt: one topic in the end that is used, with the card and the words in it."""
    await world.ready()
    crowd = Crowd(world)
    await world.sandbox.fault("drop", method="createForumTopic", times=times, done=True)
    customer = await crowd.newcomer()
    await crowd.asks(customer, opens=True)
    await world.settled(timeout=60)
    (ticket,) = await world.fetch("select thread_id from ticket")
    await world.card(ticket["thread_id"])
    assert await crowd.complaints() == []

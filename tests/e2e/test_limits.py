"""Telegram's limits: those it tells of are obeyed to the moment, those it has are never reached."""

import asyncio

import pytest

from crm.texts import texts
from tests.e2e.crowd import Crowd
from tests.e2e.world import Json, World, said

LIMITS = "30/1/20"


@pytest.fixture
async def strict(world: World) -> World:
    """The desk keeps Telegram's limits; the stand-in does not yet hold it to them."""
    world.env["TELEGRAM_LIMITS"] = LIMITS
    return world


async def refused(world: World) -> list[Json]:
    return [call for call in await world.sandbox.calls() if call.get("error", {}).get("error_code") == 429]


async def test_a_burst_never_meets_a_limit(strict: World) -> None:
    """Five new customers at once, an answer in between: the stand-in counts, and never has to say no."""
    world = strict
    await world.ready()
    await world.sandbox.limits(30, 1, 20)
    # What was sent before the counting began is counted by the desk only.
    crowd = Crowd(world)
    customers = [await crowd.newcomer() for _ in range(5)]
    await asyncio.gather(*(crowd.asks(customer, opens=True) for customer in customers))
    for customer in customers:
        await world.in_chat(customer, "is registered", timeout=20)
    # The first topics stand within the minute; what the limit does not admit comes later, and is not lost.
    thread = (await world.topic("a request", timeout=60))["thread"]
    card = await world.card(thread, timeout=90)
    await world.sandbox.say(
        world.engineer, world.group, "an answer in the rush", thread=thread, reply_to=card["message_id"]
    )

    async def answered() -> bool:
        heard = [await world.words(customer) for customer in customers]
        return any("an answer in the rush" in words for words in heard)

    # Replies to people do not wait for the group's minute.
    await world.until(answered, "the answer", timeout=10)

    await world.settled(timeout=150)
    assert await refused(world) == []
    assert await crowd.complaints() == []


async def test_silence_is_kept_until_the_moment(world: World) -> None:
    """429 for the group: not one call there before the time is over, while customers are served; nothing is lost."""
    await world.ready()
    crowd = Crowd(world)
    case = await crowd.case()
    await world.sandbox.fault("429", chat=world.group, retry_after=4)
    await crowd.asks(case.customer)
    (storm,) = await world.until(lambda: refused(world), "the refusal")
    others = [await crowd.newcomer() for _ in range(2)]
    for other in others:
        await crowd.asks(other, opens=True)
        await world.in_chat(other, "is registered", timeout=3)
    await world.untroubled(timeout=20)
    later = [
        call for call in await world.sandbox.calls(after=storm["n"]) if call["params"].get("chat_id") == world.group
    ]
    assert later
    assert min(call["at"] for call in later) >= storm["at"] + 4
    acknowledged = [
        call for call in await world.sandbox.calls(after=storm["n"]) if "is registered" in str(call["params"])
    ]
    assert max(call["at"] for call in acknowledged) < storm["at"] + 4
    assert await crowd.complaints() == []


async def test_a_storm(world: World) -> None:
    """Every third call of any kind is refused for a second, forty times: late, but all there, once, in order."""
    await world.ready()
    crowd = Crowd(world)
    cases = [await crowd.case() for _ in range(2)]
    for n in range(40):
        await world.sandbox.fault("429", retry_after=1, after=2 * n, method="sendMessage")
    for _ in range(4):
        for case in cases:
            await crowd.asks(case.customer)
            await crowd.says(case)
    await world.settled(timeout=90)
    await world.sandbox.clear_faults()
    await world.untroubled(timeout=60)
    assert len(await refused(world)) >= 8
    # A refusal for certain is no unknown outcome: nothing is repeated, nothing marked.
    assert (await world.fetch("select sum(repeats) as n from outbox"))[0]["n"] == 0
    assert await crowd.complaints() == []


async def test_a_reply_overtakes_decoration(strict: World) -> None:
    """With the group's minute used up, what people wait for still goes first."""
    world = strict
    await world.ready()
    case = await world.case("busy minute")
    await world.fetch("update send_budget set sent = array_fill(now(), array[20]) where bucket like 'prodata:group:%'")
    await world.answer(case, "straight to the customer")
    await world.in_chat(case.customer, "straight to the customer", timeout=10)
    waiting = await world.fetch("select kind from outbox where state = 'queued' and bucket like 'prodata:group:%'")
    assert waiting
    found = [said(m) for m in await world.messages(world.group, world.lead, case.thread)]
    assert not any(texts("ru")("Not delivered:") in text for text in found)

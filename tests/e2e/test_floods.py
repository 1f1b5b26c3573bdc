"""One customer writes without end: nobody else waits for it, and not a word is lost."""

import pytest

from tests.e2e.world import World, said

FLOOD = 60


@pytest.fixture
async def strict(world: World) -> World:
    world.env["TELEGRAM_LIMITS"] = "30/1/20"
    return world


async def test_a_flood_travels_together_and_others_are_served(strict: World) -> None:
    world = strict
    await world.ready()
    await world.sandbox.limits(30, 1, 20)
    flooder = await world.case("the flooder's request", timeout=60)
    other = await world.case("another request", timeout=90)
    for number in range(FLOOD):
        await world.sandbox.say(flooder.customer, world.bot, f"flood {number:02}")
    await world.sandbox.say(other.customer, world.bot, "still broken")
    # Twenty a minute: alone in turn, sixty messages would take three of them.
    await world.copy("still broken", other.thread, timeout=110)

    async def all_there() -> bool:
        seen = "\n".join(said(m) for m in await world.messages(world.group, world.lead, flooder.thread))
        return all(f"flood {number:02}" in seen for number in range(FLOOD))

    await world.until(all_there, "the flood in its topic", timeout=90)
    seen = "\n".join(said(m) for m in await world.messages(world.group, world.lead, flooder.thread))
    places = [seen.index(f"flood {number:02}") for number in range(FLOOD)]
    assert places == sorted(places)
    assert all(seen.count(f"flood {number:02}") == 1 for number in range(FLOOD))
    await world.untroubled()
    calls = [call for call in await world.sandbox.calls() if call.get("error", {}).get("error_code") == 429]
    assert calls == []

"""PostgreSQL goes away and comes back; the desk is told to stop in the middle of work."""

import asyncio
import signal
import sys
import time

from tests.e2e.crowd import Crowd
from tests.e2e.processes import Process
from tests.e2e.world import World

_CUT = """
    select count(pg_terminate_backend(pid)) as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


async def test_the_database_goes_away(world: World) -> None:
    """Every connection is cut, four times under load: working again within ten seconds, nothing lost or put aside."""
    await world.ready()
    crowd = Crowd(world)
    cases = [await crowd.case() for _ in range(3)]
    for _ in range(4):
        for case in cases:
            await crowd.asks(case.customer)
            await crowd.says(case)
        assert (await world.fetch(_CUT))[0]["n"] > 0
        for case in cases:
            await crowd.asks(case.customer)
        latest = f"are you back, {len(crowd.said)}"
        await world.sandbox.say(cases[0].customer, world.bot, latest)
        await world.copy(latest, cases[0].thread, timeout=10)
    # A row that was under way when the connection went waits for its lease.
    await world.untroubled(timeout=75)
    assert await crowd.complaints() == []
    assert world.desks[0].alive


async def test_the_webhook_while_the_database_is_away(world: World) -> None:
    """What could not be stored is not acknowledged, so Telegram brings it again."""
    world.by_webhook()
    await world.ready()
    crowd = Crowd(world)
    case = await crowd.case()
    for _ in range(5):
        await asyncio.gather(world.fetch(_CUT), crowd.asks(case.customer))
    await world.untroubled(timeout=75)
    assert await crowd.complaints() == []


async def test_told_to_stop_under_load(world: World) -> None:
    """SIGTERM to the command as it is installed: exit code 0 within 20 seconds, nothing repeated or in doubt."""
    first = await world.ready()
    crowd = Crowd(world)
    cases = [await crowd.case() for _ in range(3)]
    await first.end(signal.SIGTERM)

    desk = Process("the command")
    world.desks.append(desk)
    await desk.start(sys.executable, "-m", "app.cli", "run", env=world.env)
    await desk.wait_line("receive.polling")
    for _ in range(5):
        for case in cases:
            await crowd.asks(case.customer)
            await crowd.says(case)
    told = time.monotonic()
    assert await desk.end(signal.SIGTERM, timeout=25) == 0
    assert time.monotonic() - told < 20
    held = await world.fetch("select count(*) as n from outbox where state = 'attempting'")
    held += await world.fetch("select count(*) as n from inbox where lease_until > now() and state = 'queued'")
    assert [row["n"] for row in held] == [0, 0]

    await world.start_desk()
    await world.untroubled()
    assert (await world.fetch("select sum(repeats) as n from outbox"))[0]["n"] == 0
    assert await crowd.complaints() == []


async def test_two_desks_share_the_work(world: World) -> None:
    """One polls, the other stands by; it takes over when the first is gone, and both deliver."""
    first = await world.ready()
    second = await world.start_desk()
    crowd = Crowd(world)
    cases = [await crowd.case() for _ in range(3)]
    assert not any("receive.polling" in line for line in second.lines)
    for case in cases:
        await crowd.asks(case.customer)
        await crowd.says(case)
    await world.settled()
    assert await first.end(signal.SIGTERM) == 0
    await second.wait_line("receive.polling", timeout=15)
    for case in cases:
        await crowd.asks(case.customer)
        await crowd.says(case)
    await world.untroubled()
    assert (await world.fetch("select sum(repeats) as n from outbox"))[0]["n"] == 0
    assert await crowd.complaints() == []

"""One round: the desk and the floor, each on a fresh database and a fresh stand-in, through the same bursts."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import load
from tests.bench.stage import Server, Stage, machine_busy, our_own

Numbers = dict[str, float]
WARM_UP = 20
MORE_ID, STEADY_ID, WARM_ID = 10_000, 20_000, 5_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    newcomers: int = 300
    people: int = 200
    updates: int = 2000
    per_second: float = 20.0
    seconds: int = 60
    timeout: float = 180.0


QUICK = Size(newcomers=100, people=100, updates=600, seconds=15, timeout=90.0)


async def measure(server: Server, size: Size, say: Callable[[str], None]) -> Numbers:
    """All numbers of a round, by name."""
    found: Numbers = {}
    begin, busy = time.monotonic(), machine_busy() - our_own() - server.cpu()
    async with Stage(server, await server.new_database()) as stage:
        await stage.start_desk()
        say("desk: burst from new people")
        found |= _named("desk_new", await _new_people(stage, size))
        say("desk: burst from known people")
        found |= _named("desk_known", await _known_people(stage, size))
        say(f"desk: {size.per_second:g} a second for {size.seconds} s")
        found |= _named("desk_steady", await _steady(stage, size))
    async with Stage(server, await server.new_database()) as stage:
        await stage.start_floor(calls="one", topics=size.people)
        say("floor: bursts")
        found |= _named("floor_new", await _new_people(stage, size))
        found |= _named("floor_known", await _known_people(stage, size))
    async with Stage(server, await server.new_database()) as stage:
        await stage.start_floor(calls="all", topics=0)
        say("floor: new people with the desk's calls")
        found |= _named("floor_calls", await _new_people(stage, size))
    foreign = machine_busy() - our_own() - server.cpu() - busy
    found["others"] = max(foreign / (time.monotonic() - begin) / (os.cpu_count() or 1), 0.0)
    return found


def _named(prefix: str, numbers: Numbers) -> Numbers:
    return {f"{prefix}_{name}": value for name, value in numbers.items()}


async def _new_people(stage: Stage, size: Size) -> Numbers:
    """After a few that warm it up: a ticket each."""
    watch = await stage.watch()
    warm = range(size.newcomers, size.newcomers + WARM_UP)
    await watch.burst(load.first_words(warm, "warm"), size.timeout)
    return await _burst(stage, load.first_words(range(size.newcomers), "new"), size)


async def _known_people(stage: Stage, size: Size) -> Numbers:
    people = range(size.people)
    watch = await stage.watch()
    await watch.burst(load.more_words(people, len(people), "warm", WARM_ID), size.timeout)
    return await _burst(stage, load.more_words(people, size.updates, "more", MORE_ID), size)


async def _burst(stage: Stage, updates: list[load.Json], size: Size) -> Numbers:
    await stage.settled(size.timeout)
    await stage.server.calm()
    watch = await stage.watch()
    measured, database = stage.cpu()
    deliveries = await watch.burst(updates, size.timeout)
    await stage.settled(size.timeout)
    measured_after, database_after = stage.cpu()
    return {
        "rate": load.per_second(deliveries),
        "cpu": (measured_after - measured) / len(updates) * 1000,
        "pg": (database_after - database) / len(updates) * 1000,
        "repeats": watch.repeats,
    }


async def _steady(stage: Stage, size: Size) -> Numbers:
    await stage.settled(size.timeout)
    await stage.server.calm()
    count = int(size.per_second * size.seconds)
    updates = load.more_words(range(size.people), count, "even", STEADY_ID)
    watch = await stage.watch()
    measured, database = stage.cpu()
    deliveries = await watch.steady(updates, size.per_second, size.timeout)
    measured_after, database_after = stage.cpu()
    return {
        **{f"p{share}": load.percentile(deliveries, share / 100) for share in (50, 95, 99)},
        "worst": load.percentile(deliveries, 1.0),
        "cpu": (measured_after - measured) / count * 1000,
        "pg": (database_after - database) / count * 1000,
        "repeats": watch.repeats,
    }

"""Actions through plan, approval, call and verification on the sandbox's cloud, beside the same calls alone."""

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from crm.cloud import actions, wanted
from crm.cloud.actions import Approver
from crm.db import Sessions, make_engine, transaction
from crm.desks import load_profile
from crm.journal import Actor
from crm.people import service as people
from crm.tickets.opening import Opening, open_ticket
from crm.tickets.service import load
from crm.tickets.written import Written
from crm.wake import Waker
from provider.port import Cloud
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox
from scheduler.hands import AT_ONCE, Hands, Place
from tests.bench.load import Stuck
from tests.bench.report import Line
from tests.bench.stage import Server

PROFILE = load_profile("prodata")
LONGEST = 120.0
APPROVER = Approver(Actor("agent", 1, "Инженер"), ("request", "power", "money"))


async def pace(server: Server, sandbox: Sandbox, rounds: int, number: int, say: Callable[[str], None]) -> list[Line]:
    """`number` machines are rebooted at once, each for a ticket of its own; the cloud itself takes no time."""
    await sandbox.cloud.pace(delay=0)
    desk, floor = [], []
    for turn in range(rounds):
        say(f"{number} actions, round {turn + 1} of {rounds}")
        cloud = SandboxCloud(sandbox.cloud.address)
        project = await sandbox.cloud.add_project(f"bench-{time.monotonic_ns()}", limits={"instances": 2 * number})
        zone = next(iter((await sandbox.cloud.state())["zones"]))
        machines = [await sandbox.cloud.add_server(project, f"m-{n}", zone) for n in range(number)]
        desk.append(number / await _desk(await server.new_database(), cloud, project, machines))
        floor.append(number / await _floor(cloud, machines))
        await cloud.close()
    mine, bare = statistics.median(desk), statistics.median(floor)
    return [("actions, plan to verified", f"{mine:.0f}/s", f"{bare:.0f}/s, the calls alone", f"{mine / bare:.2f}", "")]


async def _desk(database: str, cloud: Cloud, project: str, machines: list[str]) -> float:
    """Seconds from the first approval until all are verified and their tickets resolved."""
    engine = make_engine(database, size=AT_ONCE + 4)
    sessions, waker = Sessions(engine), Waker(engine)
    planned = [await _planned(sessions, project, server, n) for n, server in enumerate(machines)]
    hands = Hands(Place(PROFILE, cloud), sessions, waker, _now)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(waker.run())
        working = group.create_task(hands.run())
        begin = time.monotonic()
        for action_id in planned:
            async with transaction(sessions) as session:
                await actions.approve(session, PROFILE, APPROVER, action_id, _now())
        took = await _all_done(sessions, len(machines), begin)
        hands.stop()
        await working
        listening.cancel()
    await engine.dispose()
    return took


async def _planned(sessions: Sessions, project: str, server_id: str, number: int) -> int:
    async with transaction(sessions) as session:
        who = await people.recognise(session, PROFILE, 1000 + number, f"Клиент {number}", None, "ru", _now())
        written = Written({"type": "text", "text": f"m-{number} завис"}, _now(), None)
        made = await open_ticket(session, PROFILE, who, written, _now(), Opening("vm"))
        ticket = await load(session, PROFILE.name, made.id)
        what = wanted.power("reboot", project, server_id, f"m-{number}")
        return (await actions.plan(session, PROFILE, who.actor, ticket, what, f"bench:{number}", _now())).id


async def _all_done(sessions: Sessions, number: int, begin: float) -> float:
    while time.monotonic() - begin < LONGEST:
        async with sessions() as session:
            [found] = await session.rows("select count(*) as n from cloud_action where state = 'succeeded'")
        if found["n"] == number:
            return time.monotonic() - begin
        await asyncio.sleep(0.02)
    raise Stuck(f"actions: {number - found['n']} of {number} were not done within {LONGEST:.0f} s")


async def _floor(cloud: Cloud, machines: list[str]) -> float:
    """What the cloud is asked for an action, as many at once, and nothing else."""
    waiting = asyncio.Queue[str]()
    for server_id in machines:
        waiting.put_nowait(server_id)

    async def work() -> None:
        while not waiting.empty():
            server_id = waiting.get_nowait()
            await cloud.server(server_id)
            await cloud.log(server_id)
            await cloud.act(server_id, "reboot")
            await cloud.log(server_id)
            await cloud.server(server_id)

    begin = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return time.monotonic() - begin


def _now() -> datetime:
    return datetime.now(UTC)

"""`python -m tests.bench --cloud`: the mirror of a big cloud, the dialogues over it, and actions, beside floors."""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psutil

from crm.db import Sessions, make_engine
from crm.desks import load_profile
from crm.wake import Waker
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox
from scheduler.hands import Place
from scheduler.inventory import EVERY, OVERLAP, Swept, sweep
from tests.bench import dialogues, hands
from tests.bench.load import Stuck
from tests.bench.report import Line
from tests.bench.stage import Server, family, machine_busy, our_own
from tests.e2e.processes import Process, free_port

PROFILE = load_profile("prodata")
CHANGED = 100
HOUR = timedelta(hours=1)
UNKNOWN = "select 1 from cloud_project where organization_id is not null and quotas_at is null limit 1"
# The other logs would come as the first ones did, fifty a sweep.
LOGS_READ = "update vm set logged_at = $1 where logged_at is null"
Sweeps = list[tuple[float, Swept]]


@dataclass(frozen=True, slots=True)
class Size:
    """Machines are spread evenly over the projects; `sweeps` of each kind, `presses` of each button, `actions`."""

    projects: int = 500
    machines: int = 10_000
    sweeps: int = 9
    presses: int = 300
    actions: int = 100


QUICK = Size(sweeps=3, presses=100, actions=50)


@dataclass(slots=True)
class Mirror:
    """The desk under a clock an hour ahead of the cloud's: nothing that has been there is new to it."""

    sessions: Sessions
    cloud: SandboxCloud
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + HOUR)

    async def sweep(self, after: timedelta = timedelta(seconds=EVERY)) -> tuple[float, Swept]:
        """Seconds that it took, and what it did."""
        self.now += after
        begin = time.perf_counter()
        made = await sweep(Place(PROFILE, self.cloud), self.sessions, self.now)
        took = time.perf_counter() - begin
        if made is None or made.problem:
            raise Stuck(f"a sweep failed: {made.problem if made else 'somebody else is at it'}")
        return took, made

    async def tell(self, statement: str, *values: object) -> list[object]:
        async with self.sessions() as session:
            return await session.rows(statement, *values)

    async def list(self, since: datetime | None = None) -> float:
        """The floor: seconds to fetch the list and throw it away."""
        begin = time.perf_counter()
        await self.cloud.servers(since=since)
        return time.perf_counter() - begin


async def measure(server: Server, size: Size, say: Callable[[str], None]) -> tuple[list[Line], float]:
    """The table's rows, and what share of the machine other programs took."""
    begin, busy = time.monotonic(), machine_busy() - our_own() - server.cpu()
    async with _sandbox() as (sandbox, stand_in):
        say(f"{size.machines:,} machines of {size.projects} projects are being put into the sandbox's cloud")
        await _fill(sandbox, size)
        engine = make_engine(await server.new_database(), size=4)
        cloud = SandboxCloud(sandbox.cloud.address, timeout=60)
        try:
            mirror = Mirror(Sessions(engine), cloud)
            table = await _mirrored(mirror, sandbox, size, say)
            await server.calm()
            say("dialogues")
            table += await dialogues.measure(mirror.sessions, PROFILE, Waker(engine), size.presses, size.machines)
        finally:
            await cloud.close()
            await engine.dispose()
        table += await hands.pace(server, sandbox, 3, size.actions, say)
        foreign = machine_busy() - our_own() - server.cpu() - busy - family(stand_in)
    return table, max(foreign / (time.monotonic() - begin) / (os.cpu_count() or 1), 0.0)


@asynccontextmanager
async def _sandbox() -> AsyncIterator[tuple[Sandbox, psutil.Process]]:
    port, process = free_port(), Process("stand-in")
    await process.start(sys.executable, "-m", "sandbox", "--port", str(port), "--limits", "off", "--quiet")
    try:
        async with Sandbox(f"http://127.0.0.1:{port}") as sandbox:
            deadline = time.monotonic() + 30
            while not await _there(sandbox):
                if time.monotonic() > deadline:
                    raise Stuck("waited 30 s for the stand-in to listen")
                await asyncio.sleep(0.1)
            yield sandbox, psutil.Process(process.pid)
    finally:
        if process.alive:
            await process.end(signal.SIGKILL)


async def _there(sandbox: Sandbox) -> bool:
    try:
        await sandbox.state()
    except OSError:
        return False
    return True


async def _fill(sandbox: Sandbox, size: Size) -> None:
    zone = (await sandbox.cloud.state())["zones"][0]
    await sandbox.cloud.host("bench", zone=zone, vcpus=10 * size.machines, ram=10_000 * size.machines)
    each = size.machines // size.projects
    projects = [
        {"name": f"p-{n}", "servers": [{"name": f"vm-{m}", "zone": zone} for m in range(each)]}
        for n in range(size.projects)
    ]
    if await sandbox.cloud.load(projects) != size.machines:
        raise Stuck("the sandbox's cloud holds another number of machines")


# --- the mirror -------------------------------------------------------------------------------------------------------


async def _mirrored(mirror: Mirror, sandbox: Sandbox, size: Size, say: Callable[[str], None]) -> list[Line]:
    say("the first sweep")
    bare = statistics.median([await mirror.list() for _ in range(size.sweeps)])
    first = await mirror.sweep()
    if first[1].changed < size.machines:
        raise Stuck(f"the mirror holds {first[1].changed} rows")
    await dialogues.customers(mirror.sessions, PROFILE, size.projects)
    say("quotas and users of every cabinet")
    known: Sweeps = []
    while await mirror.tell(UNKNOWN):
        known.append(await mirror.sweep())
    await mirror.tell(LOGS_READ, mirror.now)
    await mirror.tell("vacuum analyze")
    say("nothing changed")
    whole = [await mirror.sweep(HOUR) for _ in range(size.sweeps)]
    quiet = [await mirror.sweep() for _ in range(size.sweeps)]
    bare_quiet = statistics.median([await mirror.list(mirror.now - OVERLAP) for _ in range(size.sweeps)])
    say(f"{CHANGED} machines change")
    changed = [await _changed(mirror, sandbox, turn) for turn in range(min(size.sweeps, 3))]
    about = f"{size.machines:,} machines of {size.projects} projects"
    return [
        _line(f"{about}: the first sweep, s", [first], bare),
        (f"their quotas and users, and 50 logs a sweep: {len(known)} sweeps, s",
         f"{sum(took for took, _ in known):.1f}", "", "", _calls(known)),
        _line(f"{about}: all listed, nothing changed, s", whole, bare),
        _line(f"{about}: a sweep between, nothing changed, s", quiet, bare_quiet),
        _line(f"{about}: {CHANGED} of them changed, s", changed, bare_quiet),
    ]  # fmt: skip


async def _changed(mirror: Mirror, sandbox: Sandbox, turn: int) -> tuple[float, Swept]:
    """A hundred machines, each of another project, are switched off or on; the sweep looks back to just before."""
    before = datetime.now(UTC)
    found = await mirror.tell("select min(server_id) as id from vm group by project_id order by 1 limit $1", CHANGED)
    await sandbox.cloud.pace(delay=0)
    for row in found:
        await sandbox.cloud.act(row["id"], "start" if turn % 2 else "stop")  # type: ignore[index]
    await mirror.tell("update cloud_state set swept_at = $1", before + OVERLAP)
    made = await mirror.sweep()
    if made[1].changed < CHANGED:
        raise Stuck(f"{made[1].changed} rows changed with {CHANGED} machines")
    return made


def _line(words: str, sweeps: Sweeps, bare: float) -> Line:
    """Floor: the list alone, fetched and thrown away."""
    took = statistics.median(took for took, _ in sweeps)
    return (words, f"{took:.3f}", f"{bare:.3f}", f"{took / bare:.1f}", _calls(sweeps))


def _calls(sweeps: Sequence[tuple[float, Swept]]) -> str:
    """All of the sweeps together; an even share where there are several alike."""
    calls: Counter[str] = Counter()
    for _, swept in sweeps:
        calls.update(swept.calls)
    return f"{sum(calls.values()) / len(sweeps):.0f} calls a sweep"

"""A desk with its hands on the sandbox's cloud, both under clocks that are moved by hand."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.cloud import actions, wanted
from crm.cloud.actions import Approver
from crm.cloud.models import CloudAction
from crm.cloud.rules import REQUEST_TYPES
from crm.cloud.wanted import Wanted
from crm.db import Sessions, transaction
from crm.people.service import actor_of
from crm.tickets import service
from crm.wake import Waker
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox
from sandbox.telegram.app import make_app
from scheduler.hands import Hands, Place
from tests.factories import LEAD, PROFILE, Moment, customer, engineer, one, opened, rows

ZONES = ("almaty-1", "astana-1")
PAGES = "https://desk.example"
# Below the patience of every kind; a hanging call is given up after that.
TIMEOUT = 0.3


@dataclass
class Customer:
    """One organization in the cloud: its project, its login, and machines in several states."""

    project: str
    user: str
    running: str
    stopped: str
    locked: str


@dataclass
class Stage:
    sandbox: Sandbox
    cloud: SandboxCloud
    sessions: Sessions
    hands: Hands
    clock: Moment
    customer: Customer
    number: int = field(default=0)

    def wanted(self, kind: str) -> Wanted:
        """An order of that kind that makes sense."""
        mine = self.customer
        if kind in ("reboot", "stop"):
            return wanted.power(kind, mine.project, mine.running, "web-1")  # type: ignore[arg-type]
        if kind in ("start", "unlock"):
            which = mine.stopped if kind == "start" else mine.locked
            return wanted.power(kind, mine.project, which, "db-1")  # type: ignore[arg-type]
        if kind == "quota":
            return wanted.quota(mine.project, "Шанырак", {"vcpus": 40, "ram": 65536})
        if kind == "password":
            return wanted.password(mine.project, mine.user, "shanyrak")
        if kind == "link":
            return wanted.link(mine.project, "Шанырак", (ZONES[0], ZONES[1]), "kezekshi-1")
        return wanted.cabinet(1, "pd-new-1001", {"vcpus": 4}, None, "Новый клиент")

    async def approved(self, kind: str, what: Wanted | None = None) -> CloudAction:
        """Asked for by a customer, in a ticket of its type, and let go by a lead."""
        self.number += 1
        now = self.clock()
        async with transaction(self.sessions) as session:
            made = await opened(session, now=now, request_type=REQUEST_TYPES[kind])  # type: ignore[index]
            ticket = await service.load(session, PROFILE.name, made.id)
            who, lead = await customer(session), await engineer(session, LEAD, "lead")
            key = f"test:{self.number}"
            action = await actions.plan(session, PROFILE, who.actor, ticket, what or self.wanted(kind), key, now)
            return await actions.approve(session, PROFILE, Approver(actor_of(lead), lead.rights), action.id, now)

    async def drive(self, seconds: float = 400, tick: float = 1.0) -> None:
        """Until nothing is due within that time."""
        end = self.clock.now.timestamp() + seconds
        while self.clock.now.timestamp() < end:
            for step in await self.hands.claim(8):
                await self.hands.make(step)
            if not await self.alive():
                return
            self.clock.move(seconds=tick)

    async def alive(self) -> bool:
        async with self.sessions() as session:
            return bool(await rows(session, "select 1 from cloud_action where state in ('approved', 'running')"))

    async def found(self, action: CloudAction) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from cloud_action where id = :id", id=action.id)

    async def told(self, to: str) -> list[str]:
        """Notices about actions, in their order: what a requester reads, or the topic."""
        async with self.sessions() as session:
            found = await rows(
                session,
                """select payload ->> 'notice' as notice from outbox where payload ->> 'to' = :to
                   and payload ->> 'notice' ~ '^(action|secret)_' order by id""",
                to=to,
            )
        return [row.notice for row in found]

    async def done(self) -> Counter[str]:
        return await self.sandbox.cloud.done()


async def _customer(sandbox: Sandbox) -> Customer:
    project = await sandbox.cloud.add_project("Шанырак", limits={"vcpus": 20, "ram": 32768, "instances": 10})
    user = await sandbox.cloud.add_user(project, "shanyrak", password="before")
    running = await sandbox.cloud.add_server(project, "web-1", ZONES[0])
    stopped = await sandbox.cloud.add_server(project, "db-1", ZONES[1], status="SHUTOFF")
    locked = await sandbox.cloud.add_server(project, "db-2", ZONES[1], locked=True)
    return Customer(project, user, running, stopped, locked)


@asynccontextmanager
async def staged(engine: AsyncEngine, sessions: Sessions) -> AsyncIterator[Stage]:
    clock = Moment()
    runner = web.AppRunner(make_app(now=lambda: clock().timestamp()), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with Sandbox(f"http://127.0.0.1:{runner.addresses[0][1]}") as sandbox:
            cloud = SandboxCloud(sandbox.cloud.address, timeout=TIMEOUT)
            hands = Hands(Place(PROFILE, cloud, PAGES), sessions, Waker(engine), clock)
            yield Stage(sandbox, cloud, sessions, hands, clock, await _customer(sandbox))
            await cloud.close()
    finally:
        await runner.cleanup()

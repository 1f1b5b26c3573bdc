"""The sandbox's cloud in this process, which fails by its own faults on order."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from provider.port import ACTS
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox
from sandbox.cloudclient import CloudSide
from sandbox.telegram.app import make_app
from tests.conformance.stage import Customer, Fault

ZONES = "almaty-1", "astana-1"
# Seconds: what the adapter waits for an answer, and what an order takes.
ANSWER, DELAY, PATIENCE = 0.5, 0.1, 0.3
FAULTS: dict[Fault, dict[str, Any]] = {
    "busy": {"kind": "503", "retry_after": 7},
    "broken": {"kind": "500"},
    "cut": {"kind": "drop", "done": True},
    "silent": {"kind": "hang", "seconds": 60, "done": True},
    "garbled": {"kind": "undecodable"},
}


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator["SandboxStage"]:
    runner = web.AppRunner(make_app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    made = SandboxStage(runner)
    await made.listen()
    try:
        async with Sandbox(f"http://127.0.0.1:{made.port}") as sandbox:
            await made.people(sandbox.cloud)
            made.cloud = SandboxCloud(sandbox.cloud.address, timeout=ANSWER)
            yield made
            await made.cloud.close()
    finally:
        await runner.cleanup()


class SandboxStage:
    cloud: SandboxCloud
    anna: Customer
    boris: Customer
    zones = ZONES
    faults: frozenset[Fault] = frozenset({"down", *FAULTS})
    kills_hosts = True

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._site: web.TCPSite | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """As a desk's setting has it."""
        return self._side.address

    async def listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def people(self, side: CloudSide) -> None:
        self._side = side
        await side.pace(delay=DELAY, patience=PATIENCE)
        self.anna = await self._customer("anna", {"web-1": ZONES[0], "db-1": ZONES[0], "web-2": ZONES[1]})
        self.boris = await self._customer("boris", {"shop-1": ZONES[0]})

    async def _customer(self, who: str, servers: dict[str, str]) -> Customer:
        name, password = f"customer of {who}", f"{who}-s-own"
        project = await self._side.add_project(name)
        user = await self._side.add_user(project, who, password=password)
        made = {server: await self._side.add_server(project, server, zone) for server, zone in servers.items()}
        return Customer(project, name, user, password, made)

    @contextlib.asynccontextmanager
    async def fault(self, fault: Fault) -> AsyncIterator[None]:
        if fault == "down":
            assert self._site is not None
            await self._site.stop()
            yield
            await self.listen()
        else:
            await self._side.fault(what=["servers", "server", "log", *ACTS], times=None, **FAULTS[fault])
            yield
            await self._side.clear_faults()

    @contextlib.asynccontextmanager
    async def dead_host(self, zone: str) -> AsyncIterator[None]:
        hosts = [host["name"] for host in (await self._side.state())["hosts"] if host["zone"] == zone]
        for host in hosts:
            await self._side.host(host, alive=False)
        yield
        for host in hosts:
            await self._side.host(host, alive=True)

    async def boot(self, project_id: str, name: str, zone: str) -> str:
        server = await self._side.launch(project_id, name, zone, vcpus=1, ram=512)
        await self._side.wait(server, "ACTIVE")
        return server

    async def delete(self, server_id: str) -> None:
        await self._side.act(server_id, "delete")
        await self._side.gone(server_id)

    async def lock(self, server_id: str) -> None:
        await self._side.act(server_id, "lock")

    async def unlink(self, project_id: str) -> None:
        await self._side.unlink(project_id)

    async def erase(self, project_id: str) -> None:
        await self._side.erase(project_id)

"""The genuine OpenStack of tests/openstack, with a door in front of Nova that can be made to fail."""

import asyncio
import contextlib
import functools
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import yaml

from provider.openstack import OpenStackCloud
from provider.openstack.network import MARK
from provider.openstack.wire import connect
from tests.conformance.door import Door
from tests.conformance.stage import Customer, Fault
from tests.conformance.waiting import until

SCRIPTS = Path(__file__).resolve().parents[1] / "openstack"
ROOT = Path(os.environ.get("OSTACK_ROOT", "/tmp/ostack"))
ZONES = os.environ.get("OSTACK_AZ_1", "az-1"), os.environ.get("OSTACK_AZ_2", "az-2")
# Seconds that the adapter waits for an answer; what a real cloud on a busy machine takes, and no more.
ANSWER = 8.0


@functools.cache
def sdk(entry: str) -> Any:
    return connect(entry, str(ROOT / "clouds.yaml"), 60)


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator["OpenStackStage"]:
    made = OpenStackStage(Door("127.0.0.1", 18774))
    async with made.door.open():
        with tempfile.TemporaryDirectory() as folder:
            made.cloud = OpenStackCloud("desk", str(behind(made.door, Path(folder))), answer=ANSWER)
            await made.look_around()
            yield made
            await made.cloud.close()


def behind(door: Door, folder: Path) -> Path:
    """A clouds.yaml whose desk finds Nova behind the door."""
    written = yaml.safe_load((ROOT / "clouds.yaml").read_text("utf-8"))
    written["clouds"]["desk"]["compute_endpoint_override"] = f"http://127.0.0.1:{door.port}/v2.1"
    path = folder / "clouds.yaml"
    path.write_text(yaml.safe_dump(written), "utf-8")
    return path


class OpenStackStage:
    cloud: OpenStackCloud
    anna: Customer
    boris: Customer
    zones = ZONES
    faults: frozenset[Fault] = frozenset(("down", "busy", "broken", "cut", "silent", "garbled"))
    kills_hosts = True

    def __init__(self, door: Door) -> None:
        self.door = door

    def fault(self, fault: Fault) -> contextlib.AbstractAsyncContextManager[None]:
        return self.door.failing(fault)

    async def look_around(self) -> None:
        self.anna, self.boris = (
            await asyncio.to_thread(_customer, "customer-a"),
            await asyncio.to_thread(_customer, "customer-b"),
        )

    @contextlib.asynccontextmanager
    async def dead_host(self, zone: str) -> AsyncIterator[None]:
        await _run("down.sh", f"nova-compute-{zone}")
        try:
            yield
        finally:
            await _run("up.sh")

    async def boot(self, project_id: str, name: str, zone: str) -> str:
        server = await asyncio.to_thread(_boot, self._entry(project_id), name, zone)
        return str(server.id)

    async def delete(self, server_id: str) -> None:
        nova = sdk("admin").compute
        await asyncio.to_thread(nova.delete_server, server_id)

        async def gone() -> bool:
            return await asyncio.to_thread(nova.find_server, server_id, all_projects=True) is None

        await until(gone, bool)

    async def lock(self, server_id: str) -> None:
        await asyncio.to_thread(sdk("admin").compute.lock_server, server_id)

    async def unlink(self, project_id: str) -> None:
        await asyncio.to_thread(_unlink, project_id)

    async def erase(self, project_id: str) -> None:
        await asyncio.to_thread(_erase, project_id)

    def _entry(self, project_id: str) -> str:
        return next(one.name for one in (self.anna, self.boris) if one.project == project_id)


def _customer(entry: str) -> Customer:
    own, desk = sdk(entry), sdk("admin")
    project = own.current_project_id
    name = own.config.auth["username"]
    servers = {one.name: one.id for one in desk.compute.servers(all_projects=True, project_id=project, details=False)}
    return Customer(project, entry, own.current_user_id, name, servers)


def _boot(entry: str, name: str, zone: str) -> Any:
    own = sdk(entry)
    network, flavor = own.network.find_network(f"{entry}-net"), own.compute.find_flavor("m1.tiny")
    image = own.image.find_image("tiny")
    server = own.compute.create_server(
        name=name,
        image_id=image.id,
        flavor_id=flavor.id,
        networks=[{"uuid": network.id}],
        availability_zone=zone,
    )
    return own.compute.wait_for_server(server, interval=1, wait=120)


def _unlink(project_id: str) -> None:
    neutron = sdk("admin").network
    for router in _marked(neutron.routers, project_id):
        for port in neutron.ports(device_id=router.id):
            neutron.remove_interface_from_router(router, port_id=port.id)
        neutron.delete_router(router)
    for network in _marked(neutron.networks, project_id):
        neutron.delete_network(network)


def _marked(listing: Callable[..., Any], project_id: str) -> list[Any]:
    return [one for one in listing(project_id=project_id) if one.description.startswith(MARK)]


def _erase(project_id: str) -> None:
    admin = sdk("admin")
    for user in admin.identity.users():
        if user.default_project_id == project_id:
            admin.identity.delete_user(user)
    admin.network.delete_quota(project_id)
    admin.compute.delete(f"/os-quota-sets/{project_id}")
    admin.identity.delete_project(project_id)


async def _run(script: str, *words: str) -> None:
    done = await asyncio.create_subprocess_exec(
        SCRIPTS / script, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await done.communicate()
    assert done.returncode == 0, out.decode()

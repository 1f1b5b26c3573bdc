"""What the desk sees of a cloud."""

from datetime import timedelta

import pytest

from crm.time import utcnow
from provider.port import RESOURCES, Cloud, Refused, Server
from tests.conformance.stage import Stage
from tests.conformance.waiting import settled, until

NOBODY = "0" * 32
NOTHING = "00000000-0000-4000-8000-000000000000"


async def mine(stage: Stage) -> dict[str, Server]:
    return {one.name: one for one in await stage.cloud.servers(stage.anna.project)}


async def test_every_service_says_its_version_and_has_no_problem(cloud: Cloud) -> None:
    services = await cloud.services()
    assert services
    assert [one for one in services if one.problem or not any(c.isdigit() for c in one.version)] == []


async def test_projects_are_those_of_customers(stage: Stage) -> None:
    projects = {one.id: one for one in await stage.cloud.projects()}
    assert {stage.anna.project, stage.boris.project} <= set(projects)
    assert projects[stage.anna.project].name == stage.anna.name
    assert projects[stage.anna.project].enabled
    assert not {one.name for one in projects.values()} & {"service", "admin"}


async def test_users_are_those_who_may_log_in_to_a_project(stage: Stage) -> None:
    [user] = await stage.cloud.users(stage.anna.project)
    assert (user.id, user.enabled) == (stage.anna.user, True)


async def test_nobody_is_a_user_of_no_project(cloud: Cloud) -> None:
    with pytest.raises(Refused) as refused:
        await cloud.users(NOBODY)
    assert refused.value.reason == "not_found"


async def test_servers_of_all_and_of_one(stage: Stage) -> None:
    every = {one.id: one.project_id for one in await stage.cloud.servers()}
    assert {*stage.anna.servers.values(), *stage.boris.servers.values()} <= set(every)
    assert {one.id for one in (await mine(stage)).values()} == {
        one for one, project in every.items() if project == stage.anna.project
    }


async def test_a_server_with_all_that_is_known_of_it(stage: Stage) -> None:
    servers, zones = await mine(stage), {"web-1": 0, "db-1": 0, "web-2": 1}
    for name, place in zones.items():
        one = servers[name]
        assert (one.zone, one.status, one.task, one.power) == (stage.zones[place], "ACTIVE", None, "running")
        assert (one.locked, one.deleted_at, one.project_id) == (False, None, stage.anna.project)
        assert one.vcpus > 0
        assert one.ram > 0
        assert one.launched_at is not None
        assert one.created_at <= one.launched_at <= utcnow()
        assert one.created_at <= one.updated_at <= utcnow()
        assert await stage.cloud.server(one.id) == one


async def test_a_server_that_is_not_there(cloud: Cloud) -> None:
    for ask in (cloud.server, cloud.log, lambda one: cloud.act(one, "reboot")):
        with pytest.raises(Refused) as refused:
            await ask(NOTHING)
        assert refused.value.reason == "not_found"
        assert "\n" not in refused.value.text


async def test_what_changed_since_a_moment_has_deleted_servers_too(stage: Stage) -> None:
    newest = max(one.updated_at for one in await stage.cloud.servers())

    async def a_second_later() -> bool:
        return utcnow() > newest + timedelta(seconds=1)

    await until(a_second_later, bool)
    moment = utcnow()
    made = await stage.boot(stage.anna.project, "short-lived", stage.zones[1])
    await settled(stage.cloud, made)
    assert {one.id for one in await stage.cloud.servers(since=moment - timedelta(seconds=1))} == {made}
    assert await stage.cloud.servers(stage.boris.project, moment - timedelta(seconds=1)) == []
    await stage.delete(made)
    [gone] = await stage.cloud.servers(stage.anna.project, moment - timedelta(seconds=1))
    assert (gone.id, gone.status) == (made, "DELETED")
    assert gone.deleted_at is not None
    assert moment - timedelta(seconds=1) <= gone.deleted_at <= utcnow()
    assert "short-lived" not in await mine(stage)
    with pytest.raises(Refused):
        await stage.cloud.server(made)
    assert {"create", "delete"} <= {entry.action for entry in await stage.cloud.log(made)}


async def test_zones_that_customers_may_use(stage: Stage) -> None:
    zones = {one.name: one.available for one in await stage.cloud.zones()}
    assert [zones.get(name) for name in stage.zones] == [True, True]
    assert "internal" not in zones


async def test_quotas_and_what_of_them_is_used(stage: Stage) -> None:
    servers = (await mine(stage)).values()
    quotas = await stage.cloud.quotas(stage.anna.project)
    assert set(quotas) <= set(RESOURCES)
    assert {"instances", "vcpus", "ram", "networks", "routers"} <= set(quotas)
    assert quotas["instances"].used == len(servers)
    assert quotas["vcpus"].used == sum(one.vcpus for one in servers)
    assert quotas["ram"].used == sum(one.ram for one in servers)
    assert all(one.limit == -1 or one.limit >= one.used for one in quotas.values())


async def test_capacity_counts_what_servers_take(stage: Stage) -> None:
    before = await stage.cloud.capacity()
    assert set(before) == {"vcpus", "ram"}
    servers = await stage.cloud.servers()
    assert before["vcpus"].used >= sum(one.vcpus for one in servers)
    assert before["ram"].used >= sum(one.ram for one in servers)
    made = await settled(stage.cloud, await stage.boot(stage.anna.project, "one-more", stage.zones[0]))
    with_it = await stage.cloud.capacity()
    await stage.delete(made.id)
    assert with_it["vcpus"].used - before["vcpus"].used == made.vcpus
    assert with_it["ram"].used - before["ram"].used == made.ram
    assert with_it["ram"].total == before["ram"].total
    assert with_it["ram"].free == before["ram"].free - made.ram
    await until(stage.cloud.capacity, lambda now: now == before)


async def test_usage_of_a_stretch_of_time(stage: Stage) -> None:
    servers, now = (await mine(stage)).values(), utcnow()
    used = await stage.cloud.usage(stage.anna.project, now - timedelta(hours=1), now)
    assert used.server_hours > 0
    vcpus, ram = [one.vcpus for one in servers], [one.ram for one in servers]
    assert min(vcpus) * 0.99 <= used.vcpu_hours / used.server_hours <= max(vcpus) * 1.01
    assert min(ram) * 0.99 <= used.ram_mib_hours / used.server_hours <= max(ram) * 1.01
    earlier = min(one.created_at for one in servers) - timedelta(days=2)
    nothing = await stage.cloud.usage(stage.anna.project, earlier, earlier + timedelta(days=1))
    assert (nothing.server_hours, nothing.vcpu_hours, nothing.ram_mib_hours) == (0, 0, 0)

"""The stand-in's cloud: what it allows, how long it takes, and what its log says. The clock is set by hand."""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.demo_cloud import PASSWORD, open_cabinets
from provider.port import ACTS, Account, Act, Later, Refused
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox, SandboxError
from sandbox.cloudclient import CloudSide
from tests.integration.sandbox.conftest import Clock

ALMATY, ASTANA = "almaty-1", "astana-1"


@pytest.fixture
def side(sandbox: Sandbox) -> CloudSide:
    return sandbox.cloud


@pytest.fixture
async def cloud(side: CloudSide) -> AsyncIterator[SandboxCloud]:
    cloud = SandboxCloud(side.address, timeout=5)
    yield cloud
    await cloud.close()


@pytest.fixture
async def project(side: CloudSide) -> str:
    return await side.add_project("Айгерім ЖК", limits={"instances": 3, "vcpus": 8})


@pytest.fixture
async def web(side: CloudSide, project: str) -> str:
    return await side.add_server(project, "web-1", ALMATY)


def moment(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.at, UTC)


# --- Orders -----------------------------------------------------------------------------------------------------


async def test_a_forced_reboot_is_accepted_first_and_done_later(cloud: SandboxCloud, web: str, clock: Clock) -> None:
    asked = moment(clock)
    request = await cloud.act(web, "reboot")
    meanwhile = await cloud.server(web)
    assert (meanwhile.status, meanwhile.task, meanwhile.updated_at) == ("HARD_REBOOT", "rebooting_hard", asked)
    entry = (await cloud.log(web))[0]
    assert (entry.id, entry.action, entry.started_at, entry.finished_at) == (request, "reboot", asked, None)
    assert entry.succeeded is None

    clock.at += 0.9
    assert (await cloud.server(web)).task == "rebooting_hard"
    clock.at += 0.1
    after = await cloud.server(web)
    assert (after.status, after.task, after.power) == ("ACTIVE", None, "running")
    done = (await cloud.log(web))[0]
    assert (done.finished_at, done.succeeded) == (asked + timedelta(seconds=1), True)


async def test_meanwhile_only_a_second_reboot_is_taken(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    await cloud.act(web, "reboot")
    await cloud.act(web, "reboot")
    for act in ("start", "stop"):
        with pytest.raises(Refused) as no:
            await cloud.act(web, act)
        assert no.value.reason == "conflict"
    assert await side.done(web) == {"reboot": 2}
    assert [entry.action for entry in await cloud.log(web)] == ["reboot", "reboot", "create"]


ALLOWED: dict[str, set[Act]] = {
    "ACTIVE": {"reboot", "stop", "unlock"},
    "SHUTOFF": {"reboot", "start", "unlock"},
    "PAUSED": {"reboot", "unlock"},
    "SUSPENDED": {"reboot", "unlock"},
    "ERROR": {"reboot", "unlock"},
}


@pytest.mark.parametrize("status", ALLOWED)
async def test_each_state_takes_its_own_orders(
    cloud: SandboxCloud, side: CloudSide, project: str, clock: Clock, status: str
) -> None:
    taken = set()
    for act in ACTS:
        server = await side.add_server(project, act, ALMATY, status=status)
        with contextlib.suppress(Refused):
            await cloud.act(server, act)
            taken.add(act)
            clock.at += 1
            rests = await cloud.server(server)
            assert rests.status == {"stop": "SHUTOFF", "unlock": status}.get(act, "ACTIVE")
        assert await side.done(server) == ({act: 1} if act in taken else {})
        await side.act(server, "delete")
        clock.at += 1
    assert taken == ALLOWED[status]


async def test_unlocking_is_no_error_twice_and_takes_no_time(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    await side.act(web, "lock")
    assert (await cloud.server(web)).locked
    with pytest.raises(SandboxError, match="locked"):
        await side.act(web, "reboot")
    for _ in range(2):
        await cloud.act(web, "unlock")
        assert not (await cloud.server(web)).locked
    assert [(entry.action, entry.succeeded) for entry in await cloud.log(web, 2)] == [("unlock", True)] * 2


async def test_on_a_dead_host_orders_wait_until_it_lives(
    cloud: SandboxCloud, side: CloudSide, web: str, clock: Clock
) -> None:
    await side.host("almaty-1-a", alive=False)
    await cloud.act(web, "reboot")
    clock.at += 50
    assert (await cloud.server(web)).task == "rebooting_hard"
    assert all(zone.available for zone in await cloud.zones()), "as Nova believes for a minute"
    assert [service.problem for service in await cloud.services()] == [None] * 3
    clock.at += 10
    assert [service.name for service in await cloud.services() if service.problem] == ["servers"]
    assert {zone.name: zone.available for zone in await cloud.zones()} == {ALMATY: False, ASTANA: True}
    with pytest.raises(Refused):
        await cloud.act(web, "stop")
    await cloud.act(web, "reboot")

    await side.host("almaty-1-a", alive=True)
    assert (await cloud.server(web)).task == "rebooting_hard"
    clock.at += 1
    assert (await cloud.server(web)).task is None
    assert [entry.succeeded for entry in await cloud.log(web)] == [True, True, True]


async def test_what_a_customer_launches_takes_time_and_room(
    cloud: SandboxCloud, side: CloudSide, project: str, clock: Clock
) -> None:
    before = await cloud.capacity()
    asked = moment(clock)
    server = await side.launch(project, "db-1", ASTANA, vcpus=4, ram=8192)
    built = await cloud.server(server)
    assert (built.status, built.task, built.launched_at) == ("BUILD", "spawning", None)
    clock.at += 1
    ready = await cloud.server(server)
    assert (ready.status, ready.zone, ready.launched_at) == ("ACTIVE", ASTANA, asked + timedelta(seconds=1))
    after = await cloud.capacity()
    assert {name: after[name].used - before[name].used for name in after} == {"vcpus": 4, "ram": 8192}

    await side.act(server, "delete")
    clock.at += 1
    with pytest.raises(Refused) as no:
        await cloud.server(server)
    assert no.value.reason == "not_found"
    assert await cloud.capacity() == before
    assert [entry.action for entry in await cloud.log(server)] == ["delete", "create"], "its log outlives it"


async def test_without_room_a_launch_is_taken_and_ends_in_an_error(
    cloud: SandboxCloud, side: CloudSide, project: str, clock: Clock
) -> None:
    await side.host("almaty-1-a", vcpus=1, ram=1024)
    server = await side.launch(project, "db-1", ALMATY)
    clock.at += 1
    assert (await cloud.server(server)).status == "ERROR"
    (entry,) = await cloud.log(server)
    assert (entry.succeeded, entry.text) == (False, "No valid host was found in almaty-1")


# --- Lists ------------------------------------------------------------------------------------------------------


async def test_since_a_moment_tells_of_changed_and_deleted_ones(
    cloud: SandboxCloud, side: CloudSide, project: str, web: str, clock: Clock
) -> None:
    other = await side.add_project("Altyn")
    elsewhere = await side.add_server(other, "shop-1", ASTANA)
    clock.at += 10.123457
    since = moment(clock)
    assert await cloud.servers(since=since) == []
    await side.act(web, "delete")
    clock.at += 1
    assert [one.id for one in await cloud.servers()] == [elsewhere]
    (gone,) = await cloud.servers(since=since)
    assert (gone.id, gone.status, gone.deleted_at) == (web, "DELETED", since + timedelta(seconds=1))
    assert await cloud.servers(since=gone.updated_at) == [gone], "that very moment counts"
    assert await cloud.servers(since=gone.updated_at + timedelta(microseconds=1)) == []
    assert await cloud.servers(other, since=since) == []
    assert await cloud.servers(project) == []


async def test_ten_thousand_servers_are_listed_fast(cloud: SandboxCloud, side: CloudSide, sandbox: Sandbox) -> None:
    servers = [{"name": f"vm-{n}", "zone": ALMATY} for n in range(20)]
    assert await side.load([{"name": f"customer {n}", "servers": servers} for n in range(500)]) == 10_000
    started = time.perf_counter()
    async with sandbox.session.get(
        f"{sandbox.url}/cloud/servers", headers={"Authorization": "Bearer sandbox"}
    ) as answer:
        raw = await answer.read()
    spent = time.perf_counter() - started
    assert raw.count(b'"vm-1"') == 500
    assert spent < 1.5, "half a second on a quiet machine"
    assert len(await cloud.servers()) == 10_000


async def test_usage_counts_from_launch_to_deletion(
    cloud: SandboxCloud, side: CloudSide, project: str, web: str, clock: Clock
) -> None:
    launched = moment(clock)
    clock.at += 7200 - 1
    await side.act(web, "delete")
    clock.at += 3600
    used = await cloud.usage(project, launched + timedelta(hours=1), moment(clock))
    assert (used.server_hours, used.vcpu_hours, used.ram_mib_hours) == pytest.approx((1, 2, 4096))


# --- Cabinets ---------------------------------------------------------------------------------------------------


async def test_a_quota_below_what_is_used_changes_nothing(cloud: SandboxCloud, project: str, web: str) -> None:
    await cloud.set_quotas(project, {"instances": 1, "ram": -1})
    before = await cloud.quotas(project)
    assert (before["instances"].limit, before["instances"].used, before["ram"].limit) == (1, 1, -1)
    for wrong in ({"vcpus": 10, "instances": 0}, {"vcpus": 10, "cows": 1}, {"vcpus": 10, "ram": -2}):
        with pytest.raises(Refused) as no:
            await cloud.set_quotas(project, wrong)
        assert no.value.reason == "invalid"
    assert await cloud.quotas(project) == before


async def test_more_than_the_quota_is_refused(side: CloudSide, project: str, web: str) -> None:
    with pytest.raises(SandboxError, match="quota of vcpus exceeded: 2 \\+ 7 of 8"):
        await side.launch(project, "big", ALMATY, vcpus=7)
    assert len((await side.cabinet(project))["servers"]) == 1


async def test_a_link_is_made_once_and_a_half_one_is_completed(
    cloud: SandboxCloud, side: CloudSide, project: str, clock: Clock
) -> None:
    await side.fault("fail", what="link")
    half = await cloud.link(project, "office", (ALMATY, ASTANA))
    clock.at += 10
    assert (list(half.networks), (await cloud.links(project))[0].active) == ([ALMATY], False)

    whole = await cloud.link(project, "office", (ALMATY, ASTANA))
    assert (whole.id, whole.active, whole.networks[ALMATY]) == (half.id, False, half.networks[ALMATY])
    clock.at += 1
    assert (await cloud.link(project, "office", (ASTANA, ALMATY))).active
    assert len(await cloud.links(project)) == 1
    assert {name: (await cloud.quotas(project))[name].used for name in ("networks", "routers")} == {
        "networks": 2,
        "routers": 1,
    }
    for zones in ((ALMATY, ALMATY), (ALMATY, "mars-1")):
        with pytest.raises(Refused):
            await cloud.link(project, "other", zones)


async def test_an_account_is_opened_once_and_nobody_gets_another_ones(cloud: SandboxCloud, side: CloudSide) -> None:
    wanted = Account("steppe", {"instances": 2}, "emma@steppe.example")
    for _ in range(2):
        opened = await cloud.open_account(wanted)
    assert [project.name for project in await cloud.projects()] == ["steppe"]
    assert await cloud.users(opened.project.id) == [opened.user]
    assert (await cloud.quotas(opened.project.id))["instances"].limit == 2

    half = await side.add_project("half")
    assert (await cloud.open_account(Account("half", {}))).project.id == half
    others = await side.add_project("others")
    await side.add_user(others, "somebody")
    for name in ("others", "somebody"):
        with pytest.raises(Refused) as no:
            await cloud.open_account(Account(name, {}))
        assert no.value.reason == "conflict"
    with pytest.raises(Refused):
        await cloud.open_account(Account("wrong", {"cows": 1}))
    assert {project.name for project in await cloud.projects()} == {"steppe", "half", "others"}


async def test_a_password_works_and_is_written_nowhere(
    cloud: SandboxCloud, side: CloudSide, project: str, sandbox: Sandbox
) -> None:
    user = await side.add_user(project, "aigerim", password="old-one")
    assert await cloud.can_log_in(user, "old-one")
    await cloud.set_password(user, "қызыл-77")
    assert await cloud.can_log_in(user, "қызыл-77")
    assert not await cloud.can_log_in(user, "old-one")
    assert "қызыл" not in repr([await side.calls(), await side.state()])
    assert [call["params"]["password"] for call in await side.calls(target=user)] == ["…"] * 4
    with pytest.raises(Refused):
        await cloud.set_password("nobody", "x")


async def test_a_stranger_is_told_nothing(side: CloudSide, sandbox: Sandbox, web: str) -> None:
    stranger = SandboxCloud(side.address.replace("sandbox@", "guess@"))
    with pytest.raises(Refused) as no:
        await stranger.act(web, "reboot")
    assert no.value.reason == "unauthorized"
    assert [service.problem is not None for service in await stranger.services()] == [True]
    await stranger.close()
    assert await side.done(web) == {}


async def test_nobody_at_the_door_is_later(web: str) -> None:
    nowhere = SandboxCloud("http://sandbox@127.0.0.1:9/cloud")
    with pytest.raises(Later):
        await nowhere.act(web, "reboot")
    await nowhere.close()


async def test_an_empty_world_has_no_customers(sandbox: Sandbox, side: CloudSide, web: str) -> None:
    await side.fault("503")
    await sandbox.reset()
    state = await side.state()
    assert (state["projects"], state["zones"], await side.faults(), await side.calls()) == (
        [],
        [ALMATY, ASTANA],
        [],
        [],
    )


async def test_the_demo_peoples_it(sandbox: Sandbox, side: CloudSide) -> None:
    made = await open_cabinets(sandbox)
    cloud = SandboxCloud(made.address)
    zones = {one.name: one.zone for one in await cloud.servers(made.projects["Айгерім ЖК"])}
    assert zones == {"web-1": ALMATY, "db-1": ALMATY, "web-2": ASTANA}
    assert {project.id for project in await cloud.projects()} == set(made.projects.values())
    for project in made.projects.values():
        (owner,) = await cloud.users(project)
        assert await cloud.can_log_in(owner.id, PASSWORD)
        assert all(quota.used <= quota.limit for quota in (await cloud.quotas(project)).values())
    await cloud.close()

"""What the desk does to servers: ordered once, and read back."""

import pytest

from provider.port import Cloud, Refused
from tests.conformance.stage import Stage
from tests.conformance.waiting import carried_out, ended, settled, until


async def test_a_forced_reboot_is_carried_out_and_logged(stage: Stage) -> None:
    server = stage.anna.servers["web-1"]
    given = await carried_out(stage.cloud, server, "reboot")
    assert (await settled(stage.cloud, server)).power == "running"
    newest = await ended(stage.cloud, server, "reboot")
    assert newest.succeeded is True
    assert newest.finished_at is not None
    assert newest.started_at <= newest.finished_at
    assert given in (None, newest.id)


async def test_stopping_and_starting(stage: Stage) -> None:
    cloud, server = stage.cloud, stage.anna.servers["web-2"]
    try:
        await carried_out(cloud, server, "stop")
        assert (await settled(cloud, server, "SHUTOFF")).power == "shutdown"
        with pytest.raises(Refused) as refused:
            await cloud.act(server, "stop")
        assert refused.value.reason == "conflict"
    finally:
        await carried_out(cloud, server, "start")
    assert (await settled(cloud, server)).power == "running"
    assert [entry.action for entry in await cloud.log(server, 2)] == ["start", "stop"]


async def test_unlocking_twice_is_no_error(stage: Stage) -> None:
    cloud, server = stage.cloud, stage.anna.servers["db-1"]
    await stage.lock(server)
    assert (await cloud.server(server)).locked
    await cloud.act(server, "unlock")
    await until(lambda: cloud.server(server), lambda one: not one.locked)
    await cloud.act(server, "unlock")
    assert not (await cloud.server(server)).locked


async def test_the_log_is_as_long_as_asked_for_and_newest_first(stage: Stage) -> None:
    cloud, server = stage.cloud, stage.boris.servers["shop-1"]
    await carried_out(cloud, server, "reboot")
    await cloud.act(server, "unlock")
    log = await until(lambda: cloud.log(server, 2), lambda found: found[0].action == "unlock")
    assert [entry.action for entry in log] == ["unlock", "reboot"]
    assert len({entry.id for entry in log}) == 2
    assert log[0].started_at >= log[1].started_at
    assert [entry.id for entry in await cloud.log(server, 1)] == [log[0].id]


@pytest.mark.timeout(600)
async def test_an_order_that_a_dead_host_never_carries_out(stage: Stage, cloud: Cloud) -> None:
    """Accepted it is; that it never ends is for the caller's own deadline to find."""
    if not stage.kills_hosts:
        pytest.skip("this stage kills no hosts")
    server = stage.anna.servers["web-1"]
    async with stage.dead_host(stage.zones[0]):
        given = await cloud.act(server, "reboot")
        # The cloud itself gives up on the host, and still the order is neither done nor refused.
        await until(cloud.services, lambda found: any(one.problem for one in found), 120)
        now = await cloud.server(server)
        assert (now.status, now.task is None) == ("HARD_REBOOT", False)
        newest = (await cloud.log(server, 1))[0]
        assert (newest.action, newest.finished_at, newest.succeeded) == ("reboot", None, None)
        assert given in (None, newest.id)
    await settled(cloud, server)

"""What goes wrong in the stand-in's cloud on order, what the adapter makes of it, and what was really done."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from provider.port import Later, Refused, Unknown
from provider.sandbox import SandboxCloud
from sandbox.client import Sandbox, SandboxError
from sandbox.cloudclient import CloudSide
from tests.integration.sandbox.conftest import Clock

ALMATY = "almaty-1"


@pytest.fixture
def side(sandbox: Sandbox) -> CloudSide:
    return sandbox.cloud


@pytest.fixture
async def cloud(side: CloudSide) -> AsyncIterator[SandboxCloud]:
    cloud = SandboxCloud(side.address, timeout=0.5)
    yield cloud
    await cloud.close()


@pytest.fixture
async def web(side: CloudSide) -> str:
    return await side.add_server(await side.add_project("Айгерім ЖК"), "web-1", ALMATY)


TROUBLE = [
    ({"kind": "refuse", "code": 403, "text": "not yours"}, Refused, 0, 403),
    ({"kind": "refuse", "code": 409}, Refused, 0, 409),
    ({"kind": "refuse", "code": 400}, Refused, 0, 400),
    ({"kind": "503", "retry_after": 7}, Later, 0, 503),
    ({"kind": "429"}, Later, 0, 429),
    ({"kind": "500"}, Unknown, 0, 500),
    ({"kind": "500", "done": True}, Unknown, 1, 500),
    ({"kind": "drop"}, Unknown, 0, None),
    ({"kind": "drop", "done": True}, Unknown, 1, None),
    ({"kind": "hang", "seconds": 5}, Unknown, 0, None),
    ({"kind": "hang", "seconds": 5, "done": True}, Unknown, 1, None),
    ({"kind": "undecodable"}, Unknown, 1, 202),
]


@pytest.mark.parametrize(("order", "error", "times", "answered"), TROUBLE, ids=lambda value: str(value)[:60])
async def test_a_changing_call_goes_wrong_once_and_the_ledger_knows(
    cloud: SandboxCloud,
    side: CloudSide,
    web: str,
    order: dict[str, object],
    error: type[Exception],
    times: int,
    answered: int | None,
) -> None:
    await side.fault(**order)  # type: ignore[arg-type]
    await cloud.server(web)
    with pytest.raises(error):
        await cloud.act(web, "reboot")
    (line,) = await side.calls(what="reboot")
    assert (line["done"], line["answered"], line["fault"]) == (bool(times), answered, order["kind"])
    assert (await side.done(web))["reboot"] == times
    assert (await cloud.server(web)).task == ("rebooting_hard" if times else None)
    await cloud.act(web, "reboot")
    assert (await side.done(web))["reboot"] == times + 1


async def test_a_busy_cloud_says_for_how_long_and_a_refusal_says_why(
    cloud: SandboxCloud, side: CloudSide, web: str
) -> None:
    await side.fault("503", retry_after=7)
    with pytest.raises(Later) as later:
        await cloud.act(web, "stop")
    assert later.value.seconds == 7
    await side.fault("refuse", code=403, reason="over_quota", text="кота тесно")
    with pytest.raises(Refused) as no:
        await cloud.act(web, "stop")
    assert (no.value.reason, "кота тесно" in no.value.text) == ("over_quota", True)


@pytest.mark.parametrize("kind", ["503", "500", "drop", "undecodable", "hang"])
async def test_a_reading_call_is_asked_again_later(cloud: SandboxCloud, side: CloudSide, web: str, kind: str) -> None:
    await side.fault(kind, what="server", times=None)
    with pytest.raises(Later):
        await cloud.server(web)
    await side.clear_faults()
    assert (await cloud.server(web)).id == web


async def test_a_slow_cloud_does_it_all_the_same(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    await side.fault("slow", seconds=0.05)
    await cloud.act(web, "reboot")
    assert await side.done(web) == {"reboot": 1}


async def test_stuck_never_ends_until_healed(cloud: SandboxCloud, side: CloudSide, web: str, clock: Clock) -> None:
    await side.fault("stuck", server=web)
    await cloud.act(web, "unlock")  # takes no time, so it cannot get stuck
    await cloud.act(web, "stop")
    clock.at += 100_000
    assert (await cloud.server(web)).task == "powering-off"
    assert (await cloud.log(web))[0].succeeded is None
    assert (await side.server(web) or {})["stuck"]
    await side.act(web, "heal")
    clock.at += 1
    assert (await cloud.server(web)).status == "SHUTOFF"


async def test_a_failure_on_the_way_ends_in_error_and_in_the_log(
    cloud: SandboxCloud, side: CloudSide, web: str, clock: Clock
) -> None:
    await side.fault("fail")
    await cloud.act(web, "reboot")
    assert (await cloud.server(web)).task == "rebooting_hard"
    clock.at += 1
    broken = await cloud.server(web)
    assert (broken.status, broken.task, broken.power) == ("ERROR", None, "crashed")
    entry = (await cloud.log(web))[0]
    assert (entry.succeeded, entry.text) == (False, "reboot: the hypervisor gave up")
    await side.act(web, "heal")
    assert (await cloud.server(web)).status == "ACTIVE"


async def test_a_fault_hits_only_what_it_names(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    other = await side.add_server(await side.add_project("Altyn"), "shop-1", ALMATY)
    await side.fault("503", server=web, what=["start", "stop"], after=1, times=2)
    await cloud.act(other, "stop")
    await cloud.act(web, "reboot")
    with pytest.raises(Refused):
        await cloud.act(web, "stop")
    for _ in range(2):
        with pytest.raises(Later):
            await cloud.act(web, "stop")
    assert await side.faults() == []
    project = (await side.state())["projects"][1]["id"]
    await side.fault("503", project=project, times=None)
    with pytest.raises(Later):
        await cloud.set_quotas(project, {"ram": -1})
    await cloud.act(web, "reboot")


async def test_any_is_for_reading_calls_too(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    await side.fault("503", what="any", times=None)
    with pytest.raises(Later):
        await cloud.servers()
    with pytest.raises(Later):
        await cloud.act(web, "stop")
    await side.clear_faults()
    assert len(await cloud.servers()) == 1


@pytest.mark.parametrize("order", [{"kind": "flood"}, {"kind": "drop", "done_": 1}, {"kind": "refuse", "reason": "x"}])
async def test_a_fault_that_is_none_is_refused(side: CloudSide, order: dict[str, object]) -> None:
    with pytest.raises(SandboxError):
        await side.fault(**order)  # type: ignore[arg-type]


async def test_twenty_orders_at_once_are_twenty_lines(cloud: SandboxCloud, side: CloudSide, web: str) -> None:
    await asyncio.gather(*(cloud.act(web, "reboot") for _ in range(20)))
    assert await side.done(web) == {"reboot": 20}


async def test_those_who_watch_are_told(sandbox: Sandbox, side: CloudSide, web: str, clock: Clock) -> None:
    cloud = SandboxCloud(side.address)
    async with sandbox.session.ws_connect(f"{sandbox.url}/sandbox/events") as socket:
        await cloud.act(web, "reboot")
        begun = await socket.receive_json(timeout=5)
        clock.at += 1
        ended = await socket.receive_json(timeout=5)
    await cloud.close()
    project = (await side.state())["projects"][0]["id"]
    assert [(frame["type"], frame["project"]) for frame in (begun, ended)] == [("cloud", project)] * 2

"""What an adapter says when a call goes wrong, and whether that is true."""

import pytest

from provider.port import CloudError, Later, Unknown
from tests.conformance.stage import DONE, UNDONE, Fault, Stage
from tests.conformance.waiting import ended, settled

SECONDS = 7


async def failing(stage: Stage, fault: Fault, server: str) -> CloudError:
    if fault not in stage.faults:
        pytest.skip(f"this stage has no fault {fault!r}")
    async with stage.fault(fault):
        with pytest.raises(CloudError) as failed:
            await stage.cloud.act(server, "reboot")
    assert "\n" not in failed.value.text
    return failed.value


@pytest.mark.parametrize("fault", UNDONE)
async def test_an_order_that_was_not_carried_out(stage: Stage, fault: Fault) -> None:
    server = stage.anna.servers["web-1"]
    before = await stage.cloud.log(server, 1)
    error = await failing(stage, fault, server)
    # Of a 500 nobody can say that nothing was done, though here nothing was.
    assert type(error) is (Unknown if fault == "broken" else Later)
    if isinstance(error, Later):
        assert error.seconds == (SECONDS if fault == "busy" else None)
    assert await stage.cloud.log(server, 1) == before
    await settled(stage.cloud, server)


@pytest.mark.parametrize("fault", DONE)
async def test_an_order_that_was_carried_out_once_though_nobody_said_so(stage: Stage, fault: Fault) -> None:
    server = stage.anna.servers["web-1"]
    before = await stage.cloud.log(server, 2)
    error = await failing(stage, fault, server)
    assert type(error) is Unknown
    newest = await ended(stage.cloud, server, "reboot")
    await settled(stage.cloud, server)
    assert [one.id for one in await stage.cloud.log(server, 2)] == [newest.id, before[0].id]


@pytest.mark.parametrize("fault", [*UNDONE, *DONE])
async def test_reading_can_always_be_tried_later(stage: Stage, fault: Fault) -> None:
    if fault not in stage.faults:
        pytest.skip(f"this stage has no fault {fault!r}")
    server = stage.anna.servers["web-1"]
    async with stage.fault(fault):
        for ask in (stage.cloud.server, stage.cloud.servers, stage.cloud.log):
            with pytest.raises(Later) as later:
                await ask(server)
            assert later.value.seconds == (SECONDS if fault == "busy" else None)
    await settled(stage.cloud, server)

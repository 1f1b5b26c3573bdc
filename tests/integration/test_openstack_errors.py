"""What OpenStack's answers and silences mean: refused, later or unknown; and that nothing is ever sent twice."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from provider.openstack import OpenStackCloud
from provider.port import CloudError, Later, Refused, Unknown
from tests.integration.openstack_server import Services, http

ACTION = "POST /v2.1/servers/vm/action"
SERVER = "GET /v2.1/servers/vm"
PROJECT = {"project": {"id": "p", "name": "p", "enabled": True}}
NOVA_USED = {name: {"limit": 10, "in_use": 3, "reserved": 0} for name in ("instances", "cores", "ram")}
NEUTRON_USED = {name: {"limit": 10, "used": 1, "reserved": 0} for name in ("network", "router", "floatingip")}


def nova(kind: str, words: str) -> dict[str, Any]:
    return {kind: {"code": 0, "message": words}}


def neutron(kind: str) -> dict[str, Any]:
    return {"NeutronError": {"type": kind, "message": "No", "detail": ""}}


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    async with Services().running() as made:
        yield made


@contextlib.asynccontextmanager
async def cloud_of(services: Services, folder: Path, **bounds: float) -> AsyncIterator[OpenStackCloud]:
    made = OpenStackCloud("desk", services.clouds_yaml(folder), **({"answer": 5.0} | bounds))
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def cloud(services: Services, tmp_path: Path) -> AsyncIterator[OpenStackCloud]:
    async with cloud_of(services, tmp_path) as made:
        yield made


async def failed(asked: Any) -> CloudError:
    with pytest.raises(CloudError) as error:
        await asked
    assert "\n" not in error.value.text
    assert "http" not in error.value.text
    return error.value


async def test_an_order_that_is_taken_gives_its_id(services: Services, cloud: OpenStackCloud) -> None:
    services.answers[ACTION] = http(202, x_openstack_request_id="req-1")
    assert await cloud.act("vm", "reboot") == "req-1"
    assert services.times("POST") == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, nova("badRequest", "Invalid input"), "invalid"),
        (401, {"error": {"code": 401, "message": "Unauthorized"}}, "unauthorized"),
        (403, nova("forbidden", "Policy doesn't allow it"), "forbidden"),
        (403, nova("forbidden", "Quota exceeded for instances: Requested 1"), "over_quota"),
        (404, nova("itemNotFound", "Instance could not be found"), "not_found"),
        (409, nova("conflictingRequest", "Cannot 'stop' instance while it is in vm_state stopped"), "conflict"),
        (409, neutron("OverQuota"), "over_quota"),
        (409, neutron("IpAddressGenerationFailure"), "no_capacity"),
        (413, nova("overLimit", "Too much"), "over_quota"),
        (422, {"errors": [{"status": 422, "detail": "Not like this", "title": "Unprocessable"}]}, "invalid"),
        (403, b"<html>Forbidden by the proxy</html>", "forbidden"),
    ],
)
async def test_a_no_is_a_no(services: Services, cloud: OpenStackCloud, status: int, body: Any, reason: str) -> None:
    services.answers[ACTION] = services.answers[SERVER] = http(status, body)
    for asked in (cloud.act, lambda one, _: cloud.server(one)):
        error = await failed(asked("vm", "stop"))
        assert isinstance(error, Refused)
        assert error.reason == reason
        assert str(status) in error.text


@pytest.mark.parametrize("status", [500, 501, 502, 504, 507, 408])
async def test_who_fails_in_the_middle_may_have_done_it(services: Services, cloud: OpenStackCloud, status: int) -> None:
    services.answers[ACTION] = services.answers[SERVER] = http(status, nova("computeFault", "Unexpected API Error."))
    assert type(await failed(cloud.act("vm", "reboot"))) is Unknown
    assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


@pytest.mark.parametrize("status", [503, 429])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "Thu, 26 Nov 2026 05:00:30 GMT", "Date": "Thu, 26 Nov 2026 05:00:00 GMT"}, 30),
        ({"Retry_After": "Thu, 26 Nov 2026 05:00:00 GMT", "Date": "Thu, 26 Nov 2026 05:00:09 GMT"}, 0),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
async def test_who_is_busy_has_done_nothing(
    services: Services, cloud: OpenStackCloud, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    services.answers[ACTION] = services.answers[SERVER] = http(status, **headers)
    for asked in (cloud.act("vm", "reboot"), cloud.server("vm")):
        error = await failed(asked)
        assert isinstance(error, Later)
        assert error.seconds == seconds
    assert (services.times("POST"), services.times("GET")) == (1, 1)


@pytest.mark.parametrize("status", [301, 307])
async def test_nobody_is_sent_elsewhere(services: Services, cloud: OpenStackCloud, status: int) -> None:
    services.answers[ACTION] = http(status, Location=f"http://127.0.0.1:{services.port}/elsewhere")
    assert type(await failed(cloud.act("vm", "reboot"))) is Later
    assert services.times("POST") == 1


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"<html>Welcome to our network</html>"),
        http(200, {"greeting": "hello"}),
        b"HTTP/1.1 202 So\r\nContent-Length: 100\r\n\r\n{",
        b"220 mail.example.kz ESMTP\r\n",
        b"",
    ],
    ids=["html", "json", "half", "mail", "nothing"],
)
async def test_an_answer_that_is_none(services: Services, cloud: OpenStackCloud, answer: bytes) -> None:
    services.answers[ACTION] = services.answers[SERVER] = answer
    assert type(await failed(cloud.act("vm", "reboot"))) is Unknown
    assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


async def test_a_connection_that_breaks_after_the_order(services: Services, cloud: OpenStackCloud) -> None:
    services.answers[ACTION] = services.answers[SERVER] = services.reset
    assert type(await failed(cloud.act("vm", "reboot"))) is Unknown
    assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


async def test_an_answer_that_does_not_begin(services: Services, tmp_path: Path) -> None:
    services.answers[ACTION] = services.answers[SERVER] = services.silence
    async with cloud_of(services, tmp_path, answer=0.5) as cloud:
        assert type(await failed(cloud.act("vm", "reboot"))) is Unknown
        assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


async def test_an_answer_that_does_not_end(services: Services, tmp_path: Path) -> None:
    services.answers[ACTION] = services.answers[SERVER] = services.trickle
    async with cloud_of(services, tmp_path, whole=1.0) as cloud:
        assert type(await failed(cloud.act("vm", "reboot"))) is Unknown
        assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


async def test_nobody_listens(services: Services, cloud: OpenStackCloud) -> None:
    """A thread that has talked to the service, and then one that never has."""
    services.answers[ACTION] = http(202)
    await cloud.act("vm", "reboot")
    services.close()
    for _ in range(8):
        assert type(await failed(cloud.act("vm", "reboot"))) is Later
    assert type(await failed(cloud.server("vm"))) is Later
    assert services.times("POST") == 1


async def test_a_connection_that_never_stands(services: Services, tmp_path: Path) -> None:
    services.answers[ACTION] = http(202)
    async with cloud_of(services, tmp_path, answer=0.5) as cloud:
        # Until every thread has talked to it: what discovery says is of no interest here.
        await asyncio.gather(*(cloud.act("vm", "reboot") for _ in range(20)))
        services.close()
        with full(services.port):
            assert {type(await failed(cloud.act("vm", "reboot"))) for _ in range(3)} == {Later}


@contextlib.contextmanager
def full(port: int) -> Any:
    """A door at which so many queue that the next one is not let in."""
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.socket())
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield


async def test_who_waits_for_a_thread_in_vain_has_sent_nothing(services: Services, tmp_path: Path) -> None:
    services.answers[ACTION] = services.silence
    async with cloud_of(services, tmp_path, whole=2.0) as cloud:
        errors = await asyncio.gather(*(cloud.act("vm", "reboot") for _ in range(6)), return_exceptions=True)
    assert sorted(type(error).__name__ for error in errors) == ["Later"] * 2 + ["Unknown"] * 4
    assert services.times("POST") == 4


async def test_who_is_given_up_sends_nothing_any_more(services: Services, cloud: OpenStackCloud) -> None:
    services.discovery.clear()
    services.answers[ACTION] = http(202)
    order = asyncio.ensure_future(cloud.act("vm", "reboot"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(order), 0.5)
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    services.discovery.set()
    # The thread is free again only when that order is over.
    services.answers[SERVER] = http(404, nova("itemNotFound", "No"))
    await asyncio.gather(*(failed(cloud.server("vm")) for _ in range(8)))
    assert services.times("POST") == 0


async def test_half_of_the_quotas_is_said_to_be_half(services: Services, cloud: OpenStackCloud) -> None:
    services.answers |= {
        "GET /v3/projects/p": http(200, PROJECT),
        "GET /v2.1/os-quota-sets/p/detail": http(200, {"quota_set": NOVA_USED}),
        "GET /v2.0/quotas/p/details": http(200, {"quota": NEUTRON_USED}),
        "PUT /v2.1/os-quota-sets/p": http(200, {"quota_set": {}}),
        "PUT /v2.0/quotas/p": http(403, neutron("PolicyNotAuthorized")),
    }
    error = await failed(cloud.set_quotas("p", {"instances": 20, "routers": 5}))
    assert type(error) is Unknown
    assert "instances 20" in error.text
    error = await failed(cloud.set_quotas("p", {"routers": 5}))
    assert isinstance(error, Refused)


async def test_what_did_not_change_is_not_set(services: Services, cloud: OpenStackCloud) -> None:
    services.answers |= {
        "GET /v3/projects/p": http(200, PROJECT),
        "GET /v2.1/os-quota-sets/p/detail": http(200, {"quota_set": NOVA_USED}),
        "GET /v2.0/quotas/p/details": http(200, {"quota": NEUTRON_USED}),
    }
    await cloud.set_quotas("p", {"instances": 10, "routers": 10})
    assert services.times("PUT") == 0


async def test_a_password_stands_in_no_error_and_no_log(
    services: Services, cloud: OpenStackCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = "Invalid input for field 'password': {} is too short"
    for password in ("tr0ub4dor", 'tr0"ub4dor', "tr0\\ub4dor", "тр0ub4dor"):
        for quoted in (password, repr(password)):
            services.answers["PATCH /v3/users/u"] = http(400, nova("error", words.format(quoted)))
            error = await failed(cloud.set_password("u", password))
            assert isinstance(error, Refused)
            assert "ub4dor" not in error.text + repr(error) + caplog.text
    error = await failed(cloud.set_password("u", "another"))
    assert "too short" in error.text


async def test_a_list_that_was_cut_short_is_no_list(services: Services, cloud: OpenStackCloud) -> None:
    services.answers["GET /v2.1/os-availability-zone"] = http(200, {"availabilityZoneInfo": [], "truncated": True})
    assert type(await failed(cloud.zones())) is Later


async def test_a_list_of_many_pages(services: Services, cloud: OpenStackCloud) -> None:
    def page(first: int, more: bool) -> bytes:
        links = {"servers_links": [{"rel": "next", "href": "elsewhere"}]} if more else {}
        return http(200, {"servers": [vm(first), vm(first + 1)], **links})

    services.answers |= {
        "GET /v2.1/servers/detail?all_tenants=1&limit=1000&marker=vm-1": page(2, False),
        "GET /v2.1/servers/detail?all_tenants=1&limit=1000": page(0, True),
    }
    assert [one.id for one in await cloud.servers()] == ["vm-0", "vm-1", "vm-2", "vm-3"]
    assert services.times("GET") == 2


def vm(number: int) -> dict[str, Any]:
    made = "2026-11-26T04:40:37Z"
    return {
        "id": f"vm-{number}",
        "name": "vm",
        "tenant_id": "p",
        "status": "BUILD",
        "locked": False,
        "flavor": {"vcpus": 1, "ram": 512},
        "created": made,
        "updated": made,
    }


@pytest.mark.parametrize("entry", ["nobody", "desk"])
async def test_a_cloud_that_is_not_in_the_file(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds:\n  other: {}\n" if entry == "nobody" else "clouds: [", "utf-8")
    cloud = OpenStackCloud(entry, str(path))
    error = await failed(cloud.zones())
    assert isinstance(error, Refused)
    assert [one.problem and one.problem.split(":")[0] for one in await cloud.services()] == ["invalid"] * 4
    await cloud.close()

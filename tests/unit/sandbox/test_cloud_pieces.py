"""The stand-in's cloud in pieces: orders of faults, room on hosts, quotas, the ledger."""

from datetime import UTC, datetime

import pytest

from sandbox.cloud import machines
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.faults import Call, CloudFaults
from sandbox.cloud.ledger import Ledger
from sandbox.cloud.model import Host, No
from sandbox.cloud.views import time_from
from sandbox.telegram.errors import Refused
from sandbox.telegram.events import Events

NOW = 1_800_000_000.0


def made() -> Cloud:
    return Cloud(Events(), lambda: NOW)


def call(what: str, *, changes: bool = True, target: str = "vm", project: str = "p") -> Call:
    return Call(what, changes, target, project, {})


def test_a_fault_without_a_name_is_for_what_changes_something() -> None:
    faults = CloudFaults()
    order = faults.add({"kind": "drop"})
    assert faults.hit(call("servers", changes=False)) is None
    assert faults.hit(call("set_quotas")) is order
    assert faults.hit(call("set_quotas")) is None, "once, unless told otherwise"


@pytest.mark.parametrize("kind", ["stuck", "fail"])
def test_only_what_takes_its_time_can_get_stuck_or_fail(kind: str) -> None:
    faults = CloudFaults()
    order = faults.add({"kind": kind})
    for what in ("unlock", "set_quotas", "set_password", "open_account"):
        assert faults.hit(call(what)) is None
    assert faults.hit(call("stop")) is order


def test_faults_of_one_server_are_taken_back_alone() -> None:
    faults = CloudFaults()
    faults.add({"kind": "drop", "server": "a"})
    other = faults.add({"kind": "drop", "server": "b"})
    assert faults.waiting() == {"a", "b"}
    faults.clear("a")
    assert faults.orders == [other]
    faults.clear()
    assert faults.orders == []


@pytest.mark.parametrize("order", [{"kind": "no"}, {"kind": "drop", "when": 1}, {"kind": "refuse", "reason": "no"}])
def test_an_order_nobody_understands_is_refused(order: dict[str, object]) -> None:
    with pytest.raises(Refused):
        CloudFaults().add(order)


def test_a_server_goes_where_most_room_is_and_never_onto_a_dead_host() -> None:
    cloud = made()
    cloud.hosts = {name: Host(name, "z", vcpus=2, ram=8192, vcpu_ratio=2) for name in "abc"}
    cloud.hosts["a"].died_at = cloud.now()
    project = cloud.open_project("p")
    placed = [machines.add(cloud, project, str(n), "z", 2, 1024).host for n in range(5)]
    assert [host.name if host else None for host in placed] == ["b", "c", "b", "c", None]


def test_all_that_was_taken_is_given_back() -> None:
    cloud = made()
    project = cloud.open_project("p")
    machine = machines.add(cloud, project, "vm", "almaty-1", 2, 4096)
    cloud.erase(project)
    assert all((host.used_vcpus, host.used_ram) == (0, 0) for host in cloud.hosts.values())
    assert (cloud.projects, cloud.machines) == ({}, {})
    with pytest.raises(No):
        cloud.machine(machine.id)


def test_an_empty_quota_and_one_without_a_limit() -> None:
    project = made().open_project("p")
    project.limits.update(instances=0, vcpus=-1)
    with pytest.raises(No) as no:
        project.spend(instances=1)
    assert no.value.reason == "over_quota"
    project.spend(vcpus=10_000)


def test_the_ledger_hides_what_is_secret_and_finds_the_rest() -> None:
    ledger = Ledger()
    at = datetime.fromtimestamp(NOW, UTC)
    ledger.write(Call("set_password", True, "u", "p", {"user": "u", "password": "қызыл"}), at, done=True, fault=None)
    ledger.write(call("servers", changes=False), at, done=True, fault=None)
    assert [line["params"] for line in ledger.lines(what="set_password")] == [{"user": "u", "password": "…"}]
    assert [line["what"] for line in ledger.lines(changes=False)] == ["servers"]
    assert [line["n"] for line in ledger.lines(1)] == [2]
    ledger.clear()
    assert list(ledger.lines()) == []


@pytest.mark.parametrize("text", ["yesterday", "2027-01-15T08:00:00", None])
def test_a_time_names_its_zone(text: object) -> None:
    with pytest.raises(No):
        time_from(text)

"""Quotas: what is written, what is a change, and how much can be had at most."""

import pytest

from crm.cloud import limits
from crm.cloud.rules import CloudRules, Resource
from crm.errors import OverCeiling, WrongInput

RULES = CloudRules(ceilings={"vcpus": 40, "ram": 65536}, reserve=0.1)
QUOTAS = {"vcpus": (10, 4), "ram": (20480, 8192), "networks": (5, 1), "routers": (-1, 0)}
ROOMY = {"vcpus": (1000, 0), "ram": (10**7, 0)}
ALLOWED = {name: allowed for name, (allowed, _) in QUOTAS.items()}


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("vcpus=16", {"vcpus": 16}),
        ("vcpus+8", {"vcpus": 18}),
        ("CPU+8 ram=32G", {"vcpus": 18, "ram": 32768}),
        ("ram=32", {"ram": 32768}),
        ("ram+512M", {"ram": 20992}),
        ("ram=1TB", {"ram": 1048576}),
        ("memory=2GiB ips=3", {"ram": 2048, "floating_ips": 3}),
        ("ips+2", {"floating_ips": 2}),
    ],
)
def test_what_is_written_is_a_limit(written: str, wanted: dict[str, int]) -> None:
    assert limits.read(written.split(), ALLOWED) == wanted


@pytest.mark.parametrize(
    "written",
    ["", "vcpus", "vcpus=", "vcpus=-1", "vcpus=x", "vcpus=16G", "disk=5", "vcpus=1 cpu=2", "vcpus=٣", "ram+1P"],
)
def test_anything_else_is_not_understood(written: str) -> None:
    with pytest.raises(WrongInput):
        limits.read(written.split(), ALLOWED)


def test_only_what_changes_is_planned() -> None:
    assert limits.check(RULES, QUOTAS, ROOMY, {"vcpus": 16, "networks": 5}) == {"vcpus": 16}


@pytest.mark.parametrize("wanted", [{"vcpus": 10}, {"vcpus": 9}, {"vcpus": 16, "networks": 4}, {"routers": 7}, {}])
def test_a_limit_is_only_raised(wanted: dict[Resource, int]) -> None:
    with pytest.raises(WrongInput) as refused:
        limits.check(RULES, QUOTAS, ROOMY, wanted)
    assert refused.value.facts == {"what": "not_more"}


def test_the_ceiling_can_be_had_and_no_more() -> None:
    assert limits.check(RULES, QUOTAS, ROOMY, {"vcpus": 40}) == {"vcpus": 40}
    with pytest.raises(OverCeiling) as refused:
        limits.check(RULES, QUOTAS, ROOMY, {"vcpus": 41, "ram": 65537, "networks": 9})
    assert refused.value.facts == {"most": {"vcpus": 40, "ram": 65536}}


def test_the_cloud_keeps_its_reserve_and_what_is_used_is_there_already() -> None:
    """Of 100 processors 10 stay free and 70 are taken, 4 of them by this cabinet."""
    capacity = {"vcpus": (100, 70)}
    assert limits.check(RULES, QUOTAS, capacity, {"vcpus": 24}) == {"vcpus": 24}
    with pytest.raises(OverCeiling) as refused:
        limits.check(RULES, QUOTAS, capacity, {"vcpus": 25})
    assert refused.value.facts == {"most": {"vcpus": 24}}


def test_a_full_cloud_gives_nothing_and_takes_nothing_away() -> None:
    with pytest.raises(OverCeiling) as refused:
        limits.check(RULES, QUOTAS, {"vcpus": (100, 99)}, {"vcpus": 11})
    assert refused.value.facts == {"most": {"vcpus": 10}}


def test_without_a_ceiling_and_a_measure_nothing_bounds() -> None:
    assert limits.most(RULES, QUOTAS, {}, "networks") is None
    assert limits.check(RULES, QUOTAS, {}, {"networks": 10_000}) == {"networks": 10_000}

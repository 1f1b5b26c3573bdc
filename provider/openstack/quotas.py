"""What a project may have: half of it Nova keeps, half of it Neutron."""

from collections.abc import Mapping
from typing import Any

from provider.openstack import identity
from provider.openstack.wire import Talk
from provider.port import Quota, Refused

# Ours → theirs; the order in which they are set.
NOVA = {"instances": "instances", "vcpus": "cores", "ram": "ram"}
NEUTRON = {"networks": "network", "routers": "router", "floating_ips": "floatingip"}


def quotas(talk: Talk, project_id: str) -> dict[str, Quota]:
    # Neither of them minds a project that there is not.
    identity.project(talk, project_id)
    linked = network(talk, project_id)
    return {**_nova(talk, project_id), **{ours: linked[theirs] for ours, theirs in NEUTRON.items() if theirs in linked}}


def network(talk: Talk, project_id: str) -> dict[str, Quota]:
    """By Neutron's own names."""
    found = talk.get("network", f"/quotas/{project_id}/details")["quota"]
    return {name: Quota(one["limit"], int(one["used"]) + int(one["reserved"])) for name, one in found.items()}


def set_quotas(talk: Talk, project_id: str, limits: Mapping[str, int]) -> None:
    """Nova first. Looks at both before it begins, so that half of it is done only where the cloud changes its mind."""
    check(limits)
    before = quotas(talk, project_id)
    for name, limit in limits.items():
        if limit != -1 and limit < before[name].used:
            raise Refused("invalid", f"{name}: {limit} is below the {before[name].used} in use")
    wanted = {name: limit for name, limit in limits.items() if limit != before[name].limit}
    _put(talk, "compute", f"/os-quota-sets/{project_id}", "quota_set", _theirs(NOVA, wanted))
    _put(talk, "network", f"/quotas/{project_id}", "quota", _theirs(NEUTRON, wanted))


def check(limits: Mapping[str, int]) -> None:
    """Raises Refused(invalid) for what no cloud would take."""
    for name, limit in limits.items():
        if name not in NOVA and name not in NEUTRON:
            raise Refused("invalid", f"no quota {name!r}")
        if limit < -1:
            raise Refused("invalid", f"{name}: {limit} is no limit")


def _put(talk: Talk, part: Any, path: str, envelope: str, limits: dict[str, int]) -> None:
    if limits:
        told = ", ".join(f"{name} {limit}" for name, limit in limits.items())
        talk.change(told, part, "PUT", path, {envelope: limits}, good=200)


def _theirs(names: Mapping[str, str], limits: Mapping[str, int]) -> dict[str, int]:
    return {theirs: limits[ours] for ours, theirs in names.items() if ours in limits}


def _nova(talk: Talk, project_id: str) -> dict[str, Quota]:
    found = talk.get("compute", f"/os-quota-sets/{project_id}/detail")["quota_set"]
    used = {ours: found[theirs] for ours, theirs in NOVA.items()}
    return {name: Quota(one["limit"], one["in_use"] + one["reserved"]) for name, one in used.items()}

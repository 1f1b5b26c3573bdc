"""How much more a cabinet may have: what was written, against ceilings and against what the cloud has left. Pure."""

import re
from collections.abc import Mapping, Sequence

from crm.cloud.rules import RESOURCES, CloudRules, Resource
from crm.errors import OverCeiling, WrongInput

# What people write for a resource.
_CALLED: dict[str, Resource] = {
    **{resource: resource for resource in RESOURCES},
    **dict.fromkeys(("vm", "vms", "instance", "servers"), "instances"),
    **dict.fromkeys(("vcpu", "cpu", "cpus", "cores"), "vcpus"),
    "memory": "ram",
    "network": "networks",
    "router": "routers",
    **dict.fromkeys(("ip", "ips", "floating_ip", "fip", "fips"), "floating_ips"),
}
_MIB = {"m": 1, "g": 1024, "t": 1024 * 1024}
_WISH = re.compile(r"([a-z_]+)([=+])(\d{1,9})\s*(?:([mgt])(?:i?b)?)?", re.ASCII)


def read(words: Sequence[str], allowed: Mapping[str, int]) -> dict[Resource, int]:
    """`vcpus=16`, `vcpus+8`, `ram=32G` as limits; memory without a unit is meant in GB. Counts from what is `allowed`.

    Raises WrongInput for anything else.
    """
    wanted: dict[Resource, int] = {}
    for word in words:
        found = _WISH.fullmatch(word.lower())
        resource = _CALLED.get(found[1]) if found else None
        if found is None or resource is None or (found[4] and resource != "ram") or resource in wanted:
            raise WrongInput(what="quota")
        value = int(found[3]) * (_MIB[found[4] or "g"] if resource == "ram" else 1)
        if found[2] == "+":
            if allowed.get(resource, 0) < 0:
                raise WrongInput(what="not_more")
            value += allowed.get(resource, 0)
        wanted[resource] = value
    if not wanted:
        raise WrongInput(what="quota")
    return wanted


def most(
    rules: CloudRules,
    quotas: Mapping[str, tuple[int, int]],
    capacity: Mapping[str, Sequence[int]],
    resource: Resource,
) -> int | None:
    """The highest limit that can be had, never below the present one; None if nothing bounds it.

    `quotas`: resource → (allowed, used) of the cabinet; `capacity`: resource → (total, used) of the whole cloud. What
    the cabinet was promised and does not use yet has to fit into what is free, too.
    """
    allowed, used = quotas.get(resource, (0, 0))
    bounds = []
    if resource in rules.ceilings:
        bounds.append(rules.ceilings[resource])
    if resource in capacity:
        total, taken = capacity[resource]
        bounds.append(used + max(int(total * (1 - rules.reserve)) - taken, 0))
    return max(min(bounds), allowed) if bounds else None


def check(
    rules: CloudRules,
    quotas: Mapping[str, tuple[int, int]],
    capacity: Mapping[str, Sequence[int]],
    wanted: Mapping[Resource, int],
) -> dict[Resource, int]:
    """What of `wanted` is a change. Facts as of `most`.

    Raises OverCeiling with the `most` of each resource that asks too much; WrongInput if one is not raised, or none.
    """
    changed = {resource: value for resource, value in wanted.items() if value != quotas.get(resource, (None,))[0]}
    if not changed or any(_lowered(quotas.get(resource, (0, 0))[0], value) for resource, value in changed.items()):
        raise WrongInput(what="not_more")
    bounds = {resource: most(rules, quotas, capacity, resource) for resource in changed}
    over = {resource: bound for resource, bound in bounds.items() if bound is not None and changed[resource] > bound}
    if over:
        raise OverCeiling(most=over)
    return changed


def _lowered(allowed: int, value: int) -> bool:
    """No limit at all (-1) is more than any."""
    return allowed < 0 or value < allowed

"""Neutron: a link between two zones is a network with a subnet in each, and one router with a leg in both.

All of it belongs to the customer's project. What the desk has made is known by its description, since customers name
things as they like.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, ip_network
from typing import Any

from provider.openstack import quotas
from provider.openstack.wire import Talk
from provider.port import Link, Refused

MARK = "kezekshi link "
# Out of the way of what people pick by hand.
ROOM = IPv4Network("10.200.0.0/13")


def links(talk: Talk, project_id: str) -> list[Link]:
    parts = _Parts(talk, project_id)
    return [parts.link(name) for name in parts.names()]


def link(talk: Talk, project_id: str, name: str, zones: tuple[str, str]) -> Link:
    """Refused before anything is made: conflict with a link of that name, zones that are none, a quota in the way."""
    parts = _Parts(talk, project_id)
    _possible(talk, parts, name, zones)
    _room(talk, parts, project_id, name, zones)
    router = parts.router(name) or _make(
        talk, "router", {**_marked(project_id, name, name), "availability_zone_hints": list(zones)}
    )
    for zone in zones:
        called = f"{name}-{zone}"
        network = parts.network(name, zone) or _make(
            talk, "network", {**_marked(project_id, called, name), "availability_zone_hints": [zone]}
        )
        subnet = parts.subnet(network["id"]) or _make(
            talk,
            "subnet",
            {
                **_marked(project_id, called, name),
                "network_id": network["id"],
                "ip_version": 4,
                "cidr": str(parts.free_range()),
            },
        )
        if not parts.leg(router["id"], network["id"]):
            path = f"/routers/{router['id']}/add_router_interface"
            talk.change(f"leg in {zone}", "network", "PUT", path, {"subnet_id": subnet["id"]}, good=200)
        parts.taken.append(ip_network(subnet["cidr"]))
    return _Parts(talk, project_id).link(name)


class _Parts:
    """What a project has of links, and of address ranges, at one moment."""

    def __init__(self, talk: Talk, project_id: str) -> None:
        self._routers = _ours(talk, "routers", project_id)
        self._networks = _ours(talk, "networks", project_id)
        self._subnets = talk.get("network", "/subnets", {"project_id": project_id})["subnets"]
        legs = {"device_id": [one["id"] for one in self._routers]}
        self._ports = talk.get("network", "/ports", legs)["ports"] if self._routers else []
        self.taken = [ip_network(one["cidr"]) for one in self._subnets]

    def names(self) -> list[str]:
        return sorted({_name(one) for one in (*self._routers, *self._networks)})

    def zones(self, name: str) -> list[str]:
        return sorted({zone for one in self._of(name) for zone in one.get("availability_zone_hints", ())})

    def router(self, name: str) -> Mapping[str, Any] | None:
        return next((one for one in self._routers if _name(one) == name), None)

    def network(self, name: str, zone: str) -> Mapping[str, Any] | None:
        return next((n for n in self._networks if _name(n) == name and zone in n["availability_zone_hints"]), None)

    def subnet(self, network_id: str) -> Mapping[str, Any] | None:
        return next((one for one in self._subnets if one["network_id"] == network_id), None)

    def leg(self, router_id: str, network_id: str) -> Mapping[str, Any] | None:
        """Whatever the router is: distributed and highly available ones have legs of other owners."""
        return next((p for p in self._ports if (p["device_id"], p["network_id"]) == (router_id, network_id)), None)

    def free_range(self) -> IPv4Network:
        for one in ROOM.subnets(new_prefix=24):
            if not any(one.version == other.version and one.overlaps(other) for other in self.taken):
                return one
        raise Refused("no_capacity", f"no range of {ROOM} is free in the project")

    def link(self, name: str) -> Link:
        router, zones = self.router(name), tuple(self.zones(name))
        networks = {zone: one["id"] for zone in zones if (one := self.network(name, zone))}
        legs = [self.leg(router["id"], one) for one in networks.values()] if router else []
        whole = len(zones) == len(networks) == 2 and len(legs) == 2
        active = whole and all(leg is not None and leg["status"] == "ACTIVE" for leg in legs)
        return Link(next(self._of(name))["id"], name, zones, active, networks)

    def _of(self, name: str) -> Iterator[Mapping[str, Any]]:
        return (one for one in (*self._routers, *self._networks) if _name(one) == name)


def _possible(talk: Talk, parts: _Parts, name: str, zones: Sequence[str]) -> None:
    if len(set(zones)) != 2:
        raise Refused("invalid", "a link is between two zones")
    if set(parts.zones(name)) - set(zones):
        raise Refused("conflict", f"there is a link {name!r} between other zones already")
    known = talk.get("network", "/availability_zones")["availability_zones"]
    for kind in ("network", "router"):
        for zone in zones:
            if zone not in {one["name"] for one in known if one["resource"] == kind and one["state"] == "available"}:
                raise Refused("not_found", f"network: no zone {zone!r} for a {kind}")


def _room(talk: Talk, parts: _Parts, project_id: str, name: str, zones: Sequence[str]) -> None:
    missing = [zone for zone in zones if parts.network(name, zone) is None]
    needed = {"network": len(missing), "subnet": len(missing), "router": 0 if parts.router(name) else 1}
    for kind, quota in quotas.network(talk, project_id).items():
        more = needed.get(kind, 0)
        if more and quota.limit != -1 and quota.used + more > quota.limit:
            raise Refused("over_quota", f"network: {quota.used} of {quota.limit} {kind}s are there already")


def _ours(talk: Talk, kind: str, project_id: str) -> list[dict[str, Any]]:
    found = talk.get("network", f"/{kind}", {"project_id": project_id})[kind]
    return [one for one in found if one["description"].startswith(MARK)]


def _name(one: Mapping[str, Any]) -> str:
    return str(one["description"].removeprefix(MARK))


def _marked(project_id: str, called: str, link_name: str) -> dict[str, Any]:
    return {"project_id": project_id, "name": called, "description": MARK + link_name}


def _make(talk: Talk, kind: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    body, _ = talk.change(f"{kind} {asked['name']}", "network", "POST", f"/{kind}s", {kind: asked}, good=201)
    return body[kind]  # type: ignore[no-any-return]

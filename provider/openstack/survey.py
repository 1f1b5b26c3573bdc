"""Whether each service is there, new enough, at the desk's command, and whole.

Problems begin with a word of their kind: unauthorized, forbidden, not_found, invalid (as of Refused), unreachable, old
(its version), ill (a host or an agent is down).
"""

from collections.abc import Callable, Mapping
from typing import Any

from provider.openstack.wire import MICROVERSIONS, Part, Talk
from provider.port import CloudError, Refused, Service

PARTS: tuple[Part, ...] = ("identity", "compute", "placement", "network")


def service(talk: Talk, part: Part) -> Service:
    version = "unknown"
    try:
        data = talk.surely(part, lambda: getattr(talk.connection, part).get_endpoint_data())
        version = _dotted((data.max_microversion or data.api_version) if data else None)
        return Service(part, version, _old(part, data) or PROBES[part](talk))
    except CloudError as error:
        return unwell(part, error, version)


def unwell(part: Part, error: CloudError, version: str = "unknown") -> Service:
    kind = error.reason if isinstance(error, Refused) else "unreachable"
    return Service(part, version, f"{kind}: {error.text}")


def _old(part: Part, data: Any) -> str | None:
    needed = MICROVERSIONS.get(part)
    if needed is None or data is None:
        return None
    there = data.max_microversion or (0, 0)
    return None if there >= tuple(map(int, needed.split("."))) else f"old: {_dotted(there)}, {needed} is needed"


def _dotted(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version)) if version else "unknown"


# Each asks what only an administrator is told.


def _identity(talk: Talk) -> str | None:
    talk.get("identity", "/role_assignments", {"scope.project.id": talk.access().project_id})
    return None


def _compute(talk: Talk) -> str | None:
    found = talk.get("compute", "/os-services", {"binary": "nova-compute"})["services"]
    return _ill([f"host {one['host']}" for one in found if one["state"] != "up" and one["status"] == "enabled"])


def _placement(talk: Talk) -> str | None:
    talk.get("placement", "/resource_providers", {"name": "nobody"})
    return None


def _network(talk: Talk) -> str | None:
    talk.get("network", "/quotas")
    found = talk.get("network", "/agents")["agents"]
    down = [f"{one['agent_type']} on {one['host']}" for one in found if not one["alive"] and one["admin_state_up"]]
    return _ill(down)


def _ill(down: list[str]) -> str | None:
    if not down:
        return None
    rest = f" and {len(down) - 3} more" if len(down) > 3 else ""
    return f"ill: {', '.join(sorted(down)[:3])}{rest} down"


PROBES: Mapping[Part, Callable[[Talk], str | None]] = {
    "identity": _identity,
    "compute": _compute,
    "placement": _placement,
    "network": _network,
}

"""Nova and Placement: servers, what is done to them, what they used, and the room that is left."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from provider.openstack.wire import Talk
from provider.port import Act, Capacity, LogEntry, Power, Refused, Server, Usage, Zone

PAGE = 1000
POWER: dict[int, Power] = {1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
ORDERS: dict[Act, dict[str, Any]] = {
    "reboot": {"reboot": {"type": "HARD"}},
    "unlock": {"unlock": None},
    "start": {"os-start": None},
    "stop": {"os-stop": None},
}
CLASSES = {"vcpus": "VCPU", "ram": "MEMORY_MB"}


def servers_page(
    talk: Talk, project_id: str | None, since: datetime | None, marker: str | None
) -> tuple[list[Server], str | None]:
    """A page, and the marker of the next one, None after the last."""
    asked: dict[str, Any] = {"all_tenants": 1, "limit": PAGE}
    if project_id is not None:
        asked["project_id"] = project_id
    if since is not None:
        asked["changes-since"] = _written(since)
    if marker is not None:
        asked["marker"] = marker
    body = talk.get("compute", "/servers/detail", asked)
    found = [_server(one) for one in body["servers"]]
    return found, found[-1].id if found and _goes_on(body, "servers_links") else None


def server(talk: Talk, server_id: str) -> Server:
    return _server(talk.get("compute", f"/servers/{server_id}")["server"])


def log(talk: Talk, server_id: str, limit: int) -> list[LogEntry]:
    """Whether an action has ended stands only in its own page, so this takes a request for each."""
    place = f"/servers/{server_id}/os-instance-actions"
    newest = talk.get("compute", place, {"limit": limit})["instanceActions"][:limit]
    return [_entry(talk.get("compute", f"{place}/{one['request_id']}")["instanceAction"]) for one in newest]


def act(talk: Talk, server_id: str, what: Act) -> str | None:
    path = f"/servers/{server_id}/action"
    _, headers = talk.change(what, "compute", "POST", path, ORDERS[what], good=202)
    return headers.get("x-openstack-request-id") or headers.get("x-compute-request-id")


def zones(talk: Talk) -> list[Zone]:
    """Nova's own ones are not for customers."""
    found = talk.get("compute", "/os-availability-zone")["availabilityZoneInfo"]
    return [Zone(one["zoneName"], one["zoneState"]["available"]) for one in found if one["zoneName"] != "internal"]


def usage(talk: Talk, project_id: str, start: datetime, end: datetime) -> Usage:
    path, asked = f"/os-simple-tenant-usage/{project_id}", {"start": _naive(start), "end": _naive(end), "limit": PAGE}
    hours = [0.0, 0.0, 0.0]
    while True:
        body = talk.get("compute", path, asked)
        found = body["tenant_usage"]
        for place, name in enumerate(("total_hours", "total_vcpus_usage", "total_memory_mb_usage")):
            hours[place] += found.get(name, 0.0)
        counted = found.get("server_usages", [])
        if not counted or not _goes_on(body, "tenant_usage_links"):
            return Usage(*hours)
        asked["marker"] = counted[-1]["instance_id"]


def capacity(talk: Talk) -> dict[str, Capacity]:
    """Placement tells of all hosts with room at once; full ones have to be asked one by one."""
    least = ",".join(f"{name}:1" for name in CLASSES.values())
    roomy = talk.get("placement", "/allocation_candidates", {"resources": least})["provider_summaries"]
    hosts = [one["resources"] for one in roomy.values()]
    every = talk.get("placement", "/resource_providers")["resource_providers"]
    hosts += [_full(talk, one["uuid"]) for one in every if one["uuid"] not in roomy]
    return {ours: _sum(host[theirs] for host in hosts if theirs in host) for ours, theirs in CLASSES.items()}


def _sum(parts: Iterable[Mapping[str, int]]) -> Capacity:
    counted = list(parts)
    return Capacity(sum(one["capacity"] for one in counted), sum(one["used"] for one in counted))


def _full(talk: Talk, provider: str) -> dict[str, dict[str, int]]:
    path = f"/resource_providers/{provider}"
    try:
        stock = talk.get("placement", f"{path}/inventories")["inventories"]
        taken = talk.get("placement", f"{path}/usages")["usages"]
    except Refused as error:
        if error.reason == "not_found":  # the host has gone in between
            return {}
        raise
    return {
        name: {"capacity": int((one["total"] - one["reserved"]) * one["allocation_ratio"]), "used": taken.get(name, 0)}
        for name, one in stock.items()
    }


def _server(one: Mapping[str, Any]) -> Server:
    updated = _moment(one["updated"])
    gone = one["status"] == "DELETED"
    ended = one.get("OS-SRV-USG:terminated_at")
    launched = one.get("OS-SRV-USG:launched_at")
    return Server(
        id=one["id"],
        name=one["name"],
        project_id=one["tenant_id"],
        zone=one.get("OS-EXT-AZ:availability_zone") or None,
        status=one["status"],
        task=one.get("OS-EXT-STS:task_state"),
        power=POWER.get(one.get("OS-EXT-STS:power_state") or 0, "unknown"),
        locked=one["locked"],
        vcpus=one["flavor"]["vcpus"],
        ram=one["flavor"]["ram"],
        created_at=_moment(one["created"]),
        updated_at=updated,
        launched_at=_moment(launched) if launched else None,
        deleted_at=(_moment(ended) if ended else updated) if gone else None,
    )


def _entry(one: Mapping[str, Any]) -> LogEntry:
    """An order that no host has taken up yet has no events; one that a host died over has an event without an end."""
    events = one.get("events") or []
    ends = [_moment(event["finish_time"]) for event in events if event["finish_time"]]
    over = bool(events) and len(ends) == len(events)
    failed = one["message"] == "Error" or any(event["result"] == "Error" for event in events)
    told = next((event["details"] for event in events if event.get("details")), None)
    return LogEntry(
        id=one["request_id"],
        action=one["action"],
        started_at=_moment(one["start_time"]),
        finished_at=max(ends) if over else None,
        succeeded=False if failed else True if over else None,
        text=told or one["message"],
    )


def _goes_on(body: Mapping[str, Any], links: str) -> bool:
    return any(link["rel"] == "next" for link in body.get(links, ()))


def _moment(text: str) -> datetime:
    """Nova writes UTC, with a Z or without."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return f"{_naive(moment)}Z"


def _naive(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()

"""What a cloud is made of. Times are aware UTC, memory is in MiB."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

Json = dict[str, Any]

# As OpenStack gives them to a new project.
DEFAULT_LIMITS: Final = {
    "instances": 10,
    "vcpus": 20,
    "ram": 51_200,
    "networks": 100,
    "routers": 10,
    "floating_ips": 50,
}
UNLIMITED: Final = -1

# How an accepted order goes on: it is done after a while, nobody ever finishes it, or it breaks on the way.
Fate = Literal["done", "stuck", "fail"]

STATUS_OF_REASON: Final = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "over_quota": 403,
    "not_found": 404,
    "conflict": 409,
}


class No(Exception):
    """The cloud refuses, and has done nothing."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(slots=True)
class Host:
    """A dead one takes orders for its servers and carries out none."""

    name: str
    zone: str
    vcpus: int = 64
    ram: int = 524_288
    vcpu_ratio: float = 4.0
    ram_ratio: float = 1.0
    died_at: datetime | None = None
    used_vcpus: int = 0
    used_ram: int = 0

    def fits(self, vcpus: int, ram: int) -> bool:
        return (
            self.used_vcpus + vcpus <= self.vcpus * self.vcpu_ratio and self.used_ram + ram <= self.ram * self.ram_ratio
        )


@dataclass(slots=True)
class Entry:
    """A line of a server's action log; `result` is success or error once it is finished."""

    id: str
    action: str
    started_at: datetime
    finished_at: datetime | None = None
    result: str | None = None
    text: str | None = None


@dataclass(slots=True)
class Run:
    """What is being done to a server, and when it is done; `due_at` None: never."""

    action: str
    fate: Fate
    due_at: datetime | None


@dataclass(slots=True)
class Machine:
    """A server. `host` None: no room was found for it."""

    id: str
    name: str
    project: "Project"
    zone: str
    host: Host | None
    vcpus: int
    ram: int
    created_at: datetime
    updated_at: datetime
    status: str = "ACTIVE"
    power: str = "running"
    task: str | None = None
    locked: bool = False
    launched_at: datetime | None = None
    deleted_at: datetime | None = None
    run: Run | None = None
    log: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class User:
    """`digest` is salted; None: nobody has set a password yet."""

    id: str
    name: str
    project: "Project"
    email: str | None = None
    enabled: bool = True
    digest: tuple[bytes, bytes] | None = None


@dataclass(slots=True)
class Link:
    """A network in each of two zones and a way between them, open from `active_at` on; None: never. `networks`: zone →
    id; a zone without one is not made yet.
    """

    id: str
    name: str
    zones: tuple[str, ...]
    networks: dict[str, str] = field(default_factory=dict)
    active_at: datetime | None = None

    @property
    def whole(self) -> bool:
        return self.networks.keys() == set(self.zones) and self.active_at is not None


@dataclass(slots=True)
class Project:
    """A customer's cabinet. `servers` are those that live, by id; `past` those that are gone. `links` are by name."""

    id: str
    name: str
    description: str = ""
    enabled: bool = True
    limits: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    servers: dict[str, Machine] = field(default_factory=dict)
    past: list[Machine] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    floating_ips: int = 0

    def used(self) -> dict[str, int]:
        servers = self.servers.values()
        return {
            "instances": len(self.servers),
            "vcpus": sum(server.vcpus for server in servers),
            "ram": sum(server.ram for server in servers),
            "networks": sum(len(link.networks) for link in self.links.values()),
            "routers": len(self.links),
            "floating_ips": self.floating_ips,
        }

    def spend(self, **more: int) -> None:
        """Raises No(over_quota) for what does not fit."""
        used = self.used()
        for resource, amount in more.items():
            limit = self.limits[resource]
            if limit != UNLIMITED and used[resource] + amount > limit:
                raise No("over_quota", f"quota of {resource} exceeded: {used[resource]} + {amount} of {limit}")

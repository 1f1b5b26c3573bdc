"""What the desk asks of a cloud, whatever cloud it is: one Protocol, its values, its errors.

Every call is bounded in time by its adapter. Times are aware UTC; memory is in MiB. A call that changes something
raises one of three errors, and nothing else:

Refused      the cloud has said no, and nothing was done; asking again gets the same answer
Later        surely nothing was done: no connection, too many requests, service down; ask again
Unknown      the cloud may have done it: no answer came, or none that can be understood; read before anything else

A call that only reads raises Refused or Later. No adapter repeats by itself what changes something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Act = Literal["reboot", "unlock", "start", "stop"]
ACTS: tuple[Act, ...] = ("reboot", "unlock", "start", "stop")

# What a project may have at most. `ram` in MiB; a limit of -1 is none at all.
Resource = Literal["instances", "vcpus", "ram", "networks", "routers", "floating_ips"]
RESOURCES: tuple[Resource, ...] = ("instances", "vcpus", "ram", "networks", "routers", "floating_ips")

Power = Literal["running", "shutdown", "paused", "suspended", "crashed", "unknown"]

Reason = Literal["not_found", "conflict", "forbidden", "unauthorized", "over_quota", "no_capacity", "invalid"]


class CloudError(Exception):
    """The root. `text` is one line for an engineer, without secrets and tokens."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Refused(CloudError):
    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Later(CloudError):
    """`seconds`: how long the cloud asks to be left alone; None if it does not say."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


class Unknown(CloudError):
    pass


@dataclass(frozen=True, slots=True)
class Service:
    """A part of the cloud as `cloud check` sees it; `problem` None: it works, and the desk may use it."""

    name: str
    version: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A customer's cabinet."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in to a cabinet."""

    id: str
    name: str
    enabled: bool
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A virtual machine. `status` in the cloud's words, in capitals (ACTIVE, SHUTOFF, HARD_REBOOT, ERROR, DELETED …);
    `task`: what is being done to it this moment, None if it rests.
    """

    id: str
    name: str
    project_id: str
    zone: str | None
    status: str
    task: str | None
    power: Power
    locked: bool
    vcpus: int
    ram: int
    created_at: datetime
    updated_at: datetime
    launched_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of a server's own action log. `action` as the cloud calls it (create, reboot, start, stop, unlock …);
    `succeeded` None: it is under way, or nobody says.
    """

    id: str
    action: str
    started_at: datetime
    finished_at: datetime | None = None
    succeeded: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What all hosts together can give of a resource, and what of it is taken."""

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(self.total - self.used, 0)


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    available: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A network link between two availability zones; `active` once packets can pass. `networks`: zone → network id."""

    id: str
    name: str
    zones: tuple[str, ...]
    active: bool
    networks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a project used in a stretch of time."""

    server_hours: float
    vcpu_hours: float
    ram_mib_hours: float


@dataclass(frozen=True, slots=True)
class Account:
    """A cabinet to open; its user is called like it. `description` is for people."""

    name: str
    quotas: Mapping[str, int]
    email: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    project: Project
    user: User


class Cloud(Protocol):
    """One cloud, asked with the desk's own rights over all projects."""

    async def services(self) -> Sequence[Service]:
        """Each part that the desk needs, asked one by one. Raises nothing: what is wrong stands in the service."""

    async def projects(self) -> Sequence[Project]:
        """Customers' projects; those of the cloud's own services are left out."""

    async def users(self, project_id: str) -> Sequence[User]: ...

    async def servers(self, project_id: str | None = None, since: datetime | None = None) -> Sequence[Server]:
        """Of all projects, or of one. With `since`: those that changed at that moment or later, deleted ones too."""

    async def server(self, server_id: str) -> Server:
        """As it is now. Raises Refused(not_found) for one that is gone."""

    async def log(self, server_id: str, limit: int = 5) -> Sequence[LogEntry]:
        """The newest entries of its action log, newest first; of a deleted one too, where the cloud keeps it."""

    async def act(self, server_id: str, act: Act) -> str | None:
        """Ask for it once; the cloud has accepted it when this comes back, no more. `reboot` is the forced one.

        Gives the id under which the log has it, where the cloud tells.
        """

    async def quotas(self, project_id: str) -> Mapping[str, Quota]:
        """By resource; what the cloud does not know is left out. Raises Refused(not_found)."""

    async def set_quotas(self, project_id: str, limits: Mapping[str, int]) -> None:
        """Those limits, the others stay. Raises Refused(invalid) for one below what is used."""

    async def capacity(self) -> Mapping[str, Capacity]:
        """Of `vcpus` and `ram`, over all hosts, with the share that the cloud gives twice."""

    async def zones(self) -> Sequence[Zone]: ...

    async def links(self, project_id: str) -> Sequence[Link]:
        """Those that `link` has made, whole or in part."""

    async def link(self, project_id: str, name: str, zones: tuple[str, str]) -> Link:
        """Make it, or what is missing of the one with that name."""

    async def open_account(self, account: Account) -> Opened:
        """Project, user and quotas; or what is missing of them, if they are there by that name."""

    async def set_password(self, user_id: str, password: str) -> None: ...

    async def can_log_in(self, user_id: str, password: str) -> bool:
        """Whether the cloud takes that password now."""

    async def usage(self, project_id: str, start: datetime, end: datetime) -> Usage: ...

    async def close(self) -> None: ...

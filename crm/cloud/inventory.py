"""What the desk knows of a cloud, for dialogues, cards and jobs: the mirror, never the cloud itself.

Each answer is one statement over an index, however many machines there are. `mirror.py` writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.db import Session


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine as last seen; `id` is the cloud's. `ram` in MiB; `task`: what is being done to it.

    `log`: entries {id, action, started_at, finished_at, succeeded, text}, newest first, times as ISO; () in a list of
    machines.
    """

    id: str
    project_id: str
    name: str
    zone: str | None
    status: str
    task: str | None
    power: str
    locked: bool
    vcpus: int
    ram: int
    created_at: datetime
    launched_at: datetime | None
    deleted_at: datetime | None
    log: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a project may have of a resource (-1: no limit), has, and was given by this desk (None: nothing)."""

    allowed: int
    used: int
    granted: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """What all hosts together can give of a resource, and what of it is taken."""

    total: int
    used: int

    @property
    def free(self) -> int:
        return max(self.total - self.used, 0)


@dataclass(frozen=True, slots=True)
class State:
    """How well the cloud is known: `crm/cloud/models.py` says what the moments mean."""

    swept_at: datetime | None = None
    full_at: datetime | None = None
    tried_at: datetime | None = None
    projects_at: datetime | None = None
    looked_at: datetime | None = None
    problem: str | None = None
    away_at: datetime | None = None
    told_at: datetime | None = None


_COLUMNS = """server_id as id, project_id, name, zone, status, task, power, locked, vcpus, ram, created_at, launched_at,
    deleted_at"""
_MACHINES = f"""
    select {_COLUMNS} from vm where desk = $1 and project_id = any($2::text[]) and deleted_at is null
    order by lower(name), id
"""  # noqa: S608
_MACHINE = f"select {_COLUMNS}, coalesce(log, '[]') as log from vm where desk = $1 and server_id = $2"  # noqa: S608


async def machines(session: Session, desk: str, project_ids: Sequence[str]) -> list[Machine]:
    """The living ones of these projects, by name."""
    return [Machine(**row) for row in await session.rows(_MACHINES, desk, list(project_ids))]


async def machine(session: Session, desk: str, server_id: str) -> Machine | None:
    """One of them, with its log; a deleted one too. None for one that was never seen."""
    found = await session.rows(_MACHINE, desk, server_id)
    return Machine(**found[0]) if found else None


async def quotas(session: Session, desk: str, project_id: str) -> dict[str, Allowance]:
    """By resource; none of a project that was not looked at yet."""
    found = await session.rows(
        "select resource, allowed, used, granted from cloud_quota where desk = $1 and project_id = $2", desk, project_id
    )
    return {row["resource"]: Allowance(row["allowed"], row["used"], row["granted"]) for row in found}


async def zones(session: Session, desk: str) -> dict[str, bool]:
    """By name, whether it is available."""
    found = await session.rows("select zones from cloud_state where desk = $1", desk)
    return dict(sorted(found[0]["zones"].items())) if found else {}


async def capacity(session: Session, desk: str) -> dict[str, Share]:
    """Of `vcpus` and `ram`; nothing before the first sweep."""
    found = await session.rows("select capacity from cloud_state where desk = $1", desk)
    return {name: Share(*share) for name, share in found[0]["capacity"].items()} if found else {}


async def state(session: Session, desk: str) -> State:
    found = await session.rows(
        """select swept_at, full_at, tried_at, projects_at, looked_at, problem, away_at, told_at
           from cloud_state where desk = $1""",
        desk,
    )
    return State(**found[0]) if found else State()

"""A cloud of the tests behind the port, all of it in memory, that counts what it is asked and fails on order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from crm.db import Session, Sessions, transaction
from crm.people import organizations
from provider.port import Capacity, Cloud, LogEntry, Project, Quota, Refused, Server, User, Zone
from scheduler.hands import Place
from scheduler.inventory import Swept, sweep
from tests.factories import DESK, NOW, PROFILE, one

LONG_AGO = NOW - timedelta(days=30)
QUOTAS = {"instances": Quota(10, 1), "vcpus": Quota(20, 2), "ram": Quota(51_200, 2048)}


def server(number: int = 1, project: str = "p1", **more: Any) -> Server:
    made = Server(f"s{number}", f"web-{number}", project, "almaty-a", "ACTIVE", None, "running", False, 2, 2048,
                  LONG_AGO, LONG_AGO, launched_at=LONG_AGO)  # fmt: skip
    return replace(made, **more)


@dataclass
class Heaven:
    """Reading only. `fails`: call → error, raised instead of an answer; `hides`: ids that its lists leave out."""

    all: dict[str, Server] = field(default_factory=dict)
    cabinets: dict[str, Project] = field(default_factory=dict)
    logs: dict[str, list[LogEntry]] = field(default_factory=dict)
    limits: dict[str, dict[str, Quota]] = field(default_factory=dict)
    people: dict[str, list[User]] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    hides: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    since: list[datetime | None] = field(default_factory=list)

    def add(self, *servers: Server) -> None:
        for made in servers:
            self.all[made.id] = made
            self.cabinets.setdefault(made.project_id, Project(made.project_id, f"cabinet {made.project_id}", True))

    def change(self, server_id: str, at: datetime, **what: Any) -> None:
        self.all[server_id] = replace(self.all[server_id], updated_at=at, **what)

    def _ask(self, name: str, target: str = "") -> None:
        self.asked[name] += 1
        if error := self.fails.get(f"{name} {target}") or self.fails.get(name):
            raise error

    async def servers(self, project_id: str | None = None, since: datetime | None = None) -> Sequence[Server]:
        self._ask("servers")
        self.since.append(since)
        there = [one for one in self.all.values() if one.id not in self.hides]
        if since is None:
            return [one for one in there if one.deleted_at is None]
        return [one for one in there if one.updated_at >= since]

    async def server(self, server_id: str) -> Server:
        self._ask("server", server_id)
        found = self.all.get(server_id)
        if found is None or found.deleted_at is not None:
            raise Refused("not_found", f"no server {server_id}")
        return found

    async def projects(self) -> Sequence[Project]:
        self._ask("projects")
        return list(self.cabinets.values())

    async def users(self, project_id: str) -> Sequence[User]:
        self._ask("users", project_id)
        return self.people.get(project_id, [User(f"u-{project_id}", f"login-{project_id}", True)])

    async def quotas(self, project_id: str) -> Mapping[str, Quota]:
        self._ask("quotas", project_id)
        if project_id not in self.cabinets:
            raise Refused("not_found", f"no project {project_id}")
        return self.limits.get(project_id, QUOTAS)

    async def log(self, server_id: str, limit: int = 5) -> Sequence[LogEntry]:
        self._ask("log", server_id)
        return self.logs.get(server_id, [])[:limit]

    async def zones(self) -> Sequence[Zone]:
        self._ask("zones")
        return [Zone("almaty-a", True), Zone("astana-b", False)]

    async def capacity(self) -> Mapping[str, Capacity]:
        self._ask("capacity")
        return {"vcpus": Capacity(128, 40), "ram": Capacity(262_144, 65_536)}

    def calls(self) -> dict[str, int]:
        """Those since the last time."""
        made = dict(self.asked)
        self.asked.clear()
        return made


def place(cloud: Heaven) -> Place:
    return Place(PROFILE, cast(Cloud, cloud))


async def swept(sessions: Sessions, cloud: Heaven, now: datetime = NOW) -> Swept:
    made = await sweep(place(cloud), sessions, now)
    assert made is not None
    return made


async def bound(sessions: Sessions, *project_ids: str, name: str = "АО Ромашка") -> int:
    """An organization with these cabinets, as far as they were seen."""
    async with transaction(sessions) as session:
        made = await organizations.add(session, DESK, name, NOW)
        await session.rows(
            "update cloud_project set organization_id = $1 where project_id = any($2::text[])",
            made.id,
            list(project_ids),
        )
        return made.id


async def known(sessions: Sessions, server_id: str = "s1") -> Any:
    """A machine as the desk knows it."""
    async with sessions() as session:
        return await one(session, "select * from vm where desk = :desk and server_id = :id", desk=DESK, id=server_id)


async def cell(session: Session, query: str, **values: Any) -> Any:
    return (await one(session, query, **values))[0]

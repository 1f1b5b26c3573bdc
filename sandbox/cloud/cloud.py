"""The whole cloud: who and what is in it, what is allowed, and how time passes there."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import uuid4

from sandbox.cloud.model import DEFAULT_LIMITS, UNLIMITED, Entry, Fate, Host, Json, Link, Machine, No, Project, User
from sandbox.telegram.events import Events

TOKEN: Final = "sandbox"
ZONES: Final = ("almaty-1", "astana-1")
DELAY: Final = 1.0
# So many seconds a real cloud goes on believing in a host that no longer answers.
PATIENCE: Final = 60.0

T = TypeVar("T")


class Cloud:
    """One per server, in memory. `delay`: how many seconds an accepted order takes; `patience`: how many a dead host is
    believed to live."""

    def __init__(self, events: Events, now: Callable[[], float] = time.time) -> None:
        self._events = events
        self._now = now
        self._silent = False
        self.clear()

    def clear(self) -> None:
        """As it was at the beginning: two zones with a host each, and no customers."""
        self.delay, self.patience = DELAY, PATIENCE
        self.projects: dict[str, Project] = {}
        self.users: dict[str, User] = {}
        self.machines: dict[str, Machine] = {}
        self.running: dict[str, Machine] = {}
        self.hosts = {f"{zone}-a": Host(f"{zone}-a", zone) for zone in ZONES}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def due(self, fate: Fate) -> datetime | None:
        return None if fate == "stuck" else self.now() + timedelta(seconds=self.delay)

    def tell(self, project: Project) -> None:
        """Something of it has changed."""
        if not self._silent:
            self._events.emit("cloud", {"project": project.id})

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nobody is told of what happens meanwhile."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    # Finding

    def project(self, which: object) -> Project:
        return _found(self.projects, which, "project")

    def user(self, which: object) -> User:
        return _found(self.users, which, "user")

    def machine(self, which: object) -> Machine:
        """A deleted one too: its log outlives it."""
        return _found(self.machines, which, "server")

    def living(self, which: object) -> Machine:
        machine = self.machine(which)
        if machine.deleted_at is not None:
            raise No("not_found", f"no server {which}")
        return machine

    def servers_of(self, project: str) -> list[Machine]:
        """Deleted ones too. A filter and no more: nobody asks whether there is such a project."""
        found = self.projects.get(project)
        return [*found.servers.values(), *found.past] if found else []

    def believed(self, host: Host) -> bool:
        """Does the cloud itself think that it lives?"""
        return host.died_at is None or self.now() - host.died_at < timedelta(seconds=self.patience)

    def zones(self) -> dict[str, bool]:
        """Each with whether the cloud believes that it works."""
        found: dict[str, bool] = {}
        for host in self.hosts.values():
            found[host.zone] = found.get(host.zone, False) or self.believed(host)
        return found

    def check_zone(self, zone: object) -> str:
        if zone not in self.zones():
            raise No("not_found", f"no zone {zone}")
        return str(zone)

    # Cabinets

    def open_project(self, name: str, description: str = "") -> Project:
        if any(project.name == name for project in self.projects.values()):
            raise No("conflict", f"a project {name} exists")
        project = Project(new_id(), name, description)
        self.projects[project.id] = project
        self.tell(project)
        return project

    def add_user(self, project: Project, name: str, email: str | None = None) -> User:
        if any(user.name == name for user in self.users.values()):
            raise No("conflict", f"a user {name} exists")
        user = User(new_id(), name, project, email)
        self.users[user.id] = project.users[user.id] = user
        self.tell(project)
        return user

    def erase(self, project: Project) -> None:
        """With its users and servers, as if it had never been."""
        for user in list(project.users):
            del self.users[user]
        for machine in list(project.servers.values()):
            self.free(machine)
        for machine in project.past:
            del self.machines[machine.id]
            self.running.pop(machine.id, None)
        del self.projects[project.id]
        self.tell(project)

    def set_password(self, user: User, password: str) -> None:
        salt = secrets.token_bytes(8)
        user.digest = salt, _digest(password, salt)

    def can_log_in(self, user: User, password: str) -> bool:
        if user.digest is None or not (user.enabled and user.project.enabled):
            return False
        salt, digest = user.digest
        return hmac.compare_digest(digest, _digest(password, salt))

    def open_account(self, name: str, limits: Json, email: str | None, description: str) -> tuple[Project, User]:
        """Project, user and quotas, or what is missing of them; nobody is let into what belongs to others."""
        project = next((one for one in self.projects.values() if one.name == name), None)
        user = next((one for one in self.users.values() if one.name == name), None)
        if user is not None and user.project is not project:
            raise No("conflict", f"there is a user {name} of another project")
        if project is not None and any(one.name != name for one in project.users.values()):
            raise No("conflict", f"there is a project {name} of other people")
        _check_limits(limits, project.used() if project else {})
        project = project or self.open_project(name, description)
        project.limits.update(limits)
        return project, user or self.add_user(project, name, email)

    def set_limits(self, project: Project, limits: Json) -> None:
        """All of them or none."""
        _check_limits(limits, project.used())
        project.limits.update(limits)
        self.tell(project)

    # Networks

    def link(self, project: Project, name: str, zones: object, fate: Fate = "done") -> Link:
        """Make it, or what is missing of it; one that fails is left half made."""
        if not isinstance(zones, list) or len(zones) != 2 or len(set(zones)) != 2:
            raise No("invalid", "zones: two of them")
        pair = tuple(self.check_zone(zone) for zone in zones)
        link = project.links.get(name)
        if link is not None and set(link.zones) != set(pair):
            raise No("conflict", f"there is a link {name} between other zones")
        if link is None:
            project.spend(networks=2, routers=1)
            link = project.links[name] = Link(new_id(), name, pair)
        elif not link.whole:
            project.spend(networks=2 - len(link.networks))
        if not link.whole:
            for zone in pair[:1] if fate == "fail" else pair:
                link.networks.setdefault(zone, new_id())
            link.active_at = self.due(fate) if fate == "done" else None
        self.tell(project)
        return link

    def unlink(self, project: Project) -> None:
        project.links.clear()
        self.tell(project)

    # Room on the hosts

    def place(self, zone: str, vcpus: int, ram: int) -> Host | None:
        """Where there is most room, as the scheduler would; taken at once."""
        living = [host for host in self.hosts.values() if host.zone == zone and host.died_at is None]
        fitting = [host for host in living if host.fits(vcpus, ram)]
        host = min(fitting, key=lambda one: one.used_ram / one.ram, default=None)
        if host is not None:
            host.used_vcpus += vcpus
            host.used_ram += ram
        return host

    def free(self, machine: Machine) -> None:
        """Its room is anybody's, and its cabinet no longer has it."""
        machine.project.past.append(machine.project.servers.pop(machine.id))
        if machine.host is not None:
            machine.host.used_vcpus -= machine.vcpus
            machine.host.used_ram -= machine.ram
            machine.host = None

    def note(self, machine: Machine, action: str) -> Entry:
        """A new line of its log."""
        entry = Entry(f"req-{uuid4()}", action, self.now())
        machine.log.append(entry)
        return entry


def new_id() -> str:
    return uuid4().hex


def _digest(password: str, salt: bytes) -> bytes:
    # Cheap on purpose: nobody's real password comes here.
    return hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1)


def _check_limits(limits: Json, used: Mapping[str, int]) -> None:
    for resource, limit in limits.items():
        if resource not in DEFAULT_LIMITS:
            raise No("invalid", f"no quota of {resource}")
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < UNLIMITED:
            raise No("invalid", f"{resource}: a whole number, or -1 for no limit")
        if limit != UNLIMITED and limit < used.get(resource, 0):
            raise No("invalid", f"{resource}: {used[resource]} are used, more than {limit}")


def _found(there: dict[str, T], which: object, what: str) -> T:
    found = there.get(which) if isinstance(which, str) else None
    if found is None:
        raise No("not_found", f"no {what} {which}")
    return found

"""The people's side of the cloud: /sandbox/api/cloud. Customers in their cabinets, and whoever breaks and mends."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from sandbox.answers import API, Act, Handler, handler, text_of
from sandbox.cloud import machines, views
from sandbox.cloud.cloud import TOKEN, Cloud
from sandbox.cloud.faults import CloudFaults
from sandbox.cloud.ledger import Ledger
from sandbox.cloud.model import Host, Json, Machine, No
from sandbox.telegram.errors import Refused

SMALL: Final = {"vcpus": 2, "ram": 4096}
# What the owner of a server does in the cabinet; the rest is done behind everybody's back.
OWN: Final = ("reboot", "start", "stop", "delete")


class CloudControl:
    """Everything a test or the page can do to the cloud, or read of it."""

    def __init__(self, cloud: Cloud, faults: CloudFaults, ledger: Ledger) -> None:
        self._cloud = cloud
        self._faults = faults
        self._ledger = ledger

    def clear(self) -> None:
        self._cloud.clear()
        self._faults.clear()
        self._ledger.clear()

    # What is to be seen

    async def state(self, body: Json) -> object:
        machines.settle(self._cloud)
        marks = self._faults.waiting()
        return {
            "path": "/cloud",
            "token": TOKEN,
            "delay": self._cloud.delay,
            "zones": list(self._cloud.zones()),
            "hosts": [views.host(one) for one in self._cloud.hosts.values()],
            "projects": [views.cabinet(one, marks) for one in self._cloud.projects.values()],
        }

    async def cabinet(self, body: Json) -> object:
        machines.settle(self._cloud)
        return views.cabinet(self._cloud.project(body["project"]), self._faults.waiting())

    async def calls(self, body: Json) -> object:
        what, target, changes = (body.get(key) for key in ("what", "target", "changes"))
        lines = self._ledger.lines(
            int(body.get("after", 0)), what=what, target=target, changes=None if changes is None else bool(changes)
        )
        return {"calls": list(lines), "last": self._ledger.last}

    # Customers

    async def add_project(self, body: Json) -> object:
        project = self._cloud.open_project(text_of(body, "name"), body.get("description") or "")
        self._cloud.set_limits(project, body.get("limits") or {})
        return views.project(project)

    async def add_user(self, body: Json) -> object:
        user = self._cloud.add_user(self._cloud.project(body.get("project")), text_of(body, "name"), body.get("email"))
        if body.get("password"):
            self._cloud.set_password(user, text_of(body, "password"))
        return views.user(user)

    async def add_server(self, body: Json) -> object:
        """It has been there all along, in whatever state."""
        machine = machines.add(self._cloud, self._cloud.project(body.get("project")), *_shape(body))
        if body.get("status"):
            machines.put(self._cloud, machine, body["status"])
        if body.get("locked"):
            machines.lock(self._cloud, machine)
        return views.server(machine)

    async def launch(self, body: Json) -> object:
        project = self._cloud.project(body.get("project"))
        return views.server(machines.launch(self._cloud, project, *_shape(body), fate="done"))

    async def act(self, body: Json) -> object:
        """The owner's own deeds stop at a lock; lock, unlock, heal, disarm and a status by hand do not."""
        machines.settle(self._cloud)
        machine, act = self._cloud.living(body.get("server")), text_of(body, "act")
        if act in OWN:
            if machine.locked:
                raise No("conflict", f"server {machine.name} is locked")
            machines.act(self._cloud, machine, act)
        else:
            self._meddle(machine, act)
        return views.server(machine)

    def _meddle(self, machine: Machine, act: str) -> None:
        if act == "lock":
            machines.lock(self._cloud, machine)
        elif act == "unlock":
            machines.act(self._cloud, machine, act)
        elif act in ("heal", "disarm"):
            self._faults.clear(machine.id)
            if act == "heal":
                machines.heal(self._cloud, machine)
                self._wake(machine.host)
            self._cloud.tell(machine.project)
        elif act in machines.POWER:
            machines.put(self._cloud, machine, act)
        else:
            known = (*OWN, "lock", "unlock", "heal", "disarm", *machines.POWER)
            raise Refused(f"act: one of {', '.join(known)}")

    def _wake(self, host: Host | None) -> None:
        if host is not None and host.died_at is not None:
            machines.revive(self._cloud, host)
            self._tell_owners(machine for machine in self._cloud.machines.values() if machine.host is host)

    async def unlink(self, body: Json) -> object:
        self._cloud.unlink(self._cloud.project(body.get("project")))
        return {}

    async def erase(self, body: Json) -> object:
        self._cloud.erase(self._cloud.project(body.get("project")))
        return {}

    async def load(self, body: Json) -> object:
        """Projects with their servers, many at once, for benchmarks; nobody is told."""
        count = 0
        with self._cloud.silence():
            for one in body["projects"]:
                project = self._cloud.open_project(text_of(one, "name"))
                project.limits.update(one.get("limits") or {})
                for server in one["servers"]:
                    machines.add(self._cloud, project, *_shape(server))
                    count += 1
        return {"count": count, "projects": [views.project(one) for one in self._cloud.projects.values()]}

    # What goes wrong

    async def set_host(self, body: Json) -> object:
        """A new one, or a known one to kill or revive."""
        name = text_of(body, "name")
        host = self._cloud.hosts.get(name)
        if host is None:
            host = self._cloud.hosts[name] = Host(name, text_of(body, "zone"))
        for key in ("vcpus", "ram"):
            if key in body:
                setattr(host, key, int(body[key]))
        if "alive" in body and not body["alive"]:
            machines.kill(self._cloud, host)
        elif "alive" in body:
            machines.revive(self._cloud, host)
        self._tell_owners(machine for machine in self._cloud.machines.values() if machine.host is host)
        return views.host(host)

    async def set_pace(self, body: Json) -> object:
        self._cloud.delay = float(body.get("delay", self._cloud.delay))
        self._cloud.patience = float(body.get("patience", self._cloud.patience))
        return {}

    async def add_fault(self, body: Json) -> object:
        fault = self._faults.add(body)
        server = self._cloud.machines.get(str(body.get("server")))
        if server is not None:
            self._cloud.tell(server.project)
        return {"id": fault.id}

    async def list_faults(self, body: Json) -> object:
        return {"faults": [fault.shown() for fault in self._faults.orders]}

    async def clear_faults(self, body: Json) -> object:
        named = self._faults.waiting()
        self._faults.clear()
        self._tell_owners(machine for machine in self._cloud.machines.values() if machine.id in named)
        return {}

    def _tell_owners(self, machines: Iterable[Machine]) -> None:
        for project in {machine.project.id: machine.project for machine in machines}.values():
            self._cloud.tell(project)

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Act]] = [
            ("GET", "", self.state),
            ("GET", "/projects/{project}", self.cabinet),
            ("GET", "/calls", self.calls),
            ("POST", "/projects", self.add_project),
            ("POST", "/users", self.add_user),
            ("POST", "/servers", self.add_server),
            ("POST", "/launch", self.launch),
            ("POST", "/act", self.act),
            ("POST", "/unlink", self.unlink),
            ("POST", "/erase", self.erase),
            ("POST", "/load", self.load),
            ("POST", "/hosts", self.set_host),
            ("POST", "/pace", self.set_pace),
            ("POST", "/faults", self.add_fault),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.clear_faults),
        ]
        return [web.route(verb, f"{API}/cloud{path}", _handler(act)) for verb, path, act in table]


def _handler(act: Act) -> Handler:
    """The cloud's own refusals are said like all others."""

    async def said(body: Json) -> object:
        try:
            return await act(body)
        except No as no:
            raise Refused(no.text) from None

    return handler(said)


def _shape(body: Json) -> tuple[str, object, int, int]:
    """Name, zone, cores and memory of a server to be."""
    vcpus, ram = (int(body.get(key) or least) for key, least in SMALL.items())
    return text_of(body, "name"), body.get("zone"), vcpus, ram

"""The sandbox's cloud from a test: customers and servers come and go, things break, and calls are counted."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from sandbox.client import Json, Sandbox


class CloudSide:
    """What `Sandbox.cloud` is."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    @property
    def address(self) -> str:
        """What the desk is given: the token stands before the host."""
        return self._sandbox.url.replace("://", "://sandbox@") + "/cloud"

    async def state(self) -> "Json":
        """`delay`, `zones`, `hosts`, and `projects` with all that is in them."""
        return cast("Json", await self._call("GET", ""))

    async def cabinet(self, project: str) -> "Json":
        return cast("Json", await self._call("GET", f"/projects/{project}"))

    # Customers

    async def add_project(self, name: str, *, limits: "Json | None" = None, description: str = "") -> str:
        """Its id."""
        made = await self._call("POST", "/projects", {"name": name, "limits": limits, "description": description})
        return cast(str, made["id"])

    async def add_user(self, project: str, name: str, *, email: str | None = None, password: str | None = None) -> str:
        body = {"project": project, "name": name, "email": email, "password": password}
        return cast(str, (await self._call("POST", "/users", body))["id"])

    async def add_server(self, project: str, name: str, zone: str, **more: object) -> str:
        """One that has always been there; `more`: vcpus, ram, status, locked."""
        return await self._id("/servers", project=project, name=name, zone=zone, **more)

    async def launch(self, project: str, name: str, zone: str, **more: object) -> str:
        """As the customer does it: within the quota, and it takes its time. `more`: vcpus, ram."""
        return await self._id("/launch", project=project, name=name, zone=zone, **more)

    async def act(self, server: str, act: str) -> "Json":
        """reboot, start, stop, delete as its owner; lock, unlock, heal, disarm, or a status to put it into."""
        return cast("Json", await self._call("POST", "/act", {"server": server, "act": act}))

    async def server(self, server: str) -> "Json | None":
        """As it is now; None when it is gone."""
        every = [one for project in (await self.state())["projects"] for one in project["servers"]]
        return next((one for one in every if one["id"] == server), None)

    async def unlink(self, project: str) -> None:
        await self._call("POST", "/unlink", {"project": project})

    async def erase(self, project: str) -> None:
        await self._call("POST", "/erase", {"project": project})

    async def load(self, projects: Sequence["Json"]) -> int:
        """Many at once: {name, servers: [{name, zone, vcpus?, ram?}], limits?}; how many servers came."""
        return cast(int, (await self._call("POST", "/load", {"projects": list(projects)}))["count"])

    # What goes wrong, and what was done

    async def host(self, name: str, **what: object) -> "Json":
        """`what`: alive, zone (of a new one), vcpus, ram."""
        return cast("Json", await self._call("POST", "/hosts", {"name": name, **what}))

    async def pace(self, **seconds: float) -> None:
        """`delay`: how long an accepted order takes from now on; `patience`: how long a dead host is believed in."""
        await self._call("POST", "/pace", seconds)

    async def fault(self, kind: str, **order: object) -> int:
        """`order` as in docs/sandbox.md: what, project, server, times, after, code, seconds, done, …"""
        return cast(int, (await self._call("POST", "/faults", {"kind": kind, **order}))["id"])

    async def faults(self) -> list["Json"]:
        return cast("list[Json]", (await self._call("GET", "/faults"))["faults"])

    async def clear_faults(self) -> None:
        await self._call("DELETE", "/faults")

    async def calls(self, *, after: int = 0, what: str | None = None, target: str | None = None) -> list["Json"]:
        """All of them, in order; each says `changes`, `done`, `answered`."""
        found = await self._call("GET", "/calls", after=after, what=what, target=target)
        return cast("list[Json]", found["calls"])

    async def done(self, target: str | None = None, *, after: int = 0) -> Counter[str]:
        """How often each changing call was really carried out, on one target if named."""
        calls = await self.calls(after=after, target=target)
        return Counter(call["what"] for call in calls if call["changes"] and call["done"])

    async def last_call(self) -> int:
        return cast(int, (await self._call("GET", "/calls", after=2**60))["last"])

    async def wait(self, server: str, status: str, timeout: float = 10) -> "Json":
        """Until it rests in that status."""

        async def look() -> "Json | None":
            one = await self.server(server)
            return one if one and one["status"] == status and one["task"] is None else None

        return await self._sandbox.wait(look, timeout, f"server {server} in {status}")

    async def gone(self, server: str, timeout: float = 10) -> None:
        """Until it is deleted."""

        async def look() -> bool:
            return await self.server(server) is None

        await self._sandbox.wait(look, timeout, f"the end of server {server}")

    async def _id(self, path: str, **body: object) -> str:
        return cast(str, (await self._call("POST", path, body))["id"])

    async def _call(self, verb: str, path: str, body: "Json | None" = None, **query: object) -> Any:
        return await self._sandbox.call(verb, f"/cloud{path}", body, **query)

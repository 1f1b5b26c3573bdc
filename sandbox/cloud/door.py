"""The cloud's own API, /cloud: plain JSON, one bearer token, 202 for what takes its time."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from sandbox.answers import cut
from sandbox.cloud import deeds, machines
from sandbox.cloud.cloud import TOKEN, Cloud
from sandbox.cloud.faults import Call, CloudFault, CloudFaults
from sandbox.cloud.ledger import Ledger
from sandbox.cloud.model import STATUS_OF_REASON, Fate, Json, No
from sandbox.telegram.events import dump

Deed = Callable[[Cloud, Json, Fate], tuple[int, object]]


@dataclass(frozen=True, slots=True)
class Way:
    """A call of the API: `changes` unless it only reads."""

    verb: str
    path: str
    what: str
    changes: bool
    deed: Deed


WAYS: Final = (
    Way("GET", "/services", "services", False, deeds.services),
    Way("GET", "/zones", "zones", False, deeds.zones),
    Way("GET", "/hosts", "hosts", False, deeds.hosts),
    Way("GET", "/projects", "projects", False, deeds.projects),
    Way("POST", "/accounts", "open_account", True, deeds.open_account),
    Way("GET", "/projects/{project}/users", "users", False, deeds.users),
    Way("GET", "/projects/{project}/quotas", "quotas", False, deeds.quotas),
    Way("PATCH", "/projects/{project}/quotas", "set_quotas", True, deeds.set_quotas),
    Way("GET", "/projects/{project}/links", "links", False, deeds.links),
    Way("POST", "/projects/{project}/links", "link", True, deeds.link),
    Way("GET", "/projects/{project}/usage", "usage", False, deeds.usage),
    Way("GET", "/servers", "servers", False, deeds.servers),
    Way("GET", "/servers/{server}", "server", False, deeds.server),
    Way("GET", "/servers/{server}/log", "log", False, deeds.log),
    *(
        Way("POST", f"/servers/{{server}}/{act}", act, True, deeds.acting(act))
        for act in ("reboot", "start", "stop", "unlock")
    ),
    Way("POST", "/users/{user}/password", "set_password", True, deeds.set_password),
    Way("POST", "/login", "log_in", False, deeds.log_in),
)


class CloudDoor:
    """Every call goes through here: who asks, what goes wrong on order, what is done, what is written down."""

    def __init__(self, cloud: Cloud, faults: CloudFaults, ledger: Ledger) -> None:
        self._cloud = cloud
        self._faults = faults
        self._ledger = ledger

    def routes(self) -> list[web.RouteDef]:
        known = [web.route(way.verb, f"/cloud{way.path}", self._handler(way)) for way in WAYS]
        return [*known, web.route("*", "/cloud{rest:.*}", _nowhere)]

    def _handler(self, way: Way) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return _refusal("unauthorized", "no such token")
            try:
                params = await _params(request)
            except No as no:
                return _refusal(no.reason, no.text)
            return await self._handle(request, way, params)

        return handle

    async def _handle(self, request: web.Request, way: Way, params: Json) -> web.StreamResponse:
        machines.settle(self._cloud)
        call = self._call(way, params)
        fault = self._faults.hit(call)
        if fault is not None and call.project in self._cloud.projects:
            self._cloud.tell(self._cloud.projects[call.project])
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        answer, done = self._perform(way, call, params, fault)
        line = self._ledger.write(call, self._cloud.now(), done=done, fault=fault.kind if fault else None)
        if fault is not None and fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind in ("drop", "hang"):
            return cut(request)
        line["answered"] = answer.status
        return answer

    def _call(self, way: Way, params: Json) -> Call:
        """With the project it concerns, as far as that exists; an account to be opened has no more than a name."""
        cloud = self._cloud
        target = params.get("server") or params.get("user") or params.get("project") or params.get("name")
        machine, user = cloud.machines.get(params.get("server", "")), cloud.users.get(str(params.get("user", "")))
        owner = machine.project.id if machine else user.project.id if user else params.get("project")
        return Call(way.what, way.changes, target, owner, params)

    def _perform(self, way: Way, call: Call, params: Json, fault: CloudFault | None) -> tuple[web.Response, bool]:
        """The answer as it would go out, and whether anything was carried out."""
        if fault is not None and not fault.done:
            return _spoilt(fault), False
        try:
            status, body = way.deed(self._cloud, params, fault.fate if fault else "done")
        except No as no:
            return _refusal(no.reason, no.text), False
        except (KeyError, TypeError, ValueError) as why:
            return _refusal("invalid", f"{type(why).__name__}: {why}"), False
        if fault is not None and fault.kind == "500":
            return _spoilt(fault), True
        text = dump(body)
        if fault is not None and fault.kind == "undecodable":
            text = text[:-1] + "\0"
        return web.Response(body=text.encode(), status=status, content_type="application/json"), True


async def _params(request: web.Request) -> Json:
    """Body, query and path in one."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise No("invalid", "the body is no JSON") from None
    if not isinstance(body, dict):
        raise No("invalid", "the body must be an object")
    return {**body, **request.query, **request.match_info}


async def _nowhere(request: web.Request) -> web.StreamResponse:
    return _refusal("not_found", f"no such call: {request.method} {request.path}")


def _spoilt(fault: CloudFault) -> web.Response:
    if fault.kind in ("503", "429"):
        seconds = str(fault.order.get("retry_after", 5))
        return _error(int(fault.kind), "busy", "come back later", {"Retry-After": seconds})
    if fault.kind == "refuse":
        return _error(*fault.refusal)
    return _error(500, "broken", "something broke inside the cloud")


def _refusal(reason: str, text: str) -> web.Response:
    return _error(STATUS_OF_REASON[reason], reason, text)


def _error(status: int, reason: str, text: str, headers: dict[str, str] | None = None) -> web.Response:
    body = dump({"error": {"reason": reason, "text": text}}).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)

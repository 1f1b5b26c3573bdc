"""How each kind of action is carried out by a cloud: what is looked at before, the one call, what is read afterwards.

No function here repeats a call, and none decides what comes of it (`scheduler/hands.py`).
"""

import secrets
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from crm.cloud.running import Step
from provider.port import ACTS, Account, Act, Cloud, Later, LogEntry, Refused, Server, Unknown

T = TypeVar("T")
State = Literal["done", "going", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cloud shows of an action: done, going on, failed, or nothing of it; and the state itself."""

    state: State
    observed: dict[str, Any]
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """The cloud has accepted it. `secret`: login and password that must reach one person; never stored as they are."""

    request_id: str | None = None
    observed: dict[str, Any] | None = None
    secret: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Carrier:
    """`before` gives what was seen, to be compared with later; `look` says what has become of it."""

    before: Callable[[Cloud, Step], Awaitable[dict[str, Any]]]
    call: Callable[[Cloud, Step], Awaitable[Called]]
    look: Callable[[Cloud, Step], Awaitable[Seen]]


# --- power ------------------------------------------------------------------------------------------------------

# What a machine is when it has been done, by status.
_REACHED: Mapping[str, str] = {"reboot": "ACTIVE", "start": "ACTIVE", "stop": "SHUTOFF"}


def machine(server: Server) -> dict[str, Any]:
    """A server as it is kept and shown."""
    return {
        "status": server.status,
        "task": server.task,
        "power": server.power,
        "locked": server.locked,
        "zone": server.zone,
        "name": server.name,
    }


def _line(entry: LogEntry) -> dict[str, Any]:
    return {key: str(value) if value is not None else None for key, value in asdict(entry).items() if key != "text"}


async def _before_power(cloud: Cloud, step: Step) -> dict[str, Any]:
    """Raises Refused for a machine that is gone, or is another project's by now."""
    server = await cloud.server(step.target or "")
    if server.project_id != step.project_id:
        raise Refused("not_found", "the machine belongs to another project")
    return {"server": machine(server), "log": [entry.id for entry in await cloud.log(server.id)]}


async def _power(cloud: Cloud, step: Step) -> Called:
    act: Act = next(act for act in ACTS if act == step.kind)
    return Called(await cloud.act(step.target or "", act))


async def _look_power(cloud: Cloud, step: Step) -> Seen:
    """Of two sources, the log first: a cloud sets the task before it writes the entry, so that a machine that rests
    after the entry was seen has been through it."""
    mine = _mine(step, await cloud.log(step.target or ""))
    server = await cloud.server(step.target or "")
    observed = {"server": machine(server), "entry": _line(mine) if mine else None}
    if mine is not None and mine.succeeded is False:
        return Seen("failed", observed, mine.text)
    if server.status == "ERROR" and server.task is None:
        return Seen("failed", observed, "the machine is in ERROR")
    if step.kind == "unlock":
        return Seen("absent" if server.locked else "done", observed)
    if mine is None:
        return Seen("absent", observed)
    reached = server.task is None and server.status == _REACHED[step.kind]
    return Seen("done" if reached else "going", observed)


def _mine(step: Step, log: Any) -> LogEntry | None:
    """The entry of our call: by its id, or one of its kind that was not there before."""
    known = set((step.before or {}).get("log", ()))
    fresh = [entry for entry in log if entry.id not in known and entry.action == step.kind]
    return next((entry for entry in fresh if entry.id == step.request_id), fresh[-1] if fresh else None)


# --- quotas -----------------------------------------------------------------------------------------------------


async def _before_quota(cloud: Cloud, step: Step) -> dict[str, Any]:
    """Raises Refused where somebody allowed more since the plan: what was approved as a raise takes nothing away."""
    there = await cloud.quotas(step.project_id or "")
    for name, limit in step.parameters["limits"].items():
        if name in there and (there[name].limit < 0 or there[name].limit > limit):
            raise Refused("conflict", f"{name}: the cloud allows more already")
    return {"quotas": {name: asdict(quota) for name, quota in there.items()}}


async def _quota(cloud: Cloud, step: Step) -> Called:
    await cloud.set_quotas(step.project_id or "", step.parameters["limits"])
    return Called()


async def _look_quota(cloud: Cloud, step: Step) -> Seen:
    quotas = await cloud.quotas(step.project_id or "")
    wanted: Mapping[str, int] = step.parameters["limits"]
    observed = {"quotas": {name: asdict(quotas[name]) for name in wanted if name in quotas}}
    done = all(name in quotas and quotas[name].limit == limit for name, limit in wanted.items())
    return Seen("done" if done else "absent", observed)


# --- passwords --------------------------------------------------------------------------------------------------

_LETTERS = "".join(c for c in string.ascii_letters + string.digits if c not in "Il1O0o")


def new_password() -> str:
    """100 bits, of signs that nobody takes for another."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(6)) for _ in range(3))


async def _before_password(cloud: Cloud, step: Step) -> dict[str, Any]:
    users = {user.id: user for user in await cloud.users(step.project_id or "")}
    if step.target not in users:
        raise Refused("not_found", "nobody of that id logs in to this cabinet")
    return {"login": users[step.target].name, "enabled": users[step.target].enabled}


async def _password(cloud: Cloud, step: Step) -> Called:
    login = str((step.before or {}).get("login") or step.title)
    return await _give_password(cloud, step.target or "", login)


async def _give_password(cloud: Cloud, user_id: str, login: str, **observed: Any) -> Called:
    """A new one, tried at once: nobody but this call knows it. Raises Unknown if the cloud does not take it."""
    password = new_password()
    try:
        await cloud.set_password(user_id, password)
    except Unknown as unknown:
        if not await _changed(cloud.can_log_in(user_id, password)):
            raise unknown from None
    if not await _changed(cloud.can_log_in(user_id, password)):
        raise Unknown("the cloud does not take the new password")
    return Called(observed={**observed, "user": user_id, "login": login}, secret=(login, password))


async def _changed(more: Awaitable[T]) -> T:
    """What follows a change: that nothing was done is not true any more, whatever the cloud says to this part."""
    try:
        return await more
    except (Refused, Later) as error:
        raise Unknown(error.text) from None


async def _look_password(cloud: Cloud, step: Step) -> Seen:
    """What was set by a call that never came back, nobody knows."""
    return Seen("absent", {})


# --- links ------------------------------------------------------------------------------------------------------


async def _before_link(cloud: Cloud, step: Step) -> dict[str, Any]:
    known = {zone.name for zone in await cloud.zones()}
    if missing := [zone for zone in step.parameters["zones"] if zone not in known]:
        raise Refused("not_found", f"no zone {missing[0]}")
    return {"links": [link.name for link in await cloud.links(step.project_id or "")]}


async def _link(cloud: Cloud, step: Step) -> Called:
    first, second = step.parameters["zones"]
    link = await cloud.link(step.project_id or "", step.parameters["name"], (first, second))
    return Called(observed={"link": link.id})


async def _look_link(cloud: Cloud, step: Step) -> Seen:
    links = {link.name: link for link in await cloud.links(step.project_id or "")}
    link = links.get(step.parameters["name"])
    if link is None:
        return Seen("absent", {})
    observed = {"link": link.id, "zones": list(link.zones), "networks": dict(link.networks), "active": link.active}
    return Seen("done" if link.active and set(link.zones) >= set(step.parameters["zones"]) else "going", observed)


# --- cabinets ---------------------------------------------------------------------------------------------------


def _named(projects: Any, name: str) -> Any | None:
    return next((project for project in projects if project.name == name), None)


async def _before_open(cloud: Cloud, step: Step) -> dict[str, Any]:
    """Raises Refused for a name that somebody has: a new customer never gets into an old cabinet. A repetition finds
    what its own first attempt began."""
    there = _named(await cloud.projects(), step.parameters["account"])
    if there is not None and step.replaces_id is None:
        raise Refused("conflict", f"there is a project {there.name} already")
    return {"project": there.id if there else None}


async def _open(cloud: Cloud, step: Step) -> Called:
    wanted = step.parameters
    opened = await cloud.open_account(
        Account(wanted["account"], wanted["limits"], wanted.get("email"), wanted.get("description", ""))
    )
    return await _changed(_give_password(cloud, opened.user.id, opened.user.name, project=opened.project.id))


async def _look_open(cloud: Cloud, step: Step) -> Seen:
    """Its project may be there, but whoever is to use it has no password: a person decides."""
    there = _named(await cloud.projects(), step.parameters["account"])
    return Seen("absent", {"project": there.id} if there else {})


_POWER = Carrier(_before_power, _power, _look_power)
CARRIERS: dict[str, Carrier] = {
    **dict.fromkeys(ACTS, _POWER),
    "quota": Carrier(_before_quota, _quota, _look_quota),
    "password": Carrier(_before_password, _password, _look_password),
    "link": Carrier(_before_link, _link, _look_link),
    "open": Carrier(_before_open, _open, _look_open),
}

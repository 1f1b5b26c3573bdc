"""What each call of the cloud's API does: parameters in, status and body out."""

from collections.abc import Callable
from typing import Final

from sandbox.cloud import machines, views
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.model import Fate, Json, No

Result = tuple[int, object]

VERSION: Final = "1"
PARTS: Final = ("accounts", "servers", "networks")


def text(body: Json, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value.strip():
        raise No("invalid", f"{key}: a text that is not empty")
    return value


def services(cloud: Cloud, body: Json, fate: Fate) -> Result:
    dead = [host.name for host in cloud.hosts.values() if not cloud.believed(host)]
    problems = {"servers": f"no sign of life from {', '.join(dead)}" if dead else None}
    return 200, {"services": [{"name": name, "version": VERSION, "problem": problems.get(name)} for name in PARTS]}


def zones(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"zones": [{"name": name, "available": available} for name, available in cloud.zones().items()]}


def hosts(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"hosts": [views.host(one) for one in cloud.hosts.values()]}


def projects(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"projects": [views.project(one) for one in cloud.projects.values()]}


def open_account(cloud: Cloud, body: Json, fate: Fate) -> Result:
    limits, description = body.get("limits") or {}, str(body.get("description") or "")
    project, user = cloud.open_account(text(body, "name"), limits, body.get("email"), description)
    return 201, {"project": views.project(project), "user": views.user(user)}


def users(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"users": [views.user(one) for one in cloud.project(body["project"]).users.values()]}


def quotas(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"quotas": views.quotas(cloud.project(body["project"]))}


def set_quotas(cloud: Cloud, body: Json, fate: Fate) -> Result:
    project = cloud.project(body["project"])
    cloud.set_limits(project, {key: value for key, value in body.items() if key != "project"})
    return 200, {"quotas": views.quotas(project)}


def links(cloud: Cloud, body: Json, fate: Fate) -> Result:
    now = cloud.now()
    return 200, {"links": [views.link(one, now) for one in cloud.project(body["project"]).links.values()]}


def link(cloud: Cloud, body: Json, fate: Fate) -> Result:
    made = cloud.link(cloud.project(body["project"]), text(body, "name"), body.get("zones"), fate)
    return 202, views.link(made, cloud.now())


def usage(cloud: Cloud, body: Json, fate: Fate) -> Result:
    start, end = (views.time_from(body.get(key)) for key in ("start", "end"))
    return 200, views.usage(cloud, cloud.project(body["project"]), start, end)


def servers(cloud: Cloud, body: Json, fate: Fate) -> Result:
    """Those that live; with `since` those that changed at that moment or later, deleted ones too."""
    known = cloud.servers_of(body["project"]) if "project" in body else list(cloud.machines.values())
    if "since" in body:
        since = views.time_from(body["since"])
        return 200, {"servers": [views.server(one) for one in known if one.updated_at >= since]}
    return 200, {"servers": [views.server(one) for one in known if one.deleted_at is None]}


def server(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, views.server(cloud.living(body["server"]))


def log(cloud: Cloud, body: Json, fate: Fate) -> Result:
    """The newest first; a deleted server's too."""
    entries = cloud.machine(body["server"]).log[::-1][: int(body.get("limit", 5))]
    return 200, {"log": [views.entry(one) for one in entries]}


def acting(act: str) -> Callable[[Cloud, Json, Fate], Result]:
    def deed(cloud: Cloud, body: Json, fate: Fate) -> Result:
        return 202, {"request": machines.act(cloud, cloud.living(body["server"]), act, fate).id}

    return deed


def set_password(cloud: Cloud, body: Json, fate: Fate) -> Result:
    cloud.set_password(cloud.user(body["user"]), text(body, "password"))
    return 200, {}


def log_in(cloud: Cloud, body: Json, fate: Fate) -> Result:
    return 200, {"valid": cloud.can_log_in(cloud.user(body["user"]), text(body, "password"))}

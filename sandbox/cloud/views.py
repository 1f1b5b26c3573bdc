"""The cloud as its API writes it down."""

from datetime import datetime

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.model import Entry, Host, Json, Link, Machine, No, Project, User


def time_of(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def time_from(text: object) -> datetime:
    """Raises No(invalid) unless it is an ISO time that names its zone."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise No("invalid", f"{text} is no time") from None
    if at.tzinfo is None:
        raise No("invalid", f"{text} names no zone")
    return at


def project(one: Project) -> Json:
    return {"id": one.id, "name": one.name, "description": one.description, "enabled": one.enabled}


def user(one: User) -> Json:
    return {"id": one.id, "name": one.name, "enabled": one.enabled, "email": one.email, "project": one.project.id}


def server(one: Machine) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "project": one.project.id,
        "zone": one.zone,
        "status": one.status,
        "task": one.task,
        "power": one.power,
        "locked": one.locked,
        "vcpus": one.vcpus,
        "ram": one.ram,
        "created_at": time_of(one.created_at),
        "updated_at": time_of(one.updated_at),
        "launched_at": time_of(one.launched_at),
        "deleted_at": time_of(one.deleted_at),
    }


def entry(one: Entry) -> Json:
    return {
        "id": one.id,
        "action": one.action,
        "started_at": time_of(one.started_at),
        "finished_at": time_of(one.finished_at),
        "result": one.result,
        "text": one.text,
    }


def quotas(one: Project) -> Json:
    return {name: {"limit": one.limits[name], "used": used} for name, used in one.used().items()}


def link(one: Link, now: datetime) -> Json:
    active = one.active_at is not None and one.active_at <= now
    return {"id": one.id, "name": one.name, "zones": one.zones, "active": active, "networks": one.networks}


def host(one: Host) -> Json:
    return {
        "name": one.name,
        "zone": one.zone,
        "alive": one.died_at is None,
        "vcpus": {"total": int(one.vcpus * one.vcpu_ratio), "used": one.used_vcpus},
        "ram": {"total": int(one.ram * one.ram_ratio), "used": one.used_ram},
    }


def usage(cloud: Cloud, one: Project, start: datetime, end: datetime) -> Json:
    """From launch to deletion, running or not: room on a host is held all the while."""
    hours = vcpus = ram = 0.0
    for machine in [*one.servers.values(), *one.past]:
        if machine.launched_at is None:
            continue
        until = min(machine.deleted_at or cloud.now(), end)
        spent = max((until - max(machine.launched_at, start)).total_seconds() / 3600, 0)
        hours += spent
        vcpus += spent * machine.vcpus
        ram += spent * machine.ram
    return {"server_hours": hours, "vcpu_hours": vcpus, "ram_mib_hours": ram}


def cabinet(one: Project, marks: set[str]) -> Json:
    """All that the page shows of one project; `marks` are servers with a fault in wait."""
    return {
        **project(one),
        "quotas": quotas(one),
        "users": [user(who) for who in one.users.values()],
        "servers": [{**server(machine), **_plight(machine, marks)} for machine in one.servers.values()],
        "links": len(one.links),
    }


def _plight(machine: Machine, marks: set[str]) -> Json:
    run, host = machine.run, machine.host
    alive = host is None or host.died_at is None
    return {
        "stuck": run is not None and (run.due_at is None or not alive),
        "faulty": machine.id in marks,
        "host": host.name if host else None,
        "host_alive": alive,
    }

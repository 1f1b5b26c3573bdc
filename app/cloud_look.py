"""`kezekshi cloud check|servers|quota`: asked of the cloud itself, at once; nothing is changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from app.boxes import console
from app.check import Finding, told
from app.clouds import cloud_of
from app.logs import configure
from app.organizations import Desk, chosen
from app.settings import Settings, WrongSettings, cloud_name, load
from crm import time
from provider.port import Cloud, CloudError, Later, Project, Quota, Server, Usage

USED_IN = timedelta(days=30)
T = TypeVar("T")
# By the word that a service's problem begins with (provider/openstack/survey.py).
MENDS = {
    "unauthorized": "name a user and a password that the cloud knows, in that entry of clouds.yaml",
    "forbidden": "the desk acts for all customers: its user needs the role admin",
    "not_found": "the cloud has no such service: see its catalog",
    "invalid": "name an entry that is in clouds.yaml, or say where that file is (OS_CLIENT_CONFIG_FILE)",
    "unreachable": "look whether the service runs, and can be reached from here at the address in the cloud's catalog",
    "old": "the desk needs a cloud of 2020 or newer (Ussuri)",
    "ill": "orders to what is down are taken and wait: restart it, or disable it",
}


def check() -> None:
    """Is each part of the cloud there, new enough and at the desk's command? What is wrong, and how to mend it."""
    if not asyncio.run(told(_findings(load), console)):
        raise typer.Exit(1)


async def _findings(load: Callable[[], Settings]) -> AsyncIterator[Finding]:
    try:
        settings = load()
    except WrongSettings as error:
        yield Finding(False, f"settings: {error}", "see .env.example")
        return
    having = [desk for desk in settings.desks if settings.clouds.get(desk)]
    if not having:
        yield Finding(False, "no desk has a cloud", f"set {cloud_name(settings.desks[0])}; see .env.example")
    for desk in having:
        cloud = cloud_of(settings, desk)
        try:
            for one in await cloud.services():
                yield _finding(f"{desk}: {one.name} {one.version}", one.problem)
        finally:
            await cloud.close()


def _finding(what: str, problem: str | None) -> Finding:
    if problem is None:
        return Finding(True, what)
    return Finding(False, f"{what}: {problem}", MENDS.get(problem.partition(":")[0], MENDS["unreachable"]))


def servers(
    project: Annotated[str | None, typer.Option(help="Of one project, by its id or its name.")] = None,
    desk: Desk = None,
) -> None:
    """Servers as the cloud has them this moment."""

    async def work(cloud: Cloud) -> tuple[dict[str, str], list[Server]]:
        projects = await cloud.projects()
        wanted = None if project is None else _named(projects, project).id
        return {one.id: one.name for one in projects}, list(await cloud.servers(wanted))

    names, found = _asked(desk, work)
    table = Table("project", "name", "zone", "status", "power", "locked", "vCPU", "RAM, MiB", "id")
    for one in sorted(found, key=lambda one: (names.get(one.project_id, one.project_id), one.name)):
        status = f"{one.status} ({one.task})" if one.task else one.status
        size = (str(one.vcpus), str(one.ram))
        owner = names.get(one.project_id, one.project_id)
        table.add_row(owner, one.name, one.zone or "–", status, one.power, "yes" if one.locked else "", *size, one.id)
    console.print(table if found else "No servers.")


def quota(
    project: Annotated[str, typer.Argument(help="Its id or its name.")],
    desk: Desk = None,
) -> None:
    """What a project may have, has, and has used in 30 days; and what all hosts together can still give."""
    until = time.utcnow()

    async def work(cloud: Cloud) -> tuple[dict[str, Quota], dict[str, int], Usage]:
        owner = _named(await cloud.projects(), project)
        used = await cloud.usage(owner.id, until - USED_IN, until)
        free = {name: one.free for name, one in (await cloud.capacity()).items()}
        return dict(await cloud.quotas(owner.id)), free, used

    quotas, free, used = _asked(desk, work)
    table = Table("resource", "used", "limit", "free on all hosts")
    for name, one in quotas.items():
        table.add_row(name, str(one.used), "none" if one.limit == -1 else str(one.limit), str(free.get(name, "–")))
    console.print(table)
    memory = used.ram_mib_hours / 1024
    console.print(
        f"In the last 30 days: {used.server_hours:.1f} server hours, {used.vcpu_hours:.1f} vcpu hours, "
        f"{memory:.1f} GiB hours of memory."
    )


def _asked(desk: str | None, work: Callable[[Cloud], Awaitable[T]]) -> T:
    """One thing, of the desk's cloud. Raises WrongSettings with what the cloud says."""
    place = chosen(desk)
    configure("error")

    async def connected() -> T:
        cloud = cloud_of(load(), place)
        try:
            return await work(cloud)
        finally:
            await cloud.close()

    try:
        return asyncio.run(connected())
    except CloudError as error:
        says = "cannot say now" if isinstance(error, Later) else "says no"
        raise WrongSettings(f"{place}: the cloud {says}: {error.text}") from None


def _named(projects: Sequence[Project], wanted: str) -> Project:
    found = [one for one in projects if wanted in (one.id, one.name)]
    if not found:
        raise WrongSettings(f"no project {wanted!r} in the cloud")
    return found[0]

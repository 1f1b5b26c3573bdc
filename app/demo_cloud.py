"""The demo's cabinets: two customers' projects with their servers, in the stand-in's own cloud; and whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crm.cloud import cabinets
from crm.cloud.rules import RIGHTS
from crm.db import Session
from crm.errors import NotFound
from crm.people import organizations
from crm.people.models import Organization
from sandbox.client import Sandbox

ALMATY, ASTANA = "almaty-1", "astana-1"
# A person's own cabinet with all one needs for a play, and a small one beside it that must never be touched by it.
CABINETS = {
    "Айгерім ЖК": ("aigerim@kaspiy.example", {"web-1": ALMATY, "db-1": ALMATY, "web-2": ASTANA}),
    "Алтын": ("ivan@altyn.example", {"shop-1": ALMATY}),
}
# The organization of each cabinet has its name; who speaks for it, with every right.
CONTACTS = {"Айгерім ЖК": "Айгерім", "Алтын": "Иван"}
LIMITS = {"instances": 5, "vcpus": 12, "ram": 24_576}
PASSWORD = "sandbox"  # noqa: S105 - the stand-in's own


@dataclass(frozen=True, slots=True)
class DemoCloud:
    """`address` as the desk's settings take it; `projects`: name of a cabinet → its id."""

    address: str
    projects: dict[str, str]


async def open_cabinets(sandbox: Sandbox) -> DemoCloud:
    """People the cloud; the owner of each cabinet logs in by mail address."""
    projects = {}
    for name, (owner, servers) in CABINETS.items():
        project = projects[name] = await sandbox.cloud.add_project(name, limits=LIMITS)
        await sandbox.cloud.add_user(project, owner, email=owner, password=PASSWORD)
        for server, zone in servers.items():
            await sandbox.cloud.add_server(project, server, zone)
    return DemoCloud(sandbox.cloud.address, projects)


async def sign_contracts(
    session: Session, desk: str, cloud: DemoCloud, people: Mapping[str, int], now: datetime
) -> None:
    """Each cabinet is an organization's, which one of `people` (name → Telegram id) speaks for. Again does no harm."""
    for name, project in cloud.projects.items():
        organization = await _organization(session, desk, name, now)
        await cabinets.bind(session, organization, project)
        person = CONTACTS[name]
        known = {one.telegram_id: one for one in await organizations.contacts(session, organization)}
        contact = known.get(people[person]) or await organizations.add_contact(
            session, organization, person, now, telegram_id=people[person]
        )
        await cabinets.allow(session, desk, contact.id, RIGHTS)


async def _organization(session: Session, desk: str, name: str, now: datetime) -> Organization:
    try:
        return await organizations.find(session, desk, name)
    except NotFound:
        return await organizations.add(session, desk, name, now)

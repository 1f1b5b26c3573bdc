"""The demo's cabinets: two customers' projects with their servers, in the stand-in's own cloud."""

from dataclasses import dataclass

from sandbox.client import Sandbox

ALMATY, ASTANA = "almaty-1", "astana-1"
# A person's own cabinet with all one needs for a play, and a small one beside it that must never be touched by it.
CABINETS = {
    "Айгерім ЖК": ("aigerim@kaspiy.example", {"web-1": ALMATY, "db-1": ALMATY, "web-2": ASTANA}),
    "Алтын": ("ivan@altyn.example", {"shop-1": ALMATY}),
}
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

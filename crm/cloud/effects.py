"""What a success changes in what the desk knows, at once and not only with the next sweep."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from crm.cloud import trials
from crm.cloud.models import CloudAction, CloudProject, CloudQuota, Vm
from crm.cloud.rules import POWERS
from crm.db import Session
from crm.people import organizations
from crm.people.models import Organization, Person
from crm.tickets.models import Ticket

# So many lines of its log are kept with a machine.
LOG = 5
# Whoever opened a cabinet is its first authorised contact.
OWNER = ["request", "power", "money"]


async def apply(session: Session, action: CloudAction, ticket: Ticket | None, now: datetime) -> None:
    if action.kind in POWERS:
        await _machine(session, action, now)
    elif action.kind == "quota":
        await granted(session, action.desk, action.project_id or "", action.parameters["limits"], now)
    elif action.kind == "open":
        await _opened(session, action, ticket, now)


async def _machine(session: Session, action: CloudAction, now: datetime) -> None:
    seen: dict[str, Any] = (action.observed or {}).get("server") or {}
    found = await session.scalars(select(Vm).where(Vm.desk == action.desk, Vm.server_id == action.target))
    machine = found.one_or_none()
    if machine is None or not seen:
        return
    machine.status, machine.task, machine.power = seen["status"], seen["task"], seen["power"]
    machine.locked, machine.seen_at = seen["locked"], now
    if entry := (action.observed or {}).get("entry"):
        known = [line for line in machine.log or () if line["id"] != entry["id"]]
        machine.log = [
            {**entry, "succeeded": {"True": True, "False": False}.get(entry["succeeded"]), "text": None},
            *known,
        ][:LOG]


async def granted(session: Session, desk: str, project_id: str, limits: dict[str, int], now: datetime) -> None:
    """What the desk gave is what the cloud should have from now on (`crm/cloud/drift.py`)."""
    for resource, limit in limits.items():
        row = {"desk": desk, "project_id": project_id, "resource": resource, "seen_at": now}
        new = {"allowed": limit, "granted": limit, "drifted_at": None}
        made = insert(CloudQuota).values(**row, used=0, **new)
        await session.execute(made.on_conflict_do_update(index_elements=["desk", "project_id", "resource"], set_=new))


async def _opened(session: Session, action: CloudAction, ticket: Ticket | None, now: datetime) -> None:
    """A cabinet has an owner: the organization of its ticket, or a new one of whoever asked."""
    seen = action.observed or {}
    project_id: str = seen["project"]
    organization_id = await _owner(session, action, ticket, now) if ticket is not None else None
    row = {
        "desk": action.desk,
        "project_id": project_id,
        "name": action.parameters["account"],
        "organization_id": organization_id,
        "enabled": True,
        "users": {seen["user"]: seen["login"]},
        "seen_at": now,
    }
    made = insert(CloudProject).values(**row)
    bound = {"organization_id": organization_id, "users": row["users"], "gone_at": None}
    await session.execute(made.on_conflict_do_update(index_elements=["desk", "project_id"], set_=bound))
    await granted(session, action.desk, project_id, action.parameters["limits"], now)
    if ticket is not None:
        await trials.opened(session, action, ticket, project_id, now)


_OTHERS = """
    select 1 from cloud_project where desk = $1 and organization_id = $2 and project_id <> $3 and gone_at is null
    limit 1
"""


async def _owner(session: Session, action: CloudAction, ticket: Ticket, now: datetime) -> int:
    if ticket.organization_id is None:
        person = await session.get_one(Person, ticket.requester_id)
        called = await trials.called(session, ticket.id) or person.name.strip() or "–"
        name = f"{called} ({action.parameters['account']})"
        made: Organization = await organizations.add(session, action.desk, name, now)
        ticket.organization_id = made.id
    organization = await session.get_one(Organization, ticket.organization_id)
    contact = await organizations.bind(session, organization, ticket.requester_id, now)
    if await session.rows(_OTHERS, action.desk, organization.id, (action.observed or {})["project"]):
        # There is an owner already, who says who else may what.
        return organization.id
    contact.rights = sorted({*contact.rights, *OWNER}, key=OWNER.index)
    return organization.id

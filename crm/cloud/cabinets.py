"""Whose cabinet it is: a project of the cloud belongs to one organization at most, and somebody says to which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm.cloud.rules import RIGHTS
from crm.db import Session
from crm.errors import NotFound, Taken, WrongInput
from crm.people.models import Contact, Organization

_FIND = """
    select p.project_id, p.name, p.organization_id, p.seen_at, o.name as organization
    from cloud_project p left join organization o on o.id = p.organization_id
    where p.desk = $1 and (p.project_id = $2 or p.name = $2 and p.gone_at is null)
    order by p.project_id <> $2 for update of p
"""
# The sweep looks at it with its next round.
_BIND = """
    insert into cloud_project (desk, project_id, name, organization_id) values ($1, $2, $2, $3)
    on conflict (desk, project_id) do update set organization_id = excluded.organization_id, quotas_at = null
    where cloud_project.organization_id is null or cloud_project.organization_id = excluded.organization_id
    returning project_id, name, seen_at
"""


async def bind(session: Session, organization: Organization, project: str) -> tuple[str, datetime | None]:
    """A project by its id, or by its name if it was seen; gives its name, and None if the cloud has not shown it yet.

    Raises Taken for one of another organization: no cabinet changes hands by a slip. WrongInput for a name that several
    have.
    """
    written = project.strip()
    if not written:
        raise WrongInput(what="project", written=project)
    held = await _find(session, organization.desk, written)
    if held is not None and held["organization_id"] not in (None, organization.id):
        raise Taken(what="cabinet", name=held["name"], organization=held["organization"])
    bound = await session.rows(_BIND, organization.desk, held["project_id"] if held else written, organization.id)
    if not bound:
        raise Taken(what="cabinet", name=written, organization=None)
    return bound[0]["name"], bound[0]["seen_at"]


async def unbind(session: Session, organization: Organization, project: str) -> str:
    """It is theirs no longer; gives its name. Raises NotFound for one that is not."""
    held = await _find(session, organization.desk, project.strip())
    if held is None or held["organization_id"] != organization.id:
        raise NotFound(what="cabinet", name=project)
    await session.rows(
        "update cloud_project set organization_id = null where desk = $1 and project_id = $2",
        organization.desk,
        held["project_id"],
    )
    # Nothing is known of it but that.
    await session.rows(
        "delete from cloud_project where desk = $1 and project_id = $2 and seen_at is null",
        organization.desk,
        held["project_id"],
    )
    return str(held["name"])


async def _find(session: Session, desk: str, written: str) -> Any | None:
    found = await session.rows(_FIND, desk, written)
    if len(found) > 1 and found[0]["project_id"] != written:
        raise WrongInput(what="cabinet", written=written)
    return found[0] if found else None


async def of_organization(session: Session, organization: Organization) -> Sequence[Any]:
    """Its cabinets: project_id, name, seen_at, gone_at, and the number of machines."""
    return await session.rows(
        """select p.project_id, p.name, p.seen_at, p.gone_at,
                  (select count(*) from vm where vm.desk = p.desk and vm.project_id = p.project_id
                   and vm.deleted_at is null) as machines
           from cloud_project p where p.organization_id = $1 order by p.name, p.id""",
        organization.id,
    )


async def numbers(session: Session, desk: str) -> dict[int, int]:
    """How many cabinets each organization has."""
    found = await session.rows(
        """select organization_id, count(*) as number from cloud_project
           where desk = $1 and organization_id is not null and gone_at is null group by organization_id""",
        desk,
    )
    return {row["organization_id"]: row["number"] for row in found}


async def allow(session: Session, desk: str, contact_id: int, rights: Sequence[str]) -> Contact:
    """What a contact may have done in the cabinets, from now on: these rights and no others. Raises NotFound."""
    if wrong := [right for right in rights if right not in RIGHTS]:
        raise WrongInput(what="rights", written=wrong[0])
    contact = await session.get(Contact, contact_id)
    if contact is None or contact.desk != desk or not contact.active:
        raise NotFound(what="contact", name=str(contact_id))
    contact.rights = [right for right in RIGHTS if right in rights]
    return contact

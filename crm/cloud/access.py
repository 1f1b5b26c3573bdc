"""Whose cabinets somebody may ask for: authorised contacts of an organization, by an identity that is proven.

A chat account is proven by itself, a mail address once its code came back; a mail alone never is. Rights of a contact:
`request` (ask for what an engineer then approves), `power` (power actions and passwords), `money` (quotas, links,
cabinets: what costs). Without any they write as everybody does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm.cloud.models import CloudProject, CloudState
from crm.cloud.rules import POWERS, Kind, Right
from crm.db import Session
from crm.desks import Profile
from crm.errors import NoCloud, NotAllowed, NotFound, WrongPlace
from crm.people.organizations import CONTACT
from crm.people.service import telegram_chat
from crm.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A project of the organization, as it was seen last. `id` is ours."""

    id: int
    project_id: str
    name: str
    users: dict[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """What a person may have done, and where. `seen_at`: how old what we know of the cloud is."""

    organization_id: int
    organization: str
    rights: frozenset[str]
    cabinets: tuple[Cabinet, ...]
    seen_at: datetime | None

    def may(self, kind: Kind) -> bool:
        """Whether they may ask for that."""
        return needed(kind) in self.rights

    def cabinet(self, project_id: str) -> Cabinet:
        """Raises NotFound for a project of somebody else, as for none at all."""
        for cabinet in self.cabinets:
            if cabinet.project_id == project_id:
                return cabinet
        raise NotFound(what="cabinet")


def needed(kind: Kind) -> Right:
    """Which right of a contact asking takes."""
    return "power" if kind in POWERS or kind == "password" else "money"


_ACCESS = f"""
    with own as (
        select channel, address, person_id from identity
        where desk = $1 and person_id = $2 and (channel = 'telegram' or verified_at is not null)
        union all select null, null, $2)
    select o.id, o.name, k.rights from ({CONTACT}) c
    join contact k on k.id = c.id
    join organization o on o.id = c.organization_id and o.active
"""  # noqa: S608


async def access_of(session: Session, profile: Profile, person_id: int) -> Access | None:
    """Asked anew each time; None for whoever is nobody's contact, or at a desk without a cloud."""
    if profile.cloud is None:
        return None
    await session.flush()
    found = await session.rows(_ACCESS, profile.name, person_id)
    if not found or not found[0]["rights"]:
        return None
    projects = await session.scalars(
        select(CloudProject)
        .where(
            CloudProject.desk == profile.name,
            CloudProject.organization_id == found[0]["id"],
            CloudProject.gone_at.is_(None),
        )
        .order_by(CloudProject.name, CloudProject.id)
    )
    seen: Any = await session.scalar(select(CloudState.swept_at).where(CloudState.desk == profile.name))
    cabinets = tuple(Cabinet(one.id, one.project_id, one.name, one.users) for one in projects)
    return Access(found[0]["id"], found[0]["name"], frozenset(found[0]["rights"]), cabinets, seen)


async def still(
    session: Session, profile: Profile, ticket: Ticket, kind: Kind, project_id: str | None, asked_by_kind: str
) -> None:
    """Whether what was planned for a ticket may be had now as it could then.

    Raises NotFound for a cabinet that is not the ticket's organization's any more, NotAllowed where who asked, or is to
    read a password, may not; WrongPlace where a password would reach nobody.
    """
    bound = await session.rows(
        "select organization_id from cloud_project where desk = $1 and project_id = $2", profile.name, project_id
    )
    if bound:
        if bound[0]["organization_id"] is None or bound[0]["organization_id"] != ticket.organization_id:
            raise NotFound(what="cabinet")
        if asked_by_kind == "requester" or kind == "password":
            access = await access_of(session, profile, ticket.requester_id)
            if access is None or access.organization_id != ticket.organization_id or not access.may(kind):
                raise NotAllowed(what="reader" if kind == "password" else "asker")
    if kind == "password" and await telegram_chat(session, profile.name, ticket.requester_id) is None:
        raise WrongPlace(what="chat")


async def require(session: Session, profile: Profile, person_id: int, kind: Kind) -> Access:
    """Raises NoCloud where there is nothing to act upon, NotAllowed for a contact without the right."""
    access = await access_of(session, profile, person_id)
    if access is None or not access.cabinets:
        raise NoCloud(what="person")
    if not access.may(kind):
        raise NotAllowed(what="contact")
    return access

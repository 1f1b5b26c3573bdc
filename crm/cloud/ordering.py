"""What an engineer has done in the cloud for a ticket: planned like everything else, and only in the cabinets of the
ticket's organization. What is somebody else's is not found, before anything is planned.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm.cloud import access, actions, limits, quotas, wanted
from crm.cloud.models import CloudAction, CloudProject, CloudState
from crm.cloud.rules import Power
from crm.cloud.wanted import Wanted
from crm.db import Session
from crm.desks import Profile
from crm.errors import NoCloud, NotAllowed, NotFound, WrongInput, WrongPlace
from crm.people.models import Agent
from crm.people.service import actor_of, telegram_chat
from crm.tickets.models import Ticket
from crm.tickets.work import living

Facts = dict[str, Any]


async def cabinets(session: Session, profile: Profile, ticket: Ticket) -> list[CloudProject]:
    """Those of the ticket's organization. Raises NoCloud if there is none."""
    actions.rules_of(profile)
    found = await session.scalars(
        select(CloudProject)
        .where(
            CloudProject.desk == profile.name,
            CloudProject.organization_id == ticket.organization_id,
            CloudProject.gone_at.is_(None),
        )
        .order_by(CloudProject.name, CloudProject.id)
    )
    listed = list(found)
    if not listed:
        raise NoCloud(what="organization")
    return listed


async def cabinet(session: Session, profile: Profile, ticket: Ticket, name: str) -> CloudProject:
    """By its name; by none, if there is only one. Raises NotFound, WrongInput if one has to be named."""
    listed = await cabinets(session, profile, ticket)
    if not name and len(listed) > 1:
        raise WrongInput(what="cabinet", names=[one.name for one in listed])
    fitting = [one for one in listed if not name or name.casefold() in (one.name.casefold(), one.project_id)]
    if not fitting:
        raise NotFound(what="cabinet")
    return fitting[0]


_MACHINES = """
    select v.id, v.server_id, v.project_id, v.name, v.zone, v.status, v.task, v.power, v.locked, v.vcpus, v.ram, v.log,
           p.name as cabinet, (select s.swept_at from cloud_state s where s.desk = $1) as swept_at
    from vm v join cloud_project p on p.desk = v.desk and p.project_id = v.project_id
    where v.desk = $1 and p.organization_id = $2 and p.gone_at is null and v.deleted_at is null
    order by v.name, v.id
"""


async def machines(session: Session, profile: Profile, ticket: Ticket) -> list[Facts]:
    """Of all cabinets of the ticket's organization, by name."""
    await cabinets(session, profile, ticket)
    return [dict(row) for row in await session.rows(_MACHINES, profile.name, ticket.organization_id)]


async def called(session: Session, profile: Profile, ticket: Ticket, name: str) -> list[Facts]:
    """Those of that name or id; two cabinets may have one each. Raises NotFound for none."""
    found = await machines(session, profile, ticket)
    fitting = [vm for vm in found if name.casefold() == vm["name"].casefold() or name == vm["server_id"]]
    if not fitting:
        raise NotFound(what="vm")
    return fitting


async def machine(session: Session, profile: Profile, ticket: Ticket, vm_id: int) -> Facts:
    """By its row. Raises NotFound for one of somebody else, as for none at all."""
    for vm in await machines(session, profile, ticket):
        if vm["id"] == vm_id:
            return vm
    raise NotFound(what="vm")


async def power(
    session: Session, profile: Profile, agent: Agent, ticket: Ticket, vm: Facts, act: Power, key: str, now: datetime
) -> CloudAction:
    what = wanted.power(act, vm["project_id"], vm["server_id"], vm["name"])
    return await _plan(session, profile, agent, ticket, what, key, now)


async def quota(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket: Ticket,
    place: CloudProject,
    words: Sequence[str],
    key: str,
    now: datetime,
) -> CloudAction:
    """Raises OverCeiling beyond what the agreement or the cloud has, WrongInput for what is no raise."""
    there = await quotas.allowed(session, profile.name, place.project_id)
    wish = limits.read(words, there)
    raised = await quotas.raised(session, profile.name, actions.rules_of(profile), place.project_id, wish)
    what = wanted.quota(place.project_id, place.name, raised)
    return await _plan(session, profile, agent, ticket, what, key, now)


async def password(
    session: Session, profile: Profile, agent: Agent, ticket: Ticket, login: str, key: str, now: datetime
) -> CloudAction:
    """Raises NotAllowed if who asked is no contact who may have it, WrongPlace if the link would reach nobody."""
    for place in await cabinets(session, profile, ticket):
        for user_id, name in place.users.items():
            if login == user_id or login.casefold() == name.casefold():
                await _may_read(session, profile, ticket)
                what = wanted.password(place.project_id, user_id, name)
                return await _plan(session, profile, agent, ticket, what, key, now)
    raise NotFound(what="login")


async def _may_read(session: Session, profile: Profile, ticket: Ticket) -> None:
    """A password is for an authorised contact, and reaches them by the bot only."""
    contact = await access.access_of(session, profile, ticket.requester_id)
    if contact is None or contact.organization_id != ticket.organization_id or not contact.may("password"):
        raise NotAllowed(what="reader")
    if await telegram_chat(session, profile.name, ticket.requester_id) is None:
        raise WrongPlace(what="chat")


async def zones(session: Session, profile: Profile) -> dict[str, bool]:
    """Of the cloud: name → whether it is available."""
    state = await session.get(CloudState, profile.name)
    return dict(state.zones) if state else {}


async def link(
    session: Session,
    profile: Profile,
    agent: Agent,
    ticket: Ticket,
    place: CloudProject,
    ends: tuple[str, str],
    key: str,
    now: datetime,
) -> CloudAction:
    """Raises NotFound for a zone that the cloud does not have, WrongInput for one zone twice."""
    known = {name.casefold(): name for name in await zones(session, profile)}
    if any(end.casefold() not in known for end in ends):
        raise NotFound(what="zone")
    first, second = (known[end.casefold()] for end in ends)
    if first == second:
        raise WrongInput(what="link")
    what = wanted.link(place.project_id, place.name, (first, second), link_name((first, second)))
    return await _plan(session, profile, agent, ticket, what, key, now)


def link_name(ends: tuple[str, str]) -> str:
    """The same whoever asks for it, so that what was begun once is found again."""
    return "link-" + "-".join(sorted(ends))


async def _plan(
    session: Session, profile: Profile, agent: Agent, ticket: Ticket, what: Wanted, key: str, now: datetime
) -> CloudAction:
    """Asked once more under the ticket's lock. Raises WrongStatus for one that has ended."""
    if "request" not in agent.rights:
        raise NotAllowed(what="request")
    ticket = await living(session, profile, ticket.id)
    if what.project_id not in {one.project_id for one in await cabinets(session, profile, ticket)}:
        raise NotFound(what="cabinet")
    return await actions.plan(session, profile, actor_of(agent), ticket, what, key, now)

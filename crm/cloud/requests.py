"""A customer's request that the cloud carries out: a ticket and its action are one transaction.

The person may be who they were a moment ago or not: each function asks anew what they may. The same press gives the
same action, however often it comes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.cloud import actions, asked, choices, naming, quotas
from crm.cloud import wanted as wants
from crm.cloud.access import access_of, needed, require
from crm.cloud.asked import Wish
from crm.cloud.ordering import link_name
from crm.cloud.rules import REQUEST_TYPES, Kind, Power, Resource
from crm.cloud.wanted import Wanted
from crm.db import Session
from crm.desks import Profile
from crm.errors import NoCloud, NotFound, UnderWay, WrongStatus
from crm.people import organizations
from crm.people.service import OpenTicket, Requester
from crm.texts import texts
from crm.tickets import service
from crm.tickets.models import Ticket
from crm.tickets.opening import Opening, open_ticket
from crm.tickets.written import Written, shortened


@dataclass(frozen=True, slots=True)
class Press:
    """Who asks by which button: its data names the dialogue, what is asked and of what."""

    who: Requester
    button: str
    now: datetime

    def key(self, desk: str) -> str:
        """The same for the same button of the same dialogue of the same person."""
        return f"press:{desk}:{self.who.address}:{self.button}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a press: the ticket, by when it is promised, and its action as it stands."""

    ticket_id: int
    reference: str
    due_at: datetime | None
    action: dict[str, Any]


_ASKED = """
    select t.id as ticket_id, t.reference,
           (select min(s.due_at) from sla_target s where s.ticket_id = t.id and s.metric = 'resolution'
            and s.met_at is null and s.next_at is not null) as due_at,
           a.kind, a.title, a.parameters, a.state, a.reason, a.expires_at, a.started_at, a.finished_at,
           (select jsonb_object_agg(q.resource, q.allowed) from cloud_quota q
            where q.desk = a.desk and q.project_id = a.project_id and a.kind = 'quota') as present
    from cloud_action a join ticket t on t.id = a.ticket_id
"""


def _asked(row: Any) -> Asked:
    facts = dict(row)
    return Asked(facts.pop("ticket_id"), facts.pop("reference"), facts.pop("due_at"), facts)


async def pressed(session: Session, desk: str, press: Press) -> Asked | None:
    """What was asked by that press before; whoever presses twice waits here for what comes of the first."""
    key = press.key(desk)
    await session.rows("select pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    found = await session.rows(f"{_ASKED} where a.desk = $1 and a.key = $2", desk, key)
    return _asked(found[0]) if found else None


async def of_ticket(session: Session, ticket_id: int, limit: int = 3) -> list[dict[str, Any]]:
    """How its latest actions stand, oldest first."""
    found = await session.rows(f"{_ASKED} where a.ticket_id = $1 order by a.id desc limit $2", ticket_id, limit)
    return [_asked(row).action for row in reversed(found)]


# --- what is asked for ----------------------------------------------------------------------------------------


async def power(session: Session, profile: Profile, press: Press, act: Power, vm_id: int) -> Asked:
    """Raises NotFound for a machine of somebody else, UnderWay, WrongStatus where it makes no sense (any more)."""
    access = await require(session, profile, press.who.person_id, act)
    machine = await choices.machine(session, profile, access, vm_id)
    if machine.going is not None:
        raise UnderWay(title=machine.name, action=None, kind=machine.going.kind, state=machine.going.state)
    if act not in machine.offers:
        raise WrongStatus(what="machine", status=machine.status)
    wanted = wants.power(act, machine.project_id, machine.server_id, machine.name)
    return await _ask(session, profile, press, asked.power(_t(press), act, machine.name), lambda _: wanted)


async def quota(
    session: Session, profile: Profile, press: Press, cabinet_id: int, resource: Resource, value: int
) -> Asked:
    """`value` is the new limit. Raises OverCeiling with the `most` that can be had, WrongInput for no raise."""
    access = await require(session, profile, press.who.person_id, "quota")
    own = choices.cabinet(access, cabinet_id)
    present = await quotas.allowed(session, profile.name, own.project_id)
    rules = actions.rules_of(profile)
    raised = await quotas.raised(session, profile.name, rules, own.project_id, {resource: value})
    wish = asked.quota(_t(press), own.name, resource, present.get(resource, 0), value)
    wanted = wants.quota(own.project_id, own.name, raised)
    return await _ask(session, profile, press, wish, lambda _: wanted)


async def password(session: Session, profile: Profile, press: Press, cabinet_id: int, marked: str) -> Asked:
    access = await require(session, profile, press.who.person_id, "password")
    own = choices.cabinet(access, cabinet_id)
    user_id, login = choices.login(own, marked)
    wanted = wants.password(own.project_id, user_id, login)
    return await _ask(session, profile, press, asked.password(_t(press), login), lambda _: wanted)


async def link(session: Session, profile: Profile, press: Press, cabinet_id: int, marked: tuple[str, str]) -> Asked:
    access = await require(session, profile, press.who.person_id, "link")
    own = choices.cabinet(access, cabinet_id)
    available = await choices.zones(session, profile)
    first, second = (choices.zone(available, one) for one in marked)
    if first == second:
        raise NotFound(what="choice")
    wish = asked.link(_t(press), own.name, first, second)
    wanted = wants.link(own.project_id, own.name, (first, second), link_name((first, second)))
    return await _ask(session, profile, press, wish, lambda _: wanted)


async def cabinet(session: Session, profile: Profile, press: Press, name: str, phone: str, proven: bool) -> Asked:
    """A cabinet of their own, with what each gets at first. `proven`: Telegram says that the number is theirs.

    Raises NoCloud for whoever has one.
    """
    rules = actions.rules_of(profile)
    if proven:
        await prove(session, profile.name, press.who.person_id, phone, press.now)
    # By their number they may turn out to be somebody's contact.
    if not await may_open(session, profile, press.who):
        raise NoCloud(what="has_cabinet")
    email = await _proven_address(session, profile.name, press.who.person_id, "email")

    def named(ticket: OpenTicket) -> Wanted:
        account = naming.account(ticket.reference, name)
        return wants.cabinet(ticket.id, account, dict(rules.cabinet.items()), email, name)

    return await _ask(session, profile, press, asked.cabinet(_t(press), name, phone, proven), named)


def _t(press: Press) -> asked.Texts:
    return texts(press.who.language)


async def _ask(
    session: Session, profile: Profile, press: Press, wish: Wish, make: Callable[[OpenTicket], Wanted]
) -> Asked:
    """The ticket with its action, approved at once where the agreement takes the asker's word for it."""
    before = await pressed(session, profile.name, press)
    if before is not None:
        return before
    who, now = press.who, press.now
    opening = Opening(REQUEST_TYPES[wish.kind], subject=shortened(wish.subject), acknowledge=False)
    written = Written({"type": "text", "text": wish.sentence}, now, None)
    opened = await open_ticket(session, profile, who, written, now, opening)
    ticket = await service.load(session, profile.name, opened.id)
    action = await actions.plan(session, profile, who.actor, ticket, make(opened), press.key(profile.name), now)
    if wish.kind in actions.rules_of(profile).self_service:
        await actions.approve_own(session, profile, who.actor, action.id, now)
    await session.flush()
    [made] = await session.rows(f"{_ASKED} where a.id = $1", action.id)
    return _asked(made)


async def withdraw(
    session: Session, profile: Profile, who: Requester, ticket_id: int, now: datetime
) -> tuple[Ticket, bool]:
    """The ticket with what was planned for it; and whether something is being done all the same."""
    await service.own_ticket(session, profile, who, ticket_id)
    going = await actions.withdraw(session, profile, who.actor, ticket_id, now)
    return await service.withdraw(session, profile, who, ticket_id, now), bool(going)


# --- who may --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lacking:
    """A contact without the right, and whom of the organization to ask instead."""

    organization: str
    names: tuple[str, ...]


_HAS_CABINET = "select 1 from cloud_project where desk = $1 and organization_id = $2 and gone_at is null limit 1"
_MAY = """
    select name from contact where organization_id = $1 and active and $2 = any(rights) order by id limit 3
"""


async def lacking(session: Session, profile: Profile, who: Requester, kind: Kind) -> Lacking | None:
    """None for whoever has the right, and for whoever has nothing that it could be a right to."""
    access = await access_of(session, profile, who.person_id)
    if access is not None and access.may(kind):
        return None
    member = await organizations.organization_of(session, profile.name, who.channel, who.address)
    if member is None or not await session.rows(_HAS_CABINET, profile.name, member.organization_id):
        return None
    may = await session.rows(_MAY, member.organization_id, needed(kind))
    return Lacking(member.name, tuple(row["name"] for row in may))


async def may_open(session: Session, profile: Profile, who: Requester) -> bool:
    """Whether they have no cabinet yet: neither they, nor the organization whose contact they are."""
    member = await organizations.organization_of(session, profile.name, who.channel, who.address)
    return member is None or not await session.rows(_HAS_CABINET, profile.name, member.organization_id)


async def known_phone(session: Session, desk: str, person_id: int) -> str | None:
    """A number that is proven to be theirs."""
    return await _proven_address(session, desk, person_id, "phone")


async def _proven_address(session: Session, desk: str, person_id: int, channel: str) -> str | None:
    found = await session.rows(
        """select address from identity where desk = $1 and person_id = $2 and channel = $3
           and verified_at is not null order by id desc limit 1""",
        desk,
        person_id,
        channel,
    )
    return str(found[0]["address"]) if found else None


async def prove(session: Session, desk: str, person_id: int, phone: str, now: datetime) -> None:
    """Telegram says that the number is theirs.

    Who is known by it already stays so: numbers change hands, and that is for a person to decide.
    """
    await session.rows(
        """insert into identity (person_id, desk, channel, address, verified_at, created_at)
           values ($2, $1, 'phone', $3, $4, $4) on conflict (desk, channel, address) do nothing""",
        desk,
        person_id,
        phone,
        now,
    )

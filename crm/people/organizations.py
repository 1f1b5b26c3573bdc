"""Organizations and their contacts: whoever asks is recognised as a named person of one by any of their addresses."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm.db import Session
from crm.errors import NotFound, Taken, WrongInput
from crm.people.models import Contact, Organization, Person
from crm.people.service import telegram_chat

FOLLOWERS = ("contacts", "none")


@dataclass(frozen=True, slots=True)
class Membership:
    """Of which organization somebody is a contact, and what its contract allows."""

    organization_id: int
    name: str
    contract: str | None
    followers: str
    named_only: bool
    contact_id: int
    contact: str
    person_id: int | None


def mail_address(written: str) -> str:
    """As mail addresses are compared here. Raises WrongInput for what is none."""
    address = written.strip().lower()
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
        raise WrongInput(what="email", written=written)
    return address


def phone_number(written: str) -> str:
    """`+` and the digits; «8 701…» and «701…» are of Kazakhstan or Russia. Raises WrongInput for what is no number."""
    bare = re.sub(r"[\s().\-]", "", written)
    found = re.fullmatch(r"(?:\+|00)([1-9]\d{6,14})|8(\d{10})|(7\d{9})", bare, re.ASCII)
    if found is None:
        raise WrongInput(what="phone", written=written)
    return f"+{found[1] or '7' + (found[2] or found[3])}"


def named(written: str) -> str:
    """A name without stray spaces. Raises WrongInput for an empty one."""
    name = " ".join(written.split())
    if not name:
        raise WrongInput(what="name", written=written)
    return name


# Whose contact it is whose addresses stand in `own` (channel, address, person_id); `$1` is the desk. Arrays, because an
# index is looked into by them; and a person who is known goes before an address.
CONTACT = """
    select c.id, c.name, c.person_id, c.organization_id from contact c
    where c.desk = $1 and c.active and (
        c.person_id = any(array(select person_id from own))
        or c.telegram_id = any(array(select address::bigint from own where channel = 'telegram'))
        or c.email = any(array(select address from own where channel = 'email'))
        or c.phone = any(array(select address from own where channel = 'phone')))
    order by c.person_id is null, c.id limit 1
"""
# The one that is asked for, and the others of the same person.
_OF_ADDRESS = f"""
    with own as (
        select $2 as channel, $3 as address, null::bigint as person_id
        union all
        select other.channel, other.address, other.person_id from identity one
        join identity other on other.person_id = one.person_id and other.desk = one.desk
        where one.desk = $1 and one.channel = $2 and one.address = $3)
    select o.id as organization_id, o.name, o.contract, o.followers, o.named_only, c.id as contact_id,
           c.name as contact, c.person_id
    from ({CONTACT}) c join organization o on o.id = c.organization_id
"""  # noqa: S608


async def organization_of(session: Session, desk: str, channel: str, address: str) -> Membership | None:
    """Whose contact it is that writes from there; `channel` as of an identity. None for anybody else."""
    await session.flush()
    written = address.strip().lower() if channel == "email" else address
    found = await session.rows(_OF_ADDRESS, desk, channel, written)
    return Membership(**found[0]) if found else None


async def add(
    session: Session,
    desk: str,
    name: str,
    now: datetime,
    *,
    contract: str | None = None,
    followers: str = "contacts",
    named_only: bool = False,
) -> Organization:
    """Raises Taken for a name that the desk has already, however it is capitalised."""
    if followers not in FOLLOWERS:
        raise WrongInput(what="followers", written=followers)
    row = {"desk": desk, "name": named(name), "contract": contract, "created_at": now}
    rule = {"followers": followers, "named_only": named_only}
    return await session.get_one(Organization, await _insert(session, Organization, row | rule))


async def _insert(session: Session, model: type[Organization] | type[Contact], row: dict[str, Any]) -> int:
    """Raises Taken if there is such a one already."""
    await session.flush()
    made = insert(model).values(**row, active=True).on_conflict_do_nothing().returning(model.id)
    found: int | None = await session.scalar(made)
    if found is None:
        raise Taken(what=model.__tablename__, name=row["name"])
    return found


async def find(session: Session, desk: str, name: str) -> Organization:
    """By its name, however it is spaced and capitalised. Raises NotFound."""
    found = await session.scalars(
        select(Organization).where(
            Organization.desk == desk, Organization.active, func.lower(Organization.name) == func.lower(named(name))
        )
    )
    organization = found.one_or_none()
    if organization is None:
        raise NotFound(what="organization", name=name)
    return organization


async def listing(session: Session, desk: str) -> list[tuple[Organization, int]]:
    """By name, each with the number of its contacts."""
    contacts = (
        select(func.count())
        .where(Contact.organization_id == Organization.id, Contact.active)
        .correlate(Organization)
        .scalar_subquery()
    )
    found = await session.execute(
        select(Organization, contacts).where(Organization.desk == desk, Organization.active).order_by(Organization.name)
    )
    return [(row[0], row[1]) for row in found.all()]


async def remove(session: Session, organization: Organization) -> None:
    """With its contacts. Its tickets stay its tickets, and keep what they were promised."""
    organization.active = False
    await session.execute(
        update(Contact)
        .where(Contact.organization_id == organization.id)
        .values(active=False)
        .execution_options(synchronize_session=False)
    )


# --- contacts ---------------------------------------------------------------------------------------------

_KNOWN = """
    select person_id from identity where desk = $1 and (
        channel = 'telegram' and address = $2::bigint::text or channel = 'email' and address = $3
        or channel = 'phone' and address = $4)
    order by channel = 'telegram' desc, id limit 1
"""


async def add_contact(
    session: Session,
    organization: Organization,
    name: str,
    now: datetime,
    *,
    email: str | None = None,
    phone: str | None = None,
    telegram_id: int | None = None,
    person_id: int | None = None,
) -> Contact:
    """A named person, by at least one address.

    Raises WrongInput for an address that is none, Taken if one of them is another contact's of the desk.
    """
    if not (email or phone or telegram_id or person_id):
        raise WrongInput(what="address", written=name)
    row = {
        "organization_id": organization.id,
        "desk": organization.desk,
        "name": named(name),
        "created_at": now,
        "email": mail_address(email) if email else None,
        "phone": phone_number(phone) if phone else None,
        "telegram_id": telegram_id,
    }
    if person_id is None:
        known = await session.rows(_KNOWN, organization.desk, telegram_id, row["email"], row["phone"])
        person_id = known[0]["person_id"] if known else None
    return await session.get_one(Contact, await _insert(session, Contact, row | {"person_id": person_id}))


async def contacts(session: Session, organization: Organization) -> list[Contact]:
    found = await session.scalars(
        select(Contact).where(Contact.organization_id == organization.id, Contact.active).order_by(Contact.id)
    )
    return list(found)


async def remove_contact(session: Session, desk: str, contact_id: int) -> Contact:
    """Raises NotFound."""
    contact = await session.get(Contact, contact_id)
    if contact is None or contact.desk != desk or not contact.active:
        raise NotFound(what="contact", name=str(contact_id))
    contact.active = False
    return contact


_OF_PERSON = f"""
    with own as (
        select channel, address, person_id from identity where desk = $1 and person_id = $2
        union all select null, null, $2)
    select c.id from ({CONTACT}) c
"""  # noqa: S608


async def bind(session: Session, organization: Organization, person_id: int, now: datetime) -> Contact:
    """The person is a contact of that organization, and was of another at most until now."""
    await session.flush()
    found = await session.rows(_OF_PERSON, organization.desk, person_id)
    if not found:
        person = await session.get_one(Person, person_id)
        chat = await telegram_chat(session, organization.desk, person_id)
        name = person.name.strip() or f"#{person_id}"
        return await add_contact(session, organization, name, now, telegram_id=chat, person_id=person_id)
    contact = await session.get_one(Contact, found[0]["id"])
    if contact.organization_id != organization.id:
        # What somebody may have done in one organization's cabinets says nothing of another's.
        contact.rights = []
    contact.organization_id, contact.person_id = organization.id, person_id
    return contact

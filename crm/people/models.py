"""People: who asks, by which identities, and who answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base


class Person(Base):
    """`answers_by`: the channel that a person who can be reached by several has chosen."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    language: Mapped[str]
    rules_shown_at: Mapped[datetime | None]
    rules_accepted_at: Mapped[datetime | None]
    answers_by: Mapped[str | None]
    created_at: Mapped[datetime]


class Identity(Base):
    """A chat account, mail address or phone. `unreachable_at`: the last delivery was refused for good; `verified_at`:
    it was first proven that the address is this person's."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("desk", "channel", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    desk: Mapped[str]
    channel: Mapped[str]
    address: Mapped[str]
    username: Mapped[str | None]
    unreachable_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Organization(Base):
    """Who holds the contract. A removed one stays for its tickets, inactive.

    `followers`: whom a mail's copy makes a follower of the ticket, `contacts` of the organization or `none`.
    `named_only`: nobody but its contacts may ask.
    """

    __tablename__ = "organization"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    name: Mapped[str]
    contract: Mapped[str | None]
    followers: Mapped[str]
    named_only: Mapped[bool]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class Contact(Base):
    """A named person of an organization, known by addresses: mail in small letters, phone as +77011234567.

    `person_id` is set once they are known to be one of the people; no address is two active contacts' of a desk.
    `rights`: what they may have done in their organization's cabinets (`crm/cloud/access.py`).
    """

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    desk: Mapped[str]
    name: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    email: Mapped[str | None]
    phone: Mapped[str | None]
    telegram_id: Mapped[int | None]
    active: Mapped[bool]
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    created_at: Mapped[datetime]


class Agent(Base):
    """Who may answer, known by Telegram id. A removed agent stays for the log, inactive.

    `on_duty` counts for an agent without shifts; `turn` is the number of the desk's last own assignment to them.
    `rights`: to plan cloud actions (request), to approve those of power and of money.
    """

    __tablename__ = "agent"
    __table_args__ = (UniqueConstraint("desk", "telegram_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    telegram_id: Mapped[int]
    name: Mapped[str]
    role: Mapped[str]
    on_duty: Mapped[bool]
    active: Mapped[bool]
    turn: Mapped[int] = mapped_column(default=0)
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text), default=lambda: ["request", "power"])
    created_at: Mapped[datetime]


class DutyShift(Base):
    """A shift of every week, in minutes since midnight of its weekday (Monday is 0), in the desk's time zone."""

    __tablename__ = "duty_shift"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[int] = mapped_column(Integer)
    ends: Mapped[int] = mapped_column(Integer)


class DutyOverride(Base):
    """On or off duty for a stretch: `said` and `away` by the agent, `swap` by one of two who exchanged a shift.

    What was taken back ends when it was, or where it began.
    """

    __tablename__ = "duty_override"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    on_duty: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    reason: Mapped[str]
    by_agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    created_at: Mapped[datetime]


class LinkCode(Base):
    """A code that was sent to a mail address, to prove that it is a person's; only its hash is kept."""

    __tablename__ = "link_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    address: Mapped[str]
    digest: Mapped[bytes]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Dialogue(Base):
    """Where a person stands in a dialogue with the bot, so that a restart forgets nothing."""

    __tablename__ = "dialogue"

    desk: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]

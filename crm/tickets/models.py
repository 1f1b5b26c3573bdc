"""Tickets, their messages, and where both are seen in Telegram."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, LargeBinary, Sequence, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base

ticket_number = Sequence("ticket_number", start=1001, metadata=Base.metadata)


class DeskGroup(Base):
    """A supergroup with topics in which engineers work."""

    __tablename__ = "desk_group"
    __table_args__ = (UniqueConstraint("desk", "chat_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    chat_id: Mapped[int]
    title: Mapped[str]
    state: Mapped[str]
    rights: Mapped[dict[str, Any]]
    board_message_id: Mapped[int | None]
    connected_at: Mapped[datetime | None]


class Ticket(Base):
    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    queue: Mapped[str]
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    channel: Mapped[str]
    request_type: Mapped[str]
    priority: Mapped[str]
    status: Mapped[str]
    subject: Mapped[str]
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    # By which identity its requester wrote last.
    answers_to: Mapped[int | None] = mapped_column(ForeignKey("identity.id"))
    related_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    # Where it goes on, in one step: never a ticket that is merged itself.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("desk_group.id"))
    thread_id: Mapped[int | None]
    card_message_id: Mapped[int | None]
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    # The next reminder of a solution that nobody answers, or its end.
    silence_at: Mapped[datetime | None]


class Message(Base):
    """A public reply or an internal note. Without a ticket: held until its requester says which."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    author_kind: Mapped[str]
    author_id: Mapped[int]
    author_name: Mapped[str]
    channel: Mapped[str]
    content: Mapped[dict[str, Any]]
    album_id: Mapped[str | None]
    sent_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    relayed_at: Mapped[datetime | None]


class TelegramMessage(Base):
    """A message as it stands in a chat: the original, the relayed copy, the card, a notice."""

    __tablename__ = "telegram_message"

    desk: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    message_ref: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    role: Mapped[str]


class TicketEvent(Base):
    """One line of the append-only log; `seq`, `recorded_at` and `hash` are the database's own."""

    __tablename__ = "ticket_event"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    channel: Mapped[str]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]
    hash: Mapped[bytes] = mapped_column(LargeBinary)

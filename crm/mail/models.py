"""Mails, what is attached to messages, who follows a ticket, and how much automatic mail an address was sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base


class MailMessage(Base):
    """A mail that came or went. Ids are without brackets; `digest` is of what was written, so that a second mail under
    the same id is told from a repeat; `body` and `html` are the whole of it, the latter safe to show."""

    __tablename__ = "mail_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    direction: Mapped[str]
    message_id: Mapped[str]
    in_reply_to: Mapped[str | None]
    digest: Mapped[bytes | None]
    address: Mapped[str]
    subject: Mapped[str]
    nature: Mapped[str]
    verified: Mapped[bool]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    message_ref: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    outbox_id: Mapped[int | None]
    body: Mapped[str | None]
    html: Mapped[str | None]
    at: Mapped[datetime]


class Attachment(Base):
    """A file of a message, from mail or fetched from Telegram to go by mail."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_ref: Mapped[int] = mapped_column(ForeignKey("message.id"))
    filename: Mapped[str]
    content_type: Mapped[str]
    inline: Mapped[bool]
    content_id: Mapped[str | None]
    data: Mapped[bytes]


class Follower(Base):
    """A colleague of the requester who gets the answers as well, and may write to the ticket."""

    __tablename__ = "follower"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    added_at: Mapped[datetime]


class AutomaticMail(Base):
    """An answer that no person wrote was sent there; counted so that they stay few."""

    __tablename__ = "automatic_mail"
    __mapper_args__ = {"primary_key": ["desk", "address", "at"]}

    desk: Mapped[str]
    address: Mapped[str]
    at: Mapped[datetime]


class MailKey(Base):
    """The key of the tickets' tokens; one for the whole database, so that every process makes the same."""

    __tablename__ = "mail_key"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    key: Mapped[bytes]

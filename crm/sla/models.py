"""Promises as stored: their terms, a target per ticket, metric and round, the ledger of pauses; emergencies."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base
from crm.sla.policy import Terms, terms_from


class SlaTerms(Base):
    """Small print that promises share, by its hash: calendar with all dates, what stops the clock, steps."""

    __tablename__ = "sla_terms"

    hash: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]

    @property
    def terms(self) -> Terms:
        return terms_from(self.body)


class SlaTarget(Base):
    """A promise. `budget` in seconds of running clock; `next_at` is the next step, None while the clock stands or
    nothing is left to do; `stage` has a bit for each step behind it; a metric that is promised again begins a
    `round`. `breached_at` is its `due_at`, whenever that was noticed."""

    __tablename__ = "sla_target"
    __table_args__ = (UniqueConstraint("ticket_id", "metric", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    metric: Mapped[str]
    round: Mapped[int] = mapped_column(SmallInteger)
    terms_hash: Mapped[str] = mapped_column(ForeignKey("sla_terms.hash"))
    started_at: Mapped[datetime]
    budget: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime]
    stage: Mapped[int] = mapped_column(SmallInteger)
    next_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]


class SlaPause(Base):
    """A stretch in which a ticket waited; which clocks stand for it, their terms say."""

    __tablename__ = "sla_pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Emergency(Base):
    """For a first response at least `minutes` are promised, from `started_at` until `ended_at`, at most `ends_at`.

    Kept for good; a row only ever learns its end. `agent_id` is None for an admin who is no agent, `ended_by` for what
    ended by itself.
    """

    __tablename__ = "emergency"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    minutes: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    agent_name: Mapped[str]
    ended_by: Mapped[str | None]


class Maintenance(Base):
    """A window that was announced. What was cancelled while it went on has ended with that.

    `moved_to` is the last ticket whose promises have been moved for it, None when all have; after a cancellation,
    `told_to` is the last whose requester had heard of it before, None for all.
    """

    __tablename__ = "maintenance"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    announced_by: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    announced_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    moved_to: Mapped[int | None]
    told_to: Mapped[int | None]

"""Promises as stored: their terms, a target per ticket, metric and round, and the ledger of pauses."""

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

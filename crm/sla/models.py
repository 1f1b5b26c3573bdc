"""Promises as stored: a target per ticket and metric, and the ledger of pauses."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.db import Base


class SlaTarget(Base):
    """`budget` in seconds of running clock; `next_at` is the next warning or the breach, None while
    the clock stands or nothing is left to say; `stage` counts what has been said."""

    __tablename__ = "sla_target"
    __table_args__ = (UniqueConstraint("ticket_id", "metric"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    metric: Mapped[str]
    started_at: Mapped[datetime]
    budget: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime]
    stage: Mapped[int] = mapped_column(SmallInteger)
    next_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]


class SlaPause(Base):
    __tablename__ = "sla_pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

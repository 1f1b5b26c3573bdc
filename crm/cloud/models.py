"""What the desk knows of a cloud (a mirror, refreshed by a sweep) and what it does there: actions, trials, secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.cloud.rules import Kind
from crm.db import Base
from crm.journal import ActorKind


class CloudState(Base):
    """A desk's cloud as a whole. `zones`: name → available; `capacity`: resource → [total, used].

    `swept_at`: when the machines were last asked for with success; `full_at`: all of them; `tried_at`: with or without
    success. `projects_at`, `looked_at` (zones, capacity) likewise. `away_at`: since when it is not as it should be;
    `problem` says why; `told_at`: the engineers know.
    """

    __tablename__ = "cloud_state"

    desk: Mapped[str] = mapped_column(primary_key=True)
    zones: Mapped[dict[str, Any]]
    capacity: Mapped[dict[str, Any]]
    swept_at: Mapped[datetime | None]
    full_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    projects_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    away_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class CloudProject(Base):
    """A customer's cabinet in the cloud; `organization_id` says whose. `gone_at`: the cloud has it no more."""

    __tablename__ = "cloud_project"
    __table_args__ = (UniqueConstraint("desk", "project_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    project_id: Mapped[str]
    name: Mapped[str]
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    enabled: Mapped[bool]
    # Login names of its users: id → name.
    users: Mapped[dict[str, Any]]
    quotas_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class Vm(Base):
    """A virtual machine as last seen. `log`: the newest entries of the cloud's own action log, newest first, as of
    `logged_at`; that is None once the machine has changed. `seen_at`: since when it is known to be like that.
    """

    __tablename__ = "vm"
    __table_args__ = (UniqueConstraint("desk", "server_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    server_id: Mapped[str]
    project_id: Mapped[str]
    name: Mapped[str]
    zone: Mapped[str | None]
    status: Mapped[str]
    task: Mapped[str | None]
    power: Mapped[str]
    locked: Mapped[bool]
    vcpus: Mapped[int] = mapped_column(Integer)
    ram: Mapped[int] = mapped_column(Integer)
    log: Mapped[list[Any] | None] = mapped_column(JSONB)
    logged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    launched_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class CloudQuota(Base):
    """What a project may have of a resource (`allowed`, -1: no limit), has (`used`), and was granted by the desk.

    `drifted_at`: since when the cloud is seen to allow something else than was granted; `drifted_to`: what it allowed
    when that was reported.
    """

    __tablename__ = "cloud_quota"

    desk: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    allowed: Mapped[int]
    used: Mapped[int]
    granted: Mapped[int | None]
    seen_at: Mapped[datetime]
    drifted_at: Mapped[datetime | None]
    drifted_to: Mapped[int | None]


class CloudAction(Base):
    """Something to be done in the cloud: planned → approved → running → succeeded | failed | unknown.

    What it is (`kind`, `project_id`, `target`, `parameters`) is frozen by the database; `digest` is its hash, and the
    approval keeps the hash that was approved. Of one `lane` only one is alive. `phase` of a running one: reading (the
    state before), sent (the call may be under way), doubt (nobody knows whether it was), accepted.
    """

    __tablename__ = "cloud_action"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[Kind] = mapped_column(Text)
    project_id: Mapped[str | None]
    target: Mapped[str | None]
    # What people call the target.
    title: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    lane: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    phase: Mapped[str | None]
    asked_by_kind: Mapped[ActorKind] = mapped_column(Text)
    asked_by_id: Mapped[int | None]
    asked_by_name: Mapped[str]
    approved_by_kind: Mapped[str | None]
    approved_by_id: Mapped[int | None]
    approved_by_name: Mapped[str | None]
    approved_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Who decided an unknown one.
    decided_by_id: Mapped[int | None]
    decided_by_name: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    planned_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    # What was seen before the call, and last.
    before: Mapped[dict[str, Any] | None]
    observed: Mapped[dict[str, Any] | None]
    # Under which id the cloud's own log has it.
    request_id: Mapped[str | None]
    reason: Mapped[str | None]
    said: Mapped[str | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("cloud_action.id"))


class SecretPage(Base):
    """A secret that is shown once. Only who has the link can read it: the link's token is the key, and only the token's
    hash is here. `sealed` is removed when it was opened or has expired."""

    __tablename__ = "secret_page"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]


class Trial(Base):
    """A stretch of free use: asked → granted → opened (cabinet there, no service yet) → running → paid | closed; or
    refused. `next_at`: when something falls due; `step`: a bit for each reminder that is behind, and the alarm.

    `organization` and `phone` as its requester gave them; `phone_verified`: Telegram itself says that it is theirs.
    """

    __tablename__ = "trial"

    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    organization: Mapped[str | None]
    phone: Mapped[str | None]
    phone_verified: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str]
    days: Mapped[int] = mapped_column(SmallInteger)
    project_id: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    launched_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    step: Mapped[int] = mapped_column(Integer, default=0)
    next_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class TrialClaim(Base):
    """What a trial is granted once for: an organization, a person, a phone, a mail domain or, where many share the
    domain, a mailbox. A refused one claims nothing."""

    __tablename__ = "trial_claim"

    desk: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trial.id"), index=True)

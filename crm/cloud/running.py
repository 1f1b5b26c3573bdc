"""What becomes of an approved action, step by step; the steps are made by `scheduler/hands.py`.

    approved → reading → sent → accepted → succeeded | failed | unknown
                  ↑        ↘ doubt ↗
                  └ surely not done

A step is claimed with a lease and a fence: whoever overslept writes nothing. `sent` is committed before the call, so
one whose worker died there is in doubt, and is never called again: the cloud is read, then a person decides.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.cloud import wanted as wants
from crm.db import Session

# Longer than any step may take: every call of an adapter is bounded below that.
LEASE = timedelta(seconds=90)
# So long a call that was never answered may still arrive at the cloud and show in its log.
SETTLES = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Step:
    """A claimed action: where it stands, and what is needed to go on."""

    id: int
    fence: int
    kind: str
    project_id: str | None
    target: str | None
    title: str
    parameters: dict[str, Any]
    digest: bytes
    approved_digest: bytes
    ticket_id: int | None
    phase: str
    attempts: int
    approved_at: datetime
    started_at: datetime
    deadline_at: datetime | None
    sent_at: datetime | None
    before: dict[str, Any] | None
    request_id: str | None
    replaces_id: int | None

    @property
    def unchanged(self) -> bool:
        """Whether what stands in the row is what was approved."""
        now = wants.digest(self.kind, self.project_id, self.target, self.parameters)
        return now == self.digest == self.approved_digest


_CLAIM = """
    update cloud_action a set
        state = 'running', phase = case when was.phase = 'sent' then 'doubt' else coalesce(was.phase, 'reading') end,
        fence = a.fence + 1, lease_until = $3, next_at = $3, started_at = coalesce(a.started_at, $2)
    from (select id, phase from cloud_action
          where desk = $1 and state in ('approved', 'running') and next_at <= $2 and ($5::bigint is null or id = $5)
          order by next_at limit $4 for update skip locked) was
    where a.id = was.id
    returning a.id, a.fence, a.kind, a.project_id, a.target, a.title, a.parameters, a.digest, a.approved_digest,
              a.ticket_id, a.phase, a.attempts, a.approved_at,
              a.started_at, a.deadline_at, a.sent_at, a.before, a.request_id,
              a.replaces_id
"""


async def claim(session: Session, desk: str, now: datetime, limit: int, only: int | None = None) -> list[Step]:
    """Steps that are due, and those whose worker died, leased. One whose call was under way then comes as a doubt.

    `only`: those of one action.
    """
    return [Step(**row) for row in await session.rows(_CLAIM, desk, now, now + LEASE, limit, only)]


async def next_due(session: Session, desk: str, now: datetime, most: float) -> float:
    """Seconds until something is due, `most` at most."""
    [found] = await session.rows(
        "select min(next_at) as due from cloud_action where desk = $1 and state in ('approved', 'running')", desk
    )
    return min(max((found["due"] - now).total_seconds(), 0.02), most) if found["due"] else most


_WRITE = """
    update cloud_action set phase = $3, next_at = $4, lease_until = case when $4 = lease_until then lease_until end,
        attempts = attempts + $5, before = coalesce($6::text::jsonb, before),
        observed = coalesce($7::text::jsonb, observed), sent_at = coalesce($8, sent_at),
        deadline_at = coalesce($9, deadline_at), request_id = coalesce($10, request_id), said = coalesce($11, said)
    where id = $1 and fence = $2 and state = 'running' returning id
"""


@dataclass(frozen=True, slots=True)
class Note:
    """What a step writes down: the next phase and when to go on; None leaves a thing as it is."""

    phase: str
    next_at: datetime
    call: bool = False
    before: dict[str, Any] | None = None
    observed: dict[str, Any] | None = None
    sent_at: datetime | None = None
    deadline_at: datetime | None = None
    request_id: str | None = None
    said: str | None = None


async def note(session: Session, step: Step, what: Note) -> bool:
    """False if somebody else holds it by now: then nothing more may be done."""

    def plain(value: dict[str, Any] | None) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, default=str)

    found = await session.rows(
        _WRITE,
        step.id,
        step.fence,
        what.phase,
        what.next_at,
        int(what.call),
        plain(what.before),
        plain(what.observed),
        what.sent_at,
        what.deadline_at,
        what.request_id,
        what.said,
    )
    return bool(found)


async def held(session: Session, step: Step) -> bool:
    """Whether the step is still ours, this moment."""
    found: Sequence[Any] = await session.rows(
        "select 1 from cloud_action where id = $1 and fence = $2 and state = 'running'", step.id, step.fence
    )
    return bool(found)

"""The promises of a ticket: made when it opens, stopped and resumed with its status, met by what counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from crm.db import Session
from crm.desks import Profile
from crm.sla.clock import Pause, reached, step_at
from crm.sla.models import SlaPause, SlaTarget
from crm.tickets.status import RUNNING


def promised(profile: Profile, channel: str, request_type: str) -> dict[str, int]:
    """Seconds for each metric, by the agreement."""
    first = profile.first_response.get(channel, profile.first_response["telegram"])  # type: ignore[call-overload]
    return {"first_response": first * 60, "resolution": profile.request_type(request_type).resolution * 60}


def rows(profile: Profile, ticket_id: int, channel: str, request_type: str, now: datetime) -> list[dict[str, Any]]:
    """Targets of a ticket that opens now, for `Changes.targets`."""
    return [
        {
            "ticket_id": ticket_id,
            "metric": metric,
            "started_at": now,
            "budget": budget,
            "due_at": now + timedelta(seconds=budget),
            "stage": 0,
            "next_at": step_at(now, budget, 0),
        }
        for metric, budget in promised(profile, channel, request_type).items()
    ]


async def of_ticket(session: Session, ticket_id: int) -> dict[str, SlaTarget]:
    found = await session.scalars(select(SlaTarget).where(SlaTarget.ticket_id == ticket_id))
    return {target.metric: target for target in found}


async def pauses_of(session: Session, ticket_id: int) -> list[SlaPause]:
    found = await session.scalars(select(SlaPause).where(SlaPause.ticket_id == ticket_id).order_by(SlaPause.started_at))
    return list(found)


def _plan(target: SlaTarget, pauses: Sequence[SlaPause]) -> None:
    """Set `due_at` and `next_at` from the start, the budget and the ledger."""
    ledger = [Pause(p.started_at, p.ended_at) for p in pauses]
    due = reached(target.started_at, target.budget, ledger)
    if due is not None:
        target.due_at = due
    running = target.met_at is None and target.breached_at is None
    target.next_at = step_at(target.started_at, target.budget, target.stage, ledger) if running else None


async def follow_status(session: Session, ticket_id: int, status: str, now: datetime) -> datetime | None:
    """Stop or resume the clock as the new status demands.

    Gives the resolution's new due time when the clock runs again, None otherwise.
    """
    pauses = await pauses_of(session, ticket_id)
    targets = await of_ticket(session, ticket_id)
    still = pauses[-1] if pauses and pauses[-1].ended_at is None else None
    resumed = False
    if status in RUNNING:
        if still is not None:
            still.ended_at = max(now, still.started_at)
            resumed = True
            if still.kind != "pending":
                targets["resolution"].met_at = None
    elif still is None:
        pauses.append(SlaPause(ticket_id=ticket_id, kind=status, started_at=now))
        session.add(pauses[-1])
    elif still.kind != status:
        # One standing follows another: the ledger keeps both, and not a second runs between them.
        still.ended_at = max(now, still.started_at)
        await session.flush()
        pauses.append(SlaPause(ticket_id=ticket_id, kind=status, started_at=still.ended_at))
        session.add(pauses[-1])
    for target in targets.values():
        _plan(target, pauses)
    return targets["resolution"].due_at if resumed else None


async def meet(session: Session, ticket_id: int, metric: str, now: datetime) -> bool:
    """The promise is fulfilled, in time or late; False if it was before."""
    target = (await of_ticket(session, ticket_id))[metric]
    if target.met_at is not None:
        return False
    target.met_at, target.next_at = now, None
    if now > target.due_at and target.breached_at is None:
        target.breached_at = target.due_at
    return True


async def rebudget(session: Session, profile: Profile, ticket: Any, now: datetime) -> datetime:
    """The request type changed: the resolution is counted anew from the same start, all pauses counted."""
    target = (await of_ticket(session, ticket.id))["resolution"]
    target.budget = promised(profile, ticket.channel, ticket.request_type)["resolution"]
    pauses = await pauses_of(session, ticket.id)
    _plan(target, pauses)
    if target.breached_at is None or target.due_at > now:
        # What was broken was not promised after all.
        target.stage, target.breached_at = 0, None
        _plan(target, pauses)
    return target.due_at

"""What a ticket's life does to its promises: stopped and resumed, met, begun anew, counted anew, broken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.sla import emergency, steps
from crm.sla.clock import Pause, known_at
from crm.sla.models import SlaPause, SlaTarget
from crm.sla.policy import ENDINGS, TRANSFER, Promised
from crm.sla.targets import AT_OPENING, Moved, Target, ensure, facts_of, of_ticket, pauses_of, plan, rounds_of, row_of
from crm.tickets import outward
from crm.tickets.models import Ticket
from crm.tickets.status import ACTIVE, RUNNING


def _late(target: Target, pauses: Sequence[Pause], met_at: datetime) -> bool:
    """Whether what is met at that moment was due before; `due_at` becomes what it would be if nothing waited then."""
    row = target.row
    row.due_at = target.due(known_at(met_at, pauses)) or row.due_at
    return row.due_at < met_at


def broken(target: Target) -> None:
    """Mark the breach, at its true time."""
    target.row.breached_at = target.row.due_at
    target.row.stage = steps.passed([target.terms.breach], target.row.stage, target.terms)


async def _break(session: Session, profile: Profile, ticket_id: int, late: Sequence[Target], now: datetime) -> None:
    """What was due before any sweep came by and is now met, or waits: it is told, and nobody is called."""
    ticket, changes = await session.get_one(Ticket, ticket_id), Changes()
    for target in late:
        broken(target)
        facts: dict[str, Any] = {"metric": target.row.metric, "share": None, "after": None}
        due = target.row.due_at
        changes.events.append(
            journal.event(ticket_id, journal.SYSTEM, "breached", now, due_at=due.isoformat(), **facts)
        )
        changes.outgoing.append(
            outward.say_in_topic(profile.name, ticket.group_id, ticket_id, "breached", due_at=due, **facts)
        )
        if target.over and target.open and ticket.status in ACTIVE:
            await next_round(session, profile, target, now)
    if late:
        await changes.write(session, profile.name, now)


async def follow_status(session: Session, profile: Profile, ticket_id: int, status: str, now: datetime) -> Moved | None:
    """Stop or resume the clocks as the new status demands; says so if that of the solution runs again."""
    rounds = await rounds_of(session, ticket_id)
    still = await session.scalar(select(SlaPause).where(SlaPause.ticket_id == ticket_id, SlaPause.ended_at.is_(None)))
    if still is not None and still.kind != status:
        still.ended_at = max(now, still.started_at)
        await session.flush()
    if status not in RUNNING and (still is None or still.kind != status):
        # Clocks of several machines differ a little; the ledger never overlaps.
        last = await session.scalar(select(func.max(SlaPause.ended_at)).where(SlaPause.ticket_id == ticket_id))
        session.add(SlaPause(ticket_id=ticket_id, kind=status, started_at=max(now, last or now)))
    pauses = await pauses_of(session, ticket_id)
    if status in RUNNING and still is not None and still.kind in ENDINGS:
        rounds += await _reopen(session, rounds, now)
    late = [target for target in rounds if target.open and plan(profile, target, pauses, now)]
    await _break(session, profile, ticket_id, late, now)
    resolution = {target.row.metric: target for target in rounds}.get("resolution")
    if resolution is None or not resolution.open or still is None:
        return None
    stops = resolution.terms.stops
    return Moved("resolution", resolution.row.due_at) if still.kind in stops and status not in stops else None


async def _reopen(session: Session, rounds: Sequence[Target], now: datetime) -> list[Target]:
    """Work goes on: the promise of a solution runs on, begins anew or stays met, as its terms say. Gives new rounds."""
    made = []
    latest = {target.row.metric: target for target in rounds}
    for metric in ("resolution", "inform"):
        target = latest.get(metric)
        if target is None or (target.open and not target.over) or target.terms.reopening == "ignore":
            continue
        if metric == "inform" or target.terms.reopening == "restart":
            made.append(await _again(session, target, now))
        else:
            target.row.met_at = None
    return made


async def _again(session: Session, target: Target, at: datetime) -> Target:
    """The next round of a promise, from that moment, on the same terms."""
    old = target.row
    row = SlaTarget(
        ticket_id=old.ticket_id,
        metric=old.metric,
        round=old.round + 1,
        terms_hash=old.terms_hash,
        started_at=at,
        budget=old.budget,
        due_at=target.terms.calendar.add(at, timedelta(seconds=old.budget)),
        stage=0,
    )
    session.add(row)
    return Target(row, target.terms)


async def meet(session: Session, profile: Profile, ticket_id: int, metrics: Sequence[str], now: datetime) -> list[str]:
    """These promises are fulfilled, in time or late; gives those that were not before."""
    met = [target for target in await rounds_of(session, ticket_id) if target.open and target.row.metric in metrics]
    pauses = await pauses_of(session, ticket_id) if met else []
    late = [target for target in met if _late(target, pauses, now) and target.row.breached_at is None]
    for target in met:
        target.row.met_at, target.row.next_at = now, None
    await _break(session, profile, ticket_id, late, now)
    return list(dict.fromkeys(target.row.metric for target in met))


async def informed(session: Session, profile: Profile, ticket: Ticket, now: datetime) -> None:
    """The requester has heard of us: the next stretch of silence is measured from now."""
    if "inform" not in await meet(session, profile, ticket.id, ("inform",), now) or ticket.status in ENDINGS:
        return
    await next_round(session, profile, (await of_ticket(session, ticket.id))["inform"], now)


async def next_round(session: Session, profile: Profile, target: Target, now: datetime) -> None:
    """The same promise anew, from now on."""
    plan(profile, await _again(session, target, now), await pauses_of(session, target.row.ticket_id), now)


async def heard(session: Session, profile: Profile, ticket: Ticket, now: datetime) -> None:
    """A requester has written after an answer: the next one is promised, if the policy does so."""
    targets = await of_ticket(session, ticket.id)
    answered = "first_response" in targets and not targets["first_response"].open
    current = targets.get("next_response")
    facts = await facts_of(session, ticket)
    promised = {p.metric: p for p in profile.promises.promised(facts, now)}.get("next_response")
    if not answered or promised is None or (current is not None and current.open):
        return
    await promise(session, profile, ticket.id, promised, current, now)


async def promise(
    session: Session, profile: Profile, ticket_id: int, promised: Promised, former: Target | None, start: datetime
) -> None:
    """A promise of its own from that start, after a former round of it or as the first."""
    made = row_of(profile, ticket_id, promised, promised.budget, start)
    row = SlaTarget(**made | {"round": former.row.round + 1 if former else 1})
    await ensure(session, promised.terms)
    session.add(row)
    plan(profile, Target(row, promised.terms), await pauses_of(session, ticket_id), start)


async def recompute(session: Session, profile: Profile, ticket: Ticket, now: datetime) -> Moved | None:
    """What the ticket is has changed: open promises are counted anew from the same start, all pauses counted.

    By what the profile says now, and by the emergency in which it opened. A breach of what was not promised after all
    is taken back. So it is with a solution that waits for its confirmation.
    """
    rounds, pauses = await rounds_of(session, ticket.id), await pauses_of(session, ticket.id)
    targets = {target.row.metric: target for target in rounds}
    facts = await facts_of(session, ticket)
    promised: dict[str, Promised] = {p.metric: p for p in profile.promises.promised(facts, now)}
    if (first := promised.get("first_response")) is not None:
        least = await emergency.least_response(session, profile.name, ticket.opened_at)
        promised["first_response"] = replace(first, budget=max(first.budget, least))
    before = targets["resolution"].row.due_at if "resolution" in targets else None
    late = []
    for target in rounds:
        metric = target.row.metric
        if metric == TRANSFER:
            continue
        if target.open and metric not in promised:
            await session.delete(target.row)
        elif metric in promised and target is targets[metric] and (target.open or _awaits_consent(target, ticket)):
            late += await _rewrite(session, profile, target.row, promised[metric], pauses, now)
    for metric in set(AT_OPENING) & promised.keys():
        if metric not in targets or (metric == "inform" and not targets[metric].open and ticket.status not in ENDINGS):
            late += await _add(session, profile, ticket, promised[metric], targets.get(metric), pauses, now)
    await session.flush()
    await _break(session, profile, ticket.id, late, now)
    after = (await of_ticket(session, ticket.id)).get("resolution")
    if after is None or not after.open or after.row.due_at == before:
        return None
    return Moved("resolution", after.row.due_at)


def _awaits_consent(target: Target, ticket: Ticket) -> bool:
    return target.row.metric == "resolution" and ticket.status == "resolved"


async def _add(
    session: Session,
    profile: Profile,
    ticket: Ticket,
    promised: Promised,
    last: Target | None,
    pauses: Sequence[Pause],
    now: datetime,
) -> list[Target]:
    """A promise that this ticket did not have; silence is measured from now, all else from its opening."""
    begin = now if promised.metric == "inform" else ticket.opened_at
    row = row_of(profile, ticket.id, promised, promised.budget, begin) | {"round": last.row.round + 1 if last else 1}
    target = Target(SlaTarget(**row), promised.terms)
    await ensure(session, promised.terms)
    session.add(target.row)
    if ticket.status not in ENDINGS:
        return [target] if plan(profile, target, pauses, now) else []
    met_at = max(begin, ticket.resolved_at or now)
    target.row.met_at, target.row.next_at = met_at, None
    return [target] if _late(target, pauses, met_at) else []


async def _rewrite(
    session: Session, profile: Profile, row: SlaTarget, promised: Promised, pauses: Sequence[Pause], now: datetime
) -> list[Target]:
    """The same promise on other terms; gives it if it was due before, and nobody had noticed."""
    if (row.terms_hash, row.budget) == (promised.terms.hash, promised.budget):
        return []
    row.terms_hash, row.budget = await ensure(session, promised.terms), promised.budget
    target = Target(row, promised.terms)
    until = row.met_at or now
    counted = target.ledger(pauses) if target.open else known_at(until, target.ledger(pauses))
    row.stage = steps.still_behind(row.stage, row.started_at, row.budget, counted, target.terms, until)
    was_broken = bool(row.stage >> target.terms.breach & 1)
    row.breached_at = None
    late = plan(profile, target, pauses, now) if target.open else _late(target, pauses, until)
    if was_broken:
        broken(target)
        return []
    return [target] if late else []

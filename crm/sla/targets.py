"""The promises of a ticket: made when it opens, stopped and resumed with its status, met by what counts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select

from crm.db import Session
from crm.desks import Profile
from crm.sla import emergency, steps
from crm.sla.calendar import Calendar
from crm.sla.clock import Pause
from crm.sla.models import SlaPause, SlaTarget, SlaTerms
from crm.sla.policy import ENDINGS, TRANSFER, Facts, Promised, Terms
from crm.tickets.models import Ticket
from crm.tickets.status import RUNNING

Row = dict[str, Any]

# Made with the ticket; `next_response` begins when a requester writes after an answer.
AT_OPENING = ("first_response", "resolution", "inform")
# Terms that are in a database for sure, because they were committed there.
_registered: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Target:
    """A stored promise with its terms at hand, in its latest round."""

    row: SlaTarget
    terms: Terms

    def ledger(self, pauses: Iterable[Pause]) -> list[Pause]:
        return steps.ledger(pauses, self.terms)

    def due(self, pauses: Iterable[Pause]) -> datetime | None:
        """By its ledger; None while an open pause comes before."""
        return self.terms.reached(self.row.started_at, self.row.budget, self.ledger(pauses))

    @property
    def open(self) -> bool:
        return self.row.met_at is None


def facts_of(ticket: Ticket) -> Facts:
    return Facts(ticket.channel, ticket.request_type, ticket.priority, ticket.queue)


def hours_of(profile: Profile, now: datetime) -> steps.Hours:
    def found(name: str) -> Calendar | None:
        return profile.promises.calendar(name, now.year) if name in profile.calendars else None

    return found


async def register_terms(session: Session, profile: Profile, now: datetime) -> None:
    """Commit all terms that tickets of this year can have, so that opening one need not write them.

    Outside of a transaction.
    """
    found = profile.promises.all_terms(now)
    for terms in found.values():
        await session.rows(_WRITE_TERMS, terms.hash, json.dumps(terms.body()))
    _registered.setdefault(session.get_bind().engine, set()).update(found)


_WRITE_TERMS = "insert into sla_terms (hash, body) values ($1, $2::text::jsonb) on conflict do nothing"


async def _ensure(session: Session, terms: Terms) -> str:
    if terms.hash not in _registered.get(session.get_bind().engine, ()):
        await session.rows(_WRITE_TERMS, terms.hash, json.dumps(terms.body()))
    return terms.hash


async def made_at_opening(
    session: Session,
    profile: Profile,
    ticket_id: int,
    facts: Facts,
    now: datetime,
    first_response: int = 0,
    maintenance: Sequence[Pause] = (),
) -> list[Row]:
    """Targets of a ticket that opens now, for `Changes.targets`; `first_response` lengthens that budget (seconds),
    `maintenance` is what is announced."""
    made = []
    for promised in profile.promises.promised(facts, now):
        if promised.metric in AT_OPENING:
            budget = max(promised.budget, first_response) if promised.metric == "first_response" else promised.budget
            await _ensure(session, promised.terms)
            made.append(_row(profile, ticket_id, promised, budget, now, maintenance))
    return made


def _row(
    profile: Profile, ticket_id: int, promised: Promised, budget: int, now: datetime, maintenance: Sequence[Pause] = ()
) -> Row:
    terms, pauses = promised.terms, steps.ledger(maintenance, promised.terms)
    return {
        "ticket_id": ticket_id,
        "metric": promised.metric,
        "round": 1,
        "terms_hash": terms.hash,
        "started_at": now,
        "budget": budget,
        # Without maintenance, as long as an open pause forbids to say more.
        "due_at": terms.reached(now, budget, pauses) or terms.calendar.add(now, timedelta(seconds=budget)),
        "stage": steps.NONE_BEHIND,
        "next_at": steps.next_at(0, now, budget, pauses, terms, hours_of(profile, now)),
    }


async def of_ticket(session: Session, ticket_id: int) -> dict[str, Target]:
    """The latest round of each metric."""
    found = await session.execute(
        select(SlaTarget, SlaTerms)
        .join(SlaTerms, SlaTerms.hash == SlaTarget.terms_hash)
        .where(SlaTarget.ticket_id == ticket_id)
        .order_by(SlaTarget.round, SlaTarget.id)
    )
    return {target.metric: Target(target, terms.terms) for target, terms in found.all()}


_PAUSES = """
    select started_at as start, ended_at as until, kind from sla_pause where ticket_id = $1
    union all
    select m.starts_at, least(m.ends_at, m.cancelled_at), 'maintenance'
    from maintenance m join ticket t on t.desk = m.desk
    where t.id = $1 and m.ends_at > t.opened_at and (m.cancelled_at is null or m.cancelled_at > m.starts_at)
    order by start
"""


async def pauses_of(session: Session, ticket_id: int) -> list[Pause]:
    """Whatever the ticket waited for, and the maintenance that was announced; which of it counts, the terms say."""
    await session.flush()
    return [Pause(row["start"], row["until"], row["kind"]) for row in await session.rows(_PAUSES, ticket_id)]


def plan(profile: Profile, target: Target, pauses: Sequence[Pause], now: datetime) -> None:
    """Set `due_at` and `next_at` from the start, the budget and the ledger."""
    row, counted = target.row, target.ledger(pauses)
    due = target.due(pauses)
    if due is not None:
        row.due_at = due
    row.next_at = None
    if target.open:
        hours = hours_of(profile, now)
        row.next_at = steps.next_at(row.stage, row.started_at, row.budget, counted, target.terms, hours)


@dataclass(frozen=True, slots=True)
class Moved:
    """A promise that has a new time now."""

    metric: str
    due_at: datetime


async def follow_status(session: Session, profile: Profile, ticket_id: int, status: str, now: datetime) -> Moved | None:
    """Stop or resume the clocks as the new status demands; says so if that of the solution runs again."""
    targets = await of_ticket(session, ticket_id)
    still = await session.scalar(select(SlaPause).where(SlaPause.ticket_id == ticket_id, SlaPause.ended_at.is_(None)))
    if still is not None and still.kind != status:
        still.ended_at = max(now, still.started_at)
        await session.flush()
    if status not in RUNNING and (still is None or still.kind != status):
        begin = now if still is None else still.ended_at or now
        session.add(SlaPause(ticket_id=ticket_id, kind=status, started_at=begin))
    pauses = await pauses_of(session, ticket_id)
    if status in RUNNING and still is not None and still.kind in ENDINGS:
        await _reopen(session, targets, now)
    for target in targets.values():
        plan(profile, target, pauses, now)
    resolution = targets.get("resolution")
    if resolution is None or not resolution.open or status not in RUNNING or still is None:
        return None
    return Moved("resolution", resolution.row.due_at) if still.kind in resolution.terms.stops else None


async def _reopen(session: Session, targets: dict[str, Target], now: datetime) -> None:
    """Work goes on: the promise of a solution runs on, begins anew or stays met, as its terms say."""
    for metric in ("resolution", "inform"):
        target = targets.get(metric)
        if target is None or target.open or target.terms.reopening == "ignore":
            continue
        if metric == "inform" or target.terms.reopening == "restart":
            targets[metric] = await _again(session, target, now)
        else:
            target.row.met_at = None


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
        stage=steps.NONE_BEHIND,
    )
    session.add(row)
    return Target(row, target.terms)


async def meet(session: Session, profile: Profile, ticket_id: int, metrics: Sequence[str], now: datetime) -> list[str]:
    """These promises are fulfilled, in time or late; gives those that were not before."""
    targets = await of_ticket(session, ticket_id)
    met = [metric for metric in metrics if metric in targets and targets[metric].open]
    pauses = await pauses_of(session, ticket_id) if met else []
    for metric in met:
        row, due = targets[metric].row, targets[metric].due(pauses)
        row.met_at, row.next_at, row.due_at = now, None, due or row.due_at
        # While the clock stands nothing is late, whatever was due before it stopped.
        if due is not None and now > due and row.breached_at is None:
            row.breached_at = due
    return met


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
    promised = {p.metric: p for p in profile.promises.promised(facts_of(ticket), now)}.get("next_response")
    if not answered or promised is None or (current is not None and current.open):
        return
    await promise(session, profile, ticket.id, promised, current, now)


async def promise(
    session: Session, profile: Profile, ticket_id: int, promised: Promised, former: Target | None, start: datetime
) -> None:
    """A promise of its own from that start, after a former round of it or as the first."""
    made = _row(profile, ticket_id, promised, promised.budget, start)
    row = SlaTarget(**made | {"round": former.row.round + 1 if former else 1})
    await _ensure(session, promised.terms)
    session.add(row)
    plan(profile, Target(row, promised.terms), await pauses_of(session, ticket_id), start)


async def recompute(session: Session, profile: Profile, ticket: Ticket, now: datetime) -> Moved | None:
    """What the ticket is has changed: open promises are counted anew from the same start, all pauses counted.

    By what the profile says now, and by the emergency in which it opened. A breach of what was not promised after all
    is taken back.
    """
    targets, pauses = await of_ticket(session, ticket.id), await pauses_of(session, ticket.id)
    promised: dict[str, Promised] = {p.metric: p for p in profile.promises.promised(facts_of(ticket), now)}
    if (first := promised.get("first_response")) is not None:
        least = await emergency.least_response(session, profile.name, ticket.opened_at)
        promised["first_response"] = replace(first, budget=max(first.budget, least))
    before = targets["resolution"].row.due_at if "resolution" in targets else None
    for metric, target in targets.items():
        if metric == TRANSFER:
            continue
        if target.open and metric not in promised:
            await session.delete(target.row)
        elif target.open:
            await _rewrite(session, profile, target.row, promised[metric], pauses, now)
    for metric in AT_OPENING:
        if metric in promised and metric not in targets:
            await promise(session, profile, ticket.id, promised[metric], None, ticket.opened_at)
    await session.flush()
    after = (await of_ticket(session, ticket.id)).get("resolution")
    if after is None or not after.open or after.row.due_at == before:
        return None
    return Moved("resolution", after.row.due_at)


async def _rewrite(
    session: Session, profile: Profile, row: SlaTarget, promised: Promised, pauses: Sequence[Pause], now: datetime
) -> None:
    if (row.terms_hash, row.budget) == (promised.terms.hash, promised.budget):
        return
    longer, due_before = promised.budget > row.budget, row.due_at
    row.terms_hash, row.budget = await _ensure(session, promised.terms), promised.budget
    target = Target(row, promised.terms)
    plan(profile, target, pauses, now)
    # Steps that were done are not done again because the time has become shorter.
    if (row.breached_at is None or row.due_at > now) and (longer or row.due_at > due_before):
        row.stage, row.breached_at = steps.NONE_BEHIND, None
        plan(profile, target, pauses, now)

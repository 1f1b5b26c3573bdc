"""The promises of a ticket as they are stored: made when it opens, read with their terms, planned by their ledger."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select

from crm.db import Session
from crm.desks import Profile
from crm.people.models import Organization
from crm.sla import steps
from crm.sla.calendar import Calendar
from crm.sla.clock import Pause
from crm.sla.models import SlaTarget, SlaTerms
from crm.sla.policy import Facts, Promised, Terms, organization_key
from crm.tickets.models import Ticket

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

    @property
    def over(self) -> bool:
        """Silence that went on too long: the next round watches over it."""
        return self.row.metric == "inform" and self.row.breached_at is not None


async def facts_of(session: Session, ticket: Ticket) -> Facts:
    held = await session.get_one(Organization, ticket.organization_id) if ticket.organization_id is not None else None
    organization = organization_key(held.name) if held is not None else None
    return Facts(ticket.channel, ticket.request_type, ticket.priority, ticket.queue, organization)


def hours_of(profile: Profile, now: datetime) -> steps.Hours:
    def found(name: str) -> Calendar | None:
        return profile.promises.calendar(name, now.year) if name in profile.calendars else None

    return found


async def register_terms(session: Session, profile: Profile, now: datetime) -> None:
    """Commit all terms that tickets of this year can have, so that opening one need not write them.

    Outside of a transaction: what might be rolled back is not relied on.
    """
    found = profile.promises.all_terms(now)
    for terms in found.values():
        await session.rows(_WRITE_TERMS, terms.hash, json.dumps(terms.body()))
    if not session.driver.is_in_transaction():
        _registered.setdefault(session.get_bind().engine, set()).update(found)


_WRITE_TERMS = "insert into sla_terms (hash, body) values ($1, $2::text::jsonb) on conflict do nothing"


async def ensure(session: Session, terms: Terms) -> str:
    """The hash of terms that are written down from now on."""
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
            await ensure(session, promised.terms)
            made.append(row_of(profile, ticket_id, promised, budget, now, maintenance))
    return made


def row_of(
    profile: Profile, ticket_id: int, promised: Promised, budget: int, now: datetime, maintenance: Sequence[Pause] = ()
) -> Row:
    """A target that begins at `now`, as a row."""
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
        "stage": 0,
        "next_at": steps.next_at(0, now, budget, pauses, terms, hours_of(profile, now), now),
    }


async def rounds_of(session: Session, ticket_id: int) -> list[Target]:
    """All promises of a ticket, in the order of their rounds."""
    found = await session.execute(
        select(SlaTarget, SlaTerms)
        .join(SlaTerms, SlaTerms.hash == SlaTarget.terms_hash)
        .where(SlaTarget.ticket_id == ticket_id)
        .order_by(SlaTarget.round, SlaTarget.id)
    )
    return [Target(target, terms.terms) for target, terms in found.all()]


async def of_ticket(session: Session, ticket_id: int) -> dict[str, Target]:
    """The latest round of each metric."""
    return {target.row.metric: target for target in await rounds_of(session, ticket_id)}


_PAUSES = """
    select ticket_id, started_at as start, ended_at as until, kind from sla_pause where ticket_id = any($1::bigint[])
    union all
    select t.id, m.starts_at, least(m.ends_at, m.cancelled_at), 'maintenance'
    from maintenance m join ticket t on t.desk = m.desk
    where t.id = any($1::bigint[]) and m.ends_at > t.opened_at
      and (m.cancelled_at is null or m.cancelled_at > m.starts_at)
    order by start
"""


async def pauses_of_all(session: Session, ticket_ids: Sequence[int]) -> dict[int, list[Pause]]:
    """Whatever each ticket waited for, and the maintenance that was announced; which of it counts, the terms say."""
    await session.flush()
    found: dict[int, list[Pause]] = {}
    for row in await session.rows(_PAUSES, list(ticket_ids)):
        found.setdefault(row["ticket_id"], []).append(Pause(row["start"], row["until"], row["kind"]))
    return found


async def pauses_of(session: Session, ticket_id: int) -> list[Pause]:
    """The ledger of one ticket, in its order."""
    return (await pauses_of_all(session, [ticket_id])).get(ticket_id, [])


def plan(profile: Profile, target: Target, pauses: Sequence[Pause], now: datetime) -> bool:
    """Set `due_at` and `next_at` of an open promise from its start, its budget and the ledger.

    While its clock stands nothing comes next, and `due_at` is what it was. True if it was due before, unnoticed.
    """
    row, counted, due = target.row, target.ledger(pauses), target.due(pauses)
    row.due_at, row.next_at = due or row.due_at, None
    if any(pause.end is None for pause in counted):
        return due is not None and row.breached_at is None
    if target.over:
        return False
    hours = hours_of(profile, now)
    row.next_at = steps.next_at(row.stage, row.started_at, row.budget, counted, target.terms, hours, now)
    return False


@dataclass(frozen=True, slots=True)
class Moved:
    """A promise that has a new time now."""

    metric: str
    due_at: datetime

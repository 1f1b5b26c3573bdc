"""Any life of a ticket, step by step on the real database: what must hold after every step, holds."""

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import Sessions, make_engine, transaction
from crm.errors import DeskError
from crm.sla import steps
from crm.sla.clock import Pause, elapsed, explained, reached
from crm.sla.policy import ENDINGS, Facts, Terms, terms_from
from crm.tickets import merging, service, work
from crm.tickets.status import RUNNING
from scheduler import jobs
from tests.factories import NOW
from tests.integration.promised import Desk, agreement

SOAK = bool(os.environ.get("KEZEKSHI_SOAK"))
EXAMPLES, STEPS = (2_000, 50) if SOAK else (10, 25)
TYPES = ("slow", "quick", "office", "bare")
SLOW = {"first_response": {"minutes": 60}, "resolution": {"minutes": 600}, "next_response": {"minutes": 45}}
BERLIN = {"timezone": "Europe/Berlin", "hours": {"mon-sun": [["20:00", "04:00"], ["08:00", "12:00"]]}}
POLICIES = [
    {"priorities": ["urgent"], "request_types": ["slow", "quick"], "resolution": {"minutes": 45}},
    {"request_types": ["quick"], "resolution": {"minutes": 90, "calendar": "berlin"}, "inform": {"minutes": 30}},
    {"request_types": ["office"], "resolution": {"minutes": 240, "calendar": "office"}, "inform": {"minutes": 120}},
    {"request_types": ["bare"], "first_response": {"minutes": 20}},
]
STEP_SETS: list[list[dict[str, Any]] | None] = [
    None,
    [{"share": 0.5, "hours": "office"}, {"share": 1.0, "hours": "office"}, {"after": 30, "tell": ["lead"]}],
    [
        {"share": 0.3, "raise_priority": True, "metrics": ["resolution"]},
        {"share": 1.0},
        {"after": 15, "reassign": True, "hours": "office"},
        {"after": 45, "tell": ["lead", "on_duty"], "raise_priority": True},
    ],
]
FIRED = "select count(*) as n from ticket_event where kind in ('warned', 'breached', 'escalated') and ticket_id = :id"
_numbers = itertools.count(1)
lapses = st.sampled_from([0, 0, 1, 60, 600, 1800, 3600, 7200, 36_000, 86_400]) | st.integers(0, 3_000)


class Life(RuleBasedStateMachine):
    """A few tickets of one requester at a desk of their own; `database` is set by the test."""

    database = ""
    tickets: Bundle[int] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = self.do(_engine(self.database))
        self.now = NOW

    def do(self, action: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(action)

    def attempt(self, lapse: int, step: Callable[..., Coroutine[Any, Any, Any]], *values: Any) -> None:
        """A while later; the moment comes last. What the status does not allow is refused and changes nothing."""
        self.now += timedelta(seconds=lapse)
        with suppress(DeskError):
            self.do(step(*values, self.now))

    @initialize(
        reopening=st.sampled_from(["resume", "restart", "ignore"]),
        stops=st.sampled_from([["pending", "on_hold"], ["pending"], []]),
        chosen=st.sampled_from(STEP_SETS),
        kind=st.sampled_from(TYPES),
        target=tickets,
    )
    def begin(self, reopening: str, stops: list[str], chosen: list[dict[str, Any]] | None, kind: str) -> int:
        policies = [policy | {"reopening": reopening, "stops": stops} for policy in [*POLICIES, SLOW]]
        profile = agreement(
            *policies, calendars={"berlin": BERLIN}, steps=chosen, types=TYPES, name=f"life{next(_numbers)}"
        )
        self.desk = Desk(Sessions(self.engine), profile)
        self.reopening = reopening
        self.agent = self.do(self.desk.engineer())
        self.do(self.desk.engineer(901, "lead"))
        return self.opens(kind)

    def opens(self, kind: str) -> int:
        return int(self.do(self.desk.open(self.now, kind)).id)

    @rule(target=tickets, kind=st.sampled_from(TYPES))
    def open_another(self, kind: str) -> int:
        return self.opens(kind)

    @rule(lapse=lapses, sweeps=st.booleans())
    def time_passes(self, lapse: int, sweeps: bool) -> None:
        self.now += timedelta(seconds=lapse)
        if sweeps:
            self.sweep()

    @rule()
    def sweep(self) -> None:
        """At one moment it comes to rest, though a step may bring others; what has ended stays silent."""
        before = self.do(self.ended())
        done = [self.do(jobs.promises(self.desk.sessions, [self.desk.profile], self.now)) for _ in range(5)]
        assert done[-1] == 0, done
        after = self.do(self.ended())
        assert {key: after[key] for key in before} == before

    async def ended(self) -> dict[int, int]:
        """How often promises of tickets that have ended have fired so far."""
        found = await self.desk.fetch(
            "select id from ticket where desk = :desk and status in ('resolved', 'closed', 'declined')",
            desk=self.desk.profile.name,
        )
        return {row.id: (await self.desk.fetch(FIRED, id=row.id))[0].n for row in found}

    @rule(ticket=tickets, lapse=lapses, words=st.sampled_from(["И что?", "Спасибо!"]))
    def requester_writes(self, ticket: int, lapse: int, words: str) -> None:
        self.attempt(lapse, lambda now: self.desk.write(ticket, now, words))

    @rule(ticket=tickets, lapse=lapses, action=st.sampled_from([service.confirm, service.reject, service.withdraw]))
    def requester_answers(self, ticket: int, lapse: int, action: Any) -> None:
        self.attempt(lapse, self.desk.answer, action, ticket)

    @rule(ticket=tickets, lapse=lapses, kind=st.sampled_from(["public", "note"]))
    def engineer_writes(self, ticket: int, lapse: int, kind: str) -> None:
        self.attempt(lapse, lambda now: self.desk.reply(self.agent, ticket, now, kind))

    @rule(ticket=tickets, lapse=lapses, action=st.sampled_from([work.take, work.ask, work.hold, work.ask, work.hold]))
    def engineer_waits(self, ticket: int, lapse: int, action: Any) -> None:
        self.attempt(lapse, self.desk.step, action, self.agent, ticket)

    @rule(ticket=tickets, lapse=lapses, action=st.sampled_from([work.reopen, work.reopen, work.resolve]))
    def engineer_decides(self, ticket: int, lapse: int, action: Any) -> None:
        self.attempt(lapse, self.desk.step, action, self.agent, ticket)

    @rule(ticket=tickets, lapse=lapses)
    def engineer_declines(self, ticket: int, lapse: int) -> None:
        self.attempt(lapse, self.desk.step, work.decline, self.agent, ticket, "не наше")

    @rule(target=tickets, ticket=tickets, lapse=lapses, kind=st.sampled_from(TYPES), forth=st.booleans())
    def engineer_merges(self, ticket: int, lapse: int, kind: str, forth: bool) -> int:
        """With one that is opened for it, in either direction: of two old ones, one has mostly ended."""
        other = self.opens(kind)
        this, into = (ticket, other) if forth else (other, ticket)
        reference = self.do(self.desk.fetch("select reference from ticket where id = :id", id=into))[0].reference
        self.attempt(lapse, self.desk.step, merging.merge, self.agent, this, reference)
        return other

    @rule(ticket=tickets, lapse=lapses, kind=st.sampled_from(TYPES))
    def another_type(self, ticket: int, lapse: int, kind: str) -> None:
        self.attempt(lapse, self.desk.step, work.set_type, self.agent, ticket, kind)

    @rule(ticket=tickets, lapse=lapses, priority=st.sampled_from(["low", "normal", "urgent"]))
    def another_priority(self, ticket: int, lapse: int, priority: str) -> None:
        self.attempt(lapse, self.desk.step, work.set_priority, self.agent, ticket, priority)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "desk"):
            self.do(self.check())

    async def check(self) -> None:
        for ticket in await self.desk.fetch("select * from ticket where desk = :d", d=self.desk.profile.name):
            ledger = [
                Pause(row.started_at, row.ended_at, row.kind)
                for row in await self.desk.fetch(
                    "select * from sla_pause where ticket_id = :id order by id", id=ticket.id
                )
            ]
            check_ledger(ledger, ticket.status)
            found = await self.desk.fetch(
                "select t.*, m.body from sla_target t join sla_terms m on m.hash = t.terms_hash where ticket_id = :id "
                "order by round",
                id=ticket.id,
            )
            check_rounds(found)
            for target in found:
                check_target(target, ledger, self.now)
            await self.check_merged(ticket, found)
            self.check_promised(ticket, {row.metric: row for row in found})

    async def check_merged(self, ticket: Any, found: list[Any]) -> None:
        """What is merged is closed, promises nothing, and goes on in one step in a ticket that is not merged."""
        if ticket.merged_into_id is None:
            return
        [into] = await self.desk.fetch("select * from ticket where id = :id", id=ticket.merged_into_id)
        assert (ticket.status, into.merged_into_id, into.requester_id) == ("closed", None, ticket.requester_id)
        assert all(row.met_at is not None for row in found)

    def check_promised(self, ticket: Any, latest: dict[str, Any]) -> None:
        """Whoever works on a ticket has a deadline, where the agreement has one."""
        if ticket.status in ENDINGS:
            return
        facts = Facts(ticket.channel, ticket.request_type, ticket.priority, ticket.queue)
        promised = {one.metric for one in self.desk.profile.promises.promised(facts, self.now)}
        lasting = {"resolution", "inform"} if self.reopening != "ignore" else set()
        for metric in promised & lasting:
            assert latest[metric].met_at is None, metric
            assert metric != "inform" or latest[metric].breached_at is None

    def teardown(self) -> None:
        self.do(self.end())
        self.runner.close()

    async def end(self) -> None:
        """What is left over is not found by the sweeps of the next life."""
        async with transaction(Sessions(self.engine)) as session:
            await session.rows("update sla_target set next_at = null where next_at is not null")
        await self.engine.dispose()


async def _engine(url: str) -> AsyncEngine:
    return make_engine(url, size=2)


def check_ledger(ledger: list[Pause], status: str) -> None:
    """Pauses follow one another; the last is open exactly while the ticket waits or has ended, and says why."""
    for pause, following in itertools.pairwise(ledger):
        assert pause.end is not None
        assert pause.start <= pause.end <= following.start
    waits = [pause.kind for pause in ledger if pause.end is None]
    assert waits == ([] if status in RUNNING else [status])


def check_rounds(found: list[Any]) -> None:
    for metric in {row.metric for row in found}:
        rounds = [row.round for row in found if row.metric == metric]
        assert rounds == list(range(1, len(rounds) + 1)), metric


def check_target(row: Any, ledger: list[Pause], now: datetime) -> None:
    terms = terms_from(row.body)
    counted = steps.ledger(ledger, terms)
    if row.met_at is not None:
        until = [replace(p, end=min(p.end or row.met_at, row.met_at)) for p in counted if p.start <= row.met_at]
        assert row.due_at == reached(row.started_at, row.budget, until, terms.calendar)
        assert row.next_at is None
        assert row.breached_at in ((row.due_at,) if row.met_at > row.due_at else (None, row.due_at))
        assert row.breached_at is None or row.met_at >= row.due_at
        return
    due = reached(row.started_at, row.budget, counted, terms.calendar)
    assert row.breached_at in (None, row.due_at)
    assert (row.breached_at is not None) == bool(row.stage >> terms.breach & 1)
    if row.breached_at is not None:
        assert all(place > terms.breach or terms.steps[place].hours for place in steps.left(row.stage, terms))
    if any(pause.end is None for pause in counted):
        assert row.next_at is None
        assert (row.breached_at is not None) == (due is not None)
    else:
        assert row.due_at == due
        # Silence that has gone on into another round is that round's matter.
        over = row.metric == "inform" and row.breached_at is not None
        assert (row.next_at is None) == (over or steps.left(row.stage, terms) == [])
        assert row.next_at <= due if row.breached_at is None else due <= now
    check_sum(row, counted, terms, now)


def check_sum(row: Any, counted: list[Pause], terms: Terms, now: datetime) -> None:
    """Running, closed and standing time fill the time since the start, and what ran is what the clock says."""
    found = explained(row.started_at, now, counted, terms.calendar)
    assert sum((one.end - one.start for one in found), timedelta()) == now - row.started_at
    ran = sum(((one.end - one.start).total_seconds() for one in found if one.kind == "running"), 0.0)
    assert ran == pytest.approx(elapsed(row.started_at, now, counted, terms.calendar), abs=1e-6)
    if row.breached_at is None:
        assert ran <= row.budget or row.next_at <= now
    elif row.metric != "inform":
        assert ran >= row.budget


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_any_life_of_a_ticket(database: str) -> None:
    Life.database = database
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # The bounded run is the same for everybody; the long one looks further.
            derandomize=not SOAK,
            suppress_health_check=list(HealthCheck),
        ),
    )

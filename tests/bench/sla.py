"""`python -m tests.bench --sla`: what a sweep costs with few and with many open tickets, and the engine's own pace."""

import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from crm.db import Sessions, make_engine
from crm.desks import QUEUE, load_profile
from crm.sla.clock import Pause, reached
from crm.sla.policy import Facts
from crm.sla.spec import CalendarSpec
from crm.sla.targets import register_terms
from scheduler.jobs import promises
from tests.bench.load import Stuck
from tests.bench.report import Line
from tests.bench.stage import Server, connect, machine_busy, our_own

DUE = 500
GOAL_GROWTH, GOAL_FAR = 1.5, 10.0
BUDGET = timedelta(hours=24)
PACE_SECONDS = 1.0
PROFILE = load_profile("prodata")
OFFICE = CalendarSpec.model_validate(
    {"timezone": "Asia/Almaty", "hours": {"mon-fri": [["09:00", "13:00"], ["14:00", "18:00"]]}, "country": "KZ"}
)


@dataclass(frozen=True, slots=True)
class Size:
    """Open tickets, and sweeps of each number."""

    tickets: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    sweeps: int = 9


QUICK = Size((10_000, 100_000), 3)

PEOPLE = (
    "insert into person (id, name, language, created_at) overriding system value values (1, 'Клиент', 'ru', $1)",
    """insert into identity (person_id, desk, channel, address, created_at)
       values (1, 'prodata', 'telegram', '1', $1)""",
    """insert into agent (id, desk, telegram_id, name, role, on_duty, turn, active, created_at) overriding system value
       select n, 'prodata', n, 'Инженер ' || n, 'agent', true, n, true, $1 from generate_series(1, 10) n""",
)
TICKETS = """
    insert into ticket (id, desk, reference, queue, requester_id, channel, request_type, priority, status, subject,
                        assignee_id, opened_at, updated_at) overriding system value
    select n, 'prodata', 'PD-' || n, 'support', 1, 'telegram', 'other', 'normal', 'open', 'Не открывается кабинет',
           n % 10 + 1, $1, $1 from generate_series(1, $2::int) n
"""
# One promise is kept, one runs, with less than half of it gone.
TARGETS = """
    insert into sla_target (ticket_id, metric, round, terms_hash, started_at, budget, due_at, stage, next_at, met_at)
    select id, metric, 1, $2, began, extract(epoch from $3::interval), began + $3::interval, 0,
           case when metric = 'resolution' then began + $3 / 2 end, case when metric <> 'resolution' then $1 end
    from (select id, $1::timestamptz - random() * $3::interval / 3 as began from ticket) t,
         unnest(array['first_response', 'resolution']) metric
"""
PAUSES = """
    insert into sla_pause (ticket_id, kind, started_at, ended_at)
    select id, 'pending', $1::timestamptz - interval '9 days', $1::timestamptz - interval '8 days' from ticket
    where id % 2 = 0
"""
# Half of it is gone since a minute.
MAKE_DUE = """
    update sla_target set started_at = $1::timestamptz - $2::interval / 2, next_at = $1, stage = 0, due_at = $1 + $2 / 2
    where metric = 'resolution' and ticket_id = any($3::bigint[])
"""
FLOOR_READ = """
    select s.*, t.* from sla_target s join ticket t on t.id = s.ticket_id
    where s.next_at <= $1 order by s.next_at limit 500
"""
FLOOR_WRITE = (
    "update sla_target set stage = 1, next_at = due_at where id = any($1::bigint[])",
    """insert into ticket_event (ticket_id, at, actor_kind, actor_name, channel, kind, data)
       select id, now(), 'system', 'floor', 'clock', 'warned', '{}' from unnest($1::bigint[]) id""",
    """insert into outbox (desk, channel, bucket, lane, kind, payload, ticket_id, priority, state, due_at, created_at)
       select 'prodata', 'telegram', 'prodata:group:none', 'ticket:' || id, kind, '{"to": "topic", "notice": "warned"}',
              id, 3, 'queued', now(), now() from unnest($1::bigint[]) id, unnest(array['say', 'card']) kind""",
)


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Medians with that many open tickets, in milliseconds: of all that is due, of nothing, and of the floor."""

    tickets: int
    due: float
    nothing: float
    floor: float


async def measure(server: Server, size: Size, say: Callable[[str], None]) -> tuple[list[Line], float]:
    """The table's rows, and what share of the machine other programs took."""
    begin, busy = time.monotonic(), machine_busy() - our_own() - server.cpu()
    found = []
    for tickets in size.tickets:
        say(f"{tickets:,} open tickets")
        found.append(await _sweeps(server, await server.new_database(), tickets, size.sweeps))
    say("deadlines")
    table = [*_lines(found), *_paces()]
    foreign = machine_busy() - our_own() - server.cpu() - busy
    return table, max(foreign / (time.monotonic() - begin) / (os.cpu_count() or 1), 0.0)


async def _sweeps(server: Server, database: str, tickets: int, sweeps: int) -> Sweeps:
    driver, engine, now = await connect(database), make_engine(database, size=2), datetime.now(UTC)
    sessions, due, nothing, floor = Sessions(engine), [], [], []
    chance = random.Random(tickets)
    try:
        async with sessions() as session:
            await register_terms(session, PROFILE, now)
        await _fill(driver, tickets, now)
        await server.calm()
        # The first one warms up what is compiled, planned and cached.
        for _ in range(sweeps + 1):
            for times, sweep in (
                (floor, lambda: _floor(driver, now)),
                (due, lambda: promises(sessions, [PROFILE], now)),
            ):
                await driver.execute("truncate outbox")
                chosen = chance.sample(range(1, tickets + 1), DUE)
                await driver.execute(MAKE_DUE, now, BUDGET, chosen)
                times.append(await _milliseconds(sweep, DUE))
            nothing.append(await _milliseconds(lambda: promises(sessions, [PROFILE], now), 0))
    finally:
        await engine.dispose()
        await driver.close()
    return Sweeps(tickets, *(statistics.median(times[1:]) for times in (due, nothing, floor)))


async def _fill(driver: asyncpg.Connection, tickets: int, now: datetime) -> None:
    [promised] = (
        one
        for one in PROFILE.promises.promised(Facts("telegram", "other", "normal", QUEUE), now)
        if one.metric == "resolution"
    )
    for statement in PEOPLE:
        await driver.execute(statement, now)
    await driver.execute(TICKETS, now, tickets)
    await driver.execute(TARGETS, now, promised.terms.hash, BUDGET)
    await driver.execute(PAUSES, now)
    await driver.execute("vacuum analyze")


async def _floor(driver: asyncpg.Connection, now: datetime) -> int:
    """The same rows by plain statements: read, moved on, written down, put into the outbox."""
    async with driver.transaction():
        rows = await driver.fetch(FLOOR_READ, now)
        await driver.execute(FLOOR_WRITE[0], [row[0] for row in rows])
        for statement in FLOOR_WRITE[1:]:
            await driver.execute(statement, [row["ticket_id"] for row in rows])
    return len(rows)


async def _milliseconds(sweep: Callable[[], Awaitable[int]], expected: int) -> float:
    begin = time.perf_counter()
    handled = await sweep()
    took = (time.perf_counter() - begin) * 1000
    if handled != expected:
        raise Stuck(f"a sweep of {expected} handled {handled}")
    return took


def _lines(found: list[Sweeps]) -> list[Line]:
    first, last = found[0], found[-1]
    grown = last.due / first.due
    return [
        *((f"{one.tickets:,} open, {DUE} due: a sweep, ms", f"{one.due:.0f}", f"{one.floor:.0f}",
           f"{one.due / one.floor:.1f}", "") for one in found),
        *((f"{one.tickets:,} open, nothing due: a sweep, ms", f"{one.nothing:.1f}", "", "", "") for one in found),
        (f"{DUE} due, {last.tickets:,} open : {first.tickets:,} open", f"{grown:.2f}",
         f"{last.floor / first.floor:.2f}", "", _goal(grown, GOAL_GROWTH)),
    ]  # fmt: skip


def _paces() -> list[Line]:
    """Deadlines of an office with holidays and a lunch break, by budgets that end in a day and in five years."""
    calendar, start = OFFICE.frozen(2025, 2036), datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    near, far = (calendar.measure(start, start + timedelta(days=days)) for days in (1, 5 * 365))
    pauses = [Pause(start + timedelta(hours=n), start + timedelta(hours=n, minutes=20)) for n in (1, 2, 3)]
    day, years = (
        _rate(lambda budget=budget: reached(start, budget.total_seconds(), pauses, calendar)) for budget in (near, far)
    )
    bare, sum_alone = _rate(lambda: calendar.add(start, near)), _rate(lambda: start + near)
    return [
        ("deadlines a second, a day ahead, three pauses", f"{day:,.0f}", "", "", ""),
        ("deadlines a second, five years ahead, three pauses", f"{years:,.0f}", "", "", ""),
        ("deadlines, five years : a day, cost", f"{day / years:.2f}", "", "", _goal(day / years, GOAL_FAR)),
        ("deadlines a second, no pauses, beside one addition of Python", f"{bare:,.0f}", f"{sum_alone:,.0f}",
         f"{bare / sum_alone:.3f}", ""),
    ]  # fmt: skip


def _rate(call: Callable[[], object]) -> float:
    """Calls a second, after one that fills what is kept."""
    call()
    begin, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < PACE_SECONDS:
        for _ in range(100):
            call()
        count += 100
    return count / passed


def _goal(value: float, goal: float) -> str:
    return f"< {goal:g}: {'reached' if value < goal else 'missed'}"

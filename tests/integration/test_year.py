"""A year at a desk with three clocks that come and go, on one database; then a slow reader goes over the books.

What people did is written down as they did it. From that alone, minute by minute, the reader works out when each
promise was due, and holds what the desk has recorded and said against it. It shares no arithmetic with the desk.
"""

import asyncio
import heapq
import os
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.db import Sessions, make_engine
from crm.desks import Profile
from crm.people.models import Agent
from crm.tickets import service, work
from crm.wake import Waker
from scheduler.clock import Clock
from scheduler.jobs import Job, promises
from tests.factories import LEAD, Moment
from tests.integration.promised import Desk, agreement

SOAK = bool(os.environ.get("KEZEKSHI_SOAK"))
TICKETS = 3_000 if SOAK else 200
SEED = random.randrange(2**32) if SOAK else 2026
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 365
OFFICE = {
    "timezone": "Asia/Almaty",
    "hours": {"mon-fri": [["09:00", "13:00"], ["14:00", "18:00"]]},
    "country": "KZ",
}
BERLIN = {"timezone": "Europe/Berlin", "hours": "24/7"}
NIGHT = {"timezone": "Europe/Berlin", "hours": {"mon-sun": [["22:00", "04:00"]]}}
POLICIES = [
    {
        "request_types": ["outage"],
        "first_response": {"minutes": 10, "calendar": "berlin"},
        "resolution": {"minutes": 240, "calendar": "berlin"},
        "inform": {"minutes": 360, "calendar": "berlin"},
    },
    {
        "request_types": ["night"],
        "first_response": {"minutes": 45, "calendar": "night"},
        "resolution": {"minutes": 500, "calendar": "night"},
        "stops": ["pending"],
        "reopening": "restart",
    },
    {"first_response": {"minutes": 60}, "resolution": {"minutes": 960}},
]
STEPS = [
    {"share": 0.5},
    {"share": 0.8},
    {"share": 1.0, "tell": ["on_duty"]},
    {"after": 120, "tell": ["lead"], "metrics": ["resolution"]},
]
MINUTES = {
    "outage": {"first_response": 10, "resolution": 240, "inform": 360},
    "night": {"first_response": 45, "resolution": 500},
    "fault": {"first_response": 60, "resolution": 960},
}
CALENDAR_OF = {"outage": "berlin", "night": "night", "fault": "office"}
WORKING = {date(2026, month, day) for month in range(1, 13) for day in range(1, 32) if not (month == 2 and day > 28)
           and not (month in (4, 6, 9, 11) and day > 30) and date(2026, month, day).weekday() < 5}  # fmt: skip
# As the Government publishes them; those on a weekend need no word here.
HOLIDAYS = {
    date(2026, month, day)
    for month, days in {1: (1, 2, 7), 3: (9, 23, 24, 25), 5: (1, 7, 11, 27), 7: (6,), 10: (26,), 12: (16,)}.items()
    for day in days
}


def at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def second_of(moment: datetime) -> int:
    found = (moment - BEGIN).total_seconds()
    assert found == int(found), moment
    return int(found)


# --- the slow reader ---------------------------------------------------------------------------------------------


def office_is_open(there: datetime) -> bool:
    return there.date() in WORKING - HOLIDAYS and there.hour in (9, 10, 11, 12, 14, 15, 16, 17)


OPEN_AT = {
    "office": ("Asia/Almaty", office_is_open),
    "berlin": ("Europe/Berlin", lambda there: True),
    "night": ("Europe/Berlin", lambda there: there.hour >= 22 or there.hour < 4),
}


def opened_minutes(name: str) -> bytearray:
    """Whether the calendar is open, for each minute of the year and a while after; hours begin on full ones here."""
    zone, is_open = OPEN_AT[name]
    hours = (is_open((BEGIN + timedelta(hours=hour)).astimezone(ZoneInfo(zone))) for hour in range((DAYS + 40) * 24))
    return bytearray(b"".join((b"\1" if one else b"\0") * 60 for one in hours))


@dataclass
class Wait:
    kind: str
    begin: int
    end: int | None = None


def pieces(begin: int, end: int, waits: Sequence[Wait]) -> Iterator[tuple[int, int]]:
    """What of a stretch lies under no wait; waits are in order and apart."""
    for wait in waits:
        if wait.begin >= end:
            break
        if wait.begin > begin:
            yield begin, wait.begin
        begin = max(begin, end if wait.end is None else wait.end)
    if begin < end:
        yield begin, end


def due(minutes: bytearray, start: int, budget: float, waits: Sequence[Wait]) -> float | None:
    """The second at which the budget is used up; None if the ticket waits before."""
    for minute in range(start // 60, len(minutes)):
        if minutes[minute]:
            for a, b in pieces(max(start, minute * 60), (minute + 1) * 60, waits):
                if budget <= b - a:
                    return a + budget
                budget -= b - a
    return None


# --- the year ----------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """What was done to a ticket, as those who did it remember."""

    id: int
    kind: str
    chat: int
    opened: int
    status: str = "new"
    waits: list[Wait] = field(default_factory=list)
    replies: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    acted: list[int] = field(default_factory=list)

    def becomes(self, status: str, now: int) -> None:
        if status == self.status:
            return
        if self.waits and self.waits[-1].end is None:
            self.waits[-1].end = now
        if status not in ("new", "open"):
            self.waits.append(Wait(status, now))
        if self.status in ("resolved", "closed") and status == "open":
            self.reopened.append(now)
        self.status = status

    def standing(self) -> list[Wait]:
        stops = {"pending", "resolved", "closed"} | (set() if self.kind == "night" else {"on_hold"})
        return [wait for wait in self.waits if wait.kind in stops]


@dataclass
class Year:
    """People and clocks, all by one chance."""

    desk: Desk
    agent: Agent
    clocks: list[Clock]
    job: Job
    moment: Moment
    chance: random.Random
    stories: list[Story] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    agenda: list[tuple[int, int]] = field(default_factory=list)
    now: int = 0
    up: list[bool] = field(default_factory=lambda: [True] * 3)
    dark_until: int = 0

    async def pass_by(self) -> None:
        """Arrivals all over the year; between them, whatever people do next."""
        arrivals = sorted(self.chance.randrange(DAYS * 86_400) for _ in range(TICKETS))
        self.agenda = [(second, -1 - number) for number, second in enumerate(arrivals)]
        heapq.heapify(self.agenda)
        while self.agenda and self.agenda[0][0] < DAYS * 86_400:
            await self.jump(self.agenda[0][0])
        self.up, self.dark_until = [True] * 3, 0
        for _ in range(2):
            self.now = DAYS * 86_400 + len(self.ticks) % 2
            await self.all_at_once([])

    async def jump(self, until: int) -> None:
        """From minutes to days at once, but not past what is to be done next."""
        self.now = min(until, self.now + int(60 * 10 ** self.chance.uniform(1, 3.8)))
        for number in (1, 2):
            if self.chance.random() < 0.1:
                self.up[number] = not self.up[number]
        if self.chance.random() < 0.01:
            self.dark_until = self.now + self.chance.randrange(3 * 86_400)
        doing = []
        while self.agenda and self.agenda[0][0] <= self.now:
            doing.append(heapq.heappop(self.agenda)[1])
        await self.all_at_once(doing)

    async def all_at_once(self, doing: Sequence[int]) -> None:
        """People act while the clocks that are up tick."""
        self.moment.now = at(self.now)
        light = self.now >= self.dark_until
        ticking = [clock.tick(self.job) for clock, up in zip(self.clocks, self.up, strict=True) if up and light]
        async with asyncio.TaskGroup() as tasks:
            for number in doing:
                tasks.create_task(self.open() if number < 0 else self.act(self.stories[number]))
            for tick in ticking:
                tasks.create_task(tick)
        if ticking:
            self.ticks.append(self.now)

    def later(self, number: int) -> None:
        heapq.heappush(self.agenda, (self.now + int(60 * 10 ** self.chance.uniform(0, 3.7)) + 1, number))

    async def open(self) -> None:
        number, kind = len(self.stories), self.chance.choice(tuple(MINUTES))
        story = Story(0, kind, 10_000 + number, self.now)
        self.stories.append(story)
        story.id = (await self.desk.open(at(self.now), kind, story.chat)).id
        self.later(number)

    async def act(self, story: Story) -> None:
        weights = {
            "new": {"reply": 5, "ask": 2, "hold": 2, "resolve": 2, "withdraw": 1, "forget": 1},
            "open": {"reply": 3, "ask": 2, "hold": 2, "resolve": 4, "withdraw": 1, "forget": 1},
            "pending": {"write": 4, "reopen": 2, "reply": 1, "hold": 1, "resolve": 1, "forget": 1},
            "on_hold": {"reopen": 4, "ask": 1, "reply": 1, "resolve": 2, "write": 1},
            "resolved": {"confirm": 3, "reject": 2, "write": 1, "reopen": 1, "forget": 2},
            "closed": {"reopen": 1, "forget": 4},
        }[story.status]
        if story.kind == "outage" and story.status in ("new", "open"):
            # Somebody would be reminded of it for the rest of the year.
            del weights["forget"]
        [what] = self.chance.choices(list(weights), list(weights.values()))
        now = self.now
        if what == "forget":
            return
        self.note(story, what, now)
        self.later(self.stories.index(story))
        await self.carry_out(story, what, at(now))

    def note(self, story: Story, what: str, now: int) -> None:
        story.acted.append(now)
        if what == "reply":
            story.replies.append(now)
        if what == "resolve":
            story.resolved.append(now)
        after = {"ask": "pending", "hold": "on_hold", "resolve": "resolved", "confirm": "closed", "withdraw": "closed"}
        after |= {"reject": "open", "reopen": "open", "reply": "open" if story.status == "new" else story.status}
        after |= {"write": "on_hold" if story.status == "on_hold" else "open"}
        story.becomes(after[what], now)

    async def carry_out(self, story: Story, what: str, now: datetime) -> None:
        if what == "write":
            assert await self.desk.write(story.id, now, chat=story.chat)
        elif what == "reply":
            await self.desk.reply(self.agent, story.id, now)
        elif what in ("confirm", "reject", "withdraw"):
            await self.desk.answer(getattr(service, what), story.id, now, story.chat)
        else:
            await self.desk.step(getattr(work, what), self.agent, story.id, now)


# --- what is held against what -----------------------------------------------------------------------------------


@dataclass
class Books:
    """What the desk has recorded of one ticket."""

    story: Story
    minutes: bytearray
    ticks: list[int]
    targets: list[Any]
    events: list[Any]
    notices: list[Any]

    def read(self) -> int:
        """Everything about this ticket; gives how many promises were broken."""
        first, solutions, words = (self.of(metric) for metric in ("first_response", "resolution", "inform"))
        answers = sorted(self.story.replies + self.story.resolved)
        assert [row.started_at for row in first] == [at(self.story.opened)]
        self.check(first[0], next(iter(answers), None))
        self.check_solutions(solutions)
        for row in words:
            start = second_of(row.started_at)
            met = None if row.met_at is None else second_of(row.met_at)
            assert met == start or met == next((one for one in answers if one > start), None)
            self.check(row, met)
        self.check_said()
        return sum(row.breached_at is not None for row in self.targets)

    def of(self, metric: str) -> list[Any]:
        found = [row for row in self.targets if row.metric == metric]
        assert [row.round for row in found] == list(range(1, len(found) + 1))
        assert (found != []) == (metric in MINUTES[self.story.kind])
        return found

    def check_solutions(self, rounds: list[Any]) -> None:
        """One that runs on, or a new one for each time that a solution was not one."""
        story = self.story
        if story.kind != "night":
            assert [row.started_at for row in rounds] == [at(story.opened)]
            last = max(story.resolved, default=None)
            self.check(rounds[0], None if last is None or any(one >= last for one in story.reopened) else last)
            return
        start = story.opened
        for row in rounds:
            assert row.started_at == at(start)
            met = next((one for one in story.resolved if one >= start), None)
            self.check(row, met)
            start = next((one for one in story.reopened if met is not None and one >= met), start)

    def check(self, row: Any, met: int | None) -> None:
        """Due when the minutes say so; broken if nobody came before, and then at that very moment."""
        assert row.met_at == (None if met is None else at(met))
        assert row.budget == MINUTES[self.story.kind][row.metric] * 60
        waits = self.story.standing()
        if met is not None:
            waits = [Wait(w.kind, w.begin, min(w.end or met, met)) for w in waits if w.begin <= met]
        expected = due(self.minutes, second_of(row.started_at), row.budget, waits)
        if expected is None:
            assert row.breached_at is None
            return
        assert row.due_at == at(int(expected))
        if expected != (met if met is not None else self.ticks[-1]):
            broken = expected < (met if met is not None else self.ticks[-1])
            assert row.breached_at == (row.due_at if broken else None)

    def check_said(self) -> None:
        broken = Counter((row.metric, row.breached_at) for row in self.targets if row.breached_at)
        fired = Counter((e.metric, e.due_at) for e in self.events if e.kind == "breached")
        assert fired == broken
        told = Counter((n.metric, n.due_at) for n in self.notices if n.notice == "breached")
        late = Counter((n.metric, n.due_at) for n in self.notices if n.notice == "escalated")
        quiet = self.quiet()
        said = told.keys() | late.keys()
        assert broken.keys() - quiet <= said <= broken.keys()
        # A row may be broken off between a breach and the next look at it.
        assert len(said & quiet) <= len(self.story.replies + self.story.resolved)
        # One who was told of a breach only when it was long past hears that, and not both.
        assert all(count <= broken[key] for key, count in (told + late).items() if key not in late)
        assert all(told[key] <= 1 >= late[key] for key in late)
        over: set[tuple[str, datetime]] = set()
        for event in self.events:
            now, key = second_of(event.at), (event.metric, event.due_at)
            assert not any(wait.begin < now < (wait.end or now + 1) for wait in self.story.standing())
            if event.kind == "warned":
                assert key not in over
            if event.kind == "breached":
                over.add(key)
                assert event.at >= event.due_at
                # At the next tick at which nobody works on the ticket, or by whoever does.
                after = self.ticks[bisect_left(self.ticks, second_of(event.due_at)) :]
                assert now <= next(tick for tick in after if tick not in self.story.acted)
        shares = Counter((event.metric, event.share) for event in self.events if event.kind == "warned")
        assert all(count <= len(self.of(metric)) for (metric, _), count in shares.items())

    def quiet(self) -> set[tuple[str, datetime]]:
        """Rounds of silence that nobody is told of: of many in a row all but the first three, the 4th, 8th, 16th."""
        rounds = self.of("inform")
        found = set()
        for place, row in enumerate(rounds):
            before = [one for one in rounds[:place] if one.breached_at and row.breached_at]
            number = 1 + sum(one.met_at is None or one.met_at > row.breached_at for one in before)
            if row.breached_at and number > 3 and number.bit_count() > 1:
                found.add(("inform", row.breached_at))
        return found


TARGETS = "select * from sla_target where ticket_id = :id order by round"
EVENTS = """
    select kind, at, data ->> 'metric' as metric, data ->> 'share' as share, (data ->> 'due_at')::timestamptz as due_at
    from ticket_event where ticket_id = :id and kind in ('warned', 'breached', 'escalated') order by seq
"""
NOTICES = """
    select payload ->> 'notice' as notice, payload -> 'facts' ->> 'metric' as metric,
           (payload -> 'facts' ->> 'due_at')::timestamptz as due_at
    from outbox where ticket_id = :id and payload ->> 'notice' in ('breached', 'escalated') order by id
"""
PAUSES = "select kind, started_at, ended_at from sla_pause where ticket_id = :id order by id"


async def audit(year: Year) -> tuple[int, int]:
    """How many promises there were, and how many were broken."""
    calendars = {name: opened_minutes(name) for name in OPEN_AT}
    kept, broken = 0, 0
    for story in year.stories:
        found = [await year.desk.fetch(query, id=story.id) for query in (PAUSES, TARGETS, EVENTS, NOTICES)]
        ledger = [(w.kind, at(w.begin), None if w.end is None else at(w.end)) for w in story.waits]
        assert [tuple(row) for row in found[0]] == ledger
        books = Books(story, calendars[CALENDAR_OF[story.kind]], year.ticks, *found[1:])
        try:
            broken += books.read()
        except AssertionError as error:
            raise AssertionError(f"seed {SEED}, {story}") from error
        kept += len(books.targets)
    return kept, broken


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_in_a_year_every_deadline_fires_once_and_at_its_true_time(database: str) -> None:
    profile = agreement(
        *POLICIES,
        calendars={"office": OFFICE, "berlin": BERLIN, "night": NIGHT},
        calendar="office",
        steps=STEPS,
        types=tuple(MINUTES),
    )
    failures: list[Exception] = []

    async def ticked(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
        try:
            return await promises(sessions, profiles, now)
        except Exception as error:
            failures.append(error)
            raise

    async with AsyncExitStack() as stack:
        moment, clocks = Moment(BEGIN), []
        engines = [make_engine(database, size=4) for _ in range(4)]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
        for engine in engines[1:]:
            clocks.append(Clock(Sessions(engine), [profile], Waker(engine), moment))
        desk = Desk(Sessions(engines[0]), profile)
        await desk.engineer(LEAD, "lead")
        year = Year(desk, await desk.engineer(), clocks, Job("promises", 1, ticked), moment, random.Random(SEED))
        await year.pass_by()
        promised, broken = await audit(year)
    assert failures == []
    assert promised > 2 * TICKETS
    # A year in which nothing was kept, or nothing broken, would show nothing.
    assert promised * 0.2 < broken < promised * 0.9

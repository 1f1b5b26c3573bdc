"""A month of trials at a desk with three schedulers that come and go, on one database; then a slow reader goes over it.

The cloud lives by itself; its mirror is refreshed now and then, and sometimes for hours it is not. From what happened,
tick by tick, the reader works out what had to be said when, and holds the log and the outbox against it. It knows
neither bits nor due times, and shares no arithmetic with the desk.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import Sessions, make_engine, transaction
from crm.desks import Profile
from crm.people.models import Agent
from crm.wake import Waker
from scheduler.clock import Clock
from scheduler.trials import JOBS
from tests.factories import Moment, variant
from tests.integration.trying import Trials

SOAK = bool(os.environ.get("KEZEKSHI_SOAK"))
TRIALS = 600 if SOAK else 40
SEED = random.randrange(2**32) if SOAK else 43
# Berlin leaves summer time on the 25th of October.
BEGIN = datetime(2026, 10, 9, tzinfo=UTC)
MONTH = 31 * 86_400
HOUR = 3600
STEPS = ("trial_begun", "trial_half", "trial_day", "trial_hours", "trial_paid", "trial_closed", "trial_unused")


def at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def second_of(moment: datetime) -> int:
    return int((moment - BEGIN).total_seconds())


@dataclass
class Machine:
    launched: int
    deleted: int | None = None
    server: str | None = None
    gone: bool = False


@dataclass
class Story:
    """What becomes of one customer, in seconds of the month. Machines as they truly are in the cloud."""

    chat: int
    asks: int
    takes: int
    machines: list[Machine]
    ticket: int = 0
    reference: str = ""
    project: str = ""
    opened: int | None = None


@dataclass
class Tick:
    """What the schedulers saw: the readings of those that were up, when the mirror was refreshed last, and of what."""

    readings: tuple[int, ...]
    swept: int | None
    true: int


@dataclass
class Month:
    desk: Trials
    agent: Agent
    clocks: list[tuple[Clock, Moment, AsyncEngine]]
    chance: random.Random
    # Each clock errs alone, and schedulers are killed at work.
    apart: bool = False
    stories: list[Story] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    now: int = 0
    swept: int | None = None
    up: list[bool] = field(default_factory=lambda: [True] * 3)
    wrong: list[int] = field(default_factory=lambda: [0] * 3)
    blind_until: int = 0
    dark_until: int = 0
    killed: int = 0

    def people(self, zone: str, number: int) -> None:
        """Who will ask when, and launch and delete what; some at the hour that a change of the clocks touches."""
        chance = self.chance
        for place in range(number):
            asks = chance.randrange(22 * 86_400)
            story = Story(10_000 + place, asks, chance.randrange(60, 4 * HOUR), [])
            first = asks + story.takes + int(60 * 10 ** chance.uniform(0, 3.5))
            if place % 10 == 9:
                # Opened at once, and nothing is ever launched.
                self.stories.append(Story(story.chat, place, 60, []))
                continue
            if place % 8 == 0:
                wall = datetime(2026, 10, 22, 2, chance.randrange(60), tzinfo=ZoneInfo(zone))
                first = second_of(wall.astimezone(UTC))
                story.asks = first - chance.randrange(12, 200) * HOUR
                story.asks = max(story.asks, 0)
                story.takes = 600
            if chance.random() < 0.9:
                story.machines.append(self.machine(first))
                while chance.random() < 0.4:
                    story.machines.append(self.machine(first + chance.randrange(4 * 86_400)))
            self.stories.append(story)
        self.stories.sort(key=lambda story: story.asks)

    def machine(self, launched: int) -> Machine:
        kept = self.chance.random() < 0.4
        return Machine(launched, None if kept else launched + int(60 * 10 ** self.chance.uniform(0, 3.9)))

    async def pass_by(self) -> None:
        while self.now < MONTH:
            await self.jump()
        self.up, self.wrong, self.blind_until, self.dark_until = [True] * 3, [0] * 3, 0, 0
        for _ in range(3):
            self.now += 2 * HOUR
            await self.live()
            await self.refresh()
            await self.tick()

    async def jump(self) -> None:
        chance = self.chance
        self.now += int(60 * 10 ** chance.uniform(0, 2.3))
        for number in (1, 2):
            if chance.random() < 0.05:
                self.up[number] = not self.up[number]
        if chance.random() < 0.02:
            # A restart loses everything that a process knows.
            await self.clocks[chance.randrange(3)][2].dispose()
        if chance.random() < 0.02:
            wrong = chance.choice((-2 * HOUR, 2 * HOUR, -300, 40 * 60))
            if self.apart:
                self.wrong[chance.randrange(3)] = wrong
            else:
                self.wrong = [wrong] * 3
        elif chance.random() < 0.1:
            self.wrong = [0] * 3
        if chance.random() < 0.004:
            self.dark_until = self.now + chance.randrange(2 * 86_400)
        if chance.random() < 0.01:
            self.blind_until = self.now + chance.randrange(36 * HOUR)
        await self.live()
        if self.apart and chance.random() < 0.9:
            await asyncio.gather(self.refresh(), self.tick())
        else:
            await self.refresh()
            await self.tick(kills=self.apart)

    async def live(self) -> None:
        """Customers ask, an engineer grants, the cabinet is there."""
        for story in self.stories:
            if story.asks <= self.now and not story.ticket:
                made = await self.desk.ask(story.chat, f"Фирма {story.chat}", now=at(self.now))
                story.ticket, story.reference, story.takes = made.id, made.reference, story.takes + self.now
            elif story.ticket and story.opened is None and story.takes <= self.now:
                await self.desk.grant(self.agent, story.ticket, at(self.now))
                [story.project] = await self.desk.carried_out(at(self.now))
                story.opened = self.now
                for machine in story.machines:
                    # Nothing can be launched where nothing is.
                    late = max(self.now + 1 - machine.launched, 0)
                    machine.launched += late
                    machine.deleted = machine.deleted + late if machine.deleted is not None else None

    async def refresh(self) -> None:
        """The mirror shows all that is true by now, unless the cloud is away."""
        if self.now < self.blind_until:
            return
        for story in self.stories:
            for machine in story.machines if story.project else ():
                if machine.server is None and machine.launched <= self.now:
                    machine.server = await self.desk.launch(story.project, at(machine.launched), at(self.now))
                if machine.server and not machine.gone and machine.deleted is not None and machine.deleted <= self.now:
                    await self.desk.delete(machine.server, at(machine.deleted))
                    machine.gone = True
        await self.desk.seen(at(self.now))
        self.swept = self.now

    async def tick(self, kills: bool = False) -> None:
        """All that are up, at the same time."""
        if self.now < self.dark_until:
            return
        before, readings = self.swept, []
        async with asyncio.TaskGroup() as tasks:
            for (clock, moment, _), up, wrong in zip(self.clocks, self.up, self.wrong, strict=True):
                if up:
                    moment.now = at(self.now + wrong)
                    readings.append(self.now + wrong)
                    tasks.create_task(clock.tick(JOBS[0]))
            if kills:
                tasks.create_task(self.kill())
        self.ticks.append(Tick(tuple(readings), before, self.now))

    async def kill(self) -> None:
        """Whoever is at work this moment does not get to its end."""
        for _ in range(3):
            async with transaction(self.desk.sessions) as session:
                found = await session.rows(
                    """select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
                       and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'"""
                )
            self.killed += len(found)


# --- the slow reader ------------------------------------------------------------------------------------------------


def end_of(begun: int, zone: str) -> int:
    """Three days later at the same time of day, looked for; a time that is skipped: three times a day and night."""
    wall = (at(begun).astimezone(ZoneInfo(zone)) + timedelta(days=3)).replace(tzinfo=None)
    near = [begun + 72 * HOUR + half * 1800 for half in range(-4, 5)]
    fits = [one for one in near if at(one).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall]
    return max(fits, default=begun + 72 * HOUR)


@dataclass
class Reader:
    """Goes through the ticks of one story with one reading each."""

    story: Story
    zone: str
    begun: int | None = None
    ends: int | None = None
    since: int = 0
    said: list[tuple[str, int]] = field(default_factory=list)
    alarmed: bool = False

    def over(self) -> bool:
        return bool(self.said) and self.said[-1][0] in ("trial_paid", "trial_closed")

    def read(self, ticks: Sequence[Tick]) -> list[tuple[str, int]]:
        for tick in ticks:
            if self.story.opened is None or self.story.opened > tick.true or self.over():
                continue
            [reading] = {*tick.readings}
            self.look(reading, tick.swept)
        return self.said

    def look(self, reading: int, swept: int | None) -> None:
        opened = self.story.opened or 0
        if self.begun is None:
            shown = [m.launched for m in self.story.machines if swept is not None and m.launched <= swept]
            shown = [max(one, opened) for one in shown if one <= reading]
            if not shown or min(shown) > reading or reading < opened:
                if reading >= opened + 30 * 86_400 and not self.said:
                    self.said.append(("trial_unused", reading))
                return
            self.begun, self.since = min(shown), reading
            self.ends = end_of(self.begun, self.zone)
            self.said.append(("trial_begun", reading))
            # An end that is reached already comes with the next batch of the same tick.
        if self.ends is None:
            return
        if reading >= self.ends:
            if swept is not None and swept >= self.ends:
                standing = any(
                    m.launched <= swept and (m.deleted is None or m.deleted > swept) for m in self.story.machines
                )
                self.said.append(("trial_paid" if standing else "trial_closed", reading))
            elif reading >= self.ends + HOUR:
                self.alarmed = True
            return
        moments = {
            "trial_half": (self.begun + self.ends) / 2,
            "trial_day": self.ends - 24 * HOUR,
            "trial_hours": self.ends - 3 * HOUR,
        }
        done = [(moment, name) for name, moment in moments.items() if self.since < moment <= reading]
        if done:
            # What the latest of them leaves behind is never said.
            self.since = reading
            self.said.append((max(done)[1], reading))


async def recorded(desk: Trials, ticket: int) -> list[tuple[str, int]]:
    found = await desk.fetch(
        "select kind, at from ticket_event where ticket_id = :id and kind = any(:kinds) order by seq",
        id=ticket, kinds=list(STEPS),
    )  # fmt: skip
    return [(row.kind, second_of(row.at)) for row in found]


@asynccontextmanager
async def three_clocks(database: str, profile: Profile) -> AsyncIterator[list[tuple[Clock, Moment, AsyncEngine]]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(3):
            engine, moment = make_engine(database, size=3), Moment()
            stack.push_async_callback(engine.dispose)
            made.append((Clock(Sessions(engine), [profile], Waker(engine), moment), moment, engine))
        yield made


async def lived(database: str, sessions: Sessions, zone: str, apart: bool, number: int = TRIALS) -> Month:
    profile = variant(timezone=zone)
    async with three_clocks(database, profile) as clocks:
        desk = Trials(sessions, profile)
        month = Month(desk, await desk.begin(), clocks, random.Random(SEED), apart)
        month.people(zone, number)
        await month.pass_by()
    return month


@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAK else 180)
@pytest.mark.parametrize("zone", ["Asia/Almaty", "Europe/Berlin"])
async def test_a_month_of_trials_with_three_schedulers(database: str, sessions: Sessions, zone: str) -> None:
    """Every step once, at the very tick at which it falls due."""
    month = await lived(database, sessions, zone, apart=False)
    desk, kinds, alarms = month.desk, Counter[str](), set()
    for story in month.stories:
        assert story.opened is not None
        reader = Reader(story, zone)
        expected = reader.read(month.ticks)
        assert await recorded(desk, story.ticket) == expected, (SEED, story)
        told = [notice for notice in await desk.told(story.ticket) if notice in STEPS]
        assert told == [kind for kind, _ in expected], (SEED, story)
        row = await desk.trial(story.ticket)
        if reader.begun is not None and reader.ends is not None:
            assert (second_of(row.launched_at), second_of(row.ends_at)) == (reader.begun, reader.ends), (SEED, story)
        alarms |= {story.reference} if reader.alarmed else set()
        kinds.update(told)
    found = await desk.fetch("select payload from outbox where payload ->> 'notice' = 'trials_unseen'")
    called = Counter(one for row in found for one in row.payload["facts"]["references"])
    assert called == Counter(alarms), SEED
    bills = await desk.fetch("select related_id from ticket where queue = 'billing'")
    paid = await desk.fetch("select ticket_id from trial where state = 'paid'")
    assert sorted(row.related_id for row in bills) == sorted(row.ticket_id for row in paid)
    assert set(kinds) == set(STEPS), kinds
    print(f"\n{zone}: seed {SEED}, {len(month.stories)} trials, {len(month.ticks)} ticks, {dict(kinds)}, {len(alarms)} alarms")  # fmt: skip # noqa: E501


@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAK else 180)
async def test_a_month_whose_clocks_disagree(database: str, sessions: Sessions) -> None:
    """Each scheduler errs by itself, some are killed at work, the mirror is written meanwhile: still everything once,
    in its order, never before its time by the clock that did it, and none is forgotten."""
    zone = "Asia/Almaty"
    month = await lived(database, sessions, zone, apart=True, number=TRIALS // 2)
    assert month.killed
    readings = {reading for tick in month.ticks for reading in tick.readings}
    order = {kind: place for place, kind in enumerate(("trial_begun", "trial_half", "trial_day", "trial_hours", "end"))}
    for story in month.stories:
        events = [(kind, when) for kind, when in await recorded(month.desk, story.ticket) if kind != "trial_unused"]
        names = ["end" if kind in ("trial_paid", "trial_closed") else kind for kind, _ in events]
        assert len(set(names)) == len(names), (SEED, events)
        assert [order[name] for name in names] == sorted(order[name] for name in names), (SEED, events)
        told = [one for one in await month.desk.told(story.ticket) if one in STEPS and one != "trial_unused"]
        assert told == [kind for kind, _ in events]
        assert all(when in readings for _, when in events)
        launched = min((m.launched for m in story.machines), default=None)
        if launched is None or launched > MONTH:
            assert names == []
            continue
        begun = max(launched, story.opened or 0)
        ends = end_of(begun, zone)
        row = await month.desk.trial(story.ticket)
        assert (second_of(row.launched_at), second_of(row.ends_at)) == (begun, ends)
        due = {"trial_begun": begun, "trial_half": (begun + ends) / 2, "trial_day": ends - 24 * HOUR,
               "trial_hours": ends - 3 * HOUR, "end": ends}  # fmt: skip
        for name, (_, when) in zip(names, events, strict=True):
            assert when >= due[name], (SEED, story, events)
        assert names[0] == "trial_begun"
        assert ("end" in names) == (ends <= month.ticks[-1].true), (SEED, story, events)
        # One that was not said had been overtaken when the next was.
        for missing in due.keys() - {*names}:
            later = [when for name, (_, when) in zip(names, events, strict=True) if order[name] > order[missing]]
            seen = events[0][1]
            if ends <= month.ticks[-1].true:
                assert seen >= due[missing] or later, (SEED, story, events)
    print(f"\nclocks apart: seed {SEED}, {len(month.stories)} trials, {len(month.ticks)} ticks, {month.killed} killed")

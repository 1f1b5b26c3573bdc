"""The sweep of a cloud: the mirror (`crm/cloud/mirror.py`) follows what is there, by as few calls as that takes.

    every sweep     machines that changed; logs of those that are customers'; quotas and users of cabinets where
                    something changed, and of a few in turn
    each minute     zones and capacity
    each 5 minutes  projects
    each hour       all machines; one that is missing is asked for by itself before it counts as deleted

One scheduler sweeps, the others stand by. Every call is made outside of a transaction, and what it gave is stored
before the next one. A cloud that is away ends the sweep; one that refuses something only that part of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from crm.alone import alone
from crm.cloud import actions, away, drift, mirror, pages, waiting
from crm.cloud.mirror import State
from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from provider.port import CloudError, Later, LogEntry, Refused, Server
from scheduler.hands import Place
from scheduler.jobs import Job, Sweep, to_the_end

T = TypeVar("T")
log = structlog.get_logger()

EVERY = 30.0
# Clocks differ, and a change may show in the list a little later than its own time says.
OVERLAP = timedelta(minutes=2)
EVERYTHING, PROJECTS, LOOK = timedelta(hours=1), timedelta(minutes=5), timedelta(minutes=1)
# Cabinets where something has changed, those in turn, and how often one comes at most; logs and missing machines.
CHANGED, IN_TURN, AGAIN = 100, 20, timedelta(minutes=5)
LOGS, MISSING = 50, 200
# Calls at once, and after how many seconds a sweep leaves the rest to the next one.
AT_ONCE, LATE = 4, 20.0
# So long an entry without an end is looked at again.
UNFINISHED = timedelta(minutes=10)
# Longer than one call may take: whoever is silent for that long has lost its turn.
SILENCE = 300.0


@dataclass(slots=True)
class Swept:
    """What a sweep did: calls by name, rows that changed, what was wrong."""

    calls: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    problem: str | None = None


@dataclass(slots=True)
class Round:
    """One sweep of one desk's cloud, by the session that keeps the others out. All that it sees counts as seen when it
    `began`: nothing that was known later is set back.
    """

    place: Place
    session: Session
    state: State
    began: datetime
    _since: float = field(default_factory=time.monotonic)
    done: Swept = field(default_factory=Swept)

    @property
    def desk(self) -> str:
        return self.place.profile.name

    @property
    def late(self) -> bool:
        return time.monotonic() - self._since > LATE

    async def ask(self, name: str, call: Awaitable[T]) -> T:
        """One call, counted. Raises Refused or Later; what an adapter did not foresee is Later as well."""
        self.done.calls[name] += 1
        try:
            return await call
        except CloudError:
            raise
        except Exception as error:
            log.error("cloud.broken", desk=self.desk, call=name, error=repr(error))
            raise Later(f"{name}: {type(error).__name__}") from error


async def sweep(place: Place, sessions: Sessions, now: datetime) -> Swept | None:
    """None if another one is at it, or was a moment ago."""
    made: list[Swept] = []

    async def work(session: Session) -> None:
        state = await mirror.state(session, place.profile.name)
        if _due(state.tried_at, now, timedelta(seconds=EVERY * 0.8)):
            made.append(await _swept(Round(place, session, state, now)))

    await alone(sessions, f"kezekshi cloud {place.profile.name}", SILENCE, work)
    return made[0] if made else None


def _due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """A moment that has not come yet is a clock's that went wrong."""
    return last is None or not timedelta(0) <= now - last < every


async def _swept(it: Round) -> Swept:
    await mirror.store_state(it.session, it.desk, tried_at=it.began)
    problems = []
    for part in (_machines, _places, _projects, _logs, _cabinets):
        try:
            await part(it)
        except Refused as refused:
            problems.append(refused.text)
        except CloudError as error:
            problems.append(error.text)
            break
    it.done.problem = problems[0] if problems else None
    await _tell(it)
    return it.done


async def _tell(it: Round) -> None:
    async with it.session.atomic():
        if it.done.problem is None:
            if await away.over(it.session, it.place.profile, it.began):
                log.info("cloud.back", desk=it.desk)
        elif await away.note(it.session, it.place.profile, it.done.problem, it.began):
            log.warning("cloud.away", desk=it.desk, problem=it.done.problem)


# --- parts --------------------------------------------------------------------------------------------------------


async def _machines(it: Round) -> None:
    whole = it.state.swept_at is None or _due(it.state.full_at, it.began, EVERYTHING)
    since = None if whole or it.state.swept_at is None else min(it.state.swept_at, it.began) - OVERLAP
    found = await it.ask("servers", it.place.cloud.servers(since=since))
    await _store(it, found)
    if whole and await _missing(it, {server.id for server in found}):
        await mirror.store_state(it.session, it.desk, swept_at=it.began, full_at=it.began)
    else:
        await mirror.store_state(it.session, it.desk, swept_at=it.began)


async def _store(it: Round, servers: Sequence[Server]) -> None:
    async with it.session.atomic():
        rows = [_machine(server) for server in servers]
        it.done.changed += await mirror.store_servers(it.session, it.desk, rows, it.began)


async def _missing(it: Round, there: set[str]) -> bool:
    """A list can be short: a cell of the cloud that is down, a right that was taken. Only what is not found when asked
    for is deleted. False if some were left for the next sweep."""
    missing = await mirror.missing(it.session, it.desk, there, it.began, MISSING)
    gone, still = [], []
    for server_id in missing:
        try:
            still.append(await it.ask("server", it.place.cloud.server(server_id)))
        except Refused as refused:
            if refused.reason == "not_found":
                gone.append(server_id)
    await _store(it, still)
    async with it.session.atomic():
        it.done.changed += await mirror.mark_deleted(it.session, it.desk, gone, it.began)
    return len(missing) < MISSING


async def _places(it: Round) -> None:
    if not _due(it.state.looked_at, it.began, LOOK):
        return
    zones = {zone.name: zone.available for zone in await it.ask("zones", it.place.cloud.zones())}
    found = await it.ask("capacity", it.place.cloud.capacity())
    capacity = {name: (share.total, share.used) for name, share in found.items()}
    await mirror.store_state(it.session, it.desk, zones=zones, capacity=capacity, looked_at=it.began)


async def _projects(it: Round) -> None:
    if not _due(it.state.projects_at, it.began, PROJECTS):
        return
    found = await it.ask("projects", it.place.cloud.projects())
    rows = [{"project_id": one.id, "name": one.name, "enabled": one.enabled} for one in found]
    async with it.session.atomic():
        it.done.changed += await mirror.store_projects(it.session, it.desk, rows, it.began)
        await mirror.store_state(it.session, it.desk, projects_at=it.began)


async def _logs(it: Round) -> None:
    async def look(server_id: str) -> Sequence[LogEntry] | None:
        try:
            return await it.ask("log", it.place.cloud.log(server_id))
        except Refused as refused:
            log.info("cloud.log_refused", desk=it.desk, server=server_id, said=refused.text)
            return None

    async for server_id, entries in _each_of(it, await mirror.unread(it.session, it.desk, LOGS), look):
        lines = None if entries is None else [_entry(entry) for entry in entries]
        going_on = any(one.finished_at is None and it.began - one.started_at < UNFINISHED for one in entries or ())
        await mirror.store_log(it.session, it.desk, server_id, lines, None if going_on else it.began)


async def _cabinets(it: Round) -> None:
    async def look(project_id: str) -> tuple[dict[str, tuple[int, int]], dict[str, str] | None]:
        quotas, users = {}, None
        try:
            found = await it.ask("quotas", it.place.cloud.quotas(project_id))
            quotas = {name: (quota.limit, quota.used) for name, quota in found.items()}
            people = await it.ask("users", it.place.cloud.users(project_id))
            users = {user.id: user.name for user in people if user.enabled}
        except Refused as refused:
            # Its turn is over all the same: the others must have theirs.
            log.info("cloud.cabinet_refused", desk=it.desk, project=project_id, said=refused.text)
        return quotas, users

    due = await mirror.due_cabinets(it.session, it.desk, it.began - AGAIN, CHANGED, IN_TURN)
    async for project_id, (quotas, users) in _each_of(it, due, look):
        async with it.session.atomic():
            it.done.changed += await mirror.store_quotas(it.session, it.desk, project_id, quotas, it.began, users)


async def _each_of(it: Round, ids: Sequence[str], look: Callable[[str], Awaitable[T]]) -> AsyncIterator[tuple[str, T]]:
    """A few at a time, until the next sweep is near: the rest comes then. Raises what one of them met, after those that
    went well."""
    for start in range(0, len(ids), AT_ONCE):
        if it.late:
            return
        few = ids[start : start + AT_ONCE]
        found = await asyncio.gather(*(look(one) for one in few), return_exceptions=True)
        for one, seen in zip(few, found, strict=True):
            if not isinstance(seen, BaseException):
                yield one, seen
        for seen in found:
            if isinstance(seen, BaseException):
                raise seen


# What the port calls otherwise.
_CALLED = {"server_id": "id", "changed_at": "updated_at"}


def _machine(server: Server) -> dict[str, Any]:
    row = {name: getattr(server, _CALLED.get(name, name)) for name in mirror.MACHINE}
    if server.status == "DELETED" and server.deleted_at is None:
        row["deleted_at"] = server.updated_at
    return row


def _entry(entry: LogEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "action": entry.action,
        "started_at": entry.started_at.isoformat(),
        "finished_at": entry.finished_at.isoformat() if entry.finished_at else None,
        "succeeded": entry.succeeded,
        "text": entry.text,
    }


# --- jobs ---------------------------------------------------------------------------------------------------------


def jobs(places: Mapping[str, Place]) -> tuple[Job, ...]:
    """What the clock does for the desks that have a cloud; a slow cloud holds up no other desk's."""
    profiles = [place.profile for place in places.values()]
    if not profiles:
        return ()
    return (
        *(Job(f"cloud {desk}", EVERY, _sweeping(place)) for desk, place in places.items()),
        Job("quota drift", EVERY, _each(profiles, drift.report)),
        Job("secret pages", 60, _forget_pages),
    )


async def _plans(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    return await to_the_end(actions.expire, sessions, profiles, now)


async def _waiting(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    return await to_the_end(waiting.sweep, sessions, profiles, now)


# Of every desk: also of one whose cloud was taken away while something was still planned or approved.
WATCH = (Job("plans", 5, _plans), Job("waiting actions", 20, _waiting))


def _sweeping(place: Place) -> Sweep:
    async def work(sessions: Sessions, _: Sequence[Profile], now: datetime) -> int:
        swept = await sweep(place, sessions, now)
        if swept is None:
            return 0
        if swept.changed:
            log.info("cloud.swept", desk=place.profile.name, changed=swept.changed, calls=dict(swept.calls))
        return swept.changed

    return work


def _each(profiles: Sequence[Profile], work: Callable[[Session, Profile, datetime], Awaitable[int]]) -> Sweep:
    """Of the desks with a cloud, a transaction each."""

    async def sweep(sessions: Sessions, _: Sequence[Profile], now: datetime) -> int:
        handled = 0
        for profile in profiles:
            async with transaction(sessions) as session:
                handled += await work(session, profile, now)
        return handled

    return sweep


async def _forget_pages(sessions: Sessions, _: Sequence[Profile], now: datetime) -> int:
    async with transaction(sessions) as session:
        return await pages.forget(session, now)

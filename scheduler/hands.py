"""Carries out approved actions: one step of one action at a time, each step written down before the next.

A call that changes something is made at most once for each time that surely nothing was done. What is in doubt is
only read, and then left to a person. `crm/cloud/running.py` says what the phases mean.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from crm import failpoints
from crm.cloud import ending, running
from crm.cloud.ending import Ending
from crm.cloud.pages import Secret
from crm.cloud.rules import HANDED_OVER
from crm.cloud.running import Note, Step
from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.wake import CLOUD, OUTBOX, Waker
from provider.port import Cloud, CloudError, Later, Refused, Unknown
from scheduler.carriers import CARRIERS, Called, Seen

T = TypeVar("T")
log = structlog.get_logger()

AT_ONCE = 8
IDLE_SECONDS = 2.0
# Between being sure to hold a step and making its call no more than that may pass: a machine that slept calls nobody.
FRESH_SECONDS = 5.0
FIRST_LOOK, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Place:
    """A desk with its cloud; `pages_url`: where the pages are, for what is shown once."""

    profile: Profile
    cloud: Cloud
    pages_url: str = ""


class Hands:
    """One desk's."""

    def __init__(
        self, place: Place, sessions: Sessions, waker: Waker, clock: Callable[[], datetime], at_once: int = AT_ONCE
    ) -> None:
        self._place, self._sessions, self._waker, self._clock = place, sessions, waker, clock
        self._stopping = asyncio.Event()
        self._at_once = at_once

    def stop(self) -> None:
        """Take nothing more; `run` ends when what is under way is done."""
        self._stopping.set()
        self._waker.wake(CLOUD)

    async def run(self) -> None:
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                free = self._at_once - len(under_way)
                try:
                    steps = await self.claim(free) if free else []
                    pause = 0.0 if steps else await self._pause()
                except Exception as error:
                    log.error("hands.no_database", desk=self._place.profile.name, error=repr(error))
                    steps, pause = [], 1.0
                for step in steps:
                    task = group.create_task(self.make(step))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(lambda _: self._waker.wake(CLOUD))
                if pause:
                    await self._waker.wait(CLOUD, pause)

    async def claim(self, limit: int, only: int | None = None) -> list[Step]:
        async with transaction(self._sessions) as session:
            return await running.claim(session, self._place.profile.name, self._clock(), limit, only)

    async def _pause(self) -> float:
        async with self._sessions() as session:
            return await running.next_due(session, self._place.profile.name, self._clock(), IDLE_SECONDS)

    async def make(self, step: Step) -> None:
        """One step; whatever goes wrong in it, the action stays where it is until its lease runs out."""
        try:
            await PHASES[step.phase](self, step)
        except Exception as error:
            log.error("hands.failed", action=step.id, phase=step.phase, error=repr(error))
        self._waker.wake(OUTBOX)

    # --- phases ---------------------------------------------------------------------------------------------------

    async def _read(self, step: Step) -> None:
        """Nothing was called yet: look at what is there, then call."""
        now = self._clock()
        if not step.unchanged:
            await self._end(step, Ending("failed", "changed"))
            return
        if step.kind in HANDED_OVER and not self._place.pages_url:
            # A password that nobody can be shown must not be made.
            await self._end(step, Ending("failed", "no_pages"))
            return
        if step.deadline_at is None and now - step.approved_at > self._place.profile.cloud.plan_life:  # type: ignore[union-attr]
            # Nobody was there to carry it out, and by now nobody expects it: no machine goes down hours later.
            await self._end(step, Ending("failed", "late"))
            return
        deadline = step.deadline_at or now + self._place.profile.cloud.patient(step.kind)  # type: ignore[union-attr, arg-type]
        if now >= deadline:
            await self._end(step, Ending("failed", "unreachable", observed={}))
            return
        try:
            before = await _known(CARRIERS[step.kind].before(self._place.cloud, step))
        except Refused as refused:
            await self._end(step, Ending("failed", refused.reason, refused.text))
        except (Later, Unknown) as error:
            await self._note(step, self._put_off(step, error, deadline))
        else:
            await self._send(step, before, deadline)

    async def _send(self, step: Step, before: dict[str, Any], deadline: datetime) -> None:
        """The one call. That it is made is committed before it is."""
        now, since = self._clock(), asyncio.get_running_loop().time()
        sent = Note("sent", now + running.LEASE, True, before, sent_at=now, deadline_at=deadline)
        if not await self._note(step, sent):
            return
        failpoints.reach("cloud.before_call")
        # The loop's clock stands while the machine sleeps, the other one may be set.
        slept = max(asyncio.get_running_loop().time() - since, (self._clock() - now).total_seconds())
        if slept > FRESH_SECONDS:
            log.warning("hands.overslept", action=step.id)
            return
        step = replace(step, before=before, sent_at=now)
        try:
            called = await _known(CARRIERS[step.kind].call(self._place.cloud, step))
        except Refused as refused:
            await self._end(step, Ending("failed", refused.reason, refused.text))
        except Later as later:
            await self._note(step, self._put_off(step, later, deadline))
        except Unknown as unknown:
            log.warning("hands.in_doubt", action=step.id, said=unknown.text)
            await self._note(step, Note("doubt", self._clock() + FIRST_LOOK, said=unknown.text))
        else:
            failpoints.reach("cloud.after_call")
            await self._called(step, called)

    async def _called(self, step: Step, called: Called) -> None:
        if called.secret is not None:
            secret = Secret(*called.secret, self._place.pages_url)
            await self._end(step, Ending("succeeded", observed=called.observed), secret)
            return
        accepted = Note("accepted", self._clock(), observed=called.observed, request_id=called.request_id)
        await self._accepted(step, accepted)

    async def _accepted(self, step: Step, what: Note) -> None:
        """The cloud has it; whoever asked hears that, in the same transaction."""
        now = self._clock()
        async with transaction(self._sessions) as session:
            if await running.note(session, step, what):
                await ending.announce(session, self._place.profile, step, now)
        failpoints.reach("cloud.accepted")

    async def _verify(self, step: Step) -> None:
        """Accepted: done only when the state that was wanted is read back."""
        seen = await self._look(step)
        if isinstance(seen, CloudError):
            await self._wait_on(step, None, seen.text)
        elif seen.state == "done":
            await self._end(step, Ending("succeeded", observed=seen.observed))
        elif seen.state == "failed":
            await self._end(step, Ending("failed", "broke", seen.said, seen.observed))
        else:
            await self._wait_on(step, seen.observed, None)

    async def _wait_on(self, step: Step, observed: dict[str, Any] | None, said: str | None) -> None:
        now = self._clock()
        if step.deadline_at is not None and now >= step.deadline_at:
            await self._end(step, Ending("unknown", "deadline", said, observed))
            return
        await self._note(step, Note("accepted", self._next_look(step, now), observed=observed, said=said))

    async def _doubt(self, step: Step) -> None:
        """Perhaps done, perhaps not: the cloud's state and log say so in time, or a person has to."""
        now = self._clock()
        seen = await self._look(step)
        if isinstance(seen, Seen) and seen.state == "done":
            await self._end(step, Ending("succeeded", "read_back", observed=seen.observed))
        elif isinstance(seen, Seen) and seen.state == "failed":
            await self._end(step, Ending("failed", "broke", seen.said, seen.observed))
        elif isinstance(seen, Seen) and seen.state == "going":
            await self._accepted(step, Note("accepted", now + FIRST_LOOK, observed=seen.observed))
        elif now < (step.sent_at or step.started_at) + running.SETTLES:
            await self._note(step, Note("doubt", self._next_look(step, now)))
        else:
            observed = seen.observed if isinstance(seen, Seen) else None
            await self._end(step, Ending("unknown", "no_answer", observed=observed))

    # --- steps ----------------------------------------------------------------------------------------------------

    async def _look(self, step: Step) -> Seen | CloudError:
        try:
            return await _known(CARRIERS[step.kind].look(self._place.cloud, step))
        except Refused as refused:
            if refused.reason == "not_found":
                return Seen("failed", {}, refused.text)
            return refused
        except CloudError as error:
            return error

    def _put_off(self, step: Step, error: CloudError, deadline: datetime) -> Note:
        """Surely nothing was done: again, later."""
        now = self._clock()
        asked = timedelta(seconds=min(getattr(error, "seconds", None) or 0, 60))
        again = max(asked, min(FIRST_LOOK * (1 << min(step.attempts, 5)), LONGEST_WAIT))
        return Note("reading", now + again, deadline_at=deadline, said=error.text)

    def _next_look(self, step: Step, now: datetime) -> datetime:
        """Often at first: most machines are up within seconds."""
        waited = now - (step.sent_at or now)
        return now + min(max(waited / 4, FIRST_LOOK / 2), LONGEST_WAIT)

    async def _note(self, step: Step, what: Note) -> bool:
        async with transaction(self._sessions) as session:
            return await running.note(session, step, what)

    async def _end(self, step: Step, how: Ending, secret: Secret | None = None) -> None:
        async with transaction(self._sessions) as session:
            ended = await ending.end(session, self._place.profile, step, how, self._clock(), secret)
            failpoints.reach("cloud.before_end")
        failpoints.reach("cloud.ended")
        outcome = how.outcome if ended is not None else "overtaken"
        log.info("hands.ended", action=step.id, kind=step.kind, outcome=outcome, reason=how.reason)


async def _known(asked: Awaitable[T]) -> T:
    """What an adapter did not foresee is like no answer; it must not keep an action for ever."""
    try:
        return await asked
    except CloudError:
        raise
    except Exception as error:
        log.error("hands.broken", error=type(error).__name__)
        raise Unknown(f"an answer that nobody foresaw ({type(error).__name__})") from error


PHASES = {"reading": Hands._read, "doubt": Hands._doubt, "accepted": Hands._verify}

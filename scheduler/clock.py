"""APScheduler as a ticker, nothing more: what is due is stored in our tables, so no job has a memory of its own.

A job that fails is logged and comes again; one that overruns is not started twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from crm.db import Sessions
from crm.desks import Profile
from crm.wake import OUTBOX, Waker
from scheduler.jobs import JOBS, Job

log = structlog.get_logger()


class Clock:
    def __init__(
        self,
        sessions: Sessions,
        profiles: Sequence[Profile],
        waker: Waker,
        clock: Callable[[], datetime],
        more: Sequence[Job] = (),
    ) -> None:
        """`more`: jobs of this desk beside those that every desk has."""
        self._sessions = sessions
        self._profiles = profiles
        self._waker = waker
        self._clock = clock
        self._jobs = (*JOBS, *more)

    async def run(self) -> None:
        """Tick until cancelled."""
        ticker = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for job in self._jobs:
            # Whoever starts the desk does not wait for the first look.
            trigger = IntervalTrigger(seconds=job.every, timezone=UTC)
            ticker.add_job(self.tick, trigger, args=[job], id=job.id, next_run_time=self._clock())
        ticker.start()
        log.info("clock.started", jobs=[job.id for job in self._jobs])
        try:
            await asyncio.Event().wait()
        finally:
            ticker.shutdown(wait=False)

    async def tick(self, job: Job) -> None:
        try:
            done = await job.sweep(self._sessions, self._profiles, self._clock())
        except Exception as error:
            log.error("clock.failed", job=job.id, error=repr(error))
            return
        if done:
            log.info("clock.done", job=job.id, handled=done)
            self._waker.wake(OUTBOX)

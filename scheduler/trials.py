"""The job of trials: what is due begins, is reminded of, ends."""

from collections.abc import Sequence
from datetime import datetime

from crm.cloud import trial_sweep
from crm.db import Sessions
from crm.desks import Profile
from scheduler.jobs import Job, to_the_end


async def trials(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Of the desks that give trials."""
    giving = [profile for profile in profiles if profile.trial is not None]
    return await to_the_end(trial_sweep.sweep, sessions, giving, now)


JOBS = (Job("trials", 5, trials),)

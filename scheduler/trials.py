"""The job of trials: what is due begins, is reminded of, ends."""

from collections.abc import Sequence
from datetime import datetime

from crm.cloud import trial_sweep
from crm.db import Sessions, transaction
from crm.desks import Profile

TRIALS_BATCH = 50
EVERY = 5.0


async def trials(sessions: Sessions, profiles: Sequence[Profile], now: datetime) -> int:
    """Goes on until nothing is left, a batch a transaction; what fails at one desk is raised after the others."""
    handled, failed = 0, []
    for profile in profiles:
        if profile.trial is None:
            continue
        try:
            handled += await _of_desk(sessions, profile, now)
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return handled


async def _of_desk(sessions: Sessions, profile: Profile, now: datetime) -> int:
    handled = 0
    while True:
        async with transaction(sessions) as session:
            done = await trial_sweep.sweep(session, profile, now, TRIALS_BATCH)
        handled += done
        if done < TRIALS_BATCH:
            return handled

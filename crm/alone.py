"""Of several processes one does the work; the others stand by for its advisory lock."""

from collections.abc import Awaitable, Callable

from crm.db import Session, Sessions


async def alone(sessions: Sessions, name: str, silence: float, work: Callable[[Session], Awaitable[None]]) -> bool:
    """Do it if nobody else is at it; False if somebody is.

    The lock goes with the connection of the session, so whoever is dead or paused holds up nobody: after `silence`
    seconds without a statement the server ends it. What is done must be stored on that session, or said to it.
    """
    async with sessions() as session:
        try:
            await session.rows(f"set idle_session_timeout = {round(silence * 1000)}")
            [found] = await session.rows("select pg_try_advisory_lock(hashtextextended($1, 0)) as alone", name)
            if found["alone"]:
                await work(session)
            return bool(found["alone"])
        finally:
            # Not back into the pool: only a closed connection surely gives the lock up.
            await (await session.connection()).invalidate()

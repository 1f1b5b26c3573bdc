"""The worker: one inbox item, one transaction; domain change, outbox rows and `done` together or not at all.

What an item means is its transport's to say (`Handling`); how it is claimed, tried, refused, put aside and told of is
the same for all of them.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import structlog

from crm import failpoints, inbox
from crm.changes import Changes
from crm.db import Session, Sessions, passing, transaction
from crm.desks import Profile
from crm.errors import DeskError, NotYet, Unreadable
from crm.inbox import Item
from crm.tickets import groups, outward
from crm.wake import INBOX, OUTBOX, Waker

log = structlog.get_logger()

WORKERS = 10
BATCH = 20
SWEEP_EVERY = 5.0
GIVE_BACK_TRIES = 60
RELEASED_REST = 0.5


class Handling(Protocol):
    """What a transport makes of the items of one source."""

    @property
    def profile(self) -> Profile: ...

    async def read(self, item: Item) -> Any:
        """From bytes to a value, outside of any transaction. Raises Unreadable for what will never be one."""

    async def handle(self, session: Session, item: Item, what: Any, now: datetime) -> str:
        """The effects of the item; gives its disposition. Raises DeskError, NotYet, Unreadable."""

    async def refuse(self, session: Session, item: Item, what: Any, refusal: DeskError, now: datetime) -> None:
        """Tell whoever caused the refusal why."""


class Raced(Exception):
    """Another worker has settled this item meanwhile."""


class Worker:
    """Works through the inbox of its sources until it is stopped; any number may run against one database."""

    def __init__(
        self, sessions: Sessions, handlings: Mapping[str, Handling], waker: Waker, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._handlings = handlings
        self._waker = waker
        self._clock = clock
        self._items: asyncio.Queue[Item] = asyncio.Queue(BATCH)
        self._stopping = False

    def stop(self) -> None:
        """Take nothing new; what is claimed is still worked through."""
        self._stopping = True
        self._waker.wake(INBOX)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work()) for _ in range(WORKERS)]
            await self._claim_forever()
            await self._items.join()
            for worker in workers:
                worker.cancel()

    async def _claim_forever(self) -> None:
        while not self._stopping:
            try:
                # A connection of its own: what runs all the time need not ask the pool each time.
                async with self._sessions() as session:
                    await self._claim_while_connected(session)
            except Exception as error:
                log.error("process.claim_failed", error=repr(error))
                await asyncio.sleep(1)

    async def _claim_while_connected(self, session: Session) -> None:
        sweep_at = 0.0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            if loop.time() >= sweep_at:
                await self._quarantine_the_dead()
                sweep_at = loop.time() + SWEEP_EVERY
            items = await inbox.claim(session, list(self._handlings), BATCH, self._clock())
            if items:
                failpoints.reach("process.claimed")
            for item in items:
                await self._hand_over(item)
            # A suspect is claimed alone, so others may well be waiting behind it.
            alone = len(items) == 1 and items[0].attempts > 1
            if len(items) < BATCH and not alone:
                await self._waker.wait(INBOX, 1.0)

    async def _hand_over(self, item: Item) -> None:
        """One that was tried before may be what killed its worker: it is worked on alone."""
        suspect = item.attempts > 1
        if suspect:
            await self._items.join()
        await self._items.put(item)
        if suspect:
            await self._items.join()

    async def _quarantine_the_dead(self) -> None:
        async with transaction(self._sessions) as session:
            dead = await inbox.quarantine_exhausted(session, list(self._handlings), self._clock(), limit=20)
            for item_id, source in dead:
                log.error("inbox.quarantined", item=item_id, source=source, error="the worker died at every attempt")
                await self._alarm(session, self._handlings[source].profile, item_id)

    async def _work(self) -> None:
        while True:
            item = await self._items.get()
            try:
                await self.process(item)
            except Exception as error:
                log.error("process.unsettled", item=item.id, error=repr(error))
                await self._give_back(item)
            finally:
                self._items.task_done()

    async def _give_back(self, item: Item) -> None:
        """The database was away: as soon as it is back, the item is free again; at worst its lease runs out."""
        for _ in range(GIVE_BACK_TRIES):
            try:
                async with transaction(self._sessions) as session:
                    await inbox.release(session, item)
                return
            except Exception as error:
                log.warning("process.not_given_back", item=item.id, error=repr(error))
                await asyncio.sleep(0.5)

    async def process(self, item: Item) -> None:
        """One attempt at one item; every way out is recorded."""
        handling = self._handlings[item.source]
        more, what = True, None
        try:
            what = await handling.read(item)
            disposition, more = await self._attempt(item, handling, what)
            log.info("process.done", item=item.id, key=item.external_key, disposition=disposition)
        except Raced:
            log.info("process.raced", item=item.id)
        except NotYet:
            await self._park(item)
        except DeskError as refusal:
            await self._refuse(item, handling, what, refusal)
        except Exception as error:
            await self._fail(item, handling, error, ours=not passing(error))
        self._waker.wake(OUTBOX)
        if more:
            # The next item of the lane is free now.
            self._waker.wake(INBOX)

    async def _attempt(self, item: Item, handling: Handling, what: Any) -> tuple[str, bool]:
        """The disposition, and whether the lane has more."""
        now = self._clock()
        async with transaction(self._sessions) as session:
            disposition = await handling.handle(session, item, what, now)
            settled = await inbox.settle(session, item, disposition, now)
            if settled is None:
                raise Raced
            failpoints.reach("process.before_commit")
        failpoints.reach("process.committed")
        return disposition, settled.more

    async def _park(self, item: Item) -> None:
        async with transaction(self._sessions) as session:
            await inbox.park(session, item, self._clock())
        log.info("process.parked", item=item.id, key=item.external_key)

    async def _refuse(self, item: Item, handling: Handling, what: Any, refusal: DeskError) -> None:
        """The effects are rolled back; whoever caused it is told why."""
        now = self._clock()
        name = type(refusal).__name__
        async with transaction(self._sessions) as session:
            await handling.refuse(session, item, what, refusal, now)
            await inbox.settle(session, item, f"refused:{name}", now)
        log.info("process.refused", item=item.id, key=item.external_key, refusal=name, facts=refusal.facts)

    async def _fail(self, item: Item, handling: Handling, error: Exception, ours: bool) -> None:
        words = f"{type(error).__name__}: {error}"[:2000]
        if not ours:
            async with transaction(self._sessions) as session:
                await inbox.release(session, item)
            log.warning("process.released", item=item.id, error=words)
            # What passes takes a moment; no item is tried a hundred times meanwhile.
            await asyncio.sleep(RELEASED_REST)
            return
        async with transaction(self._sessions) as session:
            hopeless = isinstance(error, Unreadable)
            quarantined = await inbox.fail(session, item, words, self._clock(), hopeless=hopeless)
            if quarantined:
                await self._alarm(session, handling.profile, item.id)
        log.error(
            "inbox.quarantined" if quarantined else "process.failed", item=item.id, key=item.external_key, error=words
        )

    async def _alarm(self, session: Session, profile: Profile, item_id: int) -> None:
        """The engineers learn that something waits for a person, in General."""
        group_id = await groups.current(session, profile.name)
        row = outward.alarm(profile.name, group_id, "quarantined", id=item_id)
        await Changes(outgoing=[row]).write(session, profile.name, self._clock())

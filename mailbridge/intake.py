"""What lies in a folder goes raw into the inbox, is committed, and only then leaves for the folder of processed mail.

Read or unread is all the same. A mail counts as taken by its bytes, so it does no harm to look at one again: after a
cut connection, in a restored mailbox, when its UID means something else.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import structlog

from crm import failpoints
from crm.db import Session
from crm.inbox import Received
from crm.mail import mailboxes
from crm.mail.mailboxes import Place
from mailbridge.accounts import Mailbox
from mailbridge.imap import Connection, Lost

log = structlog.get_logger()

# The library falls over answers of many more lines than that.
CHUNK = 200
BATCH_MAILS = 50
BATCH_BYTES = 8_000_000
MOST_MOVED = 1000
MOST_BYTES = 40_000_000
# A mail that cost the connection so often, though it was fetched by itself, lets the others pass (seconds).
MOST_TRIES = 4
ASIDE = 60.0
# Of a mail that is too big the inbox has the header only; its key says so.
HEADER_ONLY = "header:"

_HEAD = 64 * 1024
_ID = re.compile(rb"<[^<>\s]{1,900}>")
_END = re.compile(rb"\n\r?\n")
_THREAD = re.compile(rb"^(References|In-Reply-To|Message-ID)[ \t]*:(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


def received(desk: str, raw: bytes) -> Received:
    """A mail as an inbox item, known by its bytes."""
    return Received(sha256(raw).hexdigest(), lane_of(desk, raw), raw)


def header_only(desk: str, header: bytes, size: int) -> Received:
    """What the inbox gets of a mail of that many bytes, when they are too many."""
    return Received(f"{HEADER_ONLY}{sha256(b'%d %b' % (size, header)).hexdigest()}", lane_of(desk, header), header)


def lane_of(desk: str, raw: bytes) -> str:
    """Order is kept within a thread, as far as a glance at the header tells: by the mail that it began with."""
    end = _END.search(raw, 0, _HEAD)
    said: dict[bytes, bytes] = {}
    for name, value in _THREAD.findall(raw, 0, end.start() if end else _HEAD):
        said.setdefault(name.lower(), value)
    for name in (b"references", b"in-reply-to", b"message-id"):
        if first := _ID.search(said.get(name, b"")):
            return f"mail:{desk}:{sha256(first[0]).hexdigest()[:32]}"
    return f"mail:{desk}:{sha256(raw).hexdigest()[:32]}"


class Held:
    """The session that holds the lock, used by one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Session]:
        """One transaction."""
        async with self._turn, self._session.atomic():
            yield self._session

    async def beat(self, every: float) -> None:
        """For ever: a connection that says nothing loses the lock, and one that has lost it must not go on."""
        while True:
            await asyncio.sleep(every)
            async with self._turn:
                await self._session.rows("select 1")


@dataclass
class Suspects:
    """Mails under which the connection broke, by UIDVALIDITY and UID: it may be their fault. After too many tries one
    is put `aside` for so many seconds."""

    aside: float = ASIDE
    tries: dict[tuple[int, int], int] = field(default_factory=dict)
    until: dict[tuple[int, int], float] = field(default_factory=dict)

    def blame(self, place: Place, uids: Sequence[int], now: float) -> list[int]:
        """Gives those that are put aside for the first time; one among several is only a witness."""
        set_aside = []
        for uid in uids:
            key = place.uidvalidity, uid
            self.tries[key] = self.tries.get(key, 0) + 1 if len(uids) == 1 else max(self.tries.get(key, 0), 1)
            if self.tries[key] > MOST_TRIES:
                self.until[key] = now + self.aside
                if self.tries[key] == MOST_TRIES + 1:
                    set_aside.append(uid)
        return set_aside

    def clear(self, place: Place, uids: Sequence[int]) -> None:
        for uid in uids:
            self.tries.pop((place.uidvalidity, uid), None)
            self.until.pop((place.uidvalidity, uid), None)

    def suspected(self, place: Place, uid: int) -> bool:
        return (place.uidvalidity, uid) in self.tries

    def is_aside(self, place: Place, uid: int, now: float) -> bool:
        return self.until.get((place.uidvalidity, uid), 0) > now


class Intake:
    """From one folder, for as long as its connection lasts."""

    def __init__(
        self,
        mailbox: Mailbox,
        place: Place,
        connection: Connection,
        held: Held,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        suspects: Suspects,
    ) -> None:
        self._mailbox = mailbox
        self._place = place
        self._connection = connection
        self._held = held
        self._clock = clock
        self._wake = wake
        self._suspects = suspects
        self._moving = True
        self._stored: list[int] = []
        self._at_once = BATCH_MAILS

    async def take(self, since: int) -> int:
        """Everything from that UID on; gives the UID after the last. Raises Lost, or what the database says."""
        uids = await self._connection.uids(since)
        self._moving = True
        for start in range(0, len(uids), CHUNK):
            async with self._held() as session:
                known = await mailboxes.known(session, self._place, uids[start : start + CHUNK])
            await self._take_new(known.new)
            if known.unmoved and await self._move(known.unmoved):
                async with self._held() as session:
                    await mailboxes.moved(session, self._place, known.unmoved)
        await self._move_stored()
        return uids[-1] + 1 if uids else since

    async def _take_new(self, uids: Sequence[int]) -> None:
        now = asyncio.get_running_loop().time()
        wanted = [uid for uid in uids if not self._suspects.is_aside(self._place, uid, now)]
        if not wanted:
            return
        sizes = await self._connection.sizes(wanted)
        for batch in batches(sizes, lambda uid: self._suspects.suspected(self._place, uid)):
            await self._take_batch(batch)

    async def _take_batch(self, batch: Mapping[int, int]) -> None:
        uids, now = sorted(batch), asyncio.get_running_loop().time()
        try:
            if batch[uids[0]] > MOST_BYTES:
                await self._take_header(uids[0], batch[uids[0]])
                return
            bodies = await self._connection.bodies(uids, sum(batch.values()))
        except Lost:
            self._blame(uids, now)
            raise
        await self._store([received(self._mailbox.desk, bodies[uid]) for uid in sorted(bodies)])
        self._suspects.clear(self._place, list(bodies))
        for uid in batch.keys() - bodies.keys():
            # Gone meanwhile, or the server has nothing to give.
            self._blame([uid], now)
        self._stored += sorted(bodies)
        if len(self._stored) >= self._at_once:
            await self._move_stored()

    async def _move_stored(self) -> None:
        """A server may read through its whole folder for each move, so they become larger as long as all goes well."""
        uids, self._stored = self._stored, []
        if uids and not await self._move(uids):
            async with self._held() as session:
                await mailboxes.not_moved(session, self._place, uids)
        self._at_once = min(2 * self._at_once, MOST_MOVED)

    def _blame(self, uids: Sequence[int], now: float) -> None:
        for uid in self._suspects.blame(self._place, uids, now):
            log.error("mail.unreadable", mailbox=str(self._mailbox.account), uid=uid)

    async def _take_header(self, uid: int, size: int) -> None:
        item = header_only(self._mailbox.desk, await self._connection.header(uid), size)
        log.error("mail.too_big", mailbox=str(self._mailbox.account), uid=uid, size=size)
        await self._store([item], staying=[uid])

    async def _store(self, items: Sequence[Received], staying: Sequence[int] = ()) -> None:
        failpoints.reach("mail.before_commit")
        async with self._held() as session:
            new = await mailboxes.store(session, self._mailbox.source, items, self._clock())
            if staying:
                await mailboxes.leave_there(session, self._place, staying)
        failpoints.reach("mail.stored")
        if new:
            self._wake()

    async def _move(self, uids: Sequence[int]) -> bool:
        """What is stored; False if it is still to be done. A folder that took nothing is asked again next time."""
        folder = self._mailbox.account.processed
        if not self._moving:
            return False
        self._moving = await self._connection.move(uids, folder)
        if not self._moving:
            log.error("mail.not_moved", mailbox=str(self._mailbox.account), folder=folder, mails=len(uids))
        elif not self._connection.empties:
            async with self._held() as session:
                await mailboxes.leave_there(session, self._place, uids)
        return self._moving


def batches(sizes: Mapping[int, int], by_itself: Callable[[int], bool]) -> Iterator[dict[int, int]]:
    """UIDs with their sizes, ascending, as many as may be fetched at once; what is big or suspected comes alone."""
    batch: dict[int, int] = {}
    for uid in sorted(sizes):
        single = sizes[uid] > BATCH_BYTES or by_itself(uid)
        full = len(batch) == BATCH_MAILS or sum(batch.values()) + sizes[uid] > BATCH_BYTES
        if batch and (single or full):
            yield batch
            batch = {}
        batch[uid] = sizes[uid]
        if single:
            yield batch
            batch = {}
    if batch:
        yield batch

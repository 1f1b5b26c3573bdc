"""The sender of mail: claims rows, makes a mail of each, hands it over, writes down what came of it.

Ten at once, in order within a lane; any number of processes may run it against one database.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from crm import failpoints, outbox
from crm.db import Sessions, passing, transaction
from crm.desks import QUEUE, Profile
from crm.mail.letter import Address, File
from crm.wake import OUTBOX, Waker
from mailbridge import claim, settle
from mailbridge.claim import CHANNEL, Row
from mailbridge.compose import Answer, Mail, Notice, Quote, Thread, compose, heading, message_id
from mailbridge.smtp import Outcome, SmtpAddress, Verdict, send

log = structlog.get_logger()

IN_FLIGHT = 10
OWN_FAULTS = 3
LOOK_FOR_DEAD = timedelta(seconds=15)

Spawn = Callable[[Coroutine[Any, Any, None]], object]


@dataclass(frozen=True, slots=True)
class Post:
    """How a desk sends: by which server, as which address for a queue. `plus`: answers to `address+something` reach it
    as well, so the token stands there; `token` gives that of a ticket's reference."""

    profile: Profile
    smtp: SmtpAddress
    mail_from: Callable[[str], str]
    plus: bool
    token: Callable[[str], str]


class Sender:
    """Delivers the mail of one desk until it is cancelled."""

    def __init__(self, post: Post, sessions: Sessions, waker: Waker, clock: Callable[[], datetime]) -> None:
        self._post = post
        self._desk = post.profile.name
        self._sessions = sessions
        self._waker = waker
        self._clock = clock
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._stopping = False

    def stop(self) -> None:
        """Take nothing new; what is under way is still settled."""
        self._stopping = True
        self._waker.wake(OUTBOX)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            look_at = self._clock()
            while not self._stopping:
                try:
                    if self._clock() >= look_at:
                        look_at = self._clock() + LOOK_FOR_DEAD
                        await self._give_up_the_dead()
                    await self.round(group.create_task)
                except Exception as error:
                    log.error("mail.claim_failed", desk=self._desk, error=repr(error))
                    await asyncio.sleep(1)

    async def round(self, spawn: Spawn) -> None:
        """Send what may leave, or wait until something may."""
        await self._free.acquire()
        free = 1
        try:
            while not self._free.locked():
                await self._free.acquire()
                free += 1
            async with self._sessions() as session:
                rows = await claim.claim(session, self._desk, self._clock(), free)
                pause = None if rows else await claim.next_due(session, self._desk, self._clock())
            for row in rows:
                free -= 1
                spawn(self._deliver(row))
        finally:
            for _ in range(free):
                self._free.release()
        if rows:
            failpoints.reach("mail.claimed")
        elif pause is not None:
            await self._waker.wait(OUTBOX, pause)

    async def _give_up_the_dead(self) -> None:
        now = self._clock()
        async with transaction(self._sessions) as session:
            for dead in await outbox.expire(session, self._desk, CHANNEL, now):
                log.error("mail.unknown", row=dead.id, hint="the sender died while attempting, twice")
                await settle.not_delivered(session, self._post.profile, dead, "mail_unknown", now)

    async def _deliver(self, row: Row) -> None:
        try:
            outcome = {} if row.taken_back else await self._attempt(row)
            failpoints.reach("mail.called")
            if await self._settle(row, outcome):
                self._waker.wake(OUTBOX)
        except Exception:
            # It is found again by its lease; the others go on.
            log.exception("mail.unsettled", row=row.id)
        finally:
            self._free.release()

    async def _attempt(self, row: Row) -> Outcome:
        """Whatever goes wrong before the server is spoken to is no doubt about the mail: it has not left."""
        try:
            async with self._sessions() as session:
                files = await claim.files(session, row)
                mail = letter(self._post, row, files)
                # Large files take a moment, in which the others go on.
                made = await asyncio.to_thread(compose, mail) if files else compose(mail)
                thread = mail.thread
                about = heading(mail)
                await claim.record(
                    session, self._desk, row, thread.message_id, thread.in_reply_to, about, self._clock()
                )
        except Exception as error:
            return self._own_fault(row, error)
        if row.repeats:
            log.warning("mail.repeated", row=row.id, ticket=row.reference, message_id=thread.message_id)
        automatic = isinstance(mail.body, Notice) and mail.body.auto
        return await send(self._post.smtp, "" if automatic else mail.mail_from, row.pending, made)

    def _own_fault(self, row: Row, error: Exception) -> Outcome:
        words = f"{type(error).__name__}: {error}"[:300]
        if passing(error):
            verdict = Verdict("later", words)
        else:
            log.exception("mail.broken", row=row.id, kind=row.kind)
            verdict = Verdict("refused" if row.attempts >= OWN_FAULTS else "later", words)
        return dict.fromkeys(row.pending, verdict)

    async def _settle(self, row: Row, outcome: Outcome) -> bool:
        """Until the database has it: a result that is lost would be repeated."""
        while True:
            now = self._clock()
            settled = settle.decide(row, outcome, now)
            try:
                async with transaction(self._sessions) as session:
                    more = await settle.settle(session, self._post.profile, row, settled, now)
                break
            except Exception as error:
                log.error("mail.settle_failed", row=row.id, error=repr(error))
                if not passing(error):
                    raise
                await asyncio.sleep(0.5)
        failpoints.reach("mail.settled")
        _report(row, settled)
        return more


def _report(row: Row, settled: settle.Settled) -> None:
    if settled.state == "sent":
        log.debug("mail.sent", row=row.id, ticket=row.reference)
    elif settled.state == "queued":
        log.info("mail.later", row=row.id, ticket=row.reference, due_at=settled.due_at, reason=settled.error)
    else:
        log.warning("mail.not_sent", row=row.id, ticket=row.reference, state=settled.state, reason=settled.error)


def letter(post: Post, row: Row, files: tuple[File, ...]) -> Mail:
    """The mail that a row is. Pure."""
    sender = post.mail_from(row.queue or QUEUE)
    # What belongs to no ticket, as a code that links an address, has an id that cannot be guessed either.
    named = row.reference or f"{post.profile.prefix}/{row.id}"
    token = post.token(named)
    came = [one["id"] for one in row.earlier if one["came"]]
    ids = [one["id"] for one in row.earlier]
    thread = Thread(
        reference=row.reference or "",
        subject=row.subject or "",
        token=token,
        plus=post.plus,
        message_id=message_id(row.reference or post.profile.prefix, row.id, token, sender),
        # The customer's own last mail; in a ticket that began elsewhere, ours.
        in_reply_to=(came or ids or [None])[-1],
        references=tuple(ids),
    )
    return Mail(
        profile=post.profile,
        language=post.profile.language(row.payload.get("language")),
        written_at=row.created_at,
        mail_from=sender,
        to=row.to,
        cc=row.cc,
        thread=thread,
        body=_notice(row) if row.kind == "say" else _answer(row, files),
    )


def _notice(row: Row) -> Notice:
    return Notice(row.payload["notice"], row.payload["facts"], row.payload.get("auto", True))


def _answer(row: Row, files: tuple[File, ...]) -> Answer:
    """Of an album, whose parts come one by one, the first text is the caption."""
    contents = [part["content"] for part in row.parts]
    content = next((one for one in contents if one.get("text")), contents[0])
    asked = row.asked
    quote = None
    if asked is not None:
        author = Address(asked["address"] or "", asked["name"])
        quote = Quote(author, datetime.fromisoformat(asked["sent_at"]), asked["text"])
    return Answer(row.author or "", content, files, quote)

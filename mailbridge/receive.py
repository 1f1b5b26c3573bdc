"""Follows a mailbox for ever: what lies there is taken, then the server is asked to tell of what comes.

The server's word is a hint only: the whole folder is looked through again and again, on a connection that has just
answered. One that has not is replaced.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from crm.alone import alone
from crm.db import Session, Sessions
from crm.mail import mailboxes
from crm.mail.mailboxes import Place
from crm.wake import INBOX, Waker
from mailbridge.accounts import Account, Mailbox
from mailbridge.imap import SILENCE, Connection, Lost, connected
from mailbridge.intake import ASIDE, Held, Intake, Suspects

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds. `idle`: how long one IDLE lasts before the whole folder is looked through; with `silence` and a new
    connection that stays below five minutes. `poll`: the same where there is no IDLE. `beat`: how often the lock is
    confirmed, which is lost after three; `standby`: how often others try for it. `aside`: how long a mail that breaks
    connections lets the others pass."""

    idle: float = 240
    poll: float = 30
    silence: float = SILENCE
    beat: float = 12
    standby: float = 2
    first_wait: float = 1
    longest_wait: float = 60
    aside: float = ASIDE


USUAL = Pace()


class Receiver:
    """Takes the mail of one mailbox. Of several processes one is at it; another takes over within a minute."""

    def __init__(
        self,
        mailbox: Mailbox,
        sessions: Sessions,
        waker: Waker,
        clock: Callable[[], datetime],
        pace: Pace = USUAL,
    ) -> None:
        self._mailbox = mailbox
        self._sessions = sessions
        self._waker = waker
        self._clock = clock
        self._pace = pace
        self._wait = pace.first_wait
        self._trouble = ""
        self._suspects = Suspects(pace.aside)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        name = f"kezekshi mail {self._mailbox.source} {self._mailbox.account}"
        while True:
            begin = loop.time()
            try:
                await alone(self._sessions, name, 3 * self._pace.beat, self._serve)
                await asyncio.sleep(self._pace.standby)
            except Exception as error:
                self._lost(error)
                if loop.time() - begin > self._pace.longest_wait:
                    self._wait = self._pace.first_wait
                await asyncio.sleep(self._wait * random.uniform(0.5, 1))
                self._wait = min(2 * self._wait, self._pace.longest_wait)

    def _lost(self, error: Exception) -> None:
        """Said once, until the reason is another or all was well in between."""
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        reason = str(error) if isinstance(error, Lost) else repr(error)
        if reason != self._trouble:
            self._trouble = reason
            log.error("mail.lost", mailbox=str(self._mailbox.account), source=self._mailbox.source, reason=reason)

    async def _serve(self, session: Session) -> None:
        held = Held(session)
        async with asyncio.TaskGroup() as group:
            group.create_task(held.beat(self._pace.beat))
            async with connected(self._mailbox.account, self._pace.silence) as connection:
                await self._follow(connection, held)

    async def _follow(self, connection: Connection, held: Held) -> None:
        account, source = self._mailbox.account, self._mailbox.source
        selected = await connection.select(account.folder)
        place = Place(source, str(account), selected.uidvalidity)
        async with held() as session:
            await mailboxes.enter(session, place, selected.next_uid, self._clock())
        intake = Intake(self._mailbox, place, connection, held, self._clock, self._woken, self._suspects)
        log.info("mail.connected", mailbox=str(account), source=source)
        idles = connection.can("IDLE")
        loop = asyncio.get_running_loop()
        while True:
            connection.news.clear()
            since = await intake.take(1)
            self._trouble = ""
            again = loop.time() + (self._pace.idle if idles else self._pace.poll)
            while (left := again - loop.time()) > 0:
                await (connection.idle(left) if idles else connection.wait(left))
                if connection.news.is_set():
                    connection.news.clear()
                    since = await intake.take(since)

    def _woken(self) -> None:
        """Something was new, so the connection is good for something."""
        self._wait = self._pace.first_wait
        self._waker.wake(INBOX)


async def probe_imap(account: Account) -> list[tuple[bool, str, str]]:
    """What works and what does not, as (good, what, how to mend it); nothing is changed."""
    try:
        async with connected(account) as connection:
            await connection.select(account.folder)
            there = await connection.exists(account.processed)
            idles = connection.can("IDLE")
    except Lost as error:
        return [(False, f"{account}: {error}", error.mend)]
    found = [(True, f"{account}: mail can be fetched" + ("" if idles else ", asked for every half a minute"), "")]
    if not there:
        found.append((True, f"{account}: folder {account.processed} is not there yet and will be made", ""))
    return found

"""A desk as it really runs: its own process, a database, the stand-in for Telegram, people on both sides."""

import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from app.demo_mail import open_mailboxes
from crm.texts import texts
from sandbox.client import Sandbox, find_button
from tests.e2e.processes import Process, free_port

TOKEN = "700000001:sandbox-token-of-the-tests-00000000001"
SECRET = "secret-of-the-tests"
TEAM = "ru"
Json = dict[str, Any]

# What has no later time of its own, and a group to go to.
_WAITING = """
    select (select count(*) from inbox where state in ('queued', 'parked'))
         + (select count(*) from outbox where state = 'attempting'
            or (state = 'queued' and due_at < now() + interval '5 seconds' and bucket not like '%:none')) as waiting
"""
_LEFT = """
    select 'in', id, state, attempts, error from inbox where state in ('queued', 'parked') union all
    (select kind, id, state, attempts, error from outbox where state in ('queued', 'attempting') order by id limit 20)
"""
# Leases of processes that were killed, so that nobody has to wait for them to run out.
_RUN_OUT = """
    with i as (update inbox set lease_until = now() - interval '1 second' where lease_until is not null)
    update outbox set lease_until = now() - interval '1 second' where state = 'attempting'
"""


@dataclass(frozen=True)
class Case:
    """A request: who asked what, and where it is served."""

    customer: int
    asked: Json
    thread: int
    copy: Json

    @property
    def reply(self) -> Json:
        """What makes an engineer's message a reply to the customer."""
        return {"thread": self.thread, "reply_to": self.copy["message_id"]}


class World:
    """One desk, one group with a lead and an engineer; customers come as they are needed."""

    def __init__(self, database: str, nursery: str = "") -> None:
        self.database = database
        self.nursery = nursery
        self.port = free_port()
        self.telegram = Process("stand-in")
        self.desks: list[Process] = []
        self.sandbox = Sandbox(f"http://127.0.0.1:{self.port}")
        self.env: dict[str, str] = {}
        self.bot = 0
        self.lead = 0
        self.engineer = 0
        self.group = 0
        self._witness: asyncpg.Connection | None = None
        self._stored = 0

    async def open(self, limits: str = "off") -> None:
        await self._start(self.telegram, "stand-in", "--port", str(self.port), "--limits", limits)
        await self.telegram.wait_line(str(self.port))
        await self.sandbox.__aenter__()
        self.bot = (await self.sandbox.add_bot(TOKEN, "ProData", "prodata_bot"))["id"]
        self.lead = (await self.sandbox.add_user("Ерлан", language_code="ru"))["id"]
        self.engineer = (await self.sandbox.add_user("Динара", language_code="kk"))["id"]
        self.group = (await self.sandbox.add_group("Инженеры", owner=self.lead))["id"]
        await self.sandbox.add_member(self.group, user=self.engineer)
        await self.sandbox.add_member(self.group, bot=TOKEN, by=self.lead)
        self.env = {
            "DATABASE_URL": self.database,
            "PRODATA_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": self.sandbox.url,
            "ADMIN_TELEGRAM_IDS": str(self.lead),
            "TELEGRAM_LIMITS": limits,
            "WEB_PORT": "0",
            "LOG_LEVEL": "debug",
            "KEZEKSHI_FAILPOINT": "",
        }

    def by_webhook(self) -> int:
        """From the next desk on, updates are brought; gives the port of its door."""
        port = free_port()
        self.env |= {"PUBLIC_URL": f"http://127.0.0.1:{port}", "WEB_PORT": str(port), "WEBHOOK_SECRET": SECRET}
        return port

    async def by_mail(self) -> None:
        """From the next desk on it has a mailbox, as three customers have (`app.demo_mail`)."""
        self.env |= await open_mailboxes(self.sandbox, [("Айгерім", "kk"), ("Иван", "ru"), ("Emma", "en")])

    async def close(self) -> None:
        for child in (*self.desks, self.telegram):
            if child.alive:
                await child.end(signal.SIGKILL)
        await self.sandbox.__aexit__(None, None, None)
        if self._witness is not None:
            await self._witness.close()

    async def _start(self, child: Process, program: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        if self.nursery:
            await child.fork(self.nursery, program, *arguments, env=env)
        else:
            module = {"desk": "app.cli", "stand-in": "sandbox"}[program]
            await child.start(sys.executable, "-m", module, *arguments, env=env)

    async def start_desk(self, *roles: str, ready: bool = True, **settings: str) -> Process:
        desk = Process(f"desk {len(self.desks) + 1}")
        self.desks.append(desk)
        await self._start(desk, "desk", "run", *roles, env={**self.env, **settings})
        if ready:
            await desk.wait_line("desk.ready")
        return desk

    async def command(self, *arguments: str) -> str:
        """Any other command of the program, which must end well; gives what it says."""
        child = Process(" ".join(arguments))
        await self._start(child, "desk", *arguments, env=self.env)
        assert await child.ended(60) == 0, child.last_words()
        return child.last_words()

    async def connect(self, named: bool = True) -> None:
        """The lead connects the group and names the engineer, as an admin does."""
        await self.sandbox.say(self.lead, self.group, "/connect")
        await self.in_group("/agent add")
        if named:
            await self.name(self.engineer)

    async def name(self, person: int, role: str = "agent") -> None:
        hello = await self.sandbox.say(person, self.group, "salem")
        await self.sandbox.say(self.lead, self.group, f"/agent add {role}", reply_to=hello["message_id"])

        async def named() -> bool:
            return bool(await self.fetch("select 1 from agent where telegram_id = $1 and active", person))

        await self.until(named, "the engineer to be named")

    async def ready(self, **settings: str) -> Process:
        """A desk with its group connected and an engineer named, and nothing left to do."""
        desk = await self.start_desk(**settings)
        await self.connect()
        await self.settled()
        return desk

    # --- people and their requests ----------------------------------------------------------------------

    async def customer(self, name: str = "Emma", language: str = "en") -> int:
        return int((await self.sandbox.add_user(name, language_code=language))["id"])

    async def case(self, words: str, customer: int = 0, timeout: float = 30) -> Case:
        """A request in these words, once its topic stands; of a new customer if none is named."""
        customer = customer or await self.customer()
        asked = await self.sandbox.say(customer, self.bot, words)
        thread = (await self.topic(words.split("\n")[0][:60], timeout))["thread"]
        return Case(customer, asked, thread, await self.copy(words, thread, timeout))

    async def answer(self, case: Case, words: str, by: int = 0) -> Json:
        """An engineer's reply to the customer's message."""
        return await self.sandbox.say(by or self.engineer, self.group, words, **case.reply)

    # --- waiting -----------------------------------------------------------------------------------------

    async def until(self, look: Callable[[], Awaitable[Any]], what: str, timeout: float = 30) -> Any:
        return await self.sandbox.wait(look, timeout=timeout, what=what)

    async def in_group(self, *words: str, thread: int | None = None, timeout: float = 30, after: int = 0) -> Json:
        """The first message of the bot in the group that contains one of the words."""

        def fits(message: Json) -> bool:
            return any(word in said(message) for word in words)

        return await self.find(fits, str(words), self.group, self.lead, thread, timeout, after)

    async def in_chat(self, customer: int, *words: str, timeout: float = 30, after: int = 0) -> Json:
        """The first message of the bot in the customer's chat that contains one of the words."""

        def fits(message: Json) -> bool:
            return any(word in said(message) for word in words)

        return await self.find(fits, str(words), self.bot, customer, None, timeout, after)

    async def copy(self, words: str, thread: int, timeout: float = 30) -> Json:
        """What the customer wrote, word for word, in its topic."""
        return await self.find(lambda m: said(m) == words, words, self.group, self.lead, thread, timeout)

    async def find(
        self,
        fits: Callable[[Json], Any],
        what: str,
        chat: int,
        viewer: int,
        thread: int | None = None,
        timeout: float = 30,
        after: int = 0,
    ) -> Json:
        """The first message of the bot that fits."""

        async def look() -> Json | None:
            for message in await self.messages(chat, viewer, thread):
                if message["message_id"] > after and message["from"]["id"] == self.bot and fits(message):
                    return message
            return None

        try:
            found: Json = await self.until(look, f"a message with {what} in chat {chat}", timeout)
        except AssertionError as never:
            there = [said(m)[:70] for m in await self.messages(chat, viewer, thread)]
            raise AssertionError(f"{never}; there are {there[-12:]}") from None
        return found

    async def topic(self, containing: str, timeout: float = 30) -> Json:
        async def look() -> Json | None:
            return next(reversed([t for t in await self.topics() if containing in t["name"]]), None)

        found: Json = await self.until(look, f"a topic with {containing!r}", timeout)
        return found

    async def topics(self) -> list[Json]:
        seen = await self.sandbox.chat(self.group, viewer=self.lead)
        return [t for t in seen["topics"] if not t.get("deleted")]

    async def messages(self, chat: int, viewer: int, thread: int | None = None) -> list[Json]:
        """What stands in the chat, deleted messages aside."""
        seen = await self.sandbox.chat(chat, viewer=viewer)
        return [
            m
            for m in seen["messages"]
            if not m.get("deleted") and (thread is None or m.get("message_thread_id") == thread)
        ]

    async def words(self, customer: int) -> list[str]:
        """All that the bot says in the customer's chat."""
        return [said(m) for m in await self.messages(self.bot, customer) if m["from"]["id"] == self.bot]

    async def reaction(self, message: Json, emoji: str) -> None:
        """Until the bot's mark stands on that message of the group."""

        async def look() -> bool:
            found = await self.messages(self.group, self.lead)
            marks = [m["reactions"] for m in found if m["message_id"] == message["message_id"]]
            return bool(marks) and emoji in [mark["emoji"] for mark in marks[0]]

        await self.until(look, f"{emoji} on {said(message)!r}")

    async def card(self, thread: int, *words: str, timeout: float = 30) -> Json:
        """The card of that topic, as soon as it says all of the words."""
        head = texts(TEAM)("Engineer:")

        def fits(message: Json) -> bool:
            return head in said(message) and all(word in said(message) for word in words)

        return await self.find(fits, f"the card {words}", self.group, self.lead, thread, timeout)

    async def press_card(self, who: int, thread: int, label: str) -> str:
        """Press a button of the topic's card, by its English name."""
        return await self.press(who, self.group, await self.card(thread), texts(TEAM)(label))

    async def press(self, who: int, chat: int, message: Json, *labels: str) -> str:
        for label in labels:
            try:
                button = find_button(message, label)
            except AssertionError:
                continue
            return await self.sandbox.press(who, chat, message["message_id"], button)
        raise AssertionError(f"no button {labels} on {json.dumps(message.get('reply_markup'), ensure_ascii=False)}")

    # --- the database as witness ----------------------------------------------------------------------------

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        if self._witness is None or self._witness.is_closed():
            at = make_url(self.database)
            host = str(at.query.get("host") or at.host)
            self._witness = await asyncpg.connect(user=at.username, database=at.database, host=host, port=at.port)
        return list(await self._witness.fetch(query, *values))

    async def leases_run_out(self) -> None:
        """What killed processes held is free at once. Only while no desk runs."""
        assert not any(desk.alive for desk in self.desks)
        await self.fetch(_RUN_OUT)

    async def settled(self, timeout: float = 30) -> None:
        """Nothing waits any more, neither inward nor outward (what has a later time aside)."""

        async def look() -> bool:
            return await self._all_stored() and (await self.fetch(_WAITING))[0]["waiting"] == 0

        try:
            await self.until(look, "inbox and outbox to be empty", timeout)
        except AssertionError as never:
            rows = await self.fetch(_LEFT)
            raise AssertionError(f"{never}; there are {[tuple(row) for row in rows]}") from None

    async def _all_stored(self) -> bool:
        """Every update that Telegram made is in the inbox."""
        made = await self.sandbox.updates(self.bot, after=self._stored)
        keys = {str(update["update_id"]) for update in made}
        if keys:
            stored = await self.fetch("select external_key from inbox where external_key = any($1)", sorted(keys))
            if len(stored) < len(keys):
                return False
            self._stored = made[-1]["n"]
        return True

    async def untroubled(self, timeout: float = 30) -> None:
        """Settled, and nothing failed on the way."""
        await self.settled(timeout)
        bad = await self.fetch("select id, kind, state, error from outbox where state in ('failed', 'unknown')")
        assert [tuple(row) for row in bad] == []
        bad = await self.fetch("select id, external_key, error from inbox where state = 'quarantined'")
        assert [tuple(row) for row in bad] == []


def said(message: Json) -> str:
    """Its text or caption."""
    return str(message.get("text") or message.get("caption") or "")

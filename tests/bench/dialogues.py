"""How fast a dialogue about the cloud answers: from the stored press to the committed answer, over a full mirror."""

import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from aiogram import Bot

from bot import callbacks, receive
from bot.dispatcher import make_dispatcher
from bot.process import Served, handlings, source_of
from crm import inbox
from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.people import organizations
from crm.people import service as people
from crm.tickets import queries
from crm.wake import Waker
from crm.worker import Worker
from tests.bench.load import Stuck
from tests.bench.report import Line
from tests.e2e.world import TOKEN
from tests.factories import Json, opened, pressed, private

GOAL_P95 = 200.0
# The first of the contacts' chats, and the message in which each of their dialogues begins.
CHAT, PAGE = 1_000_000, 4000
SUBJECT = "Машина vm-7 не отвечает"
# What is measured: the button, and the same kind of press without a cloud.
LIST, FLOOR = callbacks.Kind(key="vm").pack(), callbacks.Kind(key="fault").pack()
QUOTA = callbacks.Kind(key="quota").pack()

BIND = """
    update cloud_project p set organization_id = o.id
    from (select id, row_number() over (order by id) as n from organization) o,
         (select id, row_number() over (order by id) as n from cloud_project) q
    where q.id = p.id and q.n = o.n
"""
ONE_OF_EACH = """
    select o.n, (select min(vm.id) from vm where vm.project_id = p.project_id) as vm
    from (select id, row_number() over (order by id) - 1 as n from organization) o
    join cloud_project p on p.organization_id = o.id order by o.n
"""


async def customers(sessions: Sessions, profile: Profile, number: int) -> None:
    """As many organizations as there are projects, each with one of them and a contact who may do everything."""
    now = datetime.now(UTC)
    async with transaction(sessions) as session:
        for n in range(number):
            made = await organizations.add(session, profile.name, f"АО {n}", now)
            who = await people.recognise(session, profile, CHAT + n, f"Контакт {n}", None, "ru", now)
            contact = await organizations.bind(session, made, who.person_id, now)
            contact.rights = ["request", "power", "money"]
        await session.flush()
        await session.rows(BIND)


class Reception:
    """The desk's worker, fed by hand."""

    def __init__(self, sessions: Sessions, profile: Profile, bot: Bot, waker: Waker) -> None:
        self._sessions, self._desk = sessions, profile.name
        served = {profile.name: Served(profile, bot, frozenset())}
        self._worker = Worker(sessions, handlings(served, make_dispatcher()), waker, lambda: datetime.now(UTC))

    async def press(self, data: str, chat: int) -> float:
        """Milliseconds from the stored press to its committed answer."""
        update: Json = pressed(data, chat, private(chat), number=PAGE)
        now = datetime.now(UTC)
        async with self._sessions() as session:
            await receive.store(session, self._desk, [receive.received(self._desk, update)], now)
        begin = time.perf_counter()
        async with transaction(self._sessions) as session:
            [item] = await inbox.claim(session, [source_of(self._desk)], 1, datetime.now(UTC))
        await self._worker.process(item)
        took = (time.perf_counter() - begin) * 1000
        async with self._sessions() as session:
            [row] = await session.rows(
                "select state, disposition, error from inbox where external_key = $1", str(update["update_id"])
            )
        if row["state"] != "done" or row["disposition"] in ("ignored", "refused", "stale"):
            raise Stuck(f"{data}: {row['state']}, {row['disposition']} {row['error'] or ''}")
        return took


async def measure(sessions: Sessions, profile: Profile, waker: Waker, presses: int, machines: int) -> list[Line]:
    """The list of machines, one of them, and quotas; of customers chosen by chance, then of one who has everything."""
    async with sessions() as session:
        owned = [(CHAT + row["n"], row["vm"]) for row in await session.rows(ONE_OF_EACH)]
    chance = random.Random(machines)
    chosen = [chance.choice(owned) for _ in range(presses)]
    bot = Bot(TOKEN)
    try:
        desk = Reception(sessions, profile, bot, waker)
        for _ in range(3):
            # The first ones warm up what is compiled, planned and cached.
            listed, looked, quotas, floor = await _round(desk, chosen)
        table = [
            _line(f"dialogue, {machines:,} machines: own machines", listed, floor),
            _line(f"dialogue, {machines:,} machines: one machine", looked, floor),
            _line(f"dialogue, {machines:,} machines: quotas", quotas, floor),
        ]
        table.append(await _cards(sessions, presses))
        async with sessions() as session:
            await session.rows("update cloud_project set organization_id = (select min(id) from organization)")
        listed, looked, quotas, floor = await _round(desk, [owned[0]] * presses)
        # Nobody is like that; it shows what an answer grows with.
        last = _line(f"dialogue of one who has all {machines:,} in {len(owned)} cabinets", listed, floor)
        table.append((*last[:-1], ""))
    finally:
        await bot.session.close()
    return table


async def _round(desk: Reception, chosen: Sequence[tuple[int, int]]) -> tuple[list[float], ...]:
    found: tuple[list[float], ...] = ([], [], [], [])
    for chat, machine in chosen:
        look = callbacks.OwnMachine(dialogue=PAGE, action="look", id=machine).pack()
        for times, data in zip(found, (LIST, look, QUOTA, FLOOR), strict=True):
            times.append(await desk.press(data, chat))
    return found


async def _cards(sessions: Sessions, presses: int) -> Line:
    """A ticket's card with its cloud, beside one of nobody's."""
    async with transaction(sessions) as session:
        ours, plain = [(await opened(session, CHAT, SUBJECT)).id for _ in range(2)]
        await session.rows("update ticket set organization_id = null where id = $1", plain)
    times: dict[int, list[float]] = {ours: [], plain: []}
    async with sessions() as session:
        for _ in range(presses):
            for ticket_id, taken in times.items():
                begin = time.perf_counter()
                card = await queries.card(session, ticket_id)
                taken.append((time.perf_counter() - begin) * 1000)
                if (card["cloud"] is not None) != (ticket_id == ours):
                    raise Stuck("a card shows another cloud than it should")
    mine, bare = statistics.median(times[ours]), statistics.median(times[plain])
    return ("a ticket's card with its cloud, p50, ms", f"{mine:.2f}", f"{bare:.2f}", f"{mine / bare:.2f}", "")


def _line(words: str, times: Sequence[float], floor: Sequence[float]) -> Line:
    """Floor: the same press for a request without a cloud."""
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    bare = statistics.median(floor)
    goal = f"p95 < {GOAL_P95:g}: {'reached' if p95 < GOAL_P95 else 'missed'}"
    return (f"{words}, p50 / p95, ms", f"{p50:.1f} / {p95:.1f}", f"{bare:.1f}", f"{p50 / bare:.2f}", goal)

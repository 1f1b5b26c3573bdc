"""kill -9 of senders of mail at every place and at any moment: none lost, and one repeat at most, known as such."""

import asyncio
import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from email import message_from_bytes
from multiprocessing.context import ForkServerProcess

import pytest

from tests.factories import DESK
from tests.integration import mail_sender
from tests.integration.smtp_server import STORE_SILENT
from tests.integration.test_mail_delivery import Office, office

__all__ = ["office"]

PLACES = ("mail.claimed", "mail.called", "mail.settled")
# It imports the program once; each sender is a fork of it, there at once.
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["tests.integration.mail_sender"])
Start = Callable[..., Awaitable[ForkServerProcess]]


@pytest.fixture
async def start(database: str, office: Office) -> AsyncIterator[Start]:
    """Starts a sender as a process of its own; all that live are killed in the end."""
    living: list[ForkServerProcess] = []

    async def started(place: str = "") -> ForkServerProcess:
        made = NURSERY.Process(target=mail_sender.serve, args=(database, DESK, office.port, place), daemon=True)
        await asyncio.to_thread(made.start)
        living.append(made)
        return made

    yield started
    for process in living:
        await kill(process)


async def kill(process: ForkServerProcess) -> int | None:
    process.kill()
    return await ended(process)


async def ended(process: ForkServerProcess) -> int | None:
    await asyncio.to_thread(process.join, 30)
    return process.exitcode


async def leases_run_out(office: Office) -> None:
    await office.fetch(
        "update outbox set lease_until = now() - interval '1 second' where state = 'attempting' returning 1"
    )


async def settled(office: Office) -> list[str]:
    """Waits of a minute are skipped, those of the dead as well."""
    async with asyncio.timeout(60):
        while True:
            states = await office.states()
            if not {"queued", "attempting"} & set(states):
                return states
            await office.fetch(
                "update outbox set due_at = now() where channel = 'email' and state = 'queued' returning 1"
            )
            await asyncio.sleep(0.05)


def arrived(office: Office) -> Counter[str]:
    return Counter(str(message_from_bytes(raw)["Message-ID"]) for _, _, raw in office.script.taken)


@pytest.mark.parametrize("place", PLACES)
async def test_killed_at(office: Office, start: Start, place: str) -> None:
    """F4, F5."""
    ticket = await office.ticket()
    await office.answer(ticket)
    dying = await start(place)
    assert await ended(dying) == -signal.SIGKILL
    await leases_run_out(office)
    await start()
    assert await settled(office) == ["sent"]
    expected = {"mail.claimed": 1, "mail.called": 2, "mail.settled": 1}[place]
    assert list(arrived(office).values()) == [expected]
    [row] = await office.mails()
    assert row.repeats == (place != "mail.settled")
    assert len(await office.fetch("select 1 from mail_message where direction = 'out'")) == 1
    assert await office.told() == []


async def test_killed_while_the_server_is_silent(office: Office, start: Start) -> None:
    ticket = await office.ticket()
    await office.answer(ticket)
    office.script.data = [STORE_SILENT]
    dying = await start()
    async with asyncio.timeout(30):
        while not office.script.taken:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await kill(dying)
    await leases_run_out(office)
    await start()
    assert await settled(office) == ["sent"]
    assert list(arrived(office).values()) == [2]


async def test_killed_at_any_moment(office: Office, start: Start) -> None:
    """Two at a time, killed in turn while there is something to send."""
    chance = random.Random(4)
    # Long enough between having a mail and saying so that some die there.
    office.script.pause = 0.03
    ticket = await office.ticket()
    for number in range(60):
        await office.put(ticket, facts={"reference": f"PD-{number}"})
    await office.fetch("update outbox set lane = lane || (id / 2)::text returning 1")
    for _ in range(5):
        both = await asyncio.gather(start(), start())
        enough = len(office.script.taken) + chance.randint(1, 8)
        async with asyncio.timeout(30):
            while len(office.script.taken) < enough:  # noqa: ASYNC110
                await asyncio.sleep(chance.uniform(0, 0.02))
        await asyncio.gather(*(kill(one) for one in both))
        await leases_run_out(office)
    await asyncio.gather(start(), start())
    states = await settled(office)
    found = await office.mails()
    seen = arrived(office)
    for row, state in zip(found, states, strict=True):
        times = seen[f"<{ticket.reference.lower()}.{'a' * 26}.{row.id}@desk.kz>"]
        # Dying twice over the same mail leaves it unknown, and the topic is told.
        assert 1 <= times <= 2 if state == "sent" else state == "unknown"
        assert times <= 1 + row.repeats
    assert len(await office.told()) == states.count("unknown")
    assert max(seen.values()) == 2

"""What people write, as raw updates, and when each of it stood in its topic: both by the stand-in's own clock."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.client import Sandbox

Json = dict[str, Any]

PERSON = 810_000_000
WORDS = "Добрый день! После ночных работ не открывается виртуальная машина, проверьте, пожалуйста, сеть. № {mark}"
# Looking at the stand-in costs it time, so it is asked rarely; the moments come from its journal.
LOOK_EVERY = 0.2


class Stuck(Exception):
    """What was expected did not come in time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One update: when the stand-in had it, and when its copy stood in the topic."""

    text: str
    came: float
    delivered: float


def update(person: int, message_id: int, text: str) -> Json:
    """A private message as Telegram hands it out, without its number."""
    who = {"id": PERSON + person, "first_name": f"Клиент {person}", "language_code": "ru"}
    return {
        "message": {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": {"id": PERSON + person, "type": "private", "first_name": who["first_name"]},
            "from": {**who, "is_bot": False},
            "text": text,
        }
    }


def first_words(people: range, name: str) -> list[Json]:
    """One message from each person."""
    return [update(person, 1, WORDS.format(mark=f"{name}-{person}")) for person in people]


def more_words(people: range, count: int, name: str, first_id: int) -> list[Json]:
    """`count` messages altogether, the people taking turns; `first_id` keeps clear of what stands in the chats."""
    made = []
    for number in range(count):
        turn, place = divmod(number, len(people))
        made.append(update(people[place], first_id + turn, WORDS.format(mark=f"{name}-{number}")))
    return made


class Watch:
    """Counts copies in the group's topics from the moment it is made."""

    def __init__(self, sandbox: Sandbox, bot: int, group: int) -> None:
        self._sandbox = sandbox
        self._bot = bot
        self._group = group
        self._seen = 0
        self._wanted: set[str] = set()
        self._delivered: dict[str, float] = {}
        self.repeats = 0

    async def start(self) -> None:
        self._seen = await self._sandbox.last_call()

    async def burst(self, updates: Sequence[Json], timeout: float) -> list[Delivery]:
        """All at once: nothing can be handed out before everything is there."""
        known = await self._last_update()
        await self._sandbox.load(self._bot, updates)
        return await self._all(updates, known, timeout)

    async def steady(self, updates: Sequence[Json], per_second: float, timeout: float) -> list[Delivery]:
        """One after the other, evenly, whatever the desk does meanwhile."""
        known = await self._last_update()
        start = time.monotonic()
        for number, one in enumerate(updates):
            await asyncio.sleep(max(start + number / per_second - time.monotonic(), 0))
            await self._sandbox.load(self._bot, [one])
        return await self._all(updates, known, timeout)

    async def _all(self, updates: Sequence[Json], known: int, timeout: float) -> list[Delivery]:
        wanted = self._wanted = {one["message"]["text"] for one in updates}
        deadline = time.monotonic() + timeout
        while missing := wanted - self._delivered.keys():
            if time.monotonic() > deadline:
                raise Stuck(f"{len(missing)} of {len(wanted)} updates were not delivered within {timeout:.0f} s")
            await asyncio.sleep(LOOK_EVERY)
            await self._look()
        came = {}
        for entry in await self._sandbox.updates(self._bot, after=known):
            said = entry["update"].get("message", {}).get("text")
            if said in wanted:
                came[said] = entry["at"]
        return [Delivery(said, came[said], self._delivered[said]) for said in wanted]

    async def _look(self) -> None:
        calls = await self._sandbox.calls(after=self._seen, method="sendMessage", chat=self._group)
        for call in calls:
            self._seen = call["n"]
            said = call["params"].get("text")
            if call["ok"] and said in self._wanted:
                self.repeats += said in self._delivered
                self._delivered.setdefault(said, call["at"])

    async def _last_update(self) -> int:
        found = await self._sandbox.call("GET", "/updates", bot=self._bot, after=2**60)
        return int(found["last"])


def per_second(deliveries: Sequence[Delivery]) -> float:
    """From the moment everything was there to the last copy."""
    begin = max(one.came for one in deliveries)
    return len(deliveries) / (max(one.delivered for one in deliveries) - begin)


def percentile(deliveries: Sequence[Delivery], share: float) -> float:
    """Milliseconds from arrival to copy that this share of the updates kept (nearest rank)."""
    waits = sorted((one.delivered - one.came) * 1000 for one in deliveries)
    return waits[min(int(share * len(waits)), len(waits) - 1)]

"""People whose every word is remembered, so that a checker can ask for it afterwards."""

import itertools
import json
from typing import Literal

from tests.e2e.ledger import Evidence, Said, check
from tests.e2e.world import Case, Json, World

_TICKETS = """
    select t.id, t.reference, t.thread_id, cast(i.address as bigint) as chat from ticket t
    join identity i on i.person_id = t.requester_id order by t.id
"""
_MESSAGES = "select id, ticket_id, author_kind, content ->> 'text' as words from message order by id"
_OUTBOX = """
    select o.id, o.kind, o.state, o.repeats, o.ticket_id, m.content ->> 'text' as words from outbox o
    left join message m on m.id = o.message_id
    where not (o.state = 'queued' and o.kind in ('board', 'card')) order by o.id
"""


class Crowd:
    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[Said] = []
        self.expected: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.replayed: set[str] = set()
        self._numbers = itertools.count(1)

    def words(self, text: str) -> str:
        """The text with a number that nothing else bears."""
        return f"{text} №{next(self._numbers):05}."

    async def newcomer(self) -> int:
        customer = await self.world.customer()
        self.expected[customer] = 0
        return customer

    async def asks(self, customer: int, text: str = "a request", opens: bool = False) -> Json:
        words = self.words(text)
        self.said.append(Said(words, "customer", customer))
        self.expected[customer] += opens
        return await self.world.sandbox.say(customer, self.world.bot, words)

    async def case(self) -> Case:
        """A request that stands, with nothing left to do."""
        customer = await self.newcomer()
        words = self.words("an old request")
        self.said.append(Said(words, "customer", customer))
        self.expected[customer] = 1
        case = await self.world.case(words, customer)
        await self.world.settled()
        return case

    async def says(self, case: Case, by: Literal["engineer", "note"] = "engineer") -> Json:
        words = self.words("an answer" if by == "engineer" else "a note")
        self.said.append(Said(words, by, case.customer))
        place = case.reply if by == "engineer" else {"thread": case.thread}
        return await self.world.sandbox.say(self.world.engineer, self.world.group, words, **place)

    async def takes(self, case: Case) -> None:
        """The engineer presses the button."""
        (ticket,) = await self.world.fetch("select id from ticket where thread_id = $1", case.thread)
        await self.world.press_card(self.world.engineer, case.thread, "Take")
        self.taken[ticket["id"]] = self.taken.get(ticket["id"], 0) + 1

    async def replays(self) -> int:
        """Somebody looks at what was put aside and takes it back into work; gives how much that was."""
        rows = await self.world.fetch("select id, payload from inbox where state = 'quarantined' order by id")
        for row in rows:
            self.replayed.add(json.loads(row["payload"]).get("message", {}).get("text", ""))
            await self.world.command("inbox", "retry", str(row["id"]))
        await self.world.settled(timeout=60)
        return len(rows)

    async def complaints(self) -> list[str]:
        """What the checker finds, once everything has settled."""
        world = self.world
        fetched = [await world.fetch(q) for q in (_TICKETS, _MESSAGES, _OUTBOX)]
        evidence = Evidence(
            said=self.said,
            tickets=fetched[0],
            messages=fetched[1],
            outbox=fetched[2],
            inbox=await world.fetch("select external_key, state from inbox"),
            events=await world.fetch("select ticket_id, kind from ticket_event"),
            updates=await world.sandbox.updates(world.bot),
            calls=await world.sandbox.calls(),
            group=world.group,
            expected=self.expected,
            taken=self.taken,
            replayed=self.replayed,
        )
        return check(evidence)

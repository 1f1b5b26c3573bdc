"""A ticket in its topic whose customer has machines in the cloud, and a cloud that counts what is done to it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import callbacks as press
from crm.db import transaction
from crm.people import organizations
from crm.wake import Waker
from provider.port import Cloud, LogEntry, Unknown
from scheduler.hands import Hands, Place
from tests.factories import DESK, ENGINEER, LEAD, NOW, PROFILE, Group, Json, forum, in_group, one, pressed
from tests.integration.conftest import Reception
from tests.integration.mirrored import Heaven, server, swept

OTHER_LEAD = 911


@dataclass
class Earth(Heaven):
    """Does power actions at once, unless `mute`: then it takes them and never answers."""

    acted: list[tuple[str, str]] = field(default_factory=list)
    mute: bool = False

    async def act(self, server_id: str, act: str) -> str | None:
        self.acted.append((server_id, act))
        if self.mute:
            raise Unknown("no answer within 10 s")
        status = "SHUTOFF" if act == "stop" else "ACTIVE"
        self.all[server_id] = replace(self.all[server_id], status=status, locked=False)
        entry = LogEntry(f"req-{len(self.acted)}", act, NOW, NOW, True)
        self.logs[server_id] = [entry, *self.logs.get(server_id, [])]
        return entry.id


@dataclass
class Bench:
    """`ours` is the customer's organization, with two machines; `foreign` the row of somebody else's."""

    reception: Reception
    engine: AsyncEngine
    group: Group
    cloud: Earth
    ours: int
    foreign: int

    def said(self, words: str, sender: int = ENGINEER, **more: Any) -> Json:
        return in_group(words, sender, thread=self.group.thread, **more)

    async def says(self, words: str, sender: int = ENGINEER, **more: Any) -> str:
        return await self.reception.did(self.said(words, sender, **more))

    def press(self, data: Any, sender: int = ENGINEER) -> Json:
        return pressed(data.pack(), sender, forum(), number=4242, thread=self.group.thread)

    async def presses(self, action: str, sender: int = ENGINEER, number: int | None = None) -> str:
        """A button at the only action, or at that one."""
        chosen = number if number is not None else (await self.action()).id
        return await self.reception.did(self.press(press.Act(action=action, id=chosen), sender))

    async def wants(self, action: str, vm_id: int, sender: int = ENGINEER) -> str:
        data = press.Machine(action=action, ticket=self.group.ticket.id, id=vm_id)
        return await self.reception.did(self.press(data, sender))

    async def actions(self) -> list[Any]:
        return await self.reception.fetch("select * from cloud_action order by id")

    async def action(self) -> Any:
        [found] = await self.actions()
        return found

    async def vm(self, name: str = "web-1") -> int:
        [row] = await self.reception.fetch("select id from vm where name = :name", name=name)
        return int(row.id)

    async def notices(self, to: str) -> list[str]:
        found = await self.reception.fetch(
            """select payload ->> 'notice' as notice from outbox
               where kind = 'say' and payload ->> 'to' = :to and payload ->> 'notice' ~ '^(action|secret)_'
               order by id""",
            to=to,
        )
        return [row.notice for row in found]

    async def hints(self) -> list[str]:
        return [call["text"] for call in await self.reception.calls("sendMessage")]

    async def alerts(self) -> list[str]:
        """What was said on pressed buttons."""
        return [call["text"] for call in await self.reception.calls("answerCallbackQuery") if "text" in call]

    async def carried_out(self, seconds: int = 60) -> None:
        """Whatever is approved is carried out, step by step, until nothing is due for that long."""
        place = Place(PROFILE, cast(Cloud, self.cloud))
        hands = Hands(place, self.reception.sessions, Waker(self.engine), self.reception.clock)
        for _ in range(seconds):
            while steps := await hands.claim(8):
                for step in steps:
                    await hands.make(step)
            self.reception.clock.move(seconds=1)

    async def tampered(self, change: str) -> None:
        """By somebody who owns the database."""
        async with transaction(self.reception.sessions) as session:
            await session.rows("alter table cloud_action disable trigger keep_cloud_action")
            await session.rows(f"update cloud_action set {change}")
            await session.rows("alter table cloud_action enable trigger keep_cloud_action")

    async def run(self, statement: str) -> None:
        async with transaction(self.reception.sessions) as session:
            await session.rows(statement)


@pytest.fixture
async def bench(reception: Reception, engine: AsyncEngine) -> Bench:
    """An engineer, two leads, a customer with a cabinet, and somebody else with another."""
    await reception.agent(ENGINEER)
    await reception.agent(LEAD, "lead")
    await reception.agent(OTHER_LEAD, "lead")
    group = await reception.topic("web-1 завис")
    cloud = Earth()
    cloud.add(server(1), server(2, status="SHUTOFF"), server(9, "p9"))
    await swept(reception.sessions, cloud, NOW - timedelta(minutes=1))
    async with transaction(reception.sessions) as session:
        ours = await organizations.add(session, DESK, "АО Ромашка", NOW)
        theirs = await organizations.add(session, DESK, "АО Лотос", NOW)
        own = await one(session, "select requester_id from ticket")
        contact = await organizations.bind(session, ours, own.requester_id, NOW)
        contact.rights = ["request", "power", "money"]
        await session.flush()
        for made, project in ((ours, "p1"), (theirs, "p9")):
            await session.rows("update cloud_project set organization_id = $1 where project_id = $2", made.id, project)
        await session.rows("update ticket set organization_id = $1, request_type = 'vm'", ours.id)
        foreign = await one(session, "select id from vm where server_id = 's9'")
    # Whose cabinets they are is known: now their quotas and logins are asked for.
    await swept(reception.sessions, cloud, NOW)
    return Bench(reception, engine, group, cloud, ours.id, foreign.id)

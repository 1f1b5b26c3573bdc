"""The cloud that scenarios play on: the sandbox's, or with KEZEKSHI_TEST_CLOUD=openstack a genuine one."""

import contextlib
import importlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from crm.cloud import cabinets
from crm.cloud.rules import RIGHTS
from crm.db import Sessions, make_engine, transaction
from crm.people import organizations
from crm.texts import texts
from crm.time import utcnow
from provider.port import Cloud
from sandbox.client import find_button
from tests.conformance.conftest import NAME
from tests.conformance.stage import Customer, Stage
from tests.e2e.processes import free_port
from tests.e2e.world import TEAM, Json, World
from tests.factories import DESK

# A genuine cloud on two cores takes its time.
PATIENCE = 120 if NAME != "sandbox" else 30
ORGANIZATION = "Шаңырақ ЖШС"


@dataclass
class Field:
    """A cloud with a customer in it, and the desk that has hands on it."""

    world: World
    stage: Stage
    person: int = 0
    opened: list[str] = field(default_factory=list)

    @property
    def cloud(self) -> Cloud:
        return self.stage.cloud

    @property
    def customer(self) -> Customer:
        return self.stage.anna

    # --- as the customer ------------------------------------------------------------------------------------------

    async def begins(self, kind: str) -> None:
        """«New request», and the type: two taps."""
        await self.world.sandbox.say(self.person, self.world.bot, "New request")
        await self.tap(kind)

    async def tap(self, label: str, who: int = 0, chat: int = 0) -> Json:
        """Press the newest button that begins like that, once it is there."""
        who, chat = who or self.person, chat or self.world.bot
        message, button = await self._button(label, who, chat)
        await self.world.sandbox.press(who, chat, message["message_id"], button)
        return message

    async def _button(self, label: str, who: int, chat: int) -> tuple[Json, Any]:
        async def look() -> tuple[Json, Any] | None:
            for message in reversed(await self.world.messages(chat, who)):
                rows = message.get("reply_markup", {}).get("inline_keyboard", [])
                if any(button["text"].startswith(label) for row in rows for button in row):
                    full = next(b["text"] for row in rows for b in row if b["text"].startswith(label))
                    return message, find_button(message, full)
            return None

        found: tuple[Json, Any] = await self.world.until(look, f"a button {label!r}")
        return found

    async def hears(self, *words: str) -> Json:
        return await self.world.in_chat(self.person, *words, timeout=PATIENCE)

    # --- as the engineers -----------------------------------------------------------------------------------------

    async def approve(self) -> None:
        """The lead presses in the topic."""
        await self.team("Approve")

    async def team(self, label: str) -> None:
        """The lead presses a button in the group, by its English name."""
        await self.tap(texts(TEAM)(label), self.world.lead, self.world.group)

    # --- as whoever looks ------------------------------------------------------------------------------------------

    async def action(self) -> Json:
        """The newest one, once it has ended, one way or another."""

        async def look() -> Json | None:
            found = await self.world.fetch("select * from cloud_action order by id desc limit 1")
            ended = found and found[0]["state"] not in ("planned", "approved", "running")
            return dict(found[0]) if ended else None

        made: Json = await self.world.until(look, "the action to end", PATIENCE)
        return made

    async def resolved(self) -> None:
        """The newest ticket has resolved itself."""

        async def look() -> bool:
            found = await self.world.fetch("select status from ticket order by id desc limit 1")
            return bool(found) and found[0]["status"] == "resolved"

        await self.world.until(look, "the ticket to be resolved", PATIENCE)


@contextlib.asynccontextmanager
async def playing(world: World) -> AsyncIterator[Field]:
    """The desk with its cloud; a customer who is an authorised contact, and a mirror that has seen the machines."""
    module = importlib.import_module(f"tests.conformance.{NAME}_stage")
    async with module.stage() as stage:
        made = Field(world, stage)
        port = free_port()
        world.env |= {"PRODATA_CLOUD": where(stage), "WEB_PORT": str(port), "PAGES_URL": f"http://127.0.0.1:{port}"}
        if NAME == "openstack":
            world.env["OS_CLIENT_CONFIG_FILE"] = f"{module.ROOT}/clouds.yaml"
        made.person = await world.customer()
        await sign(world, made)
        await world.ready()
        await seen(made)
        try:
            yield made
        finally:
            await tidy(made)


def where(stage: Any) -> str:
    return os.environ.get("KEZEKSHI_TEST_ENTRY", "desk") if NAME == "openstack" else stage.address


async def sign(world: World, made: Field) -> None:
    """The organization, its cabinet and its contact, as an administrator enters them."""
    engine = make_engine(world.database, size=1)
    async with transaction(Sessions(engine)) as session:
        organization = await organizations.add(session, DESK, ORGANIZATION, utcnow())
        await cabinets.bind(session, organization, made.customer.project)
        contact = await organizations.add_contact(session, organization, "Emma", utcnow(), telegram_id=made.person)
        await cabinets.allow(session, DESK, contact.id, RIGHTS)
    await engine.dispose()


async def seen(made: Field) -> None:
    """The mirror has the customer's machines, quotas and logins."""

    async def look() -> bool:
        found = await made.world.fetch(
            """select (select count(*) from vm where project_id = $1 and deleted_at is null) as machines,
                      (select count(*) from cloud_quota where project_id = $1) as quotas,
                      (select users from cloud_project where project_id = $1)::text as users""",
            made.customer.project,
        )
        return found[0]["machines"] >= 3 and found[0]["quotas"] > 0 and found[0]["users"] not in (None, "{}")

    await made.world.until(look, "the mirror to be filled", PATIENCE)


async def tidy(made: Field) -> None:
    """A genuine cloud lives on."""
    if NAME == "sandbox":
        return
    await made.stage.unlink(made.customer.project)
    await made.cloud.set_password(made.customer.user, made.customer.password)
    for project in made.opened:
        await made.stage.erase(project)

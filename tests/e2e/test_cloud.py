"""Each request from the bot to the changed cloud: taps in, and the cloud asked what has become of it."""

import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from provider.port import Refused
from tests.conformance.conftest import NAME
from tests.e2e.clouds import PATIENCE, Field, playing
from tests.e2e.world import World, said

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def field(world: World) -> AsyncIterator[Field]:
    async with playing(world) as made:
        yield made


async def test_a_reboot_takes_four_taps_and_nobody_else(field: Field) -> None:
    server = field.customer.servers["web-1"]
    before = {entry.id for entry in await field.cloud.log(server, 10)}
    await field.begins("Reboot or unlock a VM")
    await field.tap("web-1")
    await field.tap("Reboot now")
    await field.hears("Accepted: PD-")
    await field.hears("is running", "is being done")
    done = await field.hears("runs since")
    action = await field.action()
    fresh = [entry for entry in await field.cloud.log(server, 10) if entry.id not in before]
    assert (action["state"], action["approved_by_kind"], action["attempts"]) == ("succeeded", "requester", 1)
    assert [entry.action for entry in fresh] == ["reboot"]
    assert (await field.cloud.server(server)).status == "ACTIVE"
    await field.resolved()
    await field.world.press(field.person, field.world.bot, done, "Solved, thank you")
    await field.hears("is closed. Thank you!")


async def test_off_and_on_again(field: Field) -> None:
    server = field.customer.servers["db-1"]
    await field.begins("Reboot or unlock a VM")
    await field.tap("db-1")
    await field.tap("Switch off")
    await field.tap("Switch off now")
    await field.hears("is switched off", "is off")
    assert (await field.action())["state"] == "succeeded"
    assert (await field.cloud.server(server)).status == "SHUTOFF"
    await field.begins("Reboot or unlock a VM")
    await field.tap("db-1")
    await field.tap("Switch on")
    await field.hears("runs since")
    assert (await field.cloud.server(server)).status == "ACTIVE"


async def test_unlocked(field: Field) -> None:
    server = field.customer.servers["web-2"]
    await field.stage.lock(server)

    async def locked() -> bool:
        return bool(await field.world.fetch("select 1 from vm where server_id = $1 and locked", server))

    await field.world.until(locked, "the mirror to see the lock", PATIENCE + 60)
    await field.begins("Reboot or unlock a VM")
    await field.tap("web-2")
    await field.tap("Unlock")
    await field.hears("is unlocked")
    assert not (await field.cloud.server(server)).locked


async def test_a_quota_is_raised_by_four_eyes(field: Field) -> None:
    before = (await field.cloud.quotas(field.customer.project))["instances"].limit
    try:
        await field.begins("Raise quotas")
        await field.tap("Machines")
        await field.tap("Another number")
        await field.world.sandbox.say(field.person, field.world.bot, str(before + 2))
        await field.tap("Ask for it")
        await field.hears("is registered")
        assert (await field.cloud.quotas(field.customer.project))["instances"].limit == before
        await field.approve()
        await field.hears("Done")
        assert (await field.cloud.quotas(field.customer.project))["instances"].limit == before + 2
        await field.resolved()
    finally:
        await field.cloud.set_quotas(field.customer.project, {"instances": before})


async def test_a_password_is_read_once_and_works(field: Field) -> None:
    await field.begins("The cabinet's password")
    await field.tap("Make a new password")
    message = await field.hears("/secret/")
    url = re.search(r"http://\S+/secret/[\w-]+", said(message) + str(message.get("reply_markup", "")))
    assert url is not None
    async with aiohttp.ClientSession() as browser:
        async with browser.get(url[0]) as shown:
            looked = await shown.text()
        async with browser.post(url[0], headers={"Sec-Fetch-Site": "same-origin"}) as opened:
            page = await opened.text()
        async with browser.post(url[0], headers={"Sec-Fetch-Site": "same-origin"}) as again:
            late = await again.text()
    found = re.search(r"\b\w{6}-\w{6}-\w{6}\b", page)
    assert found is not None, page
    assert found[0] not in looked + late
    assert await field.cloud.can_log_in(field.customer.user, found[0])
    everything = await field.world.fetch(
        "select payload::text as row from outbox union all select data::text from ticket_event"
    )
    assert not any(found[0] in row["row"] for row in everything)


async def test_two_zones_are_linked(field: Field) -> None:
    first, second = field.stage.zones
    await field.begins("Link two availability zones")
    await field.hears(f"Link the zones {first} and {second}")
    await field.tap("Ask for it")
    await field.hears("is registered")
    await field.approve()
    await field.hears("Done")
    [link] = await field.cloud.links(field.customer.project)
    assert (set(link.zones), link.active) == ({first, second}, True)
    await field.resolved()


async def test_a_cabinet_is_opened_with_its_quotas_and_a_password(field: Field) -> None:
    """By somebody who has none."""
    field.person = await field.world.customer("Olga")
    await field.begins("Open a cabinet")
    await field.hears("For whom?")
    await field.world.sandbox.say(field.person, field.world.bot, "Бәйтерек")
    await field.hears("phone")
    await field.world.sandbox.say(field.person, field.world.bot, "+7 701 123 45 67")
    await field.tap("Open the cabinet")
    await field.hears("is registered")
    await field.approve()
    await field.hears("/secret/")
    made = json.loads((await field.action())["observed"])
    field.opened.append(made["project"])
    quotas = await field.cloud.quotas(made["project"])
    assert (quotas["instances"].limit, quotas["vcpus"].limit) == (5, 10)
    [user] = await field.cloud.users(made["project"])
    assert user.id == made["user"]
    await field.resolved()


async def test_a_dead_host_ends_as_unknown_and_reaches_a_person(field: Field) -> None:
    """Accepted, never finished: at the deadline it is read back, and an engineer decides."""
    server = field.customer.servers["web-1"]
    async with field.stage.dead_host(field.stage.zones[0]):
        await field.begins("Reboot or unlock a VM")
        await field.tap("web-1")
        await field.tap("Reboot now")

        async def accepted() -> bool:
            return bool(await field.world.fetch("select 1 from cloud_action where phase = 'accepted'"))

        await field.world.until(accepted, "the reboot to be accepted", PATIENCE)
        await field.world.fetch("update cloud_action set deadline_at = now() + interval '5 seconds'")
        await field.hears("do not know", "finding out")
        action = await field.action()
        assert (action["state"], action["reason"], action["attempts"]) == ("unknown", "deadline", 1)
        assert len([entry for entry in await field.cloud.log(server, 10) if entry.succeeded is None]) >= 1
    await field.team("It was not done")

    async def decided() -> bool:
        found = await field.world.fetch("select state, decided_by_name from cloud_action")
        return bool(found[0]["state"] == "failed" and found[0]["decided_by_name"])

    await field.world.until(decided, "the decision")


async def test_a_server_of_somebody_else_is_not_touched(field: Field) -> None:
    server = await field.cloud.server(field.stage.boris.servers["shop-1"])
    with pytest.raises(Refused):
        await field.cloud.server("00000000-0000-0000-0000-000000000000")
    await field.begins("Reboot or unlock a VM")
    message = await field.tap("web-1")
    rows = message["reply_markup"]["inline_keyboard"]
    assert not any("shop-1" in button["text"] for row in rows for button in row)
    assert (await field.cloud.server(server.id)).updated_at == server.updated_at


async def test_a_trial_begins_with_its_first_launch_and_ends_as_paid_use(field: Field) -> None:
    """Asked for in the bot, granted in the topic; what the cloud shows decides when it begins and how it ends."""
    field.person = await field.world.customer("Olga")
    await field.begins("Try it free of charge")
    await field.hears("For whom?")
    await field.world.sandbox.say(field.person, field.world.bot, "Бәйтерек")
    await field.hears("phone")
    await field.world.sandbox.say(field.person, field.world.bot, "+7 701 123 45 67")
    await field.tap("Ask for the trial")
    await field.hears("the trial is asked for")
    await field.team("Grant the trial")
    await field.hears("/secret/")
    made = json.loads((await field.action())["observed"])
    field.opened.append(made["project"])
    quotas = await field.cloud.quotas(made["project"])
    assert (quotas["instances"].limit, quotas["vcpus"].limit) == (2, 4), "the limits of the agreement's trial"
    if NAME != "sandbox":
        # There its first server would need a network of the customer's own making.
        return
    await field.stage.boot(made["project"], "shop-1", field.stage.zones[0])
    await field.world.in_chat(field.person, "your trial has begun", timeout=PATIENCE + 60)
    [trial] = await field.world.fetch("select state, ends_at - launched_at as lasts from trial")
    assert (trial["state"], trial["lasts"].days) == ("running", 3)
    await field.world.fetch("update trial set ends_at = now(), next_at = now()")
    await field.world.in_chat(field.person, "paid use has begun", timeout=PATIENCE + 60)
    [bill] = await field.world.fetch("select subject, channel from ticket where queue = 'billing'")
    assert "Бәйтерек" in bill["subject"]

"""The page's cloud in a real browser; the desk's own adapter acts on it, as the desk would."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from provider.port import Refused, Unknown
from provider.sandbox import SandboxCloud
from sandbox.cloudclient import CloudSide
from tests.e2e.page import Desk, customer_side, engineers_side, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALMATY, ASTANA = "almaty-1", "astana-1"
# Longer than any test waits: what is under way stays so until the test lets it end.
NEVER = 600.0


@dataclass
class Sky:
    """A cabinet with two servers, its control, and the desk's adapter."""

    side: CloudSide
    cloud: SandboxCloud
    project: str
    web: str
    db: str


@pytest_asyncio.fixture(loop_scope="module")
async def sky(desk: Desk) -> AsyncIterator[Sky]:
    side = desk.sandbox.cloud
    await side.pace(delay=0.05)
    project = await side.add_project("Айгерім ЖК", limits={"instances": 3})
    web = await side.add_server(project, "web-1", ALMATY)
    db = await side.add_server(project, "db-1", ASTANA, locked=True)
    cloud = SandboxCloud(side.address, timeout=5)
    yield Sky(side, cloud, project, web, db)
    await cloud.close()


def pane(page: Page) -> Locator:
    return page.get_by_test_id("pane-cloud")


def vm(page: Page, server: str) -> Locator:
    return page.locator(f'[data-testid="vm"][data-server="{server}"]')


def state(page: Page, server: str) -> Locator:
    return vm(page, server).get_by_test_id("vm-state")


async def test_what_the_desk_does_is_seen_as_it_happens(desk: Desk, sky: Sky, browser: Browser) -> None:
    await sky.side.pace(delay=NEVER)
    async with opened(browser, desk.sandbox.url) as page:
        await page.get_by_test_id("side-cloud").click()
        await expect(customer_side(page)).to_be_hidden()
        await expect(state(page, sky.web)).to_have_text("running")
        await expect(vm(page, sky.web)).to_contain_text(ALMATY)
        await expect(vm(page, sky.db).get_by_role("img", name="Locked")).to_be_visible()
        await sky.cloud.act(sky.web, "reboot")
        await expect(state(page, sky.web)).to_have_text("rebooting")
        await expect(state(page, sky.web).locator(".ring")).to_be_visible()
        await sky.cloud.act(sky.db, "unlock")
        await expect(vm(page, sky.db).get_by_role("img", name="Locked")).to_have_count(0)
        await sky.side.pace(delay=0)
        await sky.cloud.act(sky.web, "reboot")
        await expect(state(page, sky.web)).to_have_text("running")


async def test_quotas_are_bars_that_follow(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        quota = page.get_by_test_id("quota-instances")
        await expect(quota).to_contain_text("2 / 3")
        await sky.cloud.set_quotas(sky.project, {"instances": 2, "ram": -1})
        await expect(quota).to_contain_text("2 / 2")
        await expect(quota.locator(".full")).to_have_count(1)
        await expect(page.get_by_test_id("quota-ram")).to_contain_text("8 GiB / ∞")


async def test_a_server_is_launched_and_deleted_by_hand(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud", but="status of 400") as page:
        await page.get_by_test_id("cloud-launch").click()
        await page.get_by_test_id("launch-name").fill("<b>жаңа</b>")
        await page.get_by_test_id("launch-zone").select_option(ASTANA)
        await page.get_by_test_id("launch-go").click()
        made = page.get_by_test_id("vm").filter(has_text="<b>жаңа</b>")
        await expect(made).to_contain_text("running")
        assert [one.zone for one in await sky.cloud.servers() if one.name == "<b>жаңа</b>"] == [ASTANA]

        await page.get_by_test_id("cloud-launch").click()
        await page.get_by_test_id("launch-go").click()
        await expect(page.get_by_test_id("toast")).to_contain_text("quota of instances exceeded")
        await page.get_by_role("button", name="Close").click()

        await made.get_by_test_id("vm-more").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await page.get_by_role("button", name="Delete", exact=True).click()
        await expect(made).to_have_count(0)
        assert {one.id for one in await sky.cloud.servers()} == {sky.web, sky.db}


async def test_the_next_action_goes_wrong_as_chosen_and_once(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        for choice, error, done in (("Refused", Refused, 0), ("Cut, but done", Unknown, 1)):
            await vm(page, sky.web).get_by_test_id("vm-faults").click()
            await page.get_by_role("menuitem", name=choice).click()
            await expect(vm(page, sky.web).get_by_test_id("vm-armed")).to_be_visible()
            await sky.cloud.act(sky.db, "unlock")
            with pytest.raises(error):
                await sky.cloud.act(sky.web, "reboot")
            await expect(vm(page, sky.web).get_by_test_id("vm-armed")).to_have_count(0)
            assert (await sky.side.done(sky.web))["reboot"] == done
        await vm(page, sky.web).get_by_test_id("vm-faults").click()
        await page.get_by_role("menuitem", name="Refused").click()
        await vm(page, sky.web).get_by_test_id("vm-faults").click()
        await page.get_by_role("menuitem", name="Take the fault back").click()
        await expect(vm(page, sky.web).get_by_test_id("vm-armed")).to_have_count(0)
        assert await sky.side.faults() == []


async def test_what_is_stuck_or_broken_is_healed(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        badge = page.get_by_test_id("side-cloud").locator(".badge")
        await expect(badge).to_be_hidden()
        await vm(page, sky.web).get_by_test_id("vm-faults").click()
        await page.get_by_role("menuitem", name="Gets stuck").click()
        await expect(vm(page, sky.web).get_by_test_id("vm-armed")).to_be_visible()
        await sky.cloud.act(sky.web, "reboot")
        await expect(state(page, sky.web)).to_have_text("rebooting · stuck")
        await vm(page, sky.db).get_by_test_id("vm-more").click()
        await page.get_by_role("menuitem", name="Break").click()
        await expect(state(page, sky.db)).to_have_text("error")
        await expect(badge).to_have_text("2")
        for server in (sky.web, sky.db):
            await vm(page, server).get_by_test_id("vm-heal").click()
            await expect(state(page, server)).to_have_text("running")
        await expect(badge).to_be_hidden()


async def test_a_dead_host_is_killed_and_revived(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        await vm(page, sky.web).get_by_test_id("vm-more").click()
        await page.get_by_role("menuitem", name="Kill the host almaty-1-a").click()
        await vm(page, sky.web).get_by_test_id("vm-more").click()
        await expect(page.get_by_role("menuitem", name="Revive the host almaty-1-a")).to_be_visible()
        await page.keyboard.press("Escape")
        await sky.cloud.act(sky.web, "stop")
        await expect(state(page, sky.web)).to_have_text("stopping · stuck")
        await vm(page, sky.web).get_by_test_id("vm-heal").click()
        await expect(state(page, sky.web)).to_have_text("off")


async def test_each_customer_has_a_cabinet(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        which = page.get_by_test_id("which-cabinet")
        await expect(which.locator("option")).to_have_text(["Айгерім ЖК"])
        await sky.side.add_project("Altyn")
        await expect(which.locator("option")).to_have_text(["Айгерім ЖК", "Altyn"])
        await which.select_option(index=1)
        await expect(page.get_by_text("No servers here yet")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("No servers here yet")).to_be_visible()


async def test_a_phone_shows_the_cloud_as_a_tab(desk: Desk, sky: Sky, browser: Browser) -> None:
    await sky.side.fault("drop", server=sky.db)
    await sky.side.act(sky.db, "ERROR")
    await sky.side.add_server(sky.project, "a-name-that-no-phone-has-the-room-to-show" * 2, ASTANA)
    async with opened(browser, desk.sandbox.url, 360, 640) as page:
        await expect(pane(page)).to_be_hidden()
        await expect(page.get_by_test_id("tab-cloud")).to_contain_text("1")
        await page.get_by_test_id("tab-cloud").click()
        for side in (customer_side(page), engineers_side(page)):
            await expect(side).to_be_hidden()
        await expect(page.get_by_test_id("vm")).to_have_count(3)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for button in await page.get_by_test_id("vm").get_by_role("button").all():
            box = await button.bounding_box()
            assert box is not None
            assert (box["width"] >= 44, box["height"] >= 44, box["x"] + box["width"] <= 360) == (True, True, True)


async def test_a_wide_screen_shows_chat_and_cabinet_or_mailbox(desk: Desk, sky: Sky, browser: Browser) -> None:
    async with opened(browser, desk.sandbox.url, 1700, 900) as page:
        for side in (customer_side(page), pane(page), engineers_side(page)):
            await expect(side).to_be_visible()
        await expect(page.get_by_test_id("side-cloud")).to_be_hidden()
        await desk.sandbox.mail.add_account("support@prodata.example", "ProData", desk=True)
        await desk.sandbox.mail.add_account("aigerim@kaspiy.example", "Айгерім", language="kk")
        mail = page.get_by_test_id("pane-mail")
        await expect(mail).to_be_visible()
        await expect(pane(page)).to_be_hidden()
        await page.get_by_test_id("side-cloud").click()
        await expect(pane(page)).to_be_visible()
        await expect(mail).to_be_hidden()
        await expect(customer_side(page)).to_be_visible()


async def test_without_a_cloud_the_page_is_as_it_was(desk: Desk, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=cloud") as page:
        await expect(customer_side(page)).to_be_visible()
        await expect(pane(page)).to_be_hidden()
        await expect(page.get_by_test_id("side-cloud")).to_be_hidden()
        await page.set_viewport_size({"width": 360, "height": 640})
        await expect(page.get_by_test_id("tab-customer")).to_be_visible()
        await expect(page.get_by_test_id("tab-cloud")).to_be_hidden()


async def test_the_page_has_each_of_its_words_in_three_languages(url: str, browser: Browser) -> None:
    async with opened(browser, url) as page:
        keys = await page.evaluate(
            """async () => Object.fromEntries(await Promise.all(["kk", "ru", "en"].map(async (tag) => {
                const words = (await import(`/page/texts/${tag}.js`)).default;
                const deep = (part) => Object.entries(part).flatMap(([key, value]) =>
                    value && Object.getPrototypeOf(value) === Object.prototype ? deep(value).map((k) => `${key}.${k}`)
                    : [key]);
                return [tag, deep(words).sort()];
            })))"""
        )
    assert json.dumps(keys["kk"]) == json.dumps(keys["ru"]) == json.dumps(keys["en"])

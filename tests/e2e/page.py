"""What the tests of the page share: the sandbox alone, a real browser, a small world in which they play the bot."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright

from sandbox.client import Sandbox

Json = dict[str, Any]

TOKEN = "4242:page"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Desk:
    """A small world: one bot, one customer, one group with an engineer and a topic."""

    sandbox: Sandbox
    bot: int
    customer: int
    engineer: int
    group: int
    thread: int = 0
    offset: int = 0

    async def call(self, method: str, **params: object) -> Any:
        """The bot does something."""
        async with self.sandbox.session.post(f"{self.sandbox.url}/bot{TOKEN}/{method}", json=params) as answer:
            data = await answer.json()
        assert data["ok"], data
        return data["result"]

    async def update(self, kind: str) -> Json:
        """The next update of that kind; what comes before it is passed over."""
        async with asyncio.timeout(10):
            while True:
                for update in await self.call("getUpdates", offset=self.offset, timeout=5):
                    self.offset = update["update_id"] + 1
                    if kind in update:
                        return cast(Json, update[kind])


# Server and browser are slow to start, so all tests of a module share them.
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand_in() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--port", "0", "--limits", "off"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    yield said.split()[-1]
    process.terminate()
    await process.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def url(stand_in: str) -> str:
    """The server with an empty world."""
    async with Sandbox(stand_in) as sandbox:
        await sandbox.reset()
    return stand_in


@pytest_asyncio.fixture(loop_scope="module")
async def desk(url: str) -> AsyncIterator[Desk]:
    async with Sandbox(url) as sandbox:
        bot = (await sandbox.add_bot(TOKEN))["id"]
        customer = (await sandbox.add_user("Айгерім", language_code="kk"))["id"]
        engineer = (await sandbox.add_user("Ольга", language_code="ru"))["id"]
        group = (await sandbox.add_group("Duty", engineer))["id"]
        await sandbox.add_member(group, bot=TOKEN)
        desk = Desk(sandbox, bot, customer, engineer, group)
        topic = await desk.call("createForumTopic", chat_id=group, name="PD-1042 · VPN")
        desk.thread = topic["message_thread_id"]
        await sandbox.say(customer, bot, "/start")
        desk.offset = (await desk.call("getUpdates"))[-1]["update_id"] + 1
        yield desk


@asynccontextmanager
async def opened(
    browser: Browser, url: str, width: int = 1280, height: int = 800, *, but: str = "WebSocket"
) -> AsyncIterator[Page]:
    """The page; whatever it complains of in the console fails the test, `but` for what is done to it on purpose."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce"
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.goto(url)
    yield page
    # A line cut on purpose is told by the browser itself.
    assert [text for text in complaints if but not in text and "ERR_" not in text] == []
    await context.close()


def customer_side(page: Page) -> Locator:
    return page.get_by_test_id("pane-customer")


def engineers_side(page: Page) -> Locator:
    return page.get_by_test_id("pane-engineers")


def message(side: Locator, message_id: int) -> Locator:
    return side.locator(f'[data-testid="message"][data-message-id="{message_id}"]')

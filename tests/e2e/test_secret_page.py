"""The page that shows a password once, in a real browser on a small phone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app import run
from app.settings import load
from crm.cloud import pages
from crm.cloud.pages import Secret
from crm.db import Sessions, transaction
from crm.time import utcnow
from crm.wake import Waker
from tests.e2e.page import CHROMIUM, QUIET
from tests.factories import DESK

PHONE = {"width": 360, "height": 640}
LOGIN, PASSWORD = "shanyraq-analytics@customers.prodata.kz", "kT7wQz-9hRtYp-mN4xVb"


@pytest.fixture
async def address(engine: AsyncEngine) -> AsyncIterator[str]:
    port = unused_port()
    address = f"http://127.0.0.1:{port}"
    settings = load(Path("absent.env"), {"WEB_PORT": str(port), "PAGES_URL": address})
    async with contextlib.AsyncExitStack() as stack:
        await run._start_web(run.House(settings, engine, Sessions(engine), Waker(engine)), stack)
        yield address


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield made
        await made.close()


@contextlib.asynccontextmanager
async def phone(browser: Browser, **more: object) -> AsyncIterator[tuple[BrowserContext, Page, list[str]]]:
    """What it complains of: scripts that fail, what the policy holds back."""
    context = await browser.new_context(viewport=PHONE, locale="kk-KZ", **more)  # type: ignore[arg-type]
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "404" not in line.text else None)
    yield context, page, complaints
    await context.close()


async def link(sessions: Sessions, address: str, language: str = "kk") -> str:
    async with transaction(sessions) as session:
        return pages.make(session, DESK, Secret(LOGIN, PASSWORD, address), language, None, utcnow())[0]


async def fits(page: Page) -> bool:
    """Nothing has to be moved sideways, and what is pressed is large enough for a thumb."""
    return bool(
        await page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth
               && [...document.querySelectorAll("button")].every(one => one.offsetHeight >= 44)"""
        )
    )


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_small_phone_it_is_shown_and_copied_once(
    browser: Browser, sessions: Sessions, address: str, language: str, scheme: str, tmp_path: Path
) -> None:
    url = await link(sessions, address, language)
    async with phone(browser, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"]) as (
        _,
        page,
        said,
    ):
        await page.goto(url)
        assert await fits(page)
        await page.screenshot(path=tmp_path / f"closed-{language}-{scheme}.png")
        await page.reload()
        await page.locator("form button").click()
        await expect(page.locator("#password")).to_have_text(PASSWORD)
        assert await fits(page)
        for name, value in (("login", LOGIN), ("password", PASSWORD)):
            button = page.locator(f"button[data-of={name}]")
            before = await button.inner_text()
            await button.click()
            await expect(button).not_to_have_text(before)
            assert await page.evaluate("navigator.clipboard.readText()") == value
        assert await fits(page)
        await page.screenshot(path=tmp_path / f"opened-{language}-{scheme}.png")
        await page.goto(url)
        await expect(page.locator("output")).to_have_count(0)
        await page.screenshot(path=tmp_path / f"gone-{language}-{scheme}.png")
        assert said == []


async def test_it_needs_no_script(browser: Browser, sessions: Sessions, address: str) -> None:
    async with phone(browser, java_script_enabled=False) as (_, page, _said):
        await page.goto(await link(sessions, address))
        await page.locator("form button").click()
        await expect(page.locator("#password")).to_have_text(PASSWORD)
        # A button that could do nothing is not there.
        await expect(page.locator("button:visible")).to_have_count(0)


async def test_a_form_of_another_site_opens_nothing(browser: Browser, sessions: Sessions, address: str) -> None:
    url = await link(sessions, address)
    async with phone(browser) as (_, page, _said):
        await page.set_content(f'<form method="post" action="{url}"><button>!</button></form>')
        async with page.expect_navigation():
            await page.locator("button").click()
        await expect(page.locator("h1")).to_be_visible()
        await expect(page.locator("output")).to_have_count(0)
        await page.goto(url)
        await page.locator("form button").click()
        await expect(page.locator("#password")).to_have_text(PASSWORD)


async def test_a_frame_of_another_site_shows_nothing(browser: Browser, sessions: Sessions, address: str) -> None:
    url = await link(sessions, address)
    async with phone(browser) as (_, page, said):
        await page.set_content(f'<iframe src="{url}"></iframe>')
        async with asyncio.timeout(10):
            while not any("frame" in line for line in said):
                await page.wait_for_timeout(50)
        assert await page.frames[1].locator("form").count() == 0

"""`kezekshi demo`, as a person meets it: one command, a page in the browser, and the real desk behind it."""

import re
import shutil
import signal
import sys
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from sandbox.client import Sandbox
from tests.e2e.page import CHROMIUM, QUIET
from tests.e2e.processes import Process, free_port

PATIENT = 30_000


async def write(page: Page, side: str, text: str) -> None:
    await page.get_by_test_id(f"composer-{side}").fill(text)
    await page.get_by_test_id(f"send-{side}").click()


async def play(page: Page) -> None:
    """One request from both sides of the page, from the first word to the answer."""
    customer, engineers = page.get_by_test_id("pane-customer"), page.get_by_test_id("pane-engineers")
    await page.get_by_test_id("start-customer").click(timeout=PATIENT)
    await write(page, "customer", "The VPN is down since nine")
    said = customer.get_by_test_id("message")
    await expect(said.filter(has_text="PD-1001").first).to_be_visible(timeout=PATIENT)
    topic = engineers.get_by_test_id("topic-item").filter(has_text="The VPN is down")
    await expect(topic).to_be_visible(timeout=PATIENT)
    await topic.click()
    copy = engineers.get_by_test_id("message").filter(has_text=re.compile(r"The VPN is down since nine(?!.*PD-)")).last
    await expect(copy).to_be_visible(timeout=PATIENT)
    await write(page, "engineers", "/r Which office are you in?")
    answer = said.filter(has_text="Which office are you in?")
    await expect(answer).to_be_visible(timeout=PATIENT)
    await expect(answer).not_to_contain_text("/r ")


async def play_by_mail(page: Page) -> None:
    """A request by mail: the promise comes back into the mailbox, and so does the engineer's answer."""
    engineers, row = page.get_by_test_id("pane-engineers"), page.get_by_test_id("mail-row")
    await page.get_by_test_id("side-mail").click()
    await page.get_by_test_id("mail-write").click()
    await page.get_by_test_id("mail-subject-new").fill("One more server")
    await page.get_by_test_id("mail-text-new").fill("We need it by Monday")
    await page.get_by_test_id("mail-send-new").click()
    await expect(row).to_contain_text("PD-1002", timeout=PATIENT)
    topic = engineers.get_by_test_id("topic-item").filter(has_text="One more server")
    await topic.click(timeout=PATIENT)
    copy = engineers.get_by_test_id("message").filter(has_text="We need it by Monday")
    await expect(copy.first).to_be_visible(timeout=PATIENT)
    await write(page, "engineers", "/r Which size?")
    await expect(row).to_contain_text("Which size?", timeout=PATIENT)
    await row.click()
    letters = page.get_by_test_id("letter")
    await expect(letters).to_have_count(3)
    await expect(letters.last.frame_locator("iframe").locator("body")).to_contain_text("Which size?")
    await page.get_by_test_id("mail-text-reply").fill("The big one")
    await page.get_by_test_id("mail-send-reply").click()
    back = engineers.get_by_test_id("message").filter(has_text="The big one")
    await expect(back).to_be_visible(timeout=PATIENT)
    await expect(back).not_to_contain_text("Which size?")


async def play_in_the_cloud(page: Page) -> None:
    """A machine is rebooted in four taps and runs again; a new password is shown by a page of its own, once."""
    buttons = page.get_by_test_id("pane-customer").get_by_test_id("inline-button")
    said = page.get_by_test_id("pane-customer").get_by_test_id("message")
    await page.get_by_test_id("side-customer").click()
    await write(page, "customer", "/new")
    for words in ("ВМ-ді қайта іске қосу", "web-1", "Қазір қайта іске қосу"):
        await buttons.filter(has_text=words).last.click(timeout=PATIENT)
    await expect(said.filter(has_text=re.compile(r"Дайын: web-1 \d\d:\d\d")).last).to_be_visible(timeout=PATIENT)
    await write(page, "customer", "/new")
    for words in ("ұпиясөз", "Жаңа құпиясөз жасау"):
        await buttons.filter(has_text=words).last.click(timeout=PATIENT)
    link = said.locator("a[href*='/secret/']")
    url = await link.last.get_attribute("href", timeout=PATIENT)
    assert url is not None
    assert page.context.browser is not None
    shown = await page.context.browser.new_page()
    await shown.goto(url)
    await shown.locator("form button").click()
    await expect(shown.locator("#login")).to_have_text("aigerim@kaspiy.example")
    await expect(shown.locator("#password")).to_have_text(re.compile(r"\w{6}-\w{6}-\w{6}"))
    await shown.goto(url)
    await expect(shown.locator("output")).to_have_count(0)
    await shown.close()


async def set_up(address: str) -> None:
    """The lead has connected the group and named the engineer; each answer stands behind its question."""
    async with Sandbox(address) as sandbox:
        state = await sandbox.state()
        [group] = [chat["id"] for chat in state["groups"]]
        lead = next(user["id"] for user in state["users"] if user["first_name"] == "Ерлан")
        said = [m.get("text", "") for m in (await sandbox.chat(group, lead))["messages"] if m.get("text")]
    steps = ["Отправьте сюда /connect", "/connect", "/agent add lead", "Сәлем", "/agent add", "Динара"]
    # In this order, whatever stands between.
    following = iter(said)
    assert all(any(step in words for words in following) for step in steps), said
    assert sum(steps[0] in words for words in said) == 1


async def test_both_sides_in_the_browser(tmp_path: Path) -> None:
    port = free_port()
    demo = Process("demo")
    command = (sys.executable, "-m", "app.cli", "demo", "--port", str(port))
    # The server's own user must be able to reach its folder.
    var = Path("/tmp") / f"kezekshi-demo-{port}"
    await demo.start(*command, env={"KEZEKSHI_VAR": str(var)})
    try:
        await demo.wait_line(f"127.0.0.1:{port}", timeout=90)
        await set_up(f"http://127.0.0.1:{port}")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(f"http://127.0.0.1:{port}")
            await play(page)
            await play_by_mail(page)
            await play_in_the_cloud(page)
            assert complaints == []
            await browser.close()
        assert await demo.end(signal.SIGINT, timeout=40) in (0, 130), demo.last_words()
    finally:
        if demo.alive:
            await demo.end(signal.SIGKILL)
        shutil.rmtree(var, ignore_errors=True)

"""The page's mailbox in a real browser; the tests themselves answer as the desk, by mail."""

from email.message import EmailMessage

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from sandbox.mailclient import MailSide
from tests.e2e.page import Desk, customer_side, engineers_side, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESK, AIGERIM, IVAN = "support@prodata.example", "aigerim@kaspiy.example", "ivan@altyn.example"
HOSTILE = (
    '<p style="color:rgb(1,2,3)">Қабылданды: <b>PD-1001</b></p><script>parent.broken=1</script>'
    '<img src="x" onerror="parent.broken=1"><img src="http://127.0.0.1:1/pixel.gif">'
    '<a href="javascript:parent.broken=1">press</a>'
)


@pytest_asyncio.fixture(loop_scope="module")
async def mail(desk: Desk) -> MailSide:
    side = desk.sandbox.mail
    await side.add_account(DESK, "ProData", desk=True)
    await side.add_account(AIGERIM, "Айгерім", language="kk")
    await side.add_account(IVAN, "Иван", language="ru")
    return side


def pane(page: Page) -> Locator:
    return page.get_by_test_id("pane-mail")


def letters(page: Page) -> Locator:
    return page.get_by_test_id("letter")


async def answer_in_html(mail: MailSide) -> None:
    (asked,) = await mail.wait(DESK)
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = f"ProData <{DESK}>", AIGERIM, "Re: VPN"
    answer["Message-ID"], answer["In-Reply-To"] = "<answer@prodata.example>", asked["message_id"]
    answer.set_content("Қабылданды: PD-1001")
    answer.add_alternative(HOSTILE, subtype="html")
    await mail.send_raw(answer.as_string(), [AIGERIM], account=DESK)


async def test_a_mail_is_written_answered_and_answered_again(desk: Desk, mail: MailSide, browser: Browser) -> None:
    async with opened(browser, desk.sandbox.url) as page:
        await page.get_by_test_id("side-mail").click()
        await expect(customer_side(page)).to_be_hidden()
        await page.get_by_test_id("mail-write").click()
        await expect(page.get_by_test_id("mail-to-new")).to_have_value(DESK)
        await expect(page.get_by_test_id("mail-send-new")).to_be_disabled()
        await page.get_by_test_id("mail-subject-new").fill("VPN")
        await page.get_by_test_id("mail-text-new").fill("Қосылмайды\n<b>екі</b> жол")
        file = {"name": "экран.png", "mimeType": "image/png", "buffer": b"\x89PNG"}
        await page.get_by_test_id("mail-files-new").set_input_files(file)
        await page.get_by_test_id("mail-send-new").click()
        (came,) = await mail.wait(DESK)
        assert (came["subject"], came["text"]) == ("VPN", "Қосылмайды\n<b>екі</b> жол")
        assert [(one["name"], one["size"]) for one in came["attachments"]] == [("экран.png", 4)]

        row = page.get_by_test_id("mail-row")
        await expect(row).to_contain_text("VPN")
        await page.get_by_test_id("side-customer").click()
        await mail.send(DESK, "Қай кеңсе?", reply_to=came["id"])
        await expect(page.get_by_test_id("side-mail")).to_contain_text("1")
        await page.get_by_test_id("side-mail").click()
        await expect(row).to_contain_text("Қай кеңсе?")
        await row.click()
        await expect(letters(page)).to_have_count(2)
        await expect(letters(page).last.frame_locator("iframe").get_by_text("Қай кеңсе?")).to_be_visible()
        await expect(page.get_by_test_id("side-mail")).not_to_contain_text("1")

        await page.get_by_test_id("mail-text-reply").fill("Алматы")
        await page.get_by_test_id("mail-text-reply").press("Control+Enter")
        await expect(letters(page)).to_have_count(3)
        (back,) = await mail.wait(DESK, containing="Алматы")
        assert back["said"] == "Алматы"
        assert back["quoted"].endswith("> <b>екі</b> жол")
        await expect(page.get_by_test_id("mail-text-reply")).to_have_value("")
        assert [one["seen"] for one in await mail.mails(AIGERIM)] == [True] * 3


async def test_a_hostile_mail_neither_runs_nor_loads(desk: Desk, mail: MailSide, browser: Browser) -> None:
    await mail.send(AIGERIM, "Қосылмайды", to=[DESK], subject="<b>VPN</b>")
    await answer_in_html(mail)
    async with opened(browser, f"{desk.sandbox.url}/#tab=mail") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.get_by_test_id("mail-row").filter(has_text="<b>VPN</b>").click()
        frame = letters(page).last.locator("iframe")
        inside = frame.content_frame
        await expect(inside.locator("p")).to_have_css("color", "rgb(1, 2, 3)")
        await expect(inside.locator("b")).to_have_text("PD-1001")
        await expect(inside.locator("script, img[src], a[href]")).to_have_count(0)
        await inside.get_by_text("press").click()
        assert await page.evaluate("window.broken") is None
        assert "allow-scripts" not in (await frame.get_attribute("sandbox") or "")
        assert [url for url in asked if "pixel" in url] == []
        # As tall as what is in it, so that there is nothing to scroll inside.
        tall = "frame => [frame.offsetHeight, frame.contentDocument.documentElement.scrollHeight]"
        height, content = await frame.evaluate(tall)
        assert height >= content > 40


async def test_each_person_has_a_mailbox_of_their_own(desk: Desk, mail: MailSide, browser: Browser) -> None:
    await mail.send(DESK, "Жаңалық", to=[AIGERIM], subject="Aigerim's")
    await mail.send(DESK, "Новость", to=[IVAN], subject="Ivan's")
    async with opened(browser, f"{desk.sandbox.url}/#tab=mail") as page:
        who = page.get_by_test_id("who-mail")
        await expect(who.locator("option")).to_have_text(["Айгерім", "Иван (1)"])
        await expect(page.get_by_test_id("mail-row")).to_contain_text("Aigerim's")
        await who.select_option(index=1)
        await expect(page.get_by_test_id("mail-row")).to_contain_text("Ivan's")
        await page.reload()
        await expect(page.get_by_test_id("mail-row")).to_contain_text("Ivan's")


async def test_a_refused_mail_stays_in_the_sheet_and_says_why(desk: Desk, mail: MailSide, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=mail&mail=new", but="status of 400") as page:
        await page.get_by_test_id("mail-to-new").fill("nobody@prodata.example")
        await page.get_by_test_id("mail-text-new").fill("hello")
        await page.get_by_test_id("mail-send-new").click()
        await expect(page.get_by_test_id("toast")).to_contain_text("550 5.1.1")
        await expect(page.get_by_test_id("mail-text-new")).to_have_value("hello")


async def test_a_phone_shows_the_mailbox_as_a_third_tab(desk: Desk, mail: MailSide, browser: Browser) -> None:
    await mail.send(AIGERIM, "ұзақ" * 300, to=[DESK], subject="a subject that no phone has the room to show " * 3)
    await answer_in_html(mail)
    async with opened(browser, desk.sandbox.url, 360, 640) as page:

        async def fits() -> bool:
            return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

        await expect(pane(page)).to_be_hidden()
        await expect(page.get_by_test_id("tab-mail")).to_contain_text("1")
        await page.get_by_test_id("tab-mail").click()
        for side in (customer_side(page), engineers_side(page)):
            await expect(side).to_be_hidden()
        assert await fits()
        await page.get_by_test_id("mail-row").click()
        await expect(page.get_by_test_id("mail-list")).to_be_hidden()
        await expect(letters(page)).to_have_count(2)
        await expect(page.get_by_test_id("tab-mail")).not_to_contain_text("1")
        assert await fits()
        await page.go_back()
        await expect(page.get_by_test_id("mail-list")).to_be_visible()
        await page.get_by_test_id("mail-write").click()
        assert await fits()
        await page.get_by_role("button", name="Back to the mailbox").click()
        await expect(page.get_by_test_id("mail-row")).to_have_count(1)


async def test_a_wide_screen_shows_chat_mailbox_and_group_at_once(desk: Desk, mail: MailSide, browser: Browser) -> None:
    async with opened(browser, desk.sandbox.url, 1700, 900) as page:
        await expect(pane(page)).to_be_visible()
        boxes = [await side.bounding_box() for side in (customer_side(page), pane(page), engineers_side(page))]
        tops = {box["y"] for box in boxes if box}
        lefts = [box["x"] for box in boxes if box]
        assert (len(tops), lefts, len(lefts)) == (1, sorted(lefts), 3)
        await expect(page.get_by_test_id("side-mail")).to_be_hidden()


async def test_without_mail_the_page_is_as_it_was(desk: Desk, browser: Browser) -> None:
    async with opened(browser, f"{desk.sandbox.url}/#tab=mail") as page:
        await expect(customer_side(page)).to_be_visible()
        await expect(pane(page)).to_be_hidden()
        await expect(page.get_by_test_id("side-mail")).to_be_hidden()

"""The page of the sandbox in a real browser, beside the sandbox alone: the tests themselves play the bot."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from sandbox.client import Sandbox
from tests.e2e.page import TOKEN, Desk, customer_side, engineers_side, message, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>'


class Line:
    """A way to the server that can be cut in the middle and mended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._whole = True
        self.asked: list[str] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, back}
        for source, target, heard in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._carry(source, target, heard=heard))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, heard: bool) -> None:
        try:
            while data := await source.read(65536):
                if heard:
                    self.asked.append(data.split(b"\r\n", 1)[0].decode(errors="replace"))
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()

    def cut(self) -> None:
        self._whole = False
        for writer in self._open:
            writer.close()
        self._open.clear()

    def mend(self) -> None:
        self._whole = True

    async def close(self) -> None:
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_entities_count_utf16_units_and_nest(desk: Desk, browser: Browser) -> None:
    text = "👩‍🚒🔥 bold and both, link"
    made = await desk.call(
        "sendMessage",
        chat_id=desk.customer,
        text=text,
        entities=[
            {"type": "bold", "offset": 8, "length": 13},
            {"type": "italic", "offset": 17, "length": 4},
            {"type": "text_link", "offset": 23, "length": 4, "url": "https://example.kz/"},
        ],
    )
    async with opened(browser, desk.sandbox.url) as page:
        shown = message(customer_side(page), made["message_id"])
        await expect(shown.locator(".text")).to_have_text(text)
        await expect(shown.locator(".text > b")).to_have_text("bold and both")
        await expect(shown.locator(".text > b > i")).to_have_text("both")
        await expect(shown.get_by_role("link", name="link")).to_have_attribute("href", "https://example.kz/")


async def test_hostile_text_stays_text(desk: Desk, browser: Browser) -> None:
    made = await desk.call(
        "sendMessage",
        chat_id=desk.customer,
        text=HOSTILE,
        entities=[{"type": "text_link", "offset": 0, "length": 4, "url": "javascript:window.broken=1"}],
        reply_markup={"inline_keyboard": [[{"text": HOSTILE, "callback_data": "x"}]]},
    )
    await desk.call("editForumTopic", chat_id=desk.group, message_thread_id=desk.thread, name=HOSTILE)
    async with opened(browser, desk.sandbox.url) as page:
        shown = message(customer_side(page), made["message_id"])
        await expect(shown.locator(".text")).to_have_text(HOSTILE)
        await expect(shown.get_by_test_id("inline-button")).to_have_text(HOSTILE)
        await expect(page.get_by_test_id("topic-item").last).to_contain_text(HOSTILE)
        await expect(page.locator('a[href^="javascript"], .text img, .text script')).to_have_count(0)
        assert await page.evaluate("window.broken") is None


async def test_a_pressed_button_reaches_the_bot_and_its_answer_shows(desk: Desk, browser: Browser) -> None:
    card = await desk.call(
        "sendMessage",
        chat_id=desk.group,
        message_thread_id=desk.thread,
        text="card",
        reply_markup={"inline_keyboard": [[{"text": "Take", "callback_data": "take:1", "style": "primary"}]]},
    )
    async with opened(browser, f"{desk.sandbox.url}/#thread={desk.thread}") as page:
        button = message(engineers_side(page), card["message_id"]).get_by_test_id("inline-button")
        await button.click()
        query = await desk.update("callback_query")
        assert (query["data"], query["from"]["id"]) == ("take:1", desk.engineer)
        await expect(button).to_have_attribute("aria-busy", "true")

        await desk.call("answerCallbackQuery", callback_query_id=query["id"], text="It is yours")
        await expect(page.get_by_test_id("toast")).to_have_text("It is yours")
        await expect(button).not_to_have_attribute("aria-busy", "true")

        await button.click()
        query = await desk.update("callback_query")
        await desk.call("answerCallbackQuery", callback_query_id=query["id"], text="No right", show_alert=True)
        await expect(page.get_by_test_id("alert")).to_contain_text("No right")


async def test_words_on_buttons_stay_whole_on_a_phone(desk: Desk, browser: Browser) -> None:
    words = ["Приоритет", "Тип", "Отклонить"]
    card = await desk.call(
        "sendMessage",
        chat_id=desk.group,
        message_thread_id=desk.thread,
        text="card",
        reply_markup={
            "inline_keyboard": [
                [{"text": word, "callback_data": word} for word in words],
                [{"text": "я" * 60, "callback_data": "long"}],
            ]
        },
    )
    lines = """button => {
        const range = document.createRange();
        let words = button;
        while (words.firstChild) words = words.firstChild;
        range.selectNodeContents(words);
        return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    }"""
    url = f"{desk.sandbox.url}/#thread={desk.thread}&tab=engineers"
    async with opened(browser, url, width=360, height=640) as page:
        buttons = message(engineers_side(page), card["message_id"]).get_by_test_id("inline-button")
        await expect(buttons.last).to_be_visible()
        shown = [await buttons.nth(each).evaluate(lines) for each in range(4)]
        assert shown[:3] == [1, 1, 1]
        # What has no end breaks all the same.
        assert shown[3] > 1
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_is_written_arrives_as_an_update(desk: Desk, browser: Browser) -> None:
    asked = await desk.call("sendMessage", chat_id=desk.group, message_thread_id=desk.thread, text="VPN drops")
    async with opened(browser, f"{desk.sandbox.url}/#thread={desk.thread}") as page:
        await page.get_by_test_id("composer-customer").fill("Қосылмайды\nwith <b>two</b> lines")
        await page.get_by_test_id("send-customer").click()
        written = await desk.update("message")
        assert (written["text"], written["from"]["id"]) == ("Қосылмайды\nwith <b>two</b> lines", desk.customer)
        await expect(message(customer_side(page), written["message_id"])).to_contain_text("Қосылмайды")
        await expect(page.get_by_test_id("composer-customer")).to_have_value("")

        await message(engineers_side(page), asked["message_id"]).click(button="right")
        await page.get_by_role("menuitem", name="Reply").click()
        await page.get_by_test_id("composer-engineers").press_sequentially("On it")
        await page.get_by_test_id("composer-engineers").press("Enter")
        answer = await desk.update("message")
        assert answer["reply_to_message"]["message_id"] == asked["message_id"]
        assert (answer["message_thread_id"], answer["from"]["id"]) == (desk.thread, desk.engineer)


async def test_an_album_is_one_group(desk: Desk, browser: Browser) -> None:
    parts = [{"kind": "photo", "caption": "the screen"}, {"kind": "photo"}, {"kind": "photo"}]
    sent = await desk.sandbox.album(desk.customer, desk.bot, parts)
    after = await desk.sandbox.say(desk.customer, desk.bot, "that was all")
    async with opened(browser, desk.sandbox.url) as page:
        side = customer_side(page)
        await expect(message(side, after["message_id"])).to_be_visible()
        await expect(side.get_by_test_id("album")).to_have_count(1)
        shown = message(side, sent[0]["message_id"])
        await expect(shown).to_contain_text("the screen")
        await expect(shown.locator("[data-part]")).to_have_count(3)
        await expect(message(side, sent[1]["message_id"])).to_have_count(0)
        loaded = "images => images.every(image => image.complete && image.naturalWidth > 0)"
        await expect(shown.locator("img")).to_have_count(3)
        assert await shown.locator("img").evaluate_all(loaded)


async def test_a_phone_shows_one_side_at_a_time(desk: Desk, browser: Browser) -> None:
    name = "PD-1043 · a very long name of a topic that no phone of any kind has the room to show"
    topic = await desk.call("createForumTopic", chat_id=desk.group, name=name)
    await desk.call("sendMessage", chat_id=desk.customer, text="long" * 300)
    async with opened(browser, desk.sandbox.url, 360, 640) as page:

        async def fits() -> bool:
            return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

        await expect(customer_side(page)).to_be_visible()
        await expect(engineers_side(page)).to_be_hidden()
        assert await fits()
        await desk.call("sendMessage", chat_id=desk.group, text="news", message_thread_id=topic["message_thread_id"])
        await expect(page.get_by_test_id("tab-engineers")).to_contain_text("1")
        await page.get_by_test_id("tab-engineers").click()
        await expect(customer_side(page)).to_be_hidden()
        await expect(page.get_by_test_id("topic-list")).to_be_visible()
        assert await fits()
        await page.locator(f'[data-thread="{topic["message_thread_id"]}"]').click()
        await expect(page.get_by_test_id("topic-list")).to_be_hidden()
        await expect(engineers_side(page).get_by_test_id("message")).to_contain_text("news")
        await expect(page.get_by_test_id("tab-engineers")).not_to_contain_text("1")
        assert await fits()
        await page.get_by_role("button", name="Back to topics").click()
        await expect(page.get_by_test_id("topic-list")).to_be_visible()


async def test_a_cut_line_is_taken_up_where_it_broke_off(desk: Desk, browser: Browser, url: str) -> None:
    line = Line(int(url.rsplit(":", 1)[1]))
    server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with opened(browser, f"http://127.0.0.1:{port}/") as page:
        side = customer_side(page)
        await desk.call("sendMessage", chat_id=desk.customer, text="before the cut")
        await expect(side.get_by_text("before the cut")).to_be_visible()

        line.cut()
        await expect(page.get_by_test_id("line")).to_contain_text("reconnecting")
        missed = await desk.call("sendMessage", chat_id=desk.customer, text="during the cut")
        line.mend()
        await expect(message(side, missed["message_id"])).to_be_visible()
        await expect(page.get_by_test_id("line")).to_have_text("Live")
        await expect(side.get_by_text("before the cut")).to_have_count(1)
        assert any("/sandbox/events?after=" in request for request in line.asked)
    server.close()
    await line.close()


async def test_an_empty_world_fills_by_itself(browser: Browser, url: str) -> None:
    async with opened(browser, url) as page, Sandbox(url) as sandbox:
        await expect(page.get_by_test_id("waiting")).to_be_visible()
        await expect(page.get_by_test_id("line")).to_have_text("Live")
        await sandbox.add_bot(TOKEN)
        await sandbox.add_user("Emma", language_code="en")
        engineer = (await sandbox.add_user("Ольга"))["id"]
        group = (await sandbox.add_group("Duty", engineer))["id"]
        await sandbox.add_member(group, bot=TOKEN)
        await expect(page.get_by_test_id("who-customer").locator("option")).to_have_text(["Emma · en"])
        await expect(page.get_by_test_id("who-engineer").locator("option")).to_have_text(["Ольга ★"])
        await page.get_by_role("button", name="Start").click()
        await expect(customer_side(page).get_by_test_id("message")).to_contain_text("/start")

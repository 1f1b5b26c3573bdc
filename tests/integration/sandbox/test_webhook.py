"""Deliveries to a webhook: the header, the order in a queue, the retries."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import web

from sandbox.client import Json, Sandbox

from .conftest import DESK, Clock, until


class Receiver:
    """Somebody's webhook; `answers` says what it does next, then it takes everything."""

    def __init__(self) -> None:
        self.url = ""
        self.tried: list[Json] = []
        self.taken: list[Json] = []
        self.secrets: list[str | None] = []
        self.answers: list[web.Response] = []
        self.refuse_chat: int | None = None

    async def take(self, request: web.Request) -> web.Response:
        update: Json = await request.json()
        self.tried.append(update)
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        if self.answers:
            answer = self.answers.pop(0)
            if answer.status == 200:
                self.taken.append(update)
            return answer
        if update.get("message", {}).get("chat", {}).get("id") == self.refuse_chat:
            return web.Response(status=500)
        self.taken.append(update)
        return web.Response()

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.taken if "message" in update]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    there = Receiver()
    app = web.Application()
    app.router.add_post("/hook", there.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield there
    await runner.cleanup()


async def test_the_backlog_then_what_comes(bot: Bot, sandbox: Sandbox, alice: int, receiver: Receiver) -> None:
    assert await bot.set_webhook(receiver.url, secret_token="s3cret_-", allowed_updates=["message"])
    await sandbox.say(alice, DESK, "second")
    await until(lambda: len(receiver.taken) == 2, "two deliveries")
    assert receiver.texts() == ["/start", "second"]
    assert set(receiver.secrets) == {"s3cret_-"}
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count, info.allowed_updates) == (receiver.url, 0, ["message"])
    assert [entry["confirmed"] for entry in await sandbox.updates(DESK)] == [True, True]


async def test_polling_and_a_webhook_exclude_each_other(bot: Bot, alice: int, receiver: Receiver) -> None:
    await bot.set_webhook(receiver.url)
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active; use delete"):
        await bot.get_updates()
    await until(lambda: len(receiver.taken) == 1, "the delivery")
    assert await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""
    assert await bot.get_updates() == []


async def test_a_failure_is_tried_again_in_order(
    bot: Bot, sandbox: Sandbox, alice: int, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [web.Response(status=500), web.Response(status=429, headers={"Retry-After": "0.02"})]
    await bot.set_webhook(receiver.url)
    await sandbox.say(alice, DESK, "second")
    await until(lambda: len(receiver.taken) == 2, "both in the end")
    assert receiver.texts() == ["/start", "second"]
    assert [update["message"]["text"] for update in receiver.tried] == ["/start"] * 3 + ["second"]
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 429 Too Many Requests"
    assert info.last_error_date is not None
    assert [entry["handed"] for entry in await sandbox.updates(DESK)] == [3, 1]


async def test_a_failure_holds_up_its_own_queue_only(
    bot: Bot, sandbox: Sandbox, alice: int, bob: int, receiver: Receiver
) -> None:
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="a", callback_data="a")]])
    card = (await bot.send_message(alice, "card", reply_markup=keyboard)).message_id
    receiver.refuse_chat = alice
    await bot.set_webhook(receiver.url)
    await sandbox.say(bob, DESK, "from Bob")
    await sandbox.press(alice, DESK, card, "a")
    await until(lambda: len(receiver.taken) == 2, "Bob and the press")
    assert receiver.texts() == ["from Bob"]
    assert any("callback_query" in update for update in receiver.taken)
    assert (await bot.get_webhook_info()).pending_update_count == 1
    receiver.refuse_chat = None
    await until(lambda: len(receiver.taken) == 3, "Alice at last")


async def test_gone_for_a_day_takes_the_webhook_away(
    bot: Bot, sandbox: Sandbox, alice: int, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [web.Response(status=410) for _ in range(1000)]
    await bot.set_webhook(receiver.url)
    await until(lambda: len(receiver.tried) >= 2, "the first tries")
    clock.at += 23 * 3600 + 1

    async def removed() -> bool:
        return (await bot.get_webhook_info()).url == ""

    await sandbox.wait(removed, what="the webhook is removed")


async def test_a_method_in_the_answer_is_carried_out(
    bot: Bot, sandbox: Sandbox, alice: int, receiver: Receiver
) -> None:
    receiver.answers = [web.json_response({"method": "sendMessage", "chat_id": alice, "text": "from the answer"})]
    await bot.set_webhook(receiver.url)
    assert await sandbox.wait_message(DESK, alice, containing="from the answer")


async def test_wrong_settings_are_refused(bot: Bot, receiver: Receiver) -> None:
    with pytest.raises(TelegramBadRequest, match="An HTTPS URL must be provided"):
        await bot.set_webhook("http://a.example/hook")
    with pytest.raises(TelegramBadRequest, match="secret token contains unallowed characters"):
        await bot.set_webhook(receiver.url, secret_token="no spaces")
    with pytest.raises(TelegramBadRequest, match="max_connections"):
        await bot.set_webhook(receiver.url, max_connections=101)

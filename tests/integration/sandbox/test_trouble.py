"""Faults on order, and the limits as the client feels them."""

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from sandbox.client import Sandbox, SandboxError

from .conftest import DESK, Clock


async def said(sandbox: Sandbox, alice: int) -> list[str]:
    messages = (await sandbox.chat(DESK, alice))["messages"]
    return [m["text"] for m in messages if m["from"]["is_bot"]]


async def test_429(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await sandbox.fault("429", method="sendMessage", retry_after=7)
    with pytest.raises(TelegramRetryAfter, match="Too Many Requests: retry after 7") as caught:
        await bot.send_message(alice, "x")
    assert caught.value.retry_after == 7
    assert await said(sandbox, alice) == []
    await bot.send_message(alice, "y")
    assert await said(sandbox, alice) == ["y"]


async def test_an_error_word_for_word(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await sandbox.fault("error", chat=alice, code=400, description="Bad Request: TOPIC_CLOSED", times=2)
    for _ in range(2):
        with pytest.raises(TelegramBadRequest, match="Bad Request: TOPIC_CLOSED"):
            await bot.send_message(alice, "x")
    await bot.send_message(alice, "y")
    assert await said(sandbox, alice) == ["y"]


@pytest.mark.parametrize(("done", "shown"), [(False, []), (True, ["x"])])
@pytest.mark.parametrize(
    ("kind", "error"), [("500", TelegramServerError), ("html", ClientDecodeError), ("drop", TelegramNetworkError)]
)
async def test_before_or_after_it_was_carried_out(
    bot: Bot, sandbox: Sandbox, alice: int, kind: str, error: type[Exception], done: bool, shown: list[str]
) -> None:
    await sandbox.fault(kind, method="sendMessage", done=done)
    with pytest.raises(error):
        await bot.send_message(alice, "x")
    assert await said(sandbox, alice) == shown
    call = (await sandbox.calls(method="sendMessage"))[-1]
    assert (call["ok"], call["fault"]) == (done, kind)


@pytest.mark.parametrize(("done", "shown"), [(False, []), (True, ["x"])])
async def test_hanging(bot: Bot, sandbox: Sandbox, alice: int, done: bool, shown: list[str]) -> None:
    await sandbox.fault("hang", method="sendMessage", seconds=60, done=done)
    hanging = asyncio.create_task(bot.send_message(alice, "x"))
    await sandbox.wait(lambda: sandbox.calls(method="sendMessage"), what="the call has come in")
    assert not hanging.done()
    assert await said(sandbox, alice) == shown
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await sandbox.fault("hang", method="sendMessage", seconds=0)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(alice, "y")


@pytest.mark.parametrize("kind", ["undecodable", "garble"])
async def test_answers_nobody_can_read(bot: Bot, sandbox: Sandbox, alice: int, kind: str) -> None:
    await sandbox.fault(kind, method="sendMessage")
    with pytest.raises(ClientDecodeError):
        await bot.send_message(alice, "x")
    assert await said(sandbox, alice) == ["x"]
    await sandbox.fault(kind, method="copyMessage")
    with pytest.raises(ClientDecodeError):
        await bot.copy_message(alice, alice, 1)
    await sandbox.fault(kind, method="sendMessage")
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await bot.send_message(alice, "")


async def test_faults_while_receiving(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await sandbox.fault("drop", method="getUpdates")
    with pytest.raises(TelegramNetworkError):
        await bot.get_updates()
    await sandbox.fault("garble", method="getUpdates")
    with pytest.raises(ClientDecodeError):
        await bot.get_updates()
    await sandbox.fault("500", method="getUpdates")
    with pytest.raises(TelegramServerError):
        await bot.get_updates()
    assert len(await bot.get_updates()) == 1


async def test_faults_are_listed_and_cleared(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await sandbox.fault("429", bot=DESK, times=3, after=1)
    await bot.send_message(alice, "lets one pass")
    (fault,) = await sandbox.faults()
    assert (fault["kind"], fault["times"], fault["after"]) == ("429", 3, 0)
    await sandbox.clear_faults()
    assert await sandbox.faults() == []
    await bot.send_message(alice, "x")
    with pytest.raises(SandboxError, match="kind must be one of"):
        await sandbox.fault("flood")


async def test_limits_in_a_private_chat(bot: Bot, sandbox: Sandbox, alice: int, clock: Clock) -> None:
    await sandbox.limits()
    await bot.send_message(alice, "one")
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(alice, "two")
    assert caught.value.retry_after == 1
    await bot.send_chat_action(alice, "typing")
    clock.at += 1
    await bot.send_message(alice, "two")
    assert await said(sandbox, alice) == ["one", "two"]


async def test_limits_in_a_group_are_shared_by_its_topics(bot: Bot, sandbox: Sandbox, group: int, clock: Clock) -> None:
    await sandbox.limits(per_group_minute=4)
    threads = [(await bot.create_forum_topic(group, str(n))).message_thread_id for n in range(2)]
    card = await bot.send_message(group, "x", message_thread_id=threads[0])
    await card.edit_text("y")
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(group, "x", message_thread_id=threads[1])
    assert caught.value.retry_after == 60
    await bot.delete_message(group, card.message_id)
    await sandbox.limits(off=True)
    for _ in range(10):
        await bot.send_message(group, "x")

"""Forums: topics, the root reply, the quirks of General, replies and quotes."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import ReplyParameters

from sandbox.client import Sandbox, SandboxError

from .conftest import DESK, fresh


@pytest.fixture
async def thread(bot: Bot, group: int) -> int:
    return (await bot.create_forum_topic(group, "PD-1 · VPN")).message_thread_id


async def test_a_topic_and_its_root(bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int) -> None:
    seen = await sandbox.chat(group, bob)
    topic = seen["topics"][0]
    assert (topic["thread"], topic["name"], topic["closed"], topic["deleted"]) == (thread, "PD-1 · VPN", False, False)
    said = await sandbox.say(bob, group, "note", thread=thread)
    assert said["is_topic_message"]
    assert said["message_thread_id"] == thread
    assert said["reply_to_message"]["message_id"] == thread
    assert "forum_topic_created" in said["reply_to_message"]
    sent = await bot.send_message(group, "answer", message_thread_id=thread)
    assert sent.is_topic_message
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == thread


async def test_a_real_reply_inside_a_topic(bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int) -> None:
    sent = await bot.send_message(group, "question one, question two", message_thread_id=thread)
    reply = await sandbox.say(bob, group, "two!", reply_to=sent.message_id, quote="question two")
    assert reply["message_thread_id"] == thread
    assert reply["reply_to_message"]["message_id"] == sent.message_id
    assert "reply_to_message" not in reply["reply_to_message"], "one level only"
    assert reply["quote"] == {"text": "question two", "position": 14, "is_manual": True}


async def test_general_has_no_thread(bot: Bot, sandbox: Sandbox, bob: int, group: int) -> None:
    plain = await sandbox.say(bob, group, "in General")
    assert "message_thread_id" not in plain
    answer = await sandbox.say(bob, group, "a reply", reply_to=plain["message_id"])
    assert answer["message_thread_id"] == plain["message_id"], "the quirk: an id that is no topic"
    assert "is_topic_message" not in answer
    with pytest.raises(TelegramBadRequest, match="Bad Request: message thread not found"):
        await bot.send_message(group, "x", message_thread_id=1)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(group, "x", message_thread_id=plain["message_id"])


async def test_close_reopen_and_what_is_not_modified(bot: Bot, group: int, thread: int) -> None:
    assert await bot.close_forum_topic(group, thread)
    with pytest.raises(TelegramBadRequest, match="Bad Request: TOPIC_NOT_MODIFIED"):
        await bot.close_forum_topic(group, thread)
    assert await bot.reopen_forum_topic(group, thread)
    with pytest.raises(TelegramBadRequest, match="TOPIC_NOT_MODIFIED"):
        await bot.edit_forum_topic(group, thread, name="PD-1 · VPN")
    icon = (await bot.get_forum_topic_icon_stickers())[0].custom_emoji_id
    assert icon is not None
    assert await bot.edit_forum_topic(group, thread, icon_custom_emoji_id=icon)
    with pytest.raises(TelegramBadRequest, match="DOCUMENT_INVALID"):
        await bot.edit_forum_topic(group, thread, icon_custom_emoji_id="123")


async def test_people_change_topics_too(bot: Bot, sandbox: Sandbox, group: int, thread: int) -> None:
    await sandbox.topic(group, thread, "close")
    await sandbox.topic(group, thread, "reopen")
    made = await sandbox.topic(group, None, "create", name="By hand")
    await sandbox.topic(group, made["thread"], "edit", name="Renamed")
    kinds = [key for body in await fresh(sandbox, "message") for key in body if key.startswith("forum_topic")]
    assert kinds[-4:] == ["forum_topic_closed", "forum_topic_reopened", "forum_topic_created", "forum_topic_edited"]
    before = len(await fresh(sandbox))
    await sandbox.topic(group, thread, "delete")
    assert len(await fresh(sandbox)) == before, "no bot is told"
    with pytest.raises(TelegramBadRequest, match="TOPIC_DELETED"):
        await bot.close_forum_topic(group, thread)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(group, "x", message_thread_id=thread)


async def test_delete_and_unknown_topics(bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int) -> None:
    await bot.send_message(group, "x", message_thread_id=thread)
    assert await bot.delete_forum_topic(group, thread)
    seen = await sandbox.chat(group, bob)
    assert seen["topics"][0]["deleted"]
    assert all(m["deleted"] for m in seen["messages"] if m.get("message_thread_id") == thread)
    with pytest.raises(TelegramBadRequest, match="TOPIC_ID_INVALID"):
        await bot.edit_forum_topic(group, 9999, name="x")
    with pytest.raises(TelegramBadRequest, match="title must be non-empty"):
        await bot.create_forum_topic(group, "  ")


async def test_general_closes_and_hides(bot: Bot, sandbox: Sandbox, alice: int, group: int) -> None:
    await sandbox.add_member(group, user=alice)
    assert await bot.close_general_forum_topic(group)
    with pytest.raises(SandboxError, match="General is closed"):
        await sandbox.say(alice, group, "x")
    with pytest.raises(TelegramBadRequest, match="TOPIC_NOT_MODIFIED"):
        await bot.close_general_forum_topic(group)
    assert await bot.reopen_general_forum_topic(group)
    assert await bot.hide_general_forum_topic(group)
    assert await bot.unhide_general_forum_topic(group)
    assert await bot.edit_general_forum_topic(group, "Lobby")


async def test_no_topics_outside_a_forum(bot: Bot, sandbox: Sandbox, bob: int, alice: int) -> None:
    plain = (await sandbox.add_group("Plain", bob, is_forum=False))["id"]
    await sandbox.add_member(plain, bot=DESK)
    with pytest.raises(TelegramBadRequest, match="the chat is not a forum"):
        await bot.create_forum_topic(plain, "x")
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(alice, "x", message_thread_id=5)


async def test_replies_to_what_is_gone(bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int) -> None:
    gone = (await sandbox.say(bob, group, "gone", thread=thread))["message_id"]
    await sandbox.delete(bob, group, gone)
    refusal = "Bad Request: message to be replied not found"
    with pytest.raises(TelegramBadRequest, match=refusal):
        await bot.send_message(group, "x", message_thread_id=thread, reply_parameters=ReplyParameters(message_id=gone))
    lenient = ReplyParameters(message_id=gone, allow_sending_without_reply=True)
    sent = await bot.send_message(group, "x", message_thread_id=thread, reply_parameters=lenient)
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == thread
    with pytest.raises(TelegramBadRequest, match=refusal):
        await bot.send_message(group, "another topic", reply_parameters=lenient)


async def test_a_reply_lands_in_the_topic_of_its_target(
    bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int
) -> None:
    note = (await sandbox.say(bob, group, "note", thread=thread))["message_id"]
    sent = await bot.send_message(group, "x", reply_parameters=ReplyParameters(message_id=note))
    assert sent.message_thread_id == thread
    with pytest.raises(TelegramBadRequest, match="QUOTE_TEXT_INVALID"):
        await bot.send_message(group, "x", reply_parameters=ReplyParameters(message_id=note, quote="nope"))


async def test_a_reply_across_chats_is_external(bot: Bot, sandbox: Sandbox, alice: int, group: int) -> None:
    asked = (await sandbox.say(alice, DESK, "why?"))["message_id"]
    reply = ReplyParameters(message_id=asked, chat_id=alice, quote="why")
    sent = await bot.send_message(group, "because", reply_parameters=reply)
    assert sent.external_reply is not None
    assert sent.external_reply.message_id == asked
    assert sent.quote is not None
    assert sent.quote.text == "why"


async def test_pins(bot: Bot, sandbox: Sandbox, bob: int, group: int, thread: int) -> None:
    card = await bot.send_message(group, "card", message_thread_id=thread)
    other = await bot.send_message(group, "other")
    assert await bot.pin_chat_message(group, card.message_id)
    assert await bot.pin_chat_message(group, other.message_id)
    assert (await sandbox.chat(group, bob))["pinned"] == [card.message_id, other.message_id]
    note = (await fresh(sandbox, "message"))[-2]
    assert note["pinned_message"]["message_id"] == card.message_id
    assert note["message_thread_id"] == thread
    assert await bot.unpin_all_forum_topic_messages(group, thread)
    assert (await sandbox.chat(group, bob))["pinned"] == [other.message_id]
    assert await bot.unpin_chat_message(group)
    assert (await sandbox.chat(group, bob))["pinned"] == []
    await bot.pin_chat_message(group, card.message_id)
    assert await bot.unpin_all_general_forum_topic_messages(group)
    assert (await sandbox.chat(group, bob))["pinned"] == [card.message_id]
    assert await bot.unpin_all_chat_messages(group)
    with pytest.raises(TelegramBadRequest, match="message to pin not found"):
        await bot.pin_chat_message(group, 9999)

"""Every kind of update decodes with aiogram's Update; receiving behaves like the real queue."""

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Update

from sandbox.client import Json, Sandbox, SandboxError

from .conftest import DESK, TOKEN, Clock, Server, fresh, plain, until

KINDS = (
    "photo", "document", "voice", "video", "video_note", "sticker", "animation", "audio",
    "contact", "location", "venue", "poll", "dice",
)  # fmt: skip


def decoded(update: Json) -> Update:
    return Update.model_validate(update)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_message(sandbox: Sandbox, bot: Bot, alice: int, kind: str) -> None:
    await sandbox.say(alice, DESK, kind=kind, caption="see" if kind in ("photo", "document") else None)
    update = (await bot.get_updates())[-1]
    assert update.message is not None
    assert update.message.content_type == kind
    assert update.message.chat.id == alice
    assert update.message.from_user is not None
    assert update.message.from_user.id == alice


async def test_a_contact_is_the_persons_own_unless_told_otherwise(sandbox: Sandbox, alice: int) -> None:
    assert (await sandbox.say(alice, DESK, kind="contact"))["contact"]["user_id"] == alice
    other = await sandbox.say(alice, DESK, contact={"phone_number": "+1", "first_name": "Eve", "user_id": None})
    assert "user_id" not in other["contact"]


async def test_an_album_comes_as_separate_updates(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    made = await sandbox.album(alice, DESK, [{"kind": "photo", "caption": "a"}, {"kind": "photo"}])
    updates = (await bot.get_updates())[-2:]
    groups = {update.message.media_group_id for update in updates if update.message}
    assert groups == {made[0]["media_group_id"]}
    assert len({update.update_id for update in updates}) == 2


async def test_an_edit(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    message = await sandbox.say(alice, DESK, "befor")
    await sandbox.edit(alice, DESK, message["message_id"], "before")
    edited = (await bot.get_updates())[-1].edited_message
    assert edited is not None
    assert (edited.text, edited.message_id, edited.edit_date is not None) == ("before", message["message_id"], True)
    photo = await sandbox.say(alice, DESK, kind="photo", caption="one")
    await sandbox.edit(alice, DESK, photo["message_id"], caption="two")
    await sandbox.edit(alice, DESK, photo["message_id"], kind="document")
    last = (await bot.get_updates())[-2:]
    assert [u.edited_message and u.edited_message.caption for u in last] == ["two", None]
    assert last[1].edited_message is not None
    assert last[1].edited_message.content_type == "document"


async def test_a_press_carries_the_whole_message(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Take", callback_data="take:1")]])
    sent = await bot.send_message(alice, "card", reply_markup=keyboard)
    callback_id = await sandbox.press(alice, DESK, sent.message_id, "Take")
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert (query.id, query.data, query.from_user.id) == (callback_id, "take:1", alice)
    assert query.message is not None
    assert query.message.message_id == sent.message_id
    assert plain(query.message)["reply_markup"] == plain(keyboard)


async def test_reactions_only_when_asked_for(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    message = await sandbox.say(alice, DESK, "hello")
    await sandbox.react(alice, DESK, message["message_id"], "👍")
    assert await fresh(sandbox, "message_reaction") == []
    await bot.get_updates(allowed_updates=["message", "message_reaction"])
    await sandbox.react(alice, DESK, message["message_id"], "🔥")
    await sandbox.react(alice, DESK, message["message_id"], None)
    first, second = (update.message_reaction for update in (await bot.get_updates())[-2:])
    assert first is not None
    assert second is not None
    assert (first.old_reaction[0].emoji, first.new_reaction[0].emoji) == ("👍", "🔥")  # type: ignore[union-attr]
    assert second.new_reaction == []


async def test_blocking_is_my_chat_member(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    await sandbox.block(alice, DESK)
    await sandbox.block(alice, DESK, blocked=False)
    changes = [update.my_chat_member for update in (await bot.get_updates())[-2:]]
    assert [change and change.new_chat_member.status for change in changes] == ["kicked", "member"]


async def test_group_updates_all_decode(sandbox: Sandbox, bot: Bot, bob: int, alice: int, group: int) -> None:
    """Coming, going, topics, pins, masks, migration: everything a group makes."""
    await bot.get_updates(allowed_updates=["message", "my_chat_member", "chat_member", "edited_message"])
    await sandbox.add_member(group, user=alice)
    topic = await bot.create_forum_topic(group, "PD-1")
    thread = topic.message_thread_id
    await bot.edit_forum_topic(group, thread, name="PD-1 · done")
    said = await sandbox.say(bob, group, "note", thread=thread)
    await sandbox.say(bob, group, "as channel", as_channel=True)
    await sandbox.say(bob, group, "hidden", anonymous=True)
    await bot.pin_chat_message(group, said["message_id"])
    await bot.close_forum_topic(group, thread)
    await bot.reopen_forum_topic(group, thread)
    await bot.hide_general_forum_topic(group)
    await bot.unhide_general_forum_topic(group)
    await sandbox.remove_member(group, alice)
    await sandbox.add_member(group, bot=TOKEN, rights={"can_pin_messages": False})
    await sandbox.migrate(group)
    updates = [decoded(update) for update in await fresh(sandbox)]
    seen = {update.message.content_type if update.message else update.event_type for update in updates}
    assert seen >= {
        "my_chat_member", "chat_member", "new_chat_members", "left_chat_member", "text", "pinned_message",
        "forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened",
        "general_forum_topic_hidden", "general_forum_topic_unhidden", "migrate_to_chat_id", "migrate_from_chat_id",
    }  # fmt: skip
    masks = [u.message.sender_chat for u in updates if u.message and u.message.sender_chat]
    assert [mask.type for mask in masks] == ["channel", "supergroup"]


async def test_offset_limit_and_a_second_look(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    for number in range(3):
        await sandbox.say(alice, DESK, str(number))
    first = await bot.get_updates(limit=2)
    assert len(first) == 2
    assert await bot.get_updates(limit=2) == first
    rest = await bot.get_updates(offset=first[-1].update_id + 1)
    assert [update.message.text for update in rest if update.message] == ["1", "2"]
    handed = [(entry["handed"], entry["confirmed"]) for entry in await sandbox.updates(DESK)]
    assert handed == [(2, True), (2, True), (1, False), (1, False)]


async def test_a_long_poll_ends_when_something_comes(sandbox: Sandbox, bot: Bot, alice: int, server: Server) -> None:
    offset = (await bot.get_updates())[-1].update_id + 1
    waiting = asyncio.create_task(bot.get_updates(offset=offset, timeout=30))
    await until(lambda: server.world.bots[DESK].inbox._waiter is not None, "the poll waits")
    await sandbox.say(alice, DESK, "now")
    (update,) = await waiting
    assert update.message is not None
    assert update.message.text == "now"


async def test_a_second_poller_ends_the_first(bot: Bot, sandbox: Sandbox, alice: int, server: Server) -> None:
    offset = (await bot.get_updates())[-1].update_id + 1
    inbox = server.world.bots[DESK].inbox
    first = asyncio.create_task(bot.get_updates(offset=offset, timeout=30))
    await until(lambda: inbox._waiter is not None, "the poll waits")
    second = asyncio.create_task(bot.get_updates(offset=offset, timeout=30))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request; make sure that only one"):
        await first
    await until(lambda: inbox._waiter is not None, "the second poll waits")
    await sandbox.say(alice, DESK, "for the second")
    assert len(await second) == 1


async def test_a_poller_that_hung_up_takes_nothing(bot: Bot, sandbox: Sandbox, alice: int, server: Server) -> None:
    offset = (await bot.get_updates())[-1].update_id + 1
    inbox = server.world.bots[DESK].inbox
    gone = asyncio.create_task(bot.get_updates(offset=offset, timeout=30))
    await until(lambda: inbox._waiter is not None, "the poll waits")
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await until(lambda: inbox._waiter is None, "the server saw it hang up")
    await sandbox.say(alice, DESK, "later")
    assert [entry["handed"] for entry in await sandbox.updates(DESK)] == [1, 0]


async def test_old_updates_expire_by_the_servers_clock(sandbox: Sandbox, bot: Bot, alice: int, clock: Clock) -> None:
    clock.at += 86_401
    await sandbox.say(alice, DESK, "today")
    assert [u.message.text for u in await bot.get_updates() if u.message] == ["today"]


async def test_raw_repeated_and_held_updates(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    offset = (await bot.get_updates())[-1].update_id + 1
    await bot.get_updates(offset=offset)
    await sandbox.hold(DESK)
    for number in range(4):
        await sandbox.say(alice, DESK, str(number))
    assert await bot.get_updates(offset=offset) == []
    assert await sandbox.hold(DESK, False, order="reverse") == 4
    texts = [update.message.text for update in await bot.get_updates(offset=offset) if update.message]
    assert texts == ["3", "2", "1", "0"]
    await bot.get_updates(offset=offset + 4)
    await sandbox.repeat(DESK, offset)
    await sandbox.inject(DESK, {"update_id": 1, "kind_of_the_future": {"x": 1}})
    assert [update.update_id for update in await bot.get_updates(offset=offset + 4)] == [offset, 1]


async def test_ten_thousand_at_once(sandbox: Sandbox, bot: Bot, server: Server) -> None:
    def update(number: int) -> Json:
        person = {"id": 9_000_000 + number, "first_name": "Loaded"}
        return {
            "update_id": 0,
            "message": {
                "message_id": 5,
                "date": 1_800_000_000,
                "chat": {**person, "type": "private"},
                "from": {**person, "is_bot": False},
                "text": f"request {number}",
            },
        }

    assert await sandbox.load(DESK, [update(number) for number in range(10_000)]) == 10_000
    assert len(server.world.bots[DESK].inbox.pending) == 10_000
    batch = await bot.get_updates(limit=100)
    ids = [update.update_id for update in batch]
    assert ids == list(range(ids[0], ids[0] + 100))
    assert (await bot.copy_message(9_000_001, 9_000_000, 5)).message_id == 6, "its people and messages are there"


async def test_behind_a_mask_the_words_are_still_ones_own(sandbox: Sandbox, bob: int, alice: int, group: int) -> None:
    await sandbox.add_member(group, user=alice)
    hidden = (await sandbox.say(bob, group, "hidden", anonymous=True))["message_id"]
    with pytest.raises(SandboxError, match="is not by user"):
        await sandbox.edit(alice, group, hidden, "mine now")
    await sandbox.edit(bob, group, hidden, "still hidden")
    (edited,) = await fresh(sandbox, "edited_message")
    assert (edited["text"], edited["from"]["username"]) == ("still hidden", "GroupAnonymousBot")


async def test_a_bot_hears_nothing_of_its_own_words(sandbox: Sandbox, bot: Bot, alice: int) -> None:
    before = len(await fresh(sandbox))
    sent = await bot.send_message(alice, "one")
    await bot.edit_message_text("two", chat_id=alice, message_id=sent.message_id)
    assert len(await fresh(sandbox)) == before

"""Copying, forwarding, editing, deleting, reacting."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReactionTypeEmoji,
    ReactionTypeUnion,
)

from sandbox.client import Sandbox
from sandbox.telegram.samples import png

from .conftest import DESK, Clock, plain

KEYBOARD = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Take", callback_data="take")]])
COPYABLE = ("photo", "document", "voice", "video", "video_note", "sticker", "contact", "location", "poll", "dice")


async def last(sandbox: Sandbox, chat: int, viewer: int) -> dict[str, object]:
    message: dict[str, object] = (await sandbox.chat(chat, viewer))["messages"][-1]
    return message


async def test_a_copy_is_the_bots_own_words(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    said = await sandbox.say(alice, DESK, "help /me", entities=[{"type": "bold", "offset": 0, "length": 4}])
    copied = await bot.copy_message(group, alice, said["message_id"])
    shown = await last(sandbox, group, bob)
    assert shown["message_id"] == copied.message_id
    assert (shown["text"], shown["entities"]) == (said["text"], said["entities"])
    assert shown["from"]["id"] == DESK  # type: ignore[index]
    assert "forward_origin" not in shown


@pytest.mark.parametrize("kind", COPYABLE)
async def test_every_kind_can_be_copied(
    bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int, kind: str
) -> None:
    said = await sandbox.say(alice, DESK, kind=kind)
    await bot.copy_message(group, alice, said["message_id"])
    assert (await last(sandbox, group, bob))[kind] == said[kind]


async def test_captions_can_be_replaced_or_dropped(
    bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int
) -> None:
    said = (await sandbox.say(alice, DESK, kind="photo", caption="old"))["message_id"]
    await bot.copy_message(group, alice, said, caption="new")
    assert (await last(sandbox, group, bob))["caption"] == "new"
    await bot.copy_messages(group, alice, [said], remove_caption=True)
    assert "caption" not in await last(sandbox, group, bob)


async def test_an_album_stays_one(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    parts = await sandbox.album(alice, DESK, [{"kind": "photo"}, {"kind": "video"}])
    single = (await sandbox.say(alice, DESK, "and this"))["message_id"]
    protected = (await sandbox.say(alice, DESK, "secret", protected=True))["message_id"]
    ids = [part["message_id"] for part in parts] + [single, protected, protected + 1]
    copied = await bot.copy_messages(group, alice, ids)
    assert len(copied) == 3, "what cannot be copied is skipped without a word"
    shown = (await sandbox.chat(group, bob))["messages"][-3:]
    albums = [message.get("media_group_id") for message in shown]
    assert albums[0] == albums[1] not in (None, parts[0]["media_group_id"])
    assert albums[2] is None


async def test_copies_that_are_refused(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    service = (await bot.create_forum_topic(group, "x")).message_thread_id
    protected = (await sandbox.say(alice, DESK, "secret", protected=True))["message_id"]
    with pytest.raises(TelegramBadRequest, match="Bad Request: message to copy not found"):
        await bot.copy_message(group, alice, 9999)
    with pytest.raises(TelegramBadRequest, match="message can't be copied"):
        await bot.copy_message(group, group, service)
    with pytest.raises(TelegramBadRequest, match="message can't be copied"):
        await bot.copy_message(group, alice, protected)
    with pytest.raises(TelegramBadRequest, match="strictly increasing order"):
        await bot.copy_messages(group, alice, [2, 1])
    with pytest.raises(TelegramBadRequest, match="there are no messages to copy"):
        await bot.copy_messages(group, alice, [9999])
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await bot.copy_message(bob, alice, 1)


async def test_a_blocked_persons_words_can_still_be_copied(
    bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int
) -> None:
    await sandbox.block(alice, DESK)
    assert (await bot.copy_message(group, alice, 1)).message_id


async def test_forwarding_names_the_author(bot: Bot, sandbox: Sandbox, alice: int, group: int) -> None:
    said = (await sandbox.say(alice, DESK, "mine"))["message_id"]
    sent = await bot.forward_message(group, alice, said)
    assert sent.forward_origin is not None
    assert sent.forward_origin.sender_user.id == alice  # type: ignore[union-attr]
    assert len(await bot.forward_messages(group, alice, [said])) == 1
    with pytest.raises(TelegramBadRequest, match="message to forward not found"):
        await bot.forward_message(group, alice, 9999)


async def test_editing_text_and_buttons(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    sent = await bot.send_message(alice, "one", reply_markup=KEYBOARD)
    with pytest.raises(TelegramBadRequest, match="message is not modified: specified new message content and reply"):
        await bot.edit_message_text("one", chat_id=alice, message_id=sent.message_id, reply_markup=KEYBOARD)
    edited = await bot.edit_message_text("two", chat_id=alice, message_id=sent.message_id)
    assert edited.text == "two"  # type: ignore[union-attr]
    assert edited.reply_markup is None  # type: ignore[union-attr]
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_reply_markup(chat_id=alice, message_id=sent.message_id)
    again = await bot.edit_message_reply_markup(chat_id=alice, message_id=sent.message_id, reply_markup=KEYBOARD)
    assert plain(again)["reply_markup"] == plain(KEYBOARD)  # type: ignore[arg-type]
    assert (await last(sandbox, DESK, alice))["edits"] == 1


async def test_editing_media(bot: Bot, alice: int) -> None:
    photo = BufferedInputFile(png(20, 10), "a.png")
    sent = await bot.send_photo(alice, photo, caption="old")
    captioned = await bot.edit_message_caption(chat_id=alice, message_id=sent.message_id, caption="new")
    assert captioned.caption == "new"  # type: ignore[union-attr]
    media = InputMediaPhoto(media=BufferedInputFile(png(10, 20), "b.png"), caption="other")
    replaced = await bot.edit_message_media(media, chat_id=alice, message_id=sent.message_id)
    assert (replaced.photo[-1].width, replaced.caption) == (10, "other")  # type: ignore[union-attr, index]
    with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
        await bot.edit_message_text("x", chat_id=alice, message_id=sent.message_id)


async def test_edits_that_are_refused(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    theirs = (await sandbox.say(alice, DESK, "mine"))["message_id"]
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("x", chat_id=alice, message_id=theirs)
    with pytest.raises(TelegramBadRequest, match="Bad Request: message to edit not found"):
        await bot.edit_message_text("x", chat_id=alice, message_id=9999)
    text = await bot.send_message(alice, "x")
    with pytest.raises(TelegramBadRequest, match="there is no caption in the message to edit"):
        await bot.edit_message_caption(chat_id=alice, message_id=text.message_id, caption="x")


async def test_deleting(bot: Bot, sandbox: Sandbox, alice: int, group: int, clock: Clock) -> None:
    sent = await bot.send_message(alice, "x")
    assert await bot.delete_message(alice, sent.message_id)
    with pytest.raises(TelegramBadRequest, match="Bad Request: message to delete not found"):
        await bot.delete_message(alice, sent.message_id)
    more = [(await bot.send_message(alice, "x")).message_id for _ in range(2)]
    assert await bot.delete_messages(alice, [*more, 9999])
    assert all(m["deleted"] for m in (await sandbox.chat(DESK, alice))["messages"] if m["message_id"] in more)
    root = (await bot.create_forum_topic(group, "x")).message_thread_id
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await bot.delete_message(group, root)
    old = await bot.send_message(alice, "old")
    clock.at += 48 * 3600 + 1
    with pytest.raises(TelegramBadRequest, match="message can't be deleted for everyone"):
        await bot.delete_message(alice, old.message_id)


async def test_one_reaction_a_bot(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    said = (await sandbox.say(alice, DESK, "x"))["message_id"]
    for emoji in ("👀", "👍"):
        assert await bot.set_message_reaction(alice, said, [ReactionTypeEmoji(emoji=emoji)])
    await sandbox.react(alice, DESK, said, "🔥")
    shown = (await last(sandbox, DESK, alice))["reactions"]
    assert shown == [{"emoji": "👍", "by": DESK}, {"emoji": "🔥", "by": alice}]
    assert await bot.set_message_reaction(alice, said, [])
    assert (await last(sandbox, DESK, alice))["reactions"] == [{"emoji": "🔥", "by": alice}]
    with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
        await bot.set_message_reaction(alice, said, [ReactionTypeEmoji(emoji="✅")])
    both: list[ReactionTypeUnion] = [ReactionTypeEmoji(emoji="👍"), ReactionTypeEmoji(emoji="🔥")]
    with pytest.raises(TelegramBadRequest, match="REACTIONS_TOO_MANY"):
        await bot.set_message_reaction(alice, said, both)
    with pytest.raises(TelegramBadRequest, match="message to react not found"):
        await bot.set_message_reaction(alice, 9999, [])

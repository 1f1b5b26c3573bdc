"""Every way to send, driven by aiogram's own client, which decodes every answer."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    KeyboardButton,
    MediaUnion,
    Message,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from sandbox.client import Sandbox
from sandbox.telegram.samples import sample

from .conftest import DESK, Server, plain

FILES = ("photo", "document", "voice", "video", "video_note", "sticker", "animation", "audio")


def buffered(kind: str) -> BufferedInputFile:
    upload = sample(kind)
    return BufferedInputFile(upload.data, upload.name)


async def test_get_me(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (DESK, True, "desk_bot")


async def test_text_with_entities_and_buttons(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Иә", callback_data="yes")]])
    entity = MessageEntity(type="bold", offset=0, length=5)
    sent = await bot.send_message(alice, "Сәлем 👍", entities=[entity], reply_markup=keyboard)
    assert (sent.text, sent.chat.id, sent.from_user and sent.from_user.id) == ("Сәлем 👍", alice, DESK)
    assert [plain(found) for found in sent.entities or ()] == [plain(entity)]
    assert plain(sent.reply_markup) == plain(keyboard)
    shown = (await sandbox.chat(DESK, alice))["messages"][-1]
    assert shown["message_id"] == sent.message_id
    assert (shown["deleted"], shown["edits"], shown["reactions"]) == (False, 0, [])


@pytest.mark.parametrize("kind", FILES)
async def test_a_file_goes_up_once_and_is_sent_again_by_its_id(bot: Bot, alice: int, kind: str) -> None:
    send = getattr(bot, f"send_{kind}")
    first: Message = await send(alice, buffered(kind))
    media = getattr(first, kind)
    file_id = media[-1].file_id if kind == "photo" else media.file_id
    again: Message = await send(alice, file_id)
    assert getattr(again, kind) == media
    path = (await bot.get_file(file_id)).file_path
    assert path is not None
    content = await bot.download_file(path)
    assert content is not None
    assert content.read() == sample(kind).data


@pytest.mark.parametrize("kind", ["photo", "document", "voice", "video", "animation", "audio"])
async def test_captions(bot: Bot, alice: int, kind: str) -> None:
    sent: Message = await getattr(bot, f"send_{kind}")(alice, buffered(kind), caption=" the log ")
    assert sent.caption == "the log"
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await getattr(bot, f"send_{kind}")(alice, buffered(kind), caption="x" * 1025)


async def test_what_needs_no_file(bot: Bot, alice: int) -> None:
    contact = await bot.send_contact(alice, "+77010000000", "Alice", last_name="A")
    assert contact.contact is not None
    assert contact.contact.phone_number == "+77010000000"
    place = await bot.send_location(alice, 43.2, 76.9)
    assert place.location is not None
    assert place.location.latitude == 43.2
    venue = await bot.send_venue(alice, 43.2, 76.9, "Office", "Abay 1")
    assert venue.venue is not None
    assert venue.venue.title == "Office"
    poll = await bot.send_poll(alice, "When?", ["Now", "Later"])
    assert poll.poll is not None
    assert [option.text for option in poll.poll.options] == ["Now", "Later"]
    dice = await bot.send_dice(alice, emoji="🎯")
    assert dice.dice is not None
    assert 1 <= dice.dice.value <= 6


async def test_an_album_shares_one_group_id(bot: Bot, alice: int) -> None:
    media: list[MediaUnion] = [
        InputMediaPhoto(media=buffered("photo"), caption="first"),
        InputMediaVideo(media=buffered("video")),
    ]
    sent = await bot.send_media_group(alice, media)
    assert len(sent) == 2
    assert sent[0].media_group_id == sent[1].media_group_id is not None
    assert (sent[0].caption, sent[1].video is not None) == ("first", True)


async def test_albums_of_mixed_or_too_few_parts_are_refused(bot: Bot, alice: int) -> None:
    photo, document = InputMediaPhoto(media=buffered("photo")), InputMediaDocument(media=buffered("document"))
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.send_media_group(alice, [photo, document])
    with pytest.raises(TelegramBadRequest, match="2-10 items"):
        await bot.send_media_group(alice, [photo])


async def test_the_wrong_file_for_the_method(bot: Bot, alice: int) -> None:
    voice = await bot.send_voice(alice, buffered("voice"))
    assert voice.voice is not None
    with pytest.raises(TelegramBadRequest, match="can't use file of type Voice as Photo"):
        await bot.send_photo(alice, voice.voice.file_id)
    with pytest.raises(TelegramBadRequest, match="wrong file identifier/HTTP URL specified"):
        await bot.send_photo(alice, "nonsense")
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(alice, BufferedInputFile(b"no image", "x.png"))


async def test_keyboards_below_the_input_field(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    keyboard = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Қазақша")]], one_time_keyboard=True)
    sent = await bot.send_message(alice, "Language?", reply_markup=keyboard)
    assert sent.reply_markup is None
    shown = (await sandbox.chat(DESK, alice))["reply_keyboard"]
    assert shown["keyboard"][0][0]["text"] == "Қазақша"
    await sandbox.say(alice, DESK, "Қазақша")
    assert (await sandbox.chat(DESK, alice))["reply_keyboard"] is None
    await bot.send_message(alice, "Say", reply_markup=ForceReply())
    assert (await sandbox.chat(DESK, alice))["reply_keyboard"]["force_reply"]
    await bot.send_message(alice, "Never mind", reply_markup=ReplyKeyboardRemove())
    assert (await sandbox.chat(DESK, alice))["reply_keyboard"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "message text is empty"), (" \n ", "message text is empty"), ("x" * 4097, "message is too long")],
)
async def test_texts_that_are_refused(bot: Bot, alice: int, text: str, words: str) -> None:
    with pytest.raises(TelegramBadRequest, match=f"Bad Request: {words}"):
        await bot.send_message(alice, text)


async def test_parse_mode_is_refused_in_so_many_words(bot: Bot, alice: int) -> None:
    with pytest.raises(TelegramBadRequest, match="the sandbox takes entities"):
        await bot.send_message(alice, "<b>x</b>", parse_mode="HTML")


async def test_blocked_and_never_started(bot: Bot, sandbox: Sandbox, alice: int, bob: int) -> None:
    await sandbox.block(alice, DESK)
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(alice, "x")
    assert (await bot.get_chat(alice)).id == alice, "reading is still allowed"
    await sandbox.block(alice, DESK, blocked=False)
    await bot.send_message(alice, "x")
    with pytest.raises(TelegramForbiddenError, match="bot can't initiate conversation with a user"):
        await bot.send_message(bob, "x")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(12345, "x")


async def test_strangers_and_unknown_methods(server: Server, sandbox: Sandbox, bot: Bot) -> None:
    async with sandbox.session.get(f"{server.url}/bot1:x/getMe") as answer:
        assert answer.status == 401
        assert await answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    for method in ("sendInvoice", "makeCoffee"):
        async with sandbox.session.get(f"{server.url}/bot{bot.token}/{method}") as answer:
            assert answer.status == 404
            assert (await answer.json())["description"] == "Not Found: method not found"


async def test_every_way_to_pass_parameters(server: Server, sandbox: Sandbox, bot: Bot, alice: int) -> None:
    url = f"{server.url}/bot{bot.token}/sendmessage"
    given = {"chat_id": str(alice), "text": "hi"}
    for keywords in ({"params": given}, {"data": given}, {"json": {"chat_id": alice, "text": "hi"}}):
        async with sandbox.session.post(url, **keywords) as answer:
            assert (await answer.json())["result"]["text"] == "hi"
    async with sandbox.session.post(url, json={**given, "colour": "red"}) as answer:
        assert (answer.status, (await answer.json())["description"]) == (
            400,
            'Bad Request: unknown parameter "colour"',
        )
    async with sandbox.session.post(url, data=b"[1", headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400


async def test_half_a_symbol_in_any_field(server: Server, sandbox: Sandbox, bot: Bot, alice: int) -> None:
    url = f"{server.url}/bot{bot.token}/sendMessage"
    button = {"text": "a", "callback_data": "\ud83d"}
    body = {"chat_id": alice, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}}
    async with sandbox.session.post(url, json=body) as answer:
        assert (answer.status, (await answer.json())["description"]) == (
            400,
            "Bad Request: strings must be encoded in UTF-8",
        )

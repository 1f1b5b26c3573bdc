"""Journal, events, faults, samples, keyboards: the small pieces."""

import json
import struct
import zlib

import pytest

from sandbox.telegram.errors import ApiError, Refused
from sandbox.telegram.events import Events
from sandbox.telegram.faults import Faults
from sandbox.telegram.journal import Journal
from sandbox.telegram.keyboards import inline_part
from sandbox.telegram.model import Room, Upload
from sandbox.telegram.samples import image_size, is_image, kind_of, ogg, png, sample

ROOM = Room(id=-1001, chat={}, where={})


def test_a_journal_keeps_the_last_and_counts_on() -> None:
    journal: Journal[int] = Journal(100)
    for number in range(1, 1001):
        assert journal.add(number) == number
    assert journal.last == 1000
    assert list(journal.after(997)) == [998, 999, 1000]
    kept = list(journal.after(0))
    assert kept == list(range(kept[0], 1001))
    assert 100 <= len(kept) <= 125
    journal.forget()
    assert journal.add(0) == 1001


async def test_listeners_get_the_past_and_the_present() -> None:
    events = Events()
    events.emit("one", {"chat": 1})
    events.emit("two", {"chat": 1}, lambda: {"more": True})
    queue = events.listen(after=1)
    events.emit("three", {})
    frames = [json.loads(queue.get_nowait() or "") for _ in range(2)]
    assert frames == [{"n": 2, "type": "two", "chat": 1, "more": True}, {"n": 3, "type": "three"}]
    events.close()
    assert queue.get_nowait() is None


def test_nothing_is_rendered_for_nobody() -> None:
    Events().emit("one", {}, lambda: pytest.fail("rendered"))


def test_faults_fire_in_the_order_set_after_and_as_often_as_asked() -> None:
    faults = Faults()
    first = faults.add({"kind": "429", "method": "sendMessage", "times": 2, "after": 1}, None)
    second = faults.add({"kind": "drop", "method": "sendMessage", "chat": 5}, None)
    hits = [faults.hit(42, "sendMessage", 5) for _ in range(4)]
    assert hits == [second, first, first, None], "the first lets one call pass, which the second takes"
    assert faults.orders == []


def test_a_fault_hits_only_what_it_names() -> None:
    faults = Faults()
    fault = faults.add({"kind": "hang", "method": "copyMessage", "chat": 5, "times": None}, 42)
    assert faults.hit(43, "copyMessage", 5) is None
    assert faults.hit(42, "sendMessage", 5) is None
    assert faults.hit(42, "copyMessage", 6) is None
    assert faults.hit(42, "copyMessage", "5") is fault
    assert faults.hit(42, "copyMessage", 5) is fault, "times: null never ends"


def test_polling_is_spared_unless_named() -> None:
    faults = Faults()
    faults.add({"kind": "500"}, None)
    assert faults.hit(42, "getUpdates", None) is None
    faults.add({"kind": "500", "method": "getUpdates"}, None)
    assert faults.hit(42, "getUpdates", None) is not None


@pytest.mark.parametrize(
    "order", [{"kind": "flood"}, {"kind": "error"}, {"kind": "429", "retyr_after": 5}, {"times": 1}]
)
def test_a_wrong_order_is_refused(order: dict[str, object]) -> None:
    with pytest.raises(Refused):
        Faults().add(order, None)


def test_refused_kinds_are_never_done() -> None:
    assert not Faults().add({"kind": "429", "done": True}, None).done
    assert Faults().add({"kind": "garble"}, None).done
    assert Faults().add({"kind": "html", "done": True}, None).done


def test_the_png_is_one() -> None:
    data = png(30, 20)
    assert is_image(data)
    assert image_size(data) == (30, 20)
    at = data.index(b"IDAT")
    size = struct.unpack(">I", data[at - 4 : at])[0]
    assert len(zlib.decompress(data[at + 4 : at + 4 + size])) == 20 * (1 + 30 * 3)


def test_the_voice_is_ogg_opus() -> None:
    data = ogg()
    assert data.count(b"OggS") == 3
    assert b"OpusHead" in data
    assert struct.unpack("<I", data[22:26])[0] != 0


@pytest.mark.parametrize(
    ("kind", "sent_as"),
    [
        ("photo", "photo"),
        ("document", "document"),
        ("voice", "voice"),
        ("video", "video"),
        ("sticker", "sticker"),
        ("audio", "audio"),
    ],
)
def test_files_are_known_by_their_type(kind: str, sent_as: str) -> None:
    assert kind_of(sample(kind)) == sent_as
    assert sample(kind).data


def test_an_unknown_file_is_a_document() -> None:
    assert kind_of(Upload("core.dump", "application/octet-stream", b"x")) == "document"


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "a", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        ({"text": "a", "url": "javascript:alert(1)"}, "is invalid: wrong HTTP URL"),
        ({"text": "a"}, "text buttons are unallowed"),
        ({"text": " ", "callback_data": "x"}, "text can't be empty"),
    ],
)
def test_wrong_buttons(button: dict[str, object], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        inline_part(ROOM, {"inline_keyboard": [[button]]})


def test_right_buttons_lose_their_empty_fields() -> None:
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "я" * 32, "url": None}], []]}
    assert inline_part(ROOM, markup) == {"inline_keyboard": [[{"text": "a", "callback_data": "я" * 32}]]}


def test_too_many_buttons() -> None:
    rows = [[{"text": "a", "callback_data": "b"}]] * 101
    with pytest.raises(ApiError, match="reply markup is too long"):
        inline_part(ROOM, {"inline_keyboard": rows})


def test_phone_numbers_are_asked_for_in_private() -> None:
    with pytest.raises(ApiError, match="phone number can be requested in private chats only"):
        inline_part(ROOM, {"keyboard": [[{"text": "phone", "request_contact": True}]]})

"""Telegram's messages as the desk keeps them, with offsets counted as Telegram counts."""

from typing import Any

import pytest
from aiogram.types import Message
from hypothesis import given
from hypothesis import strategies as st

from bot.content import UNSUPPORTED, content_of, prefixed, utf16, without_command
from tests.factories import CUSTOMER, message, photo, private

FILE = {"file_id": "f", "file_unique_id": "u"}
VIDEO = {**FILE, "width": 1, "height": 1, "duration": 1}
PLACE = {"latitude": 43.25, "longitude": 76.95}


def parsed(words: str | None = None, **more: Any) -> Message:
    return Message.model_validate(message(words, CUSTOMER, private(CUSTOMER), **more))


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"photo": photo()}, "photo"),
        ({"document": {**FILE, "file_name": "лог.txt"}}, "document"),
        ({"voice": {**FILE, "duration": 1}}, "voice"),
        ({"video": VIDEO}, "video"),
        ({"video_note": {**FILE, "length": 1, "duration": 1}}, "video_note"),
        ({"audio": {**FILE, "duration": 1}}, "audio"),
        # Telegram adds the document to an animation, for old clients.
        ({"animation": VIDEO, "document": FILE}, "animation"),
        (
            {"sticker": {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}},
            "sticker",
        ),
        ({"location": PLACE}, "location"),
        # And the location to a venue.
        ({"venue": {"location": PLACE, "title": "ЦОД", "address": "Абая 1"}, "location": PLACE}, "venue"),
        ({"contact": {"phone_number": "+77010000000", "first_name": "Ая"}}, "contact"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "dice"),
    ],
)
def test_every_kind_that_travels_is_known(more: dict[str, Any], kind: str) -> None:
    content = content_of(parsed(**more))
    assert content is not None
    assert content["type"] == kind
    assert content.get("file_id", "") or content[kind]


def test_a_photo_is_kept_in_its_largest_size() -> None:
    content = content_of(parsed(photo=photo("cat"), caption="кот"))
    assert content == {"type": "photo", "file_id": "cat-800", "unique": "cat800", "text": "кот"}


def test_a_contact_is_kept_whole() -> None:
    content = content_of(parsed(contact={"phone_number": "+77010000000", "first_name": "Ая", "user_id": 5}))
    assert content == {
        "type": "contact",
        "contact": {"phone_number": "+77010000000", "first_name": "Ая", "user_id": 5},
    }


@pytest.mark.parametrize("kind", sorted(UNSUPPORTED - {"unknown"}))
def test_what_cannot_travel_is_a_kind_that_telegram_has(kind: str) -> None:
    assert kind in Message.model_fields


@pytest.mark.parametrize("kind", ["live_photo", "rich_message"])
def test_newer_kinds_that_people_write_are_not_taken_for_service_messages(kind: str) -> None:
    assert kind in Message.model_fields
    made = Message.model_construct(**{**dict.fromkeys(Message.model_fields), kind: {}, "photo": None})
    if kind == "live_photo":
        # Telegram adds the photo for old clients.
        made = parsed(photo=photo())
    assert content_of(made) is not None or made.content_type in UNSUPPORTED


def test_a_poll_and_a_service_message_have_no_content() -> None:
    poll = {
        "id": "1",
        "question": "?",
        "options": [],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    }
    assert content_of(parsed(new_chat_title="x")) is None
    found = parsed(poll=poll)
    assert content_of(found) is None
    assert found.content_type in UNSUPPORTED


def test_custom_emoji_stay_as_ordinary_ones_and_other_entities_are_kept() -> None:
    entities = [
        {"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "5"},
        {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.kz"},
        {"type": "pre", "offset": 3, "length": 4, "language": "sh"},
        {
            "type": "text_mention",
            "offset": 3,
            "length": 4,
            "user": {"id": 7, "is_bot": False, "first_name": "Ая", "language_code": "kk"},
        },
    ]
    content = content_of(parsed("🔥 abcd", entities=entities))
    assert content == {
        "type": "text",
        "text": "🔥 abcd",
        "entities": [
            {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.kz"},
            {"type": "pre", "offset": 3, "length": 4, "language": "sh"},
            {
                "type": "text_mention",
                "offset": 3,
                "length": 4,
                "user": {"id": 7, "is_bot": False, "first_name": "Ая"},
            },
        ],
    }


# --- offsets -----------------------------------------------------------------------------------------------------


def cut_out(text: str, entity: dict[str, Any]) -> str:
    """What an entity covers, as Telegram counts."""
    raw = text.encode("utf-16-le")
    return raw[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


@pytest.mark.parametrize(("text", "length"), [("", 0), ("abc", 3), ("қаз", 3), ("🔥", 2), ("👨‍👩‍👧", 8), ("a🔥b", 4)])
def test_length_is_in_units_of_utf16(text: str, length: int) -> None:
    assert utf16(text) == length


def test_the_command_goes_and_entities_move_along() -> None:
    content = {
        "type": "text",
        "text": "/r 🔥 жирно и https://a.kz",
        "entities": [
            {"type": "bot_command", "offset": 0, "length": 2},
            {"type": "bold", "offset": 6, "length": 5},
            {"type": "url", "offset": 14, "length": 12},
        ],
    }
    assert [cut_out(str(content["text"]), e) for e in content["entities"]] == ["/r", "жирно", "https://a.kz"]
    bare = without_command(content)
    assert bare["text"] == "🔥 жирно и https://a.kz"
    assert [(e["type"], cut_out(bare["text"], e)) for e in bare["entities"]] == [
        ("bold", "жирно"),
        ("url", "https://a.kz"),
    ]


def test_an_entity_over_the_command_too_is_cut() -> None:
    bare = without_command({"type": "text", "text": "/r да", "entities": [{"type": "bold", "offset": 0, "length": 5}]})
    assert bare["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


@pytest.mark.parametrize("text", ["/r", "/r ", "/r\n"])
def test_a_bare_command_leaves_nothing(text: str) -> None:
    bare = without_command({"type": "text", "text": text, "entities": [{"type": "bold", "offset": 0, "length": 2}]})
    assert bare == {"type": "text", "cut": True}


def test_a_caption_loses_its_command_and_the_file_stays() -> None:
    bare = without_command({"type": "photo", "file_id": "f", "text": "/r вот"})
    assert bare == {"type": "photo", "file_id": "f", "cut": True, "text": "вот"}


words = st.text(st.sampled_from("ab 🔥қ\n👍"), min_size=1, max_size=12).filter(lambda s: s.strip() != "")


@given(words, words, words)
def test_what_an_entity_covers_stays_the_same(before: str, covered: str, after: str) -> None:
    # A blank at an edge would be eaten with the command; entities of Telegram's never begin with one.
    before, covered = before.lstrip(), covered.strip()
    text = f"/note {before}{covered}{after}"
    entity = {"type": "bold", "offset": utf16(f"/note {before}"), "length": utf16(covered)}
    bare = without_command({"type": "text", "text": text, "entities": [entity]})
    assert bare["text"] == f"{before}{covered}{after}"
    assert cut_out(bare["text"], bare["entities"][0]) == covered
    marked, moved = prefixed(bare["text"], bare["entities"], "↻ 🔁:\n")
    assert marked == f"↻ 🔁:\n{bare['text']}"
    assert cut_out(marked, moved[0]) == covered

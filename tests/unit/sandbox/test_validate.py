"""Calls are checked against aiogram's models: unknown, missing and wrong parameters are named."""

import pytest

from sandbox.telegram.errors import ApiError
from sandbox.telegram.methods import METHODS
from sandbox.telegram.model import Upload
from sandbox.telegram.validate import check, method_names, spec


def test_form_fields_get_their_types() -> None:
    given = {
        "chat_id": "-1001",
        "text": "5",
        "message_thread_id": "7",
        "protect_content": "true",
        "entities": '[{"type":"bold","offset":0,"length":1}]',
    }
    assert check("sendMessage", given) == {
        "chat_id": -1001,
        "text": "5",
        "message_thread_id": 7,
        "protect_content": True,
        "entities": [{"type": "bold", "offset": 0, "length": 1}],
    }


def test_json_bodies_keep_theirs() -> None:
    assert check("sendLocation", {"chat_id": 5, "latitude": 1, "longitude": 2.5})["latitude"] == 1.0
    assert check("sendMessage", {"chat_id": "@name", "text": 5})["text"] == "5"


def test_files_come_as_uploads_or_identifiers() -> None:
    upload = Upload("a.png", "image/png", b"x")
    assert check("sendPhoto", {"chat_id": 1, "photo": upload})["photo"] is upload
    assert check("sendPhoto", {"chat_id": 1, "photo": "id"})["photo"] == "id"


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("sendMessage", {"chat_id": 1, "text": "x", "txet": "y"}, 'unknown parameter "txet"'),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": 1}, "message text is empty"),
        ("copyMessage", {"chat_id": 1, "message_id": 2}, 'parameter "from_chat_id" is required'),
        ("copyMessage", {"chat_id": 1, "from_chat_id": 1, "message_id": "two"}, '"message_id" must be an integer'),
        ("sendMessage", {"chat_id": True, "text": "x"}, '"chat_id" must be'),
        ("sendMessage", {"chat_id": 1, "text": []}, '"text" must be a string'),
        ("sendMessage", {"chat_id": 1, "text": "x", "protect_content": "maybe"}, '"protect_content" must be a boolean'),
        ("sendLocation", {"chat_id": 1, "latitude": "north", "longitude": 1}, '"latitude" must be a number'),
        ("sendPhoto", {"chat_id": 1, "photo": 5}, '"photo" must be a file'),
        ("sendMessage", {"chat_id": 1, "text": "x", "entities": "[{"}, "can't parse entities JSON object"),
        ("sendMessage", {"chat_id": 1, "text": "x", "entities": [{"type": "bold"}]}, "can't parse entities: 0.offset"),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": {"keyboard": 5}}, 'unknown field "keyboard"'),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a", "calback_data": "b"}]]}},
            'unknown field "calback_data"',
        ),
        ("copyMessages", {"chat_id": 1, "from_chat_id": 1, "message_ids": ["x"]}, "can't parse message_ids"),
        ("setMessageReaction", {"chat_id": 1, "message_id": 1, "reaction": [{"type": "wink"}]}, "can't parse reaction"),
    ],
)
def test_wrong_calls_are_refused_by_name(method: str, given: dict[str, object], words: str) -> None:
    with pytest.raises(ApiError) as caught:
        check(method, given)
    assert caught.value.code == 400
    assert words in caught.value.description


def test_empty_fields_count_as_left_out() -> None:
    assert check("sendMessage", {"chat_id": "1", "text": "x", "reply_markup": ""}) == {"chat_id": 1, "text": "x"}


def test_every_method_of_the_sandbox_is_one_of_aiograms() -> None:
    known = set(method_names().values())
    assert METHODS.keys() <= known
    assert all(spec(method).readers is not None for method in METHODS)

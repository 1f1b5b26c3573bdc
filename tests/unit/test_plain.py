"""What cannot be stored, and what is not to be seen."""

import json

import pytest

from bot.content import utf16
from crm.plain import storable, visible


def test_what_the_database_cannot_hold_is_replaced_in_its_place() -> None:
    text = json.loads(r'{"a\u0000": ["x\u0000y\ud83dz", 5, null, {"k": "\ud83d\ude00"}]}')
    assert storable(text) == {"a\ufffd": ["x\ufffdy\ufffdz", 5, None, {"k": "😀"}]}
    assert utf16("x\ufffdy\ufffdz") == 5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\u202eb\u2066c\u2069", "abc"),
        ("a\u200b\u200c\u200d\ufeffb", "ab"),
        ("\x07a\u2028b", "ab"),
        ("Қазақша – ё 🔥", "Қазақша – ё 🔥"),
        ("👩\u200d💻 👩🏽\u200d🚒 ❤\ufe0f\u200d🔥", "👩\u200d💻 👩🏽\u200d🚒 ❤\ufe0f\u200d🔥"),
    ],
)
def test_nothing_invisible_is_shown_among_our_words(line: str, shown: str) -> None:
    assert visible(line) == shown

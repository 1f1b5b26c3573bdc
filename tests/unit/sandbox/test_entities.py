"""Entities are measured in UTF-16 units, and the text is trimmed as the server trims it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.entities import caption_fields, formatted, text_fields, units
from sandbox.telegram.errors import ApiError
from sandbox.telegram.model import Json


def bold(offset: int, length: int) -> Json:
    return {"type": "bold", "offset": offset, "length": length}


@pytest.mark.parametrize(("text", "length"), [("", 0), ("abc", 3), ("жауап", 5), ("👍", 2), ("a👨‍💻", 6)])
def test_units(text: str, length: int) -> None:
    assert units(text) == length


def test_an_entity_may_end_exactly_at_the_end() -> None:
    assert text_fields("a👍", [bold(1, 2)]) == {"text": "a👍", "entities": [bold(1, 2)]}


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        (bold(0, 4), "ends after the end of the text"),
        (bold(4, 1), "ends after the end of the text"),
        (bold(-1, 2), "incorrect offset -1"),
        (bold(0, -2), "incorrect length -2"),
        (bold(2, 1), "begins in a middle of a UTF-16 symbol"),
        (bold(1, 1), "ends in a middle of a UTF-16 symbol"),
        ({"type": "sparkling", "offset": 0, "length": 1}, "Unsupported type"),
    ],
)
def test_a_wrong_entity_is_refused(entity: Json, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        text_fields("a👍", [entity])
    assert caught.value.code == 400


def test_white_space_around_the_text_goes_and_entities_move() -> None:
    assert text_fields("  hello \n", [bold(2, 6)]) == {"text": "hello", "entities": [bold(0, 5)]}


def test_leading_space_inside_an_entity_stays() -> None:
    assert text_fields("  hi", [bold(1, 2)]) == {"text": " hi", "entities": [bold(0, 2)]}


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Bad Request: message text is empty"):
        text_fields(text, None)


def test_the_limits_are_counted_in_units() -> None:
    assert text_fields("я" * 4096, None)["text"]
    with pytest.raises(ApiError, match="message is too long"):
        text_fields("👍" * 2049, None)
    with pytest.raises(ApiError, match="message caption is too long"):
        caption_fields("x" * 1025, None)


def test_half_a_symbol_is_no_text() -> None:
    with pytest.raises(ApiError, match="strings must be encoded in UTF-8"):
        text_fields("\ud83d", None)


def test_commands_mentions_and_links_are_found() -> None:
    found = text_fields("/start 👍 @desk_bot https://a.example/x. #вопрос me@a.example", None)["entities"]
    assert [e["type"] for e in found] == ["bot_command", "mention", "url", "hashtag", "email"]
    assert found[1] == {"type": "mention", "offset": 10, "length": 9}
    assert found[2]["length"] == len("https://a.example/x")


def test_what_is_given_wins_over_what_is_found() -> None:
    code = {"type": "code", "offset": 0, "length": 6}
    assert text_fields("/start", [code])["entities"] == [code]


@given(
    st.text(st.sampled_from("a ж\n👍\t/@#"), max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), max_size=4),
)
def test_kept_entities_always_lie_inside_the_kept_text(text: str, spans: list[tuple[int, int]]) -> None:
    try:
        kept_text, kept = formatted(text, [bold(*span) for span in spans], 4096)
    except ApiError:
        return
    assert kept_text == kept_text.rstrip()
    assert all(e["offset"] >= 0 and e["length"] > 0 for e in kept)
    assert all(e["offset"] + e["length"] <= units(kept_text) for e in kept)

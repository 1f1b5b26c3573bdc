"""Telegram's formatting in mail: safe HTML, sensible plain text, whatever the spans."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.entities import to_html, to_plain


def span(text: str, kind: str, words: str, **more: Any) -> dict[str, Any]:
    begin = text.index(words)
    offset = len(text[:begin].encode("utf-16-le")) // 2
    return {"type": kind, "offset": offset, "length": len(words.encode("utf-16-le")) // 2, **more}


def test_each_kind_in_both_forms() -> None:
    text = "👍 Жирный курсив код\nсм. инструкцию и desk.kz\nсказано\nдальше"
    spans = [
        span(text, "bold", "Жирный курсив"),
        span(text, "italic", "курсив"),
        span(text, "code", "код"),
        span(text, "text_link", "инструкцию", url="https://desk.kz/?a=1&b=2"),
        span(text, "url", "desk.kz"),
        span(text, "blockquote", "сказано"),
    ]
    assert to_html(text, spans) == (
        "👍 <b>Жирный <i>курсив</i></b> <code>код</code><br>\n"
        'см. <a href="https://desk.kz/?a=1&amp;b=2">инструкцию</a> и <a href="https://desk.kz">desk.kz</a><br>\n'
        '<blockquote style="margin:8px 0;padding-left:12px;border-left:3px solid #ccc">сказано</blockquote>дальше'
    )
    assert to_plain(text, spans) == (
        "👍 Жирный курсив код\nсм. инструкцию (https://desk.kz/?a=1&b=2) и desk.kz\n> сказано\nдальше"
    )


def test_lines_of_code_stay_lines() -> None:
    text = "a\n  b < c"
    assert to_html(text, [span(text, "pre", text, language="c")]) == (
        '<pre style="white-space:pre-wrap">a\n  b &lt; c</pre>'
    )


def test_the_same_place_may_have_two_kinds() -> None:
    text = "слово"
    assert to_html(text, [span(text, "bold", text), span(text, "italic", text)]) == "<b><i>слово</i></b>"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "tg://user?id=1", "data:text/html,x", "file:///etc/passwd", "https://[", "//x"]
)
def test_links_lead_to_places_for_mail_only(url: str) -> None:
    text = "здесь"
    assert to_html(text, [span(text, "text_link", text, url=url)]) == "здесь"
    assert to_plain(text, [span(text, "text_link", text, url=url)]) == "здесь"


def test_a_link_whose_words_are_its_address_is_said_once() -> None:
    text = "https://desk.kz"
    assert to_plain(text, [span(text, "text_link", text, url="https://desk.kz/")]) == "https://desk.kz"


class Balanced(HTMLParser):
    """Notes tags and words; every tag is closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


KINDS = ["bold", "italic", "underline", "code", "pre", "blockquote", "text_link", "url", "spoiler", "mention", "new"]
SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(KINDS),
            "offset": st.integers(-2, 40),
            "length": st.integers(-2, 40),
            "url": st.just('https://x.kz/"><script>'),
        }
    ),
    max_size=12,
)


@settings(deadline=None)
@given(st.text(alphabet="аб <>&\"'👍\n", max_size=40), SPANS)
def test_no_span_loses_a_word_or_breaks_the_markup(text: str, spans: list[dict[str, Any]]) -> None:
    reader = Balanced()
    reader.feed(str(to_html(text, spans)))
    reader.close()
    assert reader.open == []
    # An offset may cut a character in two: both halves are shown as unknown.
    bare = re.sub(r"\s", "", reader.words)
    assert len(bare.replace("\ufffd", "")) >= len(re.sub(r"[\s👍]", "", text))
    if "👍" not in text:
        assert bare == re.sub(r"\s", "", text)
    to_plain(text, spans)

"""Words as Telegram formats them, for mail: as safe HTML and as plain text. Pure.

Entities are spans in UTF-16 units, nested or side by side; one that crosses another ends where that one ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

Entity = dict[str, Any]

_TAGS = {
    "bold": Markup("<b>{}</b>"),
    "italic": Markup("<i>{}</i>"),
    "underline": Markup("<u>{}</u>"),
    "strikethrough": Markup("<s>{}</s>"),
    "code": Markup("<code>{}</code>"),
    "pre": Markup('<pre style="white-space:pre-wrap">{}</pre>'),
}
_QUOTES = ("blockquote", "expandable_blockquote")
_BLOCKS = ("pre", *_QUOTES)
_QUOTE = "margin:8px 0;padding-left:12px;border-left:3px solid #ccc"
# Anything else would be followed by the reader's machine in ways that a mail must not cause.
_SCHEMES = ("http", "https", "mailto", "tel")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text: words, or what stands inside of an entity."""

    text: str
    entity: Entity | None = None
    inside: tuple["Span", ...] = ()


def nested(text: str, entities: list[Entity]) -> tuple[Span, ...]:
    """The text as a tree. What lies outside of the text is cut off."""
    units = text.encode("utf-16-le", "surrogatepass")
    known = sorted(entities, key=lambda e: (e["offset"], -e["length"]))
    return tuple(_spans(units, 0, len(units) // 2, known))


def _spans(units: bytes, start: int, end: int, entities: list[Entity]) -> Iterator[Span]:
    at = start
    for place, entity in enumerate(entities):
        begin, stop = max(entity["offset"], 0), min(entity["offset"] + entity["length"], end)
        # Those inside of an entity before it were drawn with it.
        if begin < at or stop <= begin:
            continue
        if begin > at:
            yield Span(_text(units, at, begin))
        inner = [e for e in entities[place + 1 :] if begin <= e["offset"] < stop]
        yield Span(_text(units, begin, stop), entity, tuple(_spans(units, begin, stop, inner)))
        at = stop
    if at < end:
        yield Span(_text(units, at, end))


def _text(units: bytes, start: int, end: int) -> str:
    """Half a character, where an offset cuts one, is shown as a question mark."""
    return units[2 * start : 2 * end].decode("utf-16-le", "replace")


def to_html(text: str, entities: list[Entity]) -> Markup:
    return _html(nested(text, entities), preformatted=False)


def _html(spans: tuple[Span, ...], preformatted: bool) -> Markup:
    made = Markup("")
    after_block = False
    for span in spans:
        block = span.entity is not None and span.entity["type"] in _BLOCKS
        words = span.text
        if after_block and span.entity is None:
            # The block has ended its line already.
            words = words.removeprefix("\n")
        made += _drawn(span, preformatted) if span.entity else _lines(words, preformatted)
        after_block = block
    return made


def _lines(words: str, preformatted: bool) -> Markup:
    safe = escape(words)
    return safe if preformatted else safe.replace("\n", Markup("<br>\n"))


def _drawn(span: Span, preformatted: bool) -> Markup:
    entity = span.entity or {}
    kind = entity["type"]
    inside = _html(span.inside, preformatted or kind == "pre")
    if kind in _TAGS:
        return _TAGS[kind].format(inside)
    if kind in _QUOTES:
        return Markup('<blockquote style="{}">{}</blockquote>').format(_QUOTE, inside)
    link = link_of(span)
    return Markup('<a href="{}">{}</a>').format(link, inside) if link else inside


def link_of(span: Span) -> str | None:
    """Where a link leads, if that is a place for mail to lead to."""
    entity = span.entity or {}
    match entity["type"]:
        case "text_link":
            target = str(entity.get("url", ""))
        case "url":
            target = span.text if "://" in span.text else f"https://{span.text}"
        case "email":
            target = f"mailto:{span.text}"
        case _:
            return None
    try:
        return target if urlsplit(target).scheme.lower() in _SCHEMES else None
    except ValueError:
        return None


def to_plain(text: str, entities: list[Entity]) -> str:
    """A link's address stands behind its words, a quote behind `>`."""
    return _plain(nested(text, entities))


def _plain(spans: tuple[Span, ...]) -> str:
    return "".join(_in_words(span) for span in spans)


def _in_words(span: Span) -> str:
    if span.entity is None:
        return span.text
    inside, kind = _plain(span.inside), span.entity["type"]
    if kind in _QUOTES:
        return quoted(inside)
    link = link_of(span) if kind == "text_link" else None
    return f"{inside} ({link})" if link and link.rstrip("/") != inside.strip().rstrip("/") else inside


def quoted(text: str) -> str:
    """Each line behind `>`, as mail quotes."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))

"""A mail as a person sees it in a mail program: who, when, what, with nothing in it that could run or call home."""

import html
import re
from base64 import b64encode
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

import nh3

from sandbox.mail.imap import Kept
from sandbox.telegram.model import Json

SNIPPET = 140
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>", re.I)
_STYLES: Final = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-top",
    "color", "display", "font-family", "font-size", "font-style", "font-weight", "letter-spacing", "line-height",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "min-width", "padding",
    "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration",
    "vertical-align", "white-space", "width",
}  # fmt: skip
_UNSEEN: Final = {"script", "style", "title"}
_LAYOUT: Final = {"align", "bgcolor", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "valign", "width"}


def summary(kept: Kept) -> Json:
    """The mail in a list, its text with it; `at` in Unix seconds."""
    return {"id": kept.id, "folder": kept.folder, "seen": kept.seen, "at": kept.at, **_read(kept.raw)}


@lru_cache(maxsize=1024)
def _read(raw: bytes) -> Json:
    mail = parse(raw)
    text = text_of(mail)
    said, quoted = cut(text)
    return {
        "message_id": _header(mail, "Message-ID"),
        "in_reply_to": _header(mail, "In-Reply-To"),
        "references": _header(mail, "References").split(),
        "from": (people(mail, "From") or [{"name": "", "address": ""}])[0],
        "to": people(mail, "To"),
        "cc": people(mail, "Cc"),
        "reply_to": people(mail, "Reply-To"),
        "subject": _header(mail, "Subject"),
        "date": _date(mail),
        "text": text,
        "said": said,
        "quoted": quoted,
        "snippet": " ".join(said.split())[:SNIPPET],
        "html": _body(mail, "html") is not None,
        "attachments": [
            {"n": n, "name": _name(part), "mime": part.get_content_type(), "size": len(data_of(part))}
            for n, part in enumerate(attachments(mail))
        ],
    }


def parse(raw: bytes) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(raw)


def threads(mails: list[Json]) -> list[Json]:
    """The mails in order of time, each with its `thread`: the id of the mail that its conversation began with."""
    begun: dict[str, str] = {}
    found = []
    for mail in sorted(mails, key=lambda mail: mail["at"]):
        known = [begun[name] for name in (mail["in_reply_to"], *reversed(mail["references"])) if name in begun]
        thread = known[0] if known else mail["id"]
        for name in (mail["message_id"], *mail["references"]):
            begun.setdefault(name, thread)
        found.append({**mail, "thread": thread})
    return found


def text_of(mail: EmailMessage) -> str:
    """The body as plain text, from its HTML where there is nothing else."""
    plain = _body(mail, "plain")
    if plain is not None:
        return _content(plain).replace("\r\n", "\n").strip()
    rich = _body(mail, "html")
    if rich is None:
        return ""
    words = nh3.clean(_BREAK.sub("\n", _content(rich)), tags=set(), clean_content_tags=_UNSEEN)
    lines = html.unescape(words).splitlines()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in lines)).strip()


def html_of(mail: EmailMessage) -> str:
    """The body as HTML that runs nothing and loads nothing; pictures that came along are inside it."""
    rich = _body(mail, "html")
    if rich is None:
        return f"<pre>{html.escape(text_of(mail))}</pre>"
    inside = {
        str(part["Content-ID"]).strip("<> "): part
        for part in mail.walk()
        if part["Content-ID"] and part.get_content_maintype() == "image"
    }

    def keep(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            part = inside.get(value.removeprefix("cid:")) if value.startswith("cid:") else None
            if part is not None:
                return f"data:{part.get_content_type()};base64,{b64encode(data_of(part)).decode()}"
            return value if value.startswith("data:image/") else None
        return None if value.startswith(("cid:", "data:")) else value

    return nh3.clean(
        _content(rich),
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": {"style", "dir", "lang", "class", *_LAYOUT}, "a": {"href"}},
        attribute_filter=keep,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        clean_content_tags=_UNSEEN,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def attachments(mail: EmailMessage) -> list[EmailMessage]:
    """What a person would call one: neither the bodies nor a picture shown inside them."""
    bodies = {id(_body(mail, "plain")), id(_body(mail, "html"))}
    leaves = [part for part in mail.walk() if not part.is_multipart() or part.get_content_type() == "message/rfc822"]
    return [part for part in leaves if id(part) not in bodies and not (part["Content-ID"] and _body(mail, "html"))]


def data_of(part: EmailMessage) -> bytes:
    """The bytes of an attachment; a mail in a mail is its own source."""
    if part.is_multipart():
        return b"".join(bytes(inner) for inner in part.iter_parts())
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def cut(text: str) -> tuple[str, str]:
    """What was said, and the quoted mail below it with the line that introduces it."""
    lines = text.split("\n")
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith(">")):
        end -= 1
    if not any(line.startswith(">") for line in lines[end:]):
        return text, ""
    start = end - 1 if end and lines[end - 1].rstrip().endswith(":") else end
    return "\n".join(lines[:start]).strip(), "\n".join(lines[start:]).strip()


def people(mail: EmailMessage, field: str) -> list[Json]:
    values = [_text(value) for value in mail.get_all(field, [])]
    return [{"name": name, "address": address} for name, address in getaddresses(values) if address]


def _body(mail: EmailMessage, kind: str) -> EmailMessage | None:
    return mail.get_body((kind,))  # type: ignore[return-value]  # typeshed: MIMEPart, which it is not under our policy


def _content(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return data_of(part).decode("utf-8", "replace")


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return " ".join(_text(mail[name]).split()) if name in mail else ""
    except (LookupError, ValueError, TypeError, AttributeError):
        # What the standard library's own parser of structured fields stumbles over is shown as nothing.
        return ""


def _text(value: Any) -> str:
    """Bytes that are no text in any charset come as lone surrogates, which no answer can carry."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _name(part: EmailMessage) -> str:
    return _text(part.get_filename() or part.get_content_type().replace("/", "."))


def _date(mail: EmailMessage) -> int | None:
    try:
        return int(parsedate_to_datetime(_header(mail, "Date")).timestamp())
    except ValueError:
        return None

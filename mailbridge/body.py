"""What a person's mail program would show of a MIME tree: the text, its HTML, and the attachments."""

import html as entities
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from crm.mail.letter import File
from mailbridge import fields, files, hypertext, invitation, mime, smime, tnef, transfer
from mailbridge.charsets import decode, storable
from mailbridge.flowed import unflowed
from mailbridge.mime import Node

# Mails within mails, signed content within those, …
DEEPEST = 4
LONGEST = 1_000_000

_BODIES = {"text/plain", "text/html", "text/enriched", "text/richtext", "text/x-plain", "application/xhtml+xml"}
_HYPERTEXT = {"text/html", "application/xhtml+xml"}
_NO_FILES = {
    *("message/delivery-status", "message/global-delivery-status", "message/disposition-notification"),
    *("message/feedback-report", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"),
    *("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"),
    *("application/pgp-encrypted", "application/applefile", "text/x-amp-html", "text/watch-html"),
}
_MAILS = {"message/rfc822", "message/global", "message/news"}
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_CALENDARS = {"text/calendar", "application/ics", "text/x-vcalendar"}
_STUB = re.compile(
    r"(?:n[o']t|unable|не\s+(?:поддерж|может|отображ|показ)\w*|nicht|supporte pas|қолдамайды)\b[^.]{0,80}html"
    r"|html\b[^.]{0,80}(?:support|view|capable|compatible|client|enable|message|version|поддерж|просмотр|верси|формат)"
    r"|view (?:this|it)\b[^.]{0,40}(?:browser|online)|в браузере",
    re.I,
)
_HTML_SOURCE = re.compile(r"\s*(?:<!doctype html|<html\b|<head\b|<body\b|<div\b|<table\b)", re.I)
_CID = re.compile(r"cid:([^\"'\s>)]{1,500})", re.I)
_CLEARSIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z]+:.*\n)*[ \t]*\n"
    r"((?s:.*?))^-----BEGIN PGP SIGNATURE-----(?s:.*?)(?:^-----END PGP SIGNATURE-----[ \t]*\n?|\Z)",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    html: str | None
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """What a part shows. `plain`: its own plain text, None if it has only HTML."""

    plain: str | None = None
    html: str | None = None

    @property
    def text(self) -> str:
        return self.plain if self.plain is not None else hypertext.text(self.html or "")

    @property
    def shows(self) -> bool:
        return self.plain is not None or self.html is not None


@dataclass(slots=True)
class _Reading:
    raw: bytes
    hint: str | None
    level: int
    files: list[tuple[File, Node | None]] = field(default_factory=list)
    # Shown below the body, and instead of one that is missing.
    invitations: list[str] = field(default_factory=list)
    instead: list[_View] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    begun: bool = False


def compose(raw: bytes, root: Node, hint: str | None = None, level: int = 0) -> Body:
    """`hint`: the charset to fall back on; `level`: how many mails this one is within."""
    reading = _Reading(raw, hint, level)
    view = _view(reading, root, None)
    text = view.text.strip("\n")
    if not text.strip():
        for other in reading.instead:
            if (words := other.text.strip("\n")).strip():
                view, text = other, words
                break
    if not text.strip() and reading.mails and level < DEEPEST:
        inner = whole(reading.mails[0], level + 1)
        text, view = inner.text, _View(inner.text, view.html or inner.html)
    parts = [text.rstrip(), *(shown for shown in dict.fromkeys(reading.invitations) if shown not in text)]
    joined = "\n\n".join(part for part in parts if part.strip())
    return Body(joined[:LONGEST], view.html, _marked(reading.files, view.html))


def whole(raw: bytes, level: int) -> Body:
    """Of a mail within a mail."""
    found, start = fields.split(raw, 0, len(raw))
    return compose(raw, mime.tree(raw, found, start, len(raw)), None, level)


def _marked(found: Iterable[tuple[File, Node | None]], html: str | None) -> tuple[File, ...]:
    """Files with those marked that stand as pictures in the text."""
    shown = {unquote(name).strip("<>") for name in _CID.findall(html or "")}
    return tuple(
        File(one.filename, one.content_type, one.data, one.content_id in shown, one.content_id) for one, _ in found
    )


def _view(reading: _Reading, node: Node, parent: Node | None) -> _View:
    match node.content_type:
        case "multipart/alternative" if node.children:
            return _alternative([_view(reading, child, node) for child in node.children])
        case "multipart/signed" if node.children:
            return _joined([_view(reading, child, node) for child in node.children])
        case "multipart/encrypted" if node.children:
            return _encrypted(reading, node)
        case "multipart/report" if node.children:
            return _report(reading, node)
        case _ if node.children:
            return _mixed(reading, node)
        case _ if _is_body(reading, node, parent):
            reading.begun = True
            return _words(reading, node)
    return _leaf(reading, node, parent)


def _is_body(reading: _Reading, node: Node, parent: Node | None) -> bool:
    if node.content_type not in _BODIES:
        return False
    if parent is None:
        return node.disposition != "attachment" or not node.filename
    if node.disposition == "attachment":
        return not node.filename and not reading.begun
    return not node.filename or parent.content_type == "multipart/alternative" or not reading.begun


def _words(reading: _Reading, node: Node) -> _View:
    data = node.body(reading.raw)
    if node.content_type in _HYPERTEXT:
        return _View(None, storable(decode(data, node.charset or _declared(data), reading.hint)))
    if b"\nbegin" in data[:5_000_000] or data.startswith(b"begin"):
        data, enclosed = transfer.enclosed(data)
        for name, content in enclosed:
            called = decode(name)
            reading.files.append((files.file(content, files.type_of(called), called), None))
    text = storable(decode(data, node.charset, reading.hint))
    if node.content_type in ("text/enriched", "text/richtext"):
        return _View(re.sub(r"<param>.*?</param>|<[^<>]{1,60}>", "", re.sub(r"(?<!\n)\n(?!\n)", " ", text)))
    if node.parameters.get("format", "").lower() == "flowed":
        text = unflowed(text, node.parameters.get("delsp", "").lower() == "yes")
    if _HTML_SOURCE.match(text) and "</" in text:
        return _View(None, text)
    return _View(_without_armour(text))


def _without_armour(text: str) -> str:
    """Signed in clear by PGP: only what was written."""
    if "-----BEGIN PGP SIGNED" not in text:
        return text
    return _CLEARSIGNED.sub(lambda found: re.sub(r"^- ", "", found[1], flags=re.M), text, count=5)


def _declared(data: bytes) -> str | None:
    """The charset that HTML itself names."""
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{1,40})", data[:4096], re.I)
    return found[1].decode("ascii", "replace") if found else None


def _alternative(views: list[_View]) -> _View:
    """The plain one unless it is only an excuse for the other."""
    plain = next((view for view in views if view.plain is not None and view.plain.strip()), None)
    html = next((view.html for view in reversed(views) if view.html and view.html.strip()), None)
    if plain is None or plain.plain is None:
        return _View(None, html) if html else next((view for view in views if view.shows), _View())
    return _View(None if html and _lesser(plain.plain, html) else plain.plain, html)


def _lesser(plain: str, html: str) -> bool:
    if len(plain) > 800 or len(html) < len(plain):
        return False
    if _STUB.search(plain):
        return True
    said = len(plain.split())
    # Whoever writes a few words has them in both; a newsletter has its text in one.
    return len(html) > 8 * len(plain) and len(hypertext.text(html).split()) > 4 * said + 30


def _mixed(reading: _Reading, node: Node) -> _View:
    views = [_view(reading, child, node) for child in node.children]
    shown = [view for view in views if view.html or (view.plain or "").strip()]
    if len(shown) == 2 and shown[0].plain is not None and shown[1].plain is None and _same(*shown):
        return _alternative(shown)
    return _joined(shown or views)


def _same(plain: _View, html: _View) -> bool:
    """Two ways of saying the same, whatever the mail calls them."""
    one, other = (re.sub(r"[\W_]+", "", view.text)[:300].lower() for view in (plain, html))
    return bool(one) and (one.startswith(other[:100]) or other.startswith(one[:100]))


def _joined(views: list[_View]) -> _View:
    shown = [view for view in views if view.shows]
    if len(shown) <= 1:
        return shown[0] if shown else _View()
    if all(view.plain is None for view in shown):
        return _View(None, "\n".join(view.html or "" for view in shown))
    text = "\n\n".join(part for view in shown if (part := view.text.strip("\n")).strip())
    if all(view.html is None for view in shown):
        return _View(text)
    return _View(text, "\n".join(view.html if view.html is not None else _marked_up(view.text) for view in shown))


def _marked_up(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{entities.escape(text)}</div>'


def _encrypted(reading: _Reading, node: Node) -> _View:
    for child in node.children:
        _view(reading, child, node)
    name = "OpenPGP" if "pgp" in node.parameters.get("protocol", "pgp").lower() else "S/MIME"
    return _View(f"🔒 encrypted ({name})")


def _report(reading: _Reading, node: Node) -> _View:
    """What came back is no attachment."""
    views = [_view(reading, child, node) for child in node.children if child.content_type not in _MAILS]
    return next((view for view in views if view.shows), _View())


def _leaf(reading: _Reading, node: Node, parent: Node | None) -> _View:
    if node.content_type in _NO_FILES or node.kind == "multipart":
        return _View()
    data = node.body(reading.raw)
    alternative = parent is not None and parent.content_type == "multipart/alternative"
    if node.content_type in _CALENDARS:
        if shown := invitation.text(storable(decode(data, node.charset or "utf-8", reading.hint))):
            reading.invitations.append(shown)
        if alternative and node.disposition != "attachment":
            return _View()
    elif node.content_type in _MAILS:
        return _mail(reading, node, data)
    elif node.content_type in _TNEF or (node.filename or "").lower() == "winmail.dat":
        if unpacked := tnef.unpack(data):
            reading.files += [(one, None) for one in unpacked.files]
            reading.instead.append(_View(unpacked.text or None, unpacked.html))
            return _View()
    elif node.content_type in _SMIME and "certs-only" not in node.parameters.get("smime-type", ""):
        return _wrapped(reading, node, data)
    if data or node.filename:
        name = node.filename or node.description if node.kind != "text" else node.filename
        reading.files.append((files.file(data, node.content_type, name or None, node.content_id), node))
    return _View()


def _mail(reading: _Reading, node: Node, data: bytes) -> _View:
    found, _ = fields.split(data, 0, min(len(data), fields.LARGEST))
    subject = next((fields.words(fields.unfolded(value)) for name, value in found if name == "subject"), "")
    name = node.filename or (f"{subject[: files.LONGEST_NAME - 4].replace('/', '_')}.eml" if subject else None)
    reading.files.append((files.file(data, node.content_type, name, node.content_id), node))
    reading.mails.append(data)
    return _View()


def _wrapped(reading: _Reading, node: Node, data: bytes) -> _View:
    content = smime.signed_content(data)
    if content is None or reading.level >= DEEPEST:
        reading.files.append((files.file(data, node.content_type, node.filename or "smime.p7m"), node))
        return _View("🔒 encrypted (S/MIME)")
    inner = whole(content, reading.level + 1)
    reading.files += [(one, None) for one in inner.files]
    reading.begun = True
    return _View(inner.text, inner.html)

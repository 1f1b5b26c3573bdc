"""A mail to a customer: facts and words in, bytes out. Pure.

It looks like a person's mail: the words, two thin lines on what it belongs to and how to answer, the customer's last
message quoted below an answer. An automatic mail repeats nothing that a customer wrote, not even subject or name: who
wrote may have been somebody else, who wants these words to reach the address.
"""

import re
from base64 import encodebytes
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from crm import notices, time
from crm.desks import Profile
from crm.mail.letter import Address, File
from crm.notices import Look
from mailbridge import answers, entities, headers

QUOTED_CHARACTERS = 4000
SUBJECT = 150
OWN_HEADER = "X-Kezekshi-Desk"
# Whatever is longer or has other bytes than ASCII is encoded, so that no server on the way has to touch a body.
_POLICY = SMTP.clone(cte_type="7bit")
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ASKS = ("resolved", "reminded")


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail belongs. Ids are without brackets; `token` proves that an answer is one to this ticket.

    With `plus` the token stands in the reply address, otherwise in the subject. What belongs to no ticket has an empty
    reference, and neither.
    """

    reference: str
    subject: str
    token: str
    plus: bool
    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice by its name, with its facts (`crm.notices`)."""

    name: str
    facts: dict[str, Any]
    auto: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """What the customer wrote last."""

    author: Address
    sent_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An engineer's words, as Telegram's content."""

    author: str
    content: dict[str, Any]
    files: tuple[File, ...] = ()
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """`mail_from`: the desk's own address. `written_at`: aware UTC; the same mail is the same whenever it is made."""

    profile: Profile
    language: str
    written_at: datetime
    mail_from: str
    to: Address
    thread: Thread
    body: Notice | Answer
    cc: tuple[Address, ...] = ()


def message_id(reference: str, outbox_id: int, token: str, mail_from: str) -> str:
    """Without brackets. The same for every attempt at a row, so that whoever gets it twice sees it once."""
    domain = headers.with_ascii_domain(mail_from).rpartition("@")[2]
    # The token right behind the reference, as in an address and in a tag: whoever looks for one finds it here as well.
    return f"{reference}.{token}.{outbox_id}@{domain}".lower()


def reply_address(thread: Thread, mail_from: str) -> str:
    """Where an answer goes."""
    if not (thread.plus and thread.reference):
        return mail_from
    local, _, domain = mail_from.rpartition("@")
    return f"{local}+{thread.reference.lower()}.{thread.token}@{domain}"


def compose(mail: Mail) -> bytes:
    """The whole mail, lines ended by CR LF. Raises ValueError for an address that is none."""
    shown = _notice(mail, mail.body) if isinstance(mail.body, Notice) else _answer(mail, mail.body)
    return "".join(_fields(mail)).encode() + _body(mail, shown)


def heading(mail: Mail) -> str:
    """Its subject. The tag carries the token where the reply address does not."""
    thread = mail.thread
    if isinstance(mail.body, Notice):
        look = Look(mail.profile, mail.language, mail.written_at)
        about = notices.SAYINGS[mail.body.name](look, mail.body.facts).headline.rstrip(".")
    else:
        about = _answering(thread.subject)
    shown = headers.words(about, SUBJECT)
    return f"{shown} [{_tag(thread)}]" if thread.reference else shown


def _answering(subject: str) -> str:
    about = headers.words(subject, SUBJECT)
    return about if about.lower().startswith("re:") else f"Re: {about}"


def _tag(thread: Thread) -> str:
    return thread.reference if thread.plus else f"{thread.reference}-{thread.token}"


def _fields(mail: Mail) -> list[str]:
    body, thread = mail.body, mail.thread
    auto = isinstance(body, Notice) and body.auto
    desk = mail.profile.title
    name = desk if isinstance(body, Notice) else f"{headers.words(body.author, 60)} · {desk}"
    answers_to = reply_address(thread, mail.mail_from)
    fields = [
        headers.mailboxes("From", [Address(mail.mail_from, name)]),
        headers.mailboxes("To", [Address(mail.to.address, "" if auto else mail.to.name)]),
        headers.mailboxes("Cc", mail.cc),
        headers.mailboxes("Reply-To", [Address(answers_to, name)] if answers_to != mail.mail_from else []),
        headers.unstructured("Subject", heading(mail)),
        headers.structured("Date", format_datetime(mail.written_at.astimezone(ZoneInfo(mail.profile.timezone)))),
        headers.ids("Message-ID", [thread.message_id]),
        headers.ids("In-Reply-To", [thread.in_reply_to] if thread.in_reply_to else []),
        headers.ids("References", [*thread.references, *([thread.in_reply_to] if thread.in_reply_to else [])]),
        headers.structured("Content-Language", mail.language),
        headers.structured(OWN_HEADER, mail.profile.name),
    ]
    if auto:
        kind = "auto-replied" if isinstance(body, Notice) and body.name == "acknowledged" else "auto-generated"
        # No Precedence: what honours it honours these as well, and `bulk` is filed among advertisements.
        fields += [headers.structured("Auto-Submitted", kind), headers.structured("X-Auto-Response-Suppress", "All")]
    return fields


def _notice(mail: Mail, body: Notice) -> dict[str, Any]:
    look = Look(mail.profile, mail.language, mail.written_at)
    t = look.t
    said = notices.SAYINGS[body.name](look, body.facts)
    asks = body.name in _ASKS or bool(body.facts.get("resolved"))
    more = [t("If everything works, reply with “+”. If not, write what is still wrong.")] if asks else []
    if body.name == "acknowledged" and body.facts.get("rules"):
        more.append(notices.rules_text(t))
    shown = {
        "greeting": t("Hello!"),
        "headline": said.headline,
        "lines": said.lines,
        "more": more,
        "choices": _choices(mail, look) if asks else [],
        **_foot(mail, mail.profile.title, look),
    }
    return _rendered("notice", mail, shown)


def _choices(mail: Mail, look: Look) -> list[dict[str, str]]:
    """Links that open an answer with its words already written."""
    t = look.t
    labels: tuple[tuple[answers.Choice, str], ...] = (("confirm", t("Solved, thank you")), ("reject", t("Not solved")))
    return [
        {"label": label, "link": _link(mail, answers.code(choice, mail.thread.reference, t))}
        for choice, label in labels
    ]


def _link(mail: Mail, words: str) -> str:
    to = quote(reply_address(mail.thread, mail.mail_from), safe="@")
    about = quote(f"Re: [{_tag(mail.thread)}]", safe="")
    return f"mailto:{to}?subject={about}&body={quote(words, safe='')}%0D%0A"


def _answer(mail: Mail, body: Answer) -> dict[str, Any]:
    look = Look(mail.profile, mail.language, mail.written_at)
    words, spans = plain(body.content.get("text", "")), body.content.get("entities", [])
    if not words:
        words, spans = _without_text(body.content), []
    shown = {
        "words_html": entities.to_html(words, spans),
        "words_plain": entities.to_plain(words, spans),
        "quote": _quote(body.quote, look) if body.quote else None,
        **_foot(mail, f"{headers.words(body.author, 60)} · {mail.profile.title}", look),
    }
    return _rendered("answer", mail, shown)


def _without_text(content: dict[str, Any]) -> str:
    """What a place or a contact says in words."""
    match content["type"]:
        case "location" | "venue" as kind:
            found = content[kind]
            place = found.get("location", found)
            named = [found[key] for key in ("title", "address") if found.get(key)]
            link = f"https://www.openstreetmap.org/?mlat={place['latitude']}&mlon={place['longitude']}"
            return "\n".join([*named, link])
        case "contact":
            found = content["contact"]
            names = (found.get("first_name"), found.get("last_name"), found.get("phone_number"))
            return " ".join(name for name in names if name)
    return ""


def _quote(said: Quote, look: Look) -> dict[str, Any]:
    name = headers.words(said.author.name, 80)
    address = headers.words(said.author.address, 254)
    author = f"{name} <{address}>" if name and address else name or address
    # With plain blanks: programs that fold quotes know such a line by its shape.
    at = " ".join(time.dated(said.sent_at, look.profile.timezone, look.language).split())
    text = plain(said.text).strip()
    if len(text) > QUOTED_CHARACTERS:
        text = text[:QUOTED_CHARACTERS].rstrip() + " …"
    return {"attribution": look.t("{time}, {author} wrote:", time=at, author=author), "lines": text.split("\n")}


def _foot(mail: Mail, signature: str, look: Look) -> dict[str, str]:
    return {
        "signature": " · ".join(part for part in (signature, mail.thread.reference) if part),
        "how": look.t("To answer, simply reply to this mail."),
    }


def _rendered(template: str, mail: Mail, shown: dict[str, Any]) -> dict[str, Any]:
    made = {"language": mail.language, "title": mail.thread.reference or mail.profile.title, **shown}
    return {
        **made,
        "plain": _TEMPLATES.get_template(f"{template}.txt").render(made),
        "html": _TEMPLATES.get_template(f"{template}.html").render(made),
    }


def plain(text: str) -> str:
    """Lines ended by LF alone, without control characters and halves of characters.

    Each of these is one unit of UTF-16 before and after, so that entities stay where they are, but for CR LF, which
    Telegram does not send.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c if c in "\n\t" or c.isprintable() or ord(c) >= 0xA0 else " " for c in text)
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in kept)


def _body(mail: Mail, shown: dict[str, Any]) -> bytes:
    """Both bodies, and the files beside them, with their MIME fields.

    The library takes a second for a file of 20 MB, and decodes what looks encoded in its name, line ends and all, into
    fields of their own; so the parts are put together here.
    """
    made = EmailMessage(_POLICY)
    made.set_content(shown["plain"], charset="utf-8")
    made.add_alternative(shown["html"], subtype="html", charset="utf-8")
    files = mail.body.files if isinstance(mail.body, Answer) else ()
    if not files:
        return made.as_bytes()
    # Neither of the encodings can hold `=_`, and nobody can guess the rest.
    boundary = f"=_{sha256(mail.thread.message_id.encode()).hexdigest()[:24]}"
    kind = headers.structured("Content-Type", "multipart/mixed", f'boundary="{boundary}"')
    parts = [f"MIME-Version: 1.0\r\n{kind}\r\n".encode()]
    del made["MIME-Version"]
    for part in (made.as_bytes(), *map(_attached, files)):
        parts += [f"--{boundary}\r\n".encode(), part, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _attached(file: File) -> bytes:
    kind = file.content_type.lower()
    # A mail as a file would have to be taken apart to be attached as what it is.
    known = re.fullmatch(r"(application|audio|font|image|model|text|video)/[a-z0-9][a-z0-9.+-]{0,60}", kind)
    name = headers.parameter("filename", headers.words(file.filename, 100) or "file")
    fields = [
        headers.structured("Content-Type", kind if known else "application/octet-stream"),
        headers.structured("Content-Transfer-Encoding", "base64"),
        headers.structured("Content-Disposition", "attachment", *name),
    ]
    return "".join([*fields, "\r\n"]).encode() + encodebytes(file.data).replace(b"\n", b"\r\n")

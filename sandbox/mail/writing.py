"""Mails as people's mail programs and mail servers write them."""

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as spelled

from sandbox.mail.accounts import Account
from sandbox.mail.border import AUTHSERV, split
from sandbox.mail.reading import html_of, parse, people, text_of
from sandbox.telegram.model import Json, Upload

DAEMON: Final = f"MAILER-DAEMON@{AUTHSERV}"
HOME: Final = ZoneInfo("Asia/Almaty")
# As Gmail introduces what it quotes, in the writer's language.
_WROTE: Final = {
    "kk": ("y 'ж'. d MMM, EEE HH:mm, ", "{when}{who} жазды:"),
    "ru": ("EEE, d MMM y 'г'. 'в' HH:mm, ", "{when}{who}:"),
    "en": ("'On' EEE, d MMM y 'at' HH:mm, ", "{when}{who} wrote:"),
}
_QUOTE = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person gives their mail program; `answers` is the source of the mail they reply to."""

    to: list[str]
    cc: list[str]
    subject: str
    text: str
    files: list[Upload]
    answers: bytes | None = None


def written(account: Account, letter: Letter, now: float) -> bytes:
    """The mail that the program makes of it; `now` in Unix seconds."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = formataddr((account.name, account.address))
    mail["To"] = ", ".join(letter.to)
    if letter.cc:
        mail["Cc"] = ", ".join(letter.cc)
    original = parse(letter.answers) if letter.answers is not None else None
    mail["Subject"] = letter.subject or (_answer_to(str(original["Subject"] or "")) if original else "")
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, HOME))
    mail["Message-ID"] = f"<{uuid4().hex}@{account.domain}>"
    plain, rich = letter.text, _rich(letter.text)
    if original is not None:
        before = str(original["Message-ID"] or "").strip()
        mail["In-Reply-To"] = before
        mail["References"] = " ".join([*str(original["References"] or "").split(), before])
        attribution = _attribution(account.language, original)
        plain += f"\n\n{attribution}\n\n{_quoted(text_of(original))}"
        rich += (
            f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{html.escape(attribution)}<br></div>'
            f'<blockquote class="gmail_quote" style="{_QUOTE}">{html_of(original)}</blockquote></div>'
        )
    mail.set_content(plain + "\n")
    mail.add_alternative(rich, subtype="html")
    for file in letter.files:
        kind, _, sub = file.mime.partition("/")
        mail.add_attachment(file.data, maintype=kind, subtype=sub or "octet-stream", filename=file.name)
    return bytes(mail)


def answered_to(original: bytes) -> list[Json]:
    """Whom a reply goes to."""
    mail = parse(original)
    return people(mail, "Reply-To") or people(mail, "From")


def bounce(account: Account, recipient: str, raw: bytes, now: float) -> bytes:
    """A report that the mail was taken and then could not be delivered (RFC 3464), as Postfix writes them."""
    boundary = uuid4().hex
    why = f"host {AUTHSERV} said: 550 5.1.1 <{recipient}>: Recipient address rejected: User unknown"
    report = (
        f"From: Mail Delivery System <{DAEMON}>\nTo: {account.address}\n"
        f"Subject: Undelivered Mail Returned to Sender\nDate: {format_datetime(datetime.fromtimestamp(now, UTC))}\n"
        f"Message-ID: <{uuid4().hex}@{AUTHSERV}>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\n\n'
        f"--{boundary}\nContent-Type: text/plain; charset=us-ascii\n\nThis is the mail system at host {AUTHSERV}.\n\n"
        "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. "
        f"It's attached below.\n\n<{recipient}>: {why}\n\n"
        f"--{boundary}\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; {AUTHSERV}\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; {why}\n\n"
        f"--{boundary}\nContent-Type: text/rfc822-headers\n\n"
    )
    return report.replace("\n", "\r\n").encode() + split(raw)[0] + f"\r\n--{boundary}--\r\n".encode()


def _answer_to(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _attribution(language: str, original: EmailMessage) -> str:
    pattern, frame = _WROTE[language]
    sender = (people(original, "From") or [{"name": "", "address": "?"}])[0]
    date = original["Date"].datetime if original["Date"] is not None else None
    when = spelled(date, pattern, tzinfo=HOME, locale=language) if date else ""
    who = f"{sender['name']} <{sender['address']}>".strip()
    return frame.format(when=when, who=who)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() if not line.startswith(">") else f">{line}" for line in text.split("\n"))


def _rich(text: str) -> str:
    return f'<div dir="ltr">{html.escape(text).replace(chr(10), "<br>")}</div>'

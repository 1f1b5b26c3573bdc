"""Is this mail one of ours that came back, and from whom? By the report inside it, else by the words of the server."""

import re

from crm.mail.letter import Bounce
from mailbridge import bounce_words as words
from mailbridge import dsn, returned
from mailbridge.automatic_words import ANSWERED, FORWARDED
from mailbridge.parsed import Headers, Parsed, Part
from mailbridge.wording import calm

_REASON = 500  # characters kept of what the server said
_SUBJECT = 1000  # characters read of a subject
_LONGEST = 65_536  # bytes read of what came back: its headers are at its beginning

_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINALS = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})
_DAEMON_NAME = re.compile(
    r"mail(?:er)?[- ]?(?:deliver\w*|daemon|administrator|router|system)|delivery (?:sub)?system|system administrator"
    r"|postmaster|microsoft (?:exchange|outlook)|почтов\w+ (?:сервер|система|служба)|доставк\w+ почты",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\s*(?:здравствуй|добр\w+ (?:день|утро|вечер)|привет|уважаем|коллеги|сәлем|қайырлы|құрметті|ассалау|merhaba"
    r"|(?:hello|hi|dear|hallo|hola)\b|good (?:day|morning|afternoon)|guten tag|bonjour)",
    re.IGNORECASE,
)
# Servers speak of themselves at most to be sorry, and ask nothing.
_PLEA = re.compile(
    r"\b(?:my|our) (?:e-?mail|mail|message|letter|account|box|post)|\bhelp\b|\?(?:\s|$)|помогите|подскажите"
    r"|\bпрос(?:им|ьба)|\bпрошу|\bу (?:нас|меня)\b|\bмо(?:й|я|ё|е|и|его|ей)\b|\bнаш|көмект|өтін",
    re.IGNORECASE,
)
# Dovecot refuses a mail by a receipt that says so.
_REJECTED = re.compile(r"automatically rejected|was rejected|refused by the (?:recipient|mail)|отклонен", re.IGNORECASE)
_FIELD = re.compile(
    r"^[ \t]*(?:final|original)-recipient:\s*rfc822;\s*<?([^\s<>;]+@[^\s<>;]+)", re.IGNORECASE | re.MULTILINE
)
_ID = re.compile(r"^[ \t>]*message-id:\s*<([^<>\s]+)>", re.IGNORECASE | re.MULTILINE)
_BRACKETED = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_CODE = re.compile(r"^.*\b[45]\d\d[ -].*$", re.MULTILINE)


def bounce(parsed: Parsed) -> Bounce | None:
    """The bounce, None if the mail is anything else: a report of success, a person who forwards a bounce.

    `permanent` is False while the server still tries; once it gave up, the mail is lost whatever the status (4.x.x
    after days of trying, 5.2.2 for a full mailbox).
    """
    fates = tuple(fate for part in parsed.parts if part.content_type in _REPORTS for fate in dsn.fates(part))
    if fates and not _by_a_person(parsed):
        return _reported(parsed, fates)
    said = returned.notice(parsed.text)
    return _told(parsed, said) if _complains(parsed, said.said) else None


def _reported(parsed: Parsed, fates: tuple[dsn.Fate, ...]) -> Bounce | None:
    failures = tuple(fate for fate in fates if _failed(fate))
    lasting = tuple(fate for fate in failures if fate.action != "delayed")
    counted = lasting or failures
    if not counted:
        return None
    listed = {address.lower() for address in _original_recipients(parsed)}
    recipients = dict.fromkeys(
        fate.forwarded if fate.forwarded and fate.forwarded.lower() in listed else fate.address for fate in counted
    )
    status = next((fate.status for fate in counted if fate.status), None)
    said = next((fate.diagnostic for fate in counted if fate.diagnostic), "")
    return Bounce(
        recipients=tuple(recipients),
        permanent=bool(lasting),
        status=status,
        reason=" ".join(said.split())[:_REASON],
        original_id=_original_id(parsed, ""),
    )


def _failed(fate: dsn.Fate) -> bool:
    if fate.action in _ARRIVED:
        return False
    return fate.action in {"failed", "delayed"} or not (fate.status or "5").startswith("2")


def _told(parsed: Parsed, notice: returned.Notice) -> Bounce:
    named = returned.addresses(" ".join(parsed.headers.all("x-failed-recipients")))
    recipients = named or _named_in(parsed, notice)
    status = dsn.status(notice.said)
    trying = words.STILL_TRYING.search(f"{calm(parsed.headers.get('subject'), _SUBJECT)}\n{notice.said}") is not None
    code = _CODE.search(notice.said)
    return Bounce(
        recipients=recipients,
        permanent=not trying,
        status=status,
        reason=" ".join((code[0] if code else notice.said).split())[:_REASON],
        original_id=_original_id(parsed, notice.returned),
    )


def _named_in(parsed: Parsed, notice: returned.Notice) -> tuple[str, ...]:
    """By the fields of a report that lies deeper, the words of the notice, whom we wrote to; ourselves last of all."""
    reports = (_latin(part) for part in parsed.parts if part.content_type.startswith("message/"))
    deeper = tuple(a for text in (*reports, notice.said, notice.returned) for a in _FIELD.findall(text))
    if deeper:
        return tuple(dict.fromkeys(deeper))
    ours = {address for name in ("to", "delivered-to") for address in _mailboxes(parsed, name)}
    server = set(_mailboxes(parsed, "from"))
    wrote = set(_field(parsed, notice.returned, "from")) | set(_field(parsed, notice.returned, "return-path"))
    written_to = tuple(a for a in _original_recipients(parsed, notice.returned) if a not in server | ours)
    found = returned.failed(notice.said, ours | server | wrote, written_to)
    if found:
        return found
    if len(written_to) == 1:
        return written_to
    names = returned.named_alone(notice.said)
    domain = next((address.rpartition("@")[2] for address in server), "")
    if names and domain:
        return tuple(f"{name}@{domain.lower()}" for name in names)
    return returned.failed(notice.said, server)


def _complains(parsed: Parsed, said: str) -> bool:
    """Whether the mail is a notice of a mail server. A daemon in From, or a null path with our mail beneath, needs one
    sign more; either of the latter alone needs words and subject; so do words and subject that name a mailbox or a
    code, if nobody seems to have typed them."""
    if _by_a_person(parsed):
        return False
    headers = parsed.headers
    subject = calm(headers.get("subject"), _SUBJECT)
    if parsed.report_type == "disposition-notification":
        return _REJECTED.search(f"{subject}\n{said}") is not None
    if parsed.report_type not in (None, "delivery-status"):
        return False
    by_subject = words.SUBJECT.search(subject) is not None
    by_words = words.BODY.search(said) is not None
    if "x-failed-recipients" in headers or parsed.report_type or _by_daemon(headers):
        return by_words or by_subject
    if null_path(parsed) and _originals(parsed):
        return by_words or by_subject
    if not (by_words and by_subject):
        return False
    if null_path(parsed) or _originals(parsed):
        return True
    # People, too, report unknown users and full mailboxes; a server says whose, or with which code.
    named = bool(returned.addresses(said)) or _CODE.search(said) is not None
    return named and not (_typed(headers) or _GREETING.match(said) or _PLEA.search(said))


def _by_a_person(parsed: Parsed) -> bool:
    subject = calm(parsed.headers.get("subject"), _SUBJECT)
    passed_on = ANSWERED.match(subject) is not None or FORWARDED.match(subject) is not None
    return passed_on and not _by_daemon(parsed.headers) and not null_path(parsed)


def _by_daemon(headers: Headers) -> bool:
    """Whether From is a mail server's own mailbox."""
    value = headers.get("from")
    return _DAEMON_NAME.search(value) is not None or any(map(returned.is_daemon, returned.addresses(value)))


def _typed(headers: Headers) -> bool:
    return "in-reply-to" in headers or "references" in headers or "user-agent" in headers or "thread-index" in headers


def null_path(parsed: Parsed) -> bool:
    """Whether the mail names nobody to return it to, as only programs do."""
    paths = parsed.headers.all("return-path") or parsed.headers.all("x-envelope-from")
    return bool(paths) and paths[0].strip().lower() in {"<>", "", "<mailer-daemon>"}


def _originals(parsed: Parsed) -> list[str]:
    return [_latin(part) for part in parsed.parts if part.content_type in _ORIGINALS]


def _latin(part: Part) -> str:
    return part.data[:_LONGEST].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _original_id(parsed: Parsed, returned_text: str) -> str | None:
    """From what came back; else from what the notice answers."""
    for text in (*_originals(parsed), returned_text, calm(parsed.text, _LONGEST)):
        if found := _ID.search(text):
            return found[1]
    for name in ("in-reply-to", "references"):
        ids = _BRACKETED.findall(parsed.headers.get(name))
        if ids:
            return str(ids[-1])
    return None


def _original_recipients(parsed: Parsed, returned_text: str = "") -> tuple[str, ...]:
    found = (*_field(parsed, returned_text, "to"), *_field(parsed, returned_text, "cc"))
    return tuple(dict.fromkeys(found))


def _field(parsed: Parsed, returned_text: str, name: str) -> tuple[str, ...]:
    """Mailboxes in a header of the mail that came back."""
    pattern = re.compile(rf"^[ \t>]*{name}:[ \t]*(.*(?:\n[ \t]+\S.*)*)", re.IGNORECASE | re.MULTILINE)
    for text in (*_originals(parsed), returned_text):
        if found := pattern.search(text):
            return returned.addresses(found[1])
    return ()


def _mailboxes(parsed: Parsed, name: str) -> tuple[str, ...]:
    return returned.addresses(" ".join(parsed.headers.all(name)))

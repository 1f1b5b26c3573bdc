"""Bounces that mail servers wrote for people to read: where the notice ends, and whose mailbox failed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailbridge import bounce_words as words
from mailbridge.wording import alternatives, calm

# An address as servers print it: no quoted local parts, a domain with a dot in it.
_MAILBOX = r"[\w.!#$%&*+/=?^`{|}~'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}"
_PRINTED = re.compile(rf"(?<![\w.+-]){_MAILBOX}")
# Where an alias led: whom we wrote to stands in the parentheses.
_EXPANDED = re.compile(
    rf"(?:{_MAILBOX}>?|an undisclosed address)?\s*\((?:generated|expanded) from:? *<?({_MAILBOX})>?\)", re.IGNORECASE
)
_LONGEST = 20_000  # characters of a notice; a server says what it has to say before that

_A = rf"(?<![\w.+-])(?<!from )(?<!from: )(?P<address>{_MAILBOX})"
_LABEL = alternatives(r"""
    (?:failed|bounced|invalid|undeliverable|intended|the)?[ -]*(?:recipients?|address(?:es)?)(?: address)?(?:\(s\))?
    addressed to
    (?:undeliverable |unknown |invalid )?(?:user|mailbox|e-?mail|account|to)(?: (?:address|name))?
    \S{0,30}получател\w*
    \S{0,30}адрес\w*
    адресат\w*
    пользовател\w*
    ящик\w*
    收件人(?:邮件)?(?:地址)?
    empf(?:ä|ae)nger
    destinataire
    destinatario
    """)
_COMPLAINT = alternatives(r"""
    unknown
    invalid
    does
    is not
    isn
    was not
    wasn
    did not
    not found
    disabled
    full
    over quota
    failed
    rejected
    unavailable
    because
    couldn
    could not
    не (?:может|был|найден|существует|удалось|доставл)
    недостав
    """)
_OPEN, _CLOSE = r"[<\"'\[(]?", r"[>\"'\])]*"
# From the surest to the vaguest: the first rule that finds somebody decides.
_RULES = tuple(
    re.compile(rule, re.IGNORECASE | re.MULTILINE)
    for rule in (
        # On a line of its own, or first in it: <a@b>: … / a@b... User unknown / a@b on 1/2/2020 / a@b (reason)
        rf"^[ \t>*•·-]{{0,20}}(?:rfc822; *)?{_OPEN}{_A}{_CLOSE}[ \t]*"
        rf"(?:$|:|\.\.\.|,[ \t]*$|;|on (?:\d|\w{{2,3}}, )|\(|[-–—=][ >]|\[|<{_MAILBOX}>[ \t]*$)",
        # X.400 of old Exchange
        rf"\bsmtp[=:] *{_A}",
        rf"^[ \t>*•-]{{0,20}}{_LABEL}[ \t]*[:=][ \t]*(?:rfc822; *)?(?:\"[^\"\n]*\"|[^<>\n@]{{0,60}})?{_OPEN}{_A}",
        rf"rcpt to: *<?{_A}",
        rf"\b[45]\d\d[ -](?:[^\n@]|@(?!\S)){{0,120}}?[<\"'(: ]{_A}",
        rf"{_A}{_CLOSE}(?:\.\.\.|:)?[ \t,]*(?:\S+ ){{0,3}}?{_COMPLAINT}",
        rf"(?:to|user|recipient|address|mailbox|for|адрес\w*|получател\w+|для|пользовател\w+)[ \t]*:?\s+"
        rf"(?:[^\n@<>]{{0,40}}<)?{_OPEN}{_A}",
        _A,
    )
)


@dataclass(frozen=True, slots=True)
class Notice:
    """`said`: what the server wrote; `returned`: what it gave back beneath, as text, empty if nothing."""

    said: str
    returned: str


_BARE_NAME = re.compile(r"^[ \t]+([\w.+-]{2,64})[ \t]*$", re.MULTILINE)


def notice(text: str) -> Notice:
    """Cuts the text where the returned mail begins; a text that begins with it is all notice."""
    text = calm(text, 2 * _LONGEST)
    cut = next((found for found in words.CUT.finditer(text, 0, _LONGEST) if text[: found.start()].strip()), None)
    end = cut.start() if cut else _LONGEST
    return Notice(text[:end], text[end:])


def failed(said: str, never: Iterable[str], surely: Iterable[str] = ()) -> tuple[str, ...]:
    """Whose mailboxes the notice complains of, in its order.

    `never` are those it cannot be (ourselves, the server), `surely` those it may be though a server's own.
    """
    excluded = {address.lower() for address in never}
    trusted = {address.lower() for address in surely}
    said = _EXPANDED.sub(r"\n\1\n", said)
    lead = words.LEAD.search(said)
    for text in (said[lead.end() :], said) if lead else (said,):
        for rule in _RULES[:-1] if lead and text is not said else _RULES:
            kept = tuple(
                address
                for address in (_clean(match["address"]) for match in rule.finditer(text))
                if address.lower() not in excluded and (address.lower() in trusted or not is_daemon(address))
            )
            if kept:
                return _unique(kept)
    return ()


def named_alone(said: str) -> tuple[str, ...]:
    """Local names that stand on lines of their own after the words that announce who failed: a server's own users."""
    lead = words.LEAD.search(said)
    return tuple(_BARE_NAME.findall(said, lead.end())) if lead else ()


def addresses(text: str) -> tuple[str, ...]:
    """All mailboxes in a text, each once."""
    return _unique(tuple(_clean(match[0]) for match in _PRINTED.finditer(text)))


def is_daemon(address: str) -> bool:
    """Whether it is a mail server's own mailbox."""
    local = re.sub(r"[^a-z]", "", address.partition("@")[0].lower())
    return local.startswith(("postmaster", "mailerdaemon")) or local in {
        "maildaemon",
        "mdaemon",
        "mailer",
        "mmdf",
        "doublebounce",
    }


def _clean(address: str) -> str:
    local, _, domain = address.partition("@")
    return f"{local.strip(chr(39))}@{domain.rstrip('.')}"


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    """Each mailbox once, as it was first written."""
    kept: dict[str, str] = {}
    for address in found:
        kept.setdefault(address.lower(), address)
    return tuple(kept.values())

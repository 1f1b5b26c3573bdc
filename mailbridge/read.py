"""Bytes of a mail to a letter: taken apart, judged, cut to what is new in it."""

from dataclasses import replace

from crm.mail.letter import Address, Bounce, File, Letter
from mailbridge import addresses, hypertext, marks
from mailbridge.automatic import judged
from mailbridge.bounces import bounce
from mailbridge.charsets import storable
from mailbridge.parse import parse
from mailbridge.parsed import Headers
from mailbridge.reply import reply_text
from mailbridge.sender import authentication

LONGEST_SUBJECT = 998

_DELIVERED = ("delivered-to", "x-original-to", "x-envelope-to", "envelope-to", "x-delivered-to", "apparently-to")


def read(raw: bytes, authserv_id: str | None = None) -> Letter:
    """`authserv_id`: how our border calls itself in Authentication-Results; nobody else's are believed."""
    parsed = parse(raw)
    headers = parsed.headers
    written = reply_text(parsed.text, parsed.html)
    # A mail that only passes something on says what it passes on.
    written = storable(written) if written.strip() else parsed.text
    returned = _storable(bounce(parsed))
    nature, automatic = judged(replace(parsed, written=written), returned is not None)
    answered = marks.ids(headers.get("in-reply-to"))
    return Letter(
        senders=_people(headers, "from"),
        subject=headers.get("subject")[:LONGEST_SUBJECT],
        text=parsed.text,
        reply_text=written,
        nature=nature,
        automatic=automatic,
        html=hypertext.safe(parsed.html) if parsed.html else "",
        to=_people(headers, "to"),
        cc=_people(headers, "cc"),
        reply_to=_people(headers, "reply-to"),
        delivered_to=_delivered(headers),
        message_id=next(iter(marks.ids(headers.get("message-id"))), None),
        in_reply_to=answered[0] if answered else None,
        references=marks.references(" ".join(headers.all("references"))),
        sent_at=marks.moment(headers.get("date")),
        # What came back is no attachment of whoever tells so.
        files=tuple(file for file in parsed.files if not (returned and _is_mail(file))),
        bounce=returned,
        authentication=authentication(parsed, authserv_id),
    )


def _storable(returned: Bounce | None) -> Bounce | None:
    """Reports quote bytes that no header field of our own mail has passed through."""
    if returned is None:
        return None
    return replace(
        returned,
        recipients=tuple(storable(one) for one in returned.recipients),
        status=storable(returned.status) if returned.status else None,
        reason=storable(returned.reason),
        original_id=next(iter(marks.ids(storable(returned.original_id or ""))), None),
    )


def _is_mail(file: File) -> bool:
    return file.content_type.startswith("message/") or file.filename.lower().endswith((".eml", ".msg"))


def _people(headers: Headers, field: str) -> tuple[Address, ...]:
    """Once each. Two fields of one name are read as one: whoever doubles From makes it ambiguous."""
    found: dict[str, Address] = {}
    for value in headers.all(field):
        for one in addresses.parse(value):
            found.setdefault(one.address, one)
    return tuple(found.values())[: addresses.MOST]


def _delivered(headers: Headers) -> tuple[str, ...]:
    values = [value for name in _DELIVERED for value in headers.all(name)]
    return tuple(dict.fromkeys(one.address for value in values for one in addresses.parse(value)))

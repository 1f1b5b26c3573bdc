"""A mail taken apart with the standard library alone, for tests of what judges it."""

import re
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from html import unescape

from mailbridge.parsed import Headers, Parsed, Part

_WHOLE = {"message/rfc822", "message/delivery-status", "message/global", "message/global-delivery-status",
          "message/disposition-notification", "message/feedback-report", "text/rfc822-headers"}  # fmt: skip


def parsed(raw: bytes) -> Parsed:
    message = message_from_bytes(raw, policy=policy.compat32)
    leaves = list(_leaves(message))
    plain = [_text(part) for part in leaves if part.content_type == "text/plain" and part.disposition != "attachment"]
    html = [_text(part) for part in leaves if part.content_type == "text/html" and part.disposition != "attachment"]
    text = "\n".join(plain) or "\n".join(unescape(re.sub(r"<[^>]+>", "\n", part)) for part in html)
    return Parsed(
        Headers(tuple((name.lower(), _decoded(value)) for name, value in message.items())),
        tuple(leaves),
        message.get_content_type(),
        str(message.get_param("report-type") or "").lower() or None,
        text,
        html[0] if html else None,
    )


def _decoded(value: object) -> str:
    unfolded = re.sub(r"[\r\n]+\s*", " ", str(value))
    try:
        return "".join(
            chunk.decode(charset or "utf-8", "replace") if isinstance(chunk, bytes) else chunk
            for chunk, charset in decode_header(unfolded)
        )
    except (ValueError, LookupError):
        return unfolded


def _leaves(message: Message):
    content_type = message.get_content_type()
    if message.is_multipart() and content_type not in _WHOLE and not content_type.startswith("message/"):
        for part in message.get_payload():
            yield from _leaves(part)
        return
    if message.is_multipart():
        data = b"\n".join(part.as_bytes() for part in message.get_payload())
    else:
        data = message.get_payload(decode=True) or b""
    yield Part(
        content_type,
        data,
        message.get_content_charset(),
        message.get_filename(),
        message.get_content_disposition(),
        message.get("content-id"),
    )


def _text(part: Part) -> str:
    try:
        return part.data.decode(part.charset or "utf-8", "replace")
    except LookupError:
        return part.data.decode("utf-8", "replace")

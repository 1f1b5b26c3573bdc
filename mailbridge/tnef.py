"""winmail.dat: what Outlook packs its attachments into, and sometimes the text."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from tnefparse import TNEF

from crm.mail.letter import File
from mailbridge import files, richtext
from mailbridge.charsets import decode, storable

# The library copies the rest of the data at every object.
_MOST = 3000
_MIME_TAG, _CONTENT_ID, _LONG_NAME = 0x370E, 0x3712, 0x3707

# Whatever is odd about a stranger's file is not worth a line in our log.
logging.getLogger("tnefparse").addHandler(logging.NullHandler())
logging.getLogger("tnefparse").propagate = False


@dataclass(frozen=True, slots=True)
class Unpacked:
    files: tuple[File, ...] = ()
    text: str = ""
    html: str | None = None


def unpack(data: bytes) -> Unpacked | None:
    """None if it can't be read: then it stays the file that it is."""
    if not _bounded(data):
        return None
    try:
        found = TNEF(data, do_checksum=False)
        attached = tuple(_attachments(found))
        text, html = _body(found)
    except Exception:
        # The library guards against nothing: anything from AssertionError to struct.error comes out of bad bytes.
        return None
    return Unpacked(attached, text, html)


def _bounded(data: bytes) -> bool:
    position, count = 6, 0
    while position + 9 <= len(data) and count <= _MOST:
        position += 11 + int.from_bytes(data[position + 5 : position + 9], "little")
        count += 1
    return count <= _MOST


def _attachments(found: TNEF) -> Iterator[File]:
    for one in found.attachments:
        said = {attribute.name: attribute.data for attribute in one.mapi_attrs}
        name, kind, content_id = (_string(said.get(key)) for key in (_LONG_NAME, _MIME_TAG, _CONTENT_ID))
        data = one.data if isinstance(one.data, bytes) else bytes(one.data or b"")
        name = name or _string(one._name)
        if name or data:
            kind = kind if "/" in kind else files.type_of(name)
            yield files.file(data, kind.lower(), name, content_id or None)


def _string(value: object) -> str:
    text = decode(value) if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return storable(text).strip()


def _body(found: TNEF) -> tuple[str, str | None]:
    html = _string(found.htmlbody) or None
    text = _string(found.body)
    if not text and not html and found._rtfbody:
        rtf, wrapped = richtext.text(richtext.decompressed(found._rtfbody))
        text = storable(rtf)
        if wrapped:
            text, html = "", text
    return text, html

"""Letters on their way from the process that read them. That one has met a stranger's bytes: what comes out of it is
data and never code, so nothing is pickled."""

import json
import struct
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from crm.mail.letter import Address, Authentication, Bounce, File, Letter

_LENGTH = struct.Struct("!I")
_ADDRESSES = ("senders", "to", "cc", "reply_to")


def pack(letter: Letter) -> bytes:
    """The facts as JSON behind their length, then the contents of the files, one after another."""
    facts: dict[str, Any] = {one.name: getattr(letter, one.name) for one in fields(letter)}
    for name in _ADDRESSES:
        facts[name] = [(one.address, one.name) for one in facts[name]]
    facts["files"] = [(one.filename, one.content_type, one.size, one.inline, one.content_id) for one in letter.files]
    facts["bounce"] = asdict(letter.bounce) if letter.bounce else None
    facts["authentication"] = asdict(letter.authentication)
    facts["sent_at"] = letter.sent_at.isoformat() if letter.sent_at else None
    head = json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")
    return b"".join([_LENGTH.pack(len(head)), head, *(one.data for one in letter.files)])


def unpack(data: bytes) -> Letter:
    """Raises ValueError, TypeError or KeyError for what `pack` did not make."""
    if len(data) < _LENGTH.size:
        raise ValueError("cut off")
    (length,) = _LENGTH.unpack_from(data)
    facts = json.loads(data[_LENGTH.size : _LENGTH.size + length])
    for name in _ADDRESSES:
        facts[name] = tuple(Address(*one) for one in facts[name])
    for name in ("delivered_to", "references"):
        facts[name] = tuple(facts[name])
    position, files = _LENGTH.size + length, []
    for filename, content_type, size, inline, content_id in facts["files"]:
        files.append(File(filename, content_type, data[position : position + size], inline, content_id))
        position += size
    facts["files"] = tuple(files)
    if said := facts["bounce"]:
        facts["bounce"] = Bounce(**{**said, "recipients": tuple(said["recipients"])})
    facts["authentication"] = Authentication(**facts["authentication"])
    facts["sent_at"] = datetime.fromisoformat(facts["sent_at"]) if facts["sent_at"] else None
    return Letter(**facts)

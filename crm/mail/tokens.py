"""The token of a ticket: what a reply carries to prove that its sender was written to. Pure.

128 bits of a keyed hash, so that none can be guessed from another, nor from the ticket's number.
"""

import hmac
import re
from base64 import b32encode
from hashlib import sha256

LENGTH = 26
_BYTES = 16
# In an address extension, a tag of a subject, a Message-ID: beside the reference, whose number says which ticket.
_PLACED = re.compile(r"(?<![a-z0-9])([a-z]{2,4}-\d{1,18})[.\-/]([a-z2-7]{26})(?![a-z0-9])", re.IGNORECASE)


def token(key: bytes, reference: str) -> str:
    """Of the ticket with that reference, in small letters."""
    digest = hmac.digest(key, reference.upper().encode(), sha256)[:_BYTES]
    return b32encode(digest).decode().rstrip("=").lower()


def tag(key: bytes, reference: str) -> str:
    """The reference with its token, as it is put into addresses, subjects and ids."""
    return f"{reference.lower()}.{token(key, reference)}"


def proven(key: bytes, *texts: str) -> list[str]:
    """References whose right token stands in one of the texts, in their order; what is wrong counts as absent."""
    found: dict[str, None] = {}
    for text in texts:
        for reference, claimed in _PLACED.findall(text):
            if hmac.compare_digest(token(key, reference), claimed.lower()):
                found[reference.upper()] = None
    return list(found)

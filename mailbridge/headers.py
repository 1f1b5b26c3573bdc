"""Header fields as they are sent: folded, in ASCII, and never able to hold a second field. Pure.

The standard library's own folding decodes what looks encoded in a value and then refuses its line ends, and has lost
commas of names; here a value is words, whatever they look like.
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote

from crm.mail.letter import Address

# Of a line, without its end (RFC 5322); an encoded word has its own limit (RFC 2047).
LINE = 76
WORD_BYTES = 42
PIECE = 55
IDS = 16
_ADDRESS = re.compile(r"""[^\s<>()\[\]:;@\\,"\x00-\x1f\x7f]+@[^\s<>()\[\]:;@\\,"\x00-\x1f\x7f]+""")
_ID = re.compile(r"[!-;=?-~]{1,240}")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")


def words(value: str, longest: int) -> str:
    """One line that shows what it says: no control characters, no marks that turn the direction of writing, no halves
    of a character; longer ones are cut with `…`."""
    value = _DIRECTIONS.sub("", value.encode("utf-8", "replace").decode("utf-8"))
    value = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in value)
    value = " ".join(value.split())
    return value if len(value) <= longest else value[: longest - 1].rstrip() + "…"


def is_address(value: str) -> bool:
    """Whether it can stand in an envelope and in a field: one mailbox, nothing hidden in it, at most 254 characters."""
    return bool(_ADDRESS.fullmatch(value)) and len(value) <= 254


def with_ascii_domain(address: str) -> str:
    """The address with its domain as DNS knows it. Raises ValueError for what is no address."""
    local, _, domain = address.rpartition("@")
    try:
        made = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        made = ""
    if not is_address(made):
        raise ValueError(f"not an address: {address!r}")
    return made


def unstructured(name: str, value: str) -> str:
    """A field of words, as Subject is. With its line end."""
    return _folded(name, _encoded(value))


def mailboxes(name: str, people: Iterable[Address]) -> str:
    """A field of addresses, as To is; empty without any. A local part beyond ASCII stays as it is, for SMTPUTF8.

    Raises ValueError for what is no address.
    """
    parts: list[str] = []
    for person in people:
        address = with_ascii_domain(person.address)
        named = words(person.name, 100)
        if not named:
            parts.append(address)
        elif _PLAIN_NAME.fullmatch(named) and "=?" not in named:
            parts += [*named.split(), f"<{address}>"]
        elif named.isascii() and "=?" not in named:
            escaped = named.replace("\\", "\\\\").replace('"', '\\"')
            parts += [f'"{escaped}"', f"<{address}>"]
        else:
            parts += [*_encoded_words(named), f"<{address}>"]
        parts[-1] += ","
    if not parts:
        return ""
    parts[-1] = parts[-1].removesuffix(",")
    return _folded(name, parts)


def ids(name: str, found: Iterable[str]) -> str:
    """A field of message ids, given without brackets; of many, the first and the last. What is no id is left out."""
    kept = list(dict.fromkeys(one for one in found if _ID.fullmatch(one) and "=?" not in one))
    if len(kept) > IDS:
        kept = [kept[0], *kept[1 - IDS :]]
    return _folded(name, [f"<{one}>" for one in kept]) if kept else ""


def parameter(name: str, value: str) -> list[str]:
    """A parameter of a field, in as many pieces as its value needs (RFC 2231)."""
    # Some readers take «<…>» for quotes of an address and drop them.
    plain = value.isascii() and len(value) <= PIECE and "=?" not in value and not re.fullmatch("<.*>", value, re.DOTALL)
    if plain:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return [f'{name}="{escaped}"']
    pieces = [""]
    for unit in re.findall(r"%..|.", quote(value, safe="")):
        if len(pieces[-1]) + len(unit) > PIECE:
            pieces.append("")
        pieces[-1] += unit
    if len(pieces) == 1:
        return [f"{name}*=utf-8''{pieces[0]}"]
    head = "utf-8''"
    return [f"{name}*{n}*={head if n == 0 else ''}{piece}" for n, piece in enumerate(pieces)]


def structured(name: str, value: str, *parameters: str) -> str:
    """A field of our own words, with parameters."""
    parts = [value, *parameters]
    return _folded(name, [*(f"{part};" for part in parts[:-1]), parts[-1]])


def _encoded(value: str) -> list[str]:
    """As it is where every reader will see it so, otherwise as encoded words."""
    plain = value.isascii() and "=?" not in value and all(len(word) < LINE - 10 for word in value.split())
    return value.split() if plain else _encoded_words(value)


def _encoded_words(value: str) -> list[str]:
    """Each holds whole characters."""
    found, current = [], b""
    for char in value:
        more = char.encode()
        if len(current) + len(more) > WORD_BYTES:
            found.append(current)
            current = b""
        current += more
    return [f"=?utf-8?b?{b64encode(part).decode()}?=" for part in (*found, current)]


def _folded(name: str, parts: list[str]) -> str:
    lines, line = [], f"{name}:"
    for part in parts:
        if len(line) + 1 + len(part) > LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {part}"
    return "\r\n".join([*lines, line]) + "\r\n"

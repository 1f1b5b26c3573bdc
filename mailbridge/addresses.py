"""Address fields. What stands in a name, a comment or an encoded word never becomes an address (CVE-2023-27043)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crm.mail.letter import Address
from mailbridge.fields import words

# Of one field; nobody writes to more people than that and means a request.
MOST = 1000

_TOKEN = re.compile(
    r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]{0,2000}+\?=)"
    r'|"((?:[^"\\]++|\\.)*+)"'
    r'|<([^<>"]*+(?:"(?:[^"\\]++|\\.)*+"[^<>"]*+)*+)>?'
    r"|([,;:])"
    r'|((?:[^"<>(),;:=]++|=(?!\?))++)|.',
    re.S,
)
_UNCLOSED = re.compile(r'\A([^"]*+(?:"(?:[^"\\]++|\\.)*+"[^"]*+)*+)(".*)\Z', re.S)
_PAREN = re.compile(r"\\.|[()]", re.S)
_LOCAL = r'(?:"(?:[^"\\]++|\\.)++"|(?<![^\s"@<>(),;:\\\[\]])[^\s"@<>(),;:\\\[\]]++)'
_ADDRESS = re.compile(rf"({_LOCAL})\s*@\s*(\[[0-9A-Fa-f.:xIPv]+\]|[^\s\"@<>(),;:\\\[\]]+)")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x80-\x9f]")
_SPECIAL = re.compile(r'[()<>@,;:\\".\[\]]')


@dataclass(slots=True)
class _Mailbox:
    """What stands between two commas. `phrase`: words as they came, and whether each was quoted."""

    phrase: list[tuple[str, bool]] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def parse(value: str) -> list[Address]:
    """Every mailbox of an unfolded field, groups dissolved. Where it is unclear which address is meant, each of them
    is given, or none."""
    found: list[Address] = []
    for mailbox in _mailboxes(value):
        found += _addresses(mailbox)
        if len(found) >= MOST:
            break
    return found[:MOST]


def written(addresses: Iterable[Address]) -> str:
    """The field that says the same without any doubt."""
    return ", ".join(f"{_quoted(one.name)} <{one.address}>" if one.name else one.address for one in addresses)


def _quoted(name: str) -> str:
    if not _SPECIAL.search(name) and "=?" not in name:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _mailboxes(value: str) -> Iterator[_Mailbox]:
    # Behind a quote that nothing closes no other one means anything; looking for its end each time costs too much.
    value = _UNCLOSED.sub(lambda found: found[1] + found[2].replace('"', "'"), value)
    mailbox, position = _Mailbox(), 0
    while position < len(value):
        if value[position] == "(":
            comment, position = _comment(value, position)
            mailbox.comments.append(comment)
            continue
        token = _TOKEN.match(value, position)
        if token is None:
            break
        position = token.end()
        encoded, quoted, angle, mark, bare = token.groups()
        if encoded or quoted is not None:
            # Neither is ever an address, whatever stands in it.
            mailbox.phrase.append((encoded or quoted, True))
        elif angle is not None:
            mailbox.angles.append(angle)
        elif mark == ":" and not mailbox.angles and not any("@" in word for word, own in mailbox.phrase if not own):
            # The name of a group, or `mailto:`.
            mailbox = _Mailbox()
        elif mark:
            # An unquoted comma within a name: `Ivanov, Ivan <ivan@…>`.
            if mailbox.angles or any("@" in word for word, _ in mailbox.phrase) or mark == ";":
                yield mailbox
                mailbox = _Mailbox()
            elif mailbox.phrase:
                mailbox.phrase.append((mark, False))
        else:
            mailbox.phrase.append((bare if bare is not None else token[0], False))
    yield mailbox


def _comment(value: str, start: int) -> tuple[str, int]:
    depth = 0
    for found in _PAREN.finditer(value, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return value[start + 1 : found.start()], found.end()
    return value[start + 1 :], len(value)


def _addresses(mailbox: _Mailbox) -> list[Address]:
    if mailbox.angles:
        name = _name(mailbox.phrase, mailbox.comments)
        specs = [spec for angle in mailbox.angles for spec in _specs(angle)]
        return [Address(spec, name) for spec in specs]
    # A quoted string is a local part only where an @ follows.
    plain = "".join(f'"{word}"' if own else word for word, own in mailbox.phrase)
    specs = _specs(plain)
    if len(specs) != 1:
        return [Address(spec) for spec in specs]
    around = _ADDRESS.sub(" ", plain).replace('"', " ")
    return [Address(specs[0], _name([(around, False)], mailbox.comments))]


def _specs(text: str) -> list[str]:
    """Addresses in a place where addresses stand."""
    if text.lstrip().startswith("@"):
        # A route of old: `@relay,@relay:person@place`.
        text = text.partition(":")[2]
    text = text.strip().removeprefix("mailto:")
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    found = [spec for match in _ADDRESS.finditer(text) if (spec := _canonical(match[1], match[2]))]
    return found if outside.count("@") == len(found) else []


def _canonical(local: str, domain: str) -> str | None:
    """Domain in small letters and ASCII; None if it can't be one. Needless quotes go."""
    if local.startswith('"'):
        bare = re.sub(r"\\(.)", r"\1", local[1:-1])
        local = bare if re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+", bare) else local
    domain = domain.strip(".").lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii") if len(domain) <= 253 else ""
        except UnicodeError:
            return None
    address = f"{local.strip(chr(39)) or local}@{domain.rstrip(chr(39))}"
    usable = domain and ".." not in domain and len(address) <= 320 and not re.search(r"[\x00-\x20\x7f]", domain)
    return address if usable and address.isprintable() else None


def _name(phrase: list[tuple[str, bool]], comments: list[str]) -> str:
    unquoted = "".join(re.sub(r"\\(.)", r"\1", word) if own else word for word, own in phrase)
    name = words(unquoted.strip(" ,;\t")) or words(re.sub(r"\\(.)", r"\1", " ".join(comments)))
    name = _INVISIBLE.sub("", name).strip()
    while len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    return name[:200] if name.strip("<>'\"") else ""

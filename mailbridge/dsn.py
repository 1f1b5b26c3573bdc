"""Delivery status notifications (RFC 3464): what a mail server says, field by field, of a mail that it was given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailbridge.parsed import Part

_LONGEST = 1_000_000  # bytes of a report; some thousand recipients
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8_CHAR = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the mail for one recipient. `action` in small letters, as the server wrote it; `address` is whom
    we wrote to, `forwarded` where that led if it led elsewhere."""

    address: str
    action: str
    status: str | None
    diagnostic: str
    forwarded: str | None = None


def fates(part: Part) -> tuple[Fate, ...]:
    """One per recipient block of a delivery-status part; blocks that name nobody are left out."""
    return tuple(fate for block in blocks(part.data) if (fate := _fate(block)) is not None)


def blocks(data: bytes) -> Iterator[dict[str, str]]:
    """Groups of fields between blank lines: names in small letters, values unfolded, the first of a name. A second
    recipient begins a group, too: some servers leave out the blank line."""
    text = data[:_LONGEST].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for group in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in group.splitlines():
            if line[:1] in " \t" and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                if name in fields and name == "final-recipient":
                    yield fields
                    fields = {}
                if name in fields:
                    name = ""
                else:
                    fields[name] = value.strip()
        if fields:
            yield fields


def address(value: str) -> str | None:
    """The mailbox in `rfc822; a@b`, `utf-8; …`, `<a@b>` or a bare one; None if there is none.

    xtext (`+2B`) and the escapes of RFC 6533 (`\\x{444}`) are undone.
    """
    _, separator, rest = value.partition(";")
    text = (rest if separator else value).strip()
    text = _UTF8_CHAR.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), text)
    found = _ADDRESS.search(text)
    if found is None:
        return None
    plain = _XTEXT.sub(lambda match: chr(int(match[1], 16)), found[0])
    return (plain if plain.count("@") == 1 else found[0]).strip(".")


def status(text: str) -> str | None:
    """The first enhanced status code (RFC 3463) in the text."""
    found = _STATUS.search(text)
    return found[1] if found else None


def _fate(fields: dict[str, str]) -> Fate | None:
    original = address(fields.get("original-recipient", ""))
    final = address(fields.get("final-recipient", "")) or address(fields.get("x-actual-recipient", ""))
    whom = original or final
    if whom is None:
        return None
    diagnostic = fields.get("diagnostic-code", "")
    kind, separator, said = diagnostic.partition(";")
    return Fate(
        address=whom,
        action=fields.get("action", "").split("(")[0].split(";")[0].strip().lower(),
        status=status(fields.get("status", "")) or status(diagnostic),
        diagnostic=(said if separator and len(kind) < 20 else diagnostic).strip(),
        forwarded=final if final and final.lower() != whom.lower() else None,
    )

"""How a long text is dealt out over several messages of a topic. Pure."""

import re

# Below what one message of Telegram's takes, with room for a heading and the mark of a repeat; in UTF-16 units.
ROOM = 3600
# A longer text comes as its first part and a file.
MOST_PARTS = 4
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?…])\s"), re.compile(r"\s"))


def parts(text: str, most: int) -> list[str]:
    """The text in pieces that a message takes each, cut where a reader would pause; at least one, perhaps empty. More
    than `most` are not made: what is left is the last one, however long."""
    pieces: list[str] = []
    rest = text.strip("\n")
    while len(pieces) < most and _fitting(rest) < len(rest):
        cut = _cut(rest)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip("\n")
    return [*pieces, rest]


def _cut(text: str) -> int:
    """After the last paragraph, line, sentence or word that fits, unless that leaves the piece half empty."""
    most = _fitting(text)
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(text, 0, most)]
        if ends and ends[-1] > most // 2:
            return ends[-1]
    return most


def _fitting(text: str) -> int:
    """How many characters fit."""
    used = 0
    for place, letter in enumerate(text):
        used += 2 if ord(letter) > 0xFFFF else 1
        if used > ROOM:
            return place
    return len(text)


def dealt(text: str) -> tuple[list[str], bool]:
    """What is shown, and whether the whole has to come along as a file."""
    pieces = parts(text, MOST_PARTS)
    return (pieces, False) if len(pieces) <= MOST_PARTS else (pieces[:1], True)

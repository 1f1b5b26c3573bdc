"""The headers that a program writes above what it quotes: «From: / Sent: / To: / Subject:» in any language, and the
line of dashes with «Original Message» before it."""

import re
from collections.abc import Sequence

from mailbridge.attribution import ADDRESS
from mailbridge.phrases import FORWARD_ENDS, FORWARDED, MACHINE_KEYS, ORIGINAL, ROLES

LONGEST_KEY = 26  # characters
TALLEST = 16  # lines, wrapped addresses included
WRAPPED = 4  # lines in a row that continue the one above

_EDGES = " \t*_>|\u200b\ufeff\u200e\u200f"
_DASHES = " \t*_>-–—=~+|\u200b\ufeff"
_CLOCK = re.compile(r"\d{1,2} ?[:.hH时時시] ?\d{2}|\d{1,2} ?(?:AM|PM)\b")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_RULE = re.compile(r"^[\s*>]*[_\-–—=]{5,}[\s*]*$")
_REPLY_ABOVE = re.compile(
    r"reply above this line|type your reply above|respond above this line|write above this line|"
    r"(?:пишите|писать|введите|напишите)[^\n]{0,40}выше (?:этой|данной) (?:линии|строки|черты)|"
    r"antworten sie oberhalb dieser|répondre au-dessus de cette ligne|жауапты осы сызықтан жоғары",
    re.IGNORECASE,
)
_REPLY_ABOVE_WORDS = re.compile("above|выше|oberhalb|au-dessus|жоғары")
_ONE_LINE = re.compile(
    r"^[\s*_>]*(?:From|От|Von|De|Date|Дата|Sent)\b ?:.{3,200}\b(?:To|Кому|An|À|Para) ?:.{3,200}\b(?:Subject|Тема|"
    r"Betreff|Objet|"
    r"Asunto) ?:"
)


def is_rule(line: str) -> bool:
    """A line of dashes or underscores and nothing else."""
    return len(line) < 200 and _RULE.match(line) is not None


def field(line: str) -> tuple[str, str] | None:
    """Role and value of a header line, the role by `phrases.ROLES`, «machine» for one that no person quotes."""
    place = line.find(":", 0, LONGEST_KEY + 12)
    wide = line.find("：", 0, LONGEST_KEY + 12)
    if wide >= 0 and (place < 0 or wide < place):
        place = wide
    if place < 0:
        return None
    key = line[:place].strip(_EDGES).strip().lower()
    if not key or len(key) > LONGEST_KEY:
        return None
    key = " ".join(key.replace("\xa0", " ").split())
    role = ROLES.get(key)
    if role is None:
        if key in MACHINE_KEYS or key.startswith("x-"):
            role = "machine"
        else:
            return None
    return role, line[place + 1 :].strip(_EDGES)


def block_at(lines: Sequence[str], start: int) -> int | None:
    """The line after a block of quoted headers that begins at `start`; None if none does."""
    first = field(lines[start])
    if first is None or first[0] in ("machine", "other"):
        return None
    if _ONE_LINE.match(lines[start][:700]):
        return start + 1
    found: dict[str, str] = {first[0]: first[1]}
    last, loose, total = start, 0, 1
    for place in range(start + 1, min(len(lines), start + TALLEST)):
        line = lines[place]
        known = field(line)
        if known is not None:
            role, value = known
            if role == "machine":
                return None
            if loose > WRAPPED:
                break
            if role in found and role in ("from", "subject") and found[role]:
                break
            found[role] = found.get(role) or value
            last, loose = place, 0
            total += 1
        elif not line.strip():
            if loose and not any(field(near) for near in lines[place + 1 : place + 3]):
                break
            if not any(field(near) for near in lines[place + 1 : place + 3]):
                break
        else:
            loose += 1
            if not found.get(_last_role(lines, last)):
                found[_last_role(lines, last)] = line.strip()
            if loose > WRAPPED:
                break
    return _end(lines, last) if _convincing(found) else None


def _last_role(lines: Sequence[str], place: int) -> str:
    known = field(lines[place])
    return known[0] if known else "other"


def _convincing(found: dict[str, str]) -> bool:
    roles = {role for role in found if role != "other"}
    people = found.get("from", "") + " " + found.get("to", "")
    addressed = ADDRESS.search(people[:2000]) is not None or "mailto:" in people
    when = found.get("date", "")
    clocked = _CLOCK.search(when) is not None
    dated = clocked or _YEAR.search(when) is not None
    if "from" in roles and len(roles) >= 3:
        return addressed or dated
    if "from" in roles and "date" in roles:
        return addressed and dated
    if "date" in roles and "to" in roles:
        return clocked and addressed
    return "from" in roles and "subject" in roles and addressed


def _end(lines: Sequence[str], last: int) -> int:
    """Past the rest of a wrapped last field."""
    place = last + 1
    while place < len(lines) and place <= last + WRAPPED and lines[place].strip():
        if not ADDRESS.search(lines[place][:500]) and not lines[place].startswith((" ", "\t")):
            break
        place += 1
    return place


def separator(line: str) -> str | None:
    """ "original", "forwarded", "end" (of what was forwarded) or None for a line that isn't one of those."""
    if len(line) > 120 or not line.strip():
        return None
    if _REPLY_ABOVE_WORDS.search(line) and _REPLY_ABOVE.search(line):
        return "original"
    if line.strip()[0] not in "-*=_~—–>|" and line.rstrip("* ")[-1:] not in (":", "："):
        return None
    bare = line.strip(_DASHES).rstrip(":： ").strip(_DASHES).lower()
    if not bare:
        return None
    dashed = line.strip().strip("*>| ")[:2] in ("--", "__", "==", "~~", "——", "––", "- ") or line.strip()[:2] == "* -"
    if bare in FORWARD_ENDS and dashed:
        return "end"
    if bare in FORWARDED and (dashed or line.rstrip(" *").endswith((":", "："))):
        return "forwarded"
    if bare in ORIGINAL and dashed:
        return "original"
    if dashed and bare.startswith(("forwarded by ", "original message from ")):
        return "forwarded"
    return None

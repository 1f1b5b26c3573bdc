"""«On … wrote:» in any tongue: which lines introduce a quote.

No template per language: an attribution is short, names a moment or an address, and leaves over few small words that a
sentence would need. A line that is convincing by itself announces a quote even where nothing is marked with ">"; a weaker
one (a name and a verb) only counts when marked lines follow.
"""

import re
from collections.abc import Sequence
from enum import IntEnum

from mailbridge.phrases import CONNECTIVES, LEADS, MONTHS, VERBS

LONGEST = 350  # characters
WRAPPED = 4  # lines, at most, that one attribution is wrapped over


class Sureness(IntEnum):
    NONE = 0
    WITH_QUOTE = 1
    ALONE = 2


ADDRESS = re.compile(r"[\w.+'=/-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}")
_NUMERIC = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-] ?\d{1,2}[./-] ?(?:\d{4}|\d{2})|\d{4}[./-] ?\d{1,2}[./-] ?\d{1,2}|"
    r"\d{1,2}-\w{3,4}\.?-\d{2,4}|\d{4} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2})(?!\d)"
)
_TIME = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3])(?:[:.hH]|点|时|時|시 ?)[0-5]\d(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORD = re.compile(r"[^\W\d_][\w'’()-]*")
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_IN_QUOTES = re.compile(r"[\"“«„'][^\"“”»\n]{1,80}[\"”»“']")
_IN_ANGLES = re.compile(r"<[^<>]{0,200}>")
_VERB = "|".join(re.escape(verb) for verb in sorted(VERBS, key=len, reverse=True))
_VERB_LAST = re.compile(rf"(?:^|(?<=[\s,>)\]\"»”'님さ\d분])|(?<=[^\x00-\u02ff]))(?:{_VERB})$")
_VERB_INSIDE = re.compile(
    r"(?:^|[\s,>)\]])(schrieb|schrieben|schreef|skrev|wrote|writes|ezt írta|írta|napsal|napsala|kirjoitti|escreveu|"
    r"yazdı|написал|написала|написал\(а\)|писал|писали|пишет|жазды)[\s,]"
)
_EDGES = " \t*_-–—=|\u200b\ufeff"
_DIRECTIONS = dict.fromkeys([*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_SAME_LINE = re.compile(r"^(.*\S)\s*(?:-{2,}\s*|\s)((?:On|Le|Am|El|Il|Em|Op) (?=\S{2,12},? .{0,12}\d).{8,200}:)\s*$")


def _dated(text: str) -> bool:
    """Whether it names a day."""
    if _NUMERIC.search(text):
        return True
    tokens = _TOKEN.findall(text)
    for place, token in enumerate(tokens):
        if len(token) <= 12 and token[:3] in MONTHS:
            around = tokens[max(0, place - 2) : place + 3]
            if any(near.isdecimal() and 1 <= len(near) <= 4 for near in around):
                return True
    return False


def _of_a_sentence(text: str) -> int:
    """How many small words are neither names nor dates nor the usual between them."""
    bare = _IN_QUOTES.sub(" ", _IN_ANGLES.sub(" ", ADDRESS.sub(" ", text)))
    count = 0
    for word in _WORD.findall(bare):
        if len(word) >= 4 and word[0].islower():
            known = word in CONNECTIVES or word in _VERB_WORDS or word[:3] in MONTHS
            count += not known
    return count


_VERB_WORDS = frozenset(word for verb in VERBS for word in verb.split())


def judge(window: str, quote_follows: bool) -> Sureness:
    """How surely these words (lines already joined) announce a quote."""
    text = " ".join(window.translate(_DIRECTIONS).split()).strip(_EDGES).lstrip("> ")
    if not text or len(text) > LONGEST or not (quote_follows or "@" in text or any(map(str.isdigit, text))):
        return Sureness.NONE
    colon = text.endswith((":", "："))
    small = text.rstrip(":： .").strip(_EDGES).lower()
    address = ADDRESS.search(text) is not None
    dated = _dated(small)
    timed = _TIME.search(small) is not None
    verb = _VERB_LAST.search(small) is not None or (colon and _VERB_INSIDE.search(small) is not None)
    if not (
        verb or (address and (colon or text.endswith((">", ")", "]")))) or (quote_follows and dated and timed and colon)
    ):
        return Sureness.NONE
    strangers = _of_a_sentence(text)
    if verb:
        return _with_verb(text, small, strangers, colon, address, dated, timed, quote_follows)
    return _without_verb(text, small, strangers, colon, address, dated, timed, quote_follows)


def _with_verb(
    text: str, small: str, strangers: int, colon: bool, address: bool, dated: bool, timed: bool, quote_follows: bool
) -> Sureness:
    if strangers > 3:
        return Sureness.NONE
    if address and dated:
        return Sureness.ALONE
    if dated and timed and strangers <= 1:
        return Sureness.ALONE
    if colon and dated and _YEAR.search(small) and strangers == 0 and _opened(text):
        return Sureness.ALONE
    if colon and address and text[0] in '"<“' and strangers == 0:
        return Sureness.ALONE
    if quote_follows and (dated or timed or address or len(text.split()) <= (8 if colon else 4)):
        return Sureness.WITH_QUOTE
    return Sureness.NONE


def _without_verb(
    text: str, small: str, strangers: int, colon: bool, address: bool, dated: bool, timed: bool, quote_follows: bool
) -> Sureness:
    if strangers > 2:
        return Sureness.NONE
    last = ADDRESS.search(text)
    for last in ADDRESS.finditer(text):
        pass
    address_ends = last is not None and len(text) - last.end() <= 4
    if address_ends and dated and (timed or _YEAR.search(small)):
        if colon and strangers <= 2:
            return Sureness.ALONE
        if _NUMERIC.match(text) or quote_follows:
            return Sureness.ALONE if _NUMERIC.match(text) and strangers == 0 else Sureness.WITH_QUOTE
        return Sureness.NONE
    if quote_follows and colon and ((dated and timed) or (address and len(text.split()) <= 6)):
        return Sureness.WITH_QUOTE
    return Sureness.NONE


def _opened(text: str) -> bool:
    """Whether the first word is one that opens an attribution."""
    first = text.split(None, 1)[0].strip(",.").lower()
    return first in LEADS or first in CONNECTIVES or first[:1].isdigit() or len(first) <= 3


def span_ending(lines: Sequence[str], end: int, first: int, quote_follows: bool) -> int | None:
    """The line where an attribution that ends in line `end` begins, not before `first`; None if there is none."""
    joined = ""
    chosen = None
    weak = None
    start = end
    while start >= first and start > end - WRAPPED and lines[start].strip():
        joined = lines[start].strip() + " " + joined
        if len(joined) > LONGEST + 50:
            break
        sure = judge(joined, quote_follows)
        if sure is Sureness.ALONE:
            chosen = start
            break
        if sure is Sureness.WITH_QUOTE and (weak is None or _begins(lines[start])):
            weak = start
        start -= 1
    if chosen is None:
        return weak
    above = chosen - 1
    if above >= first and chosen > end - WRAPPED and lines[above].strip() and not _begins(lines[chosen]):
        belongs = (lines[chosen].lstrip(_EDGES)[:1] == "<" and len(lines[above].split()) <= 6) or _begins(lines[above])
        whole = " ".join(line.strip() for line in lines[above : end + 1])
        if belongs and lines[above].rstrip()[-1] not in ".!?" and judge(whole, quote_follows) is Sureness.ALONE:
            return above
    return chosen


def _begins(line: str) -> bool:
    words = line.strip(_EDGES).split()
    return len(words) > 1 and words[0].lower() in LEADS and any(sign.isdigit() for sign in line)


def may_end(line: str) -> bool:
    """A cheap look: whether an attribution could end with this line."""
    if len(line) > 2 * LONGEST:
        return False
    bare = line.translate(_DIRECTIONS).rstrip(" \t\xa0-–—*_=\u200b\ufeff")
    if not bare or len(bare) > LONGEST:
        return False
    return bare[-1] in ":：>)]" or bare.lower().endswith(("wrote", "writes", "写道", "schrieb", "écrit", "napisał(a)"))


def sharing_a_line(line: str) -> str | None:
    """What stands before an attribution that was glued to the end of a person's own line."""
    if len(line) > 2 * LONGEST or not line.rstrip().endswith(":"):
        return None
    found = _SAME_LINE.match(line)
    if found is None or judge(found.group(2), quote_follows=True) is not Sureness.ALONE:
        return None
    return found.group(1).rstrip("- ")

"""«On … wrote:» in any tongue: which lines introduce a quote.

No template per language: an attribution is short, names a moment or an address, and leaves over few small words that
a sentence would need. A line that convinces by itself announces a quote even where nothing is marked with ">"; a
weaker one (a name and a verb) only counts when marked lines follow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
_VERB_WORDS = frozenset(word for verb in VERBS for word in verb.split())
# «Name <address> wrote:»
_SIGNED = re.compile(r"[<(][^<>()@\s]{1,128}@[^<>()@\s]{1,128}[>)]\s+\S+\s?[:：]$")
_RETOLD = re.compile(r"(?:said|says|sent|ответила?|сообщила?|сообщает)\W*$", re.IGNORECASE)  # also in one's own story
_VIA = re.compile(r"\svia [A-ZА-ЯЁ]")
_USENET = re.compile(r"in (?:message|article) <", re.IGNORECASE)
# Whoever quotes by hand names the other so.
_BRACKETED = re.compile(r"\[[^\W\d_]['’\w.-]*(?: [^\W\d_]['’\w.-]*){1,3}\]")
_SAME_LINE = re.compile(r"^(.*\S)\s*(?:-{2,}\s*|\s)((?:On|Le|Am|El|Il|Em|Op) (?=\S{2,12},? .{0,12}\d).{8,200}:)\s*$")
_EDGES = " \t*_-–—=|\u200b\ufeff"
_DIRECTIONS = dict.fromkeys([*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a line has of an attribution. `strangers`: how many of its words have no place in one."""

    text: str
    verb: bool
    colon: bool
    address: bool
    dated: bool
    timed: bool
    year: bool
    strangers: int


def judge(window: str, quote_follows: bool) -> Sureness:
    """How surely these words (lines already joined) announce a quote."""
    text = " ".join(window.translate(_DIRECTIONS).split()).strip(_EDGES).lstrip("> ")
    if not text or len(text) > LONGEST or not (quote_follows or "@" in text or any(map(str.isdigit, text))):
        return Sureness.NONE
    if quote_follows and _BRACKETED.fullmatch(text):
        return Sureness.WITH_QUOTE
    colon = text.endswith((":", "："))
    small = text.rstrip(":： .").strip(_EDGES).lower()
    address = ADDRESS.search(text) is not None
    verb = _VERB_LAST.search(small) is not None or (colon and _VERB_INSIDE.search(small) is not None)
    closed = colon or text.endswith((">", ")", "]"))
    if not verb and not (address and closed) and not (quote_follows and (colon or _NUMERIC.match(text))):
        return Sureness.NONE
    traits = _Traits(
        text,
        verb,
        colon,
        address,
        dated=_is_dated(small),
        timed=_TIME.search(small) is not None,
        year=_YEAR.search(small) is not None,
        strangers=_strangers(text),
    )
    return _with_verb(traits, quote_follows) if verb else _without_verb(traits, quote_follows)


def _with_verb(has: _Traits, quote_follows: bool) -> Sureness:
    words = len(has.text.split())
    if has.strangers > 3:
        return Sureness.NONE
    if not has.address and _RETOLD.search(has.text):
        return Sureness.WITH_QUOTE if quote_follows else Sureness.NONE
    if has.dated and (has.address or (has.timed and has.strangers <= 1)):
        return Sureness.ALONE
    listed = has.colon and has.strangers <= 1 and _VIA.search(has.text) is not None  # through a mailing list
    if has.colon and has.dated and has.year and (has.strangers == 0 or listed) and _is_opened(has.text):
        return Sureness.ALONE
    if (listed and words <= 8) or (has.colon and has.address and _USENET.match(has.text)):
        return Sureness.ALONE
    if has.colon and has.strangers <= 1 and words <= 9 and _SIGNED.search(has.text):
        return Sureness.ALONE
    # Whose clock writes its own way still begins as everybody does.
    opened = has.colon and has.strangers <= 1 and words <= 14 and _begins(has.text)
    if quote_follows and (has.dated or has.timed or has.address or opened or words <= (8 if has.colon else 4)):
        return Sureness.WITH_QUOTE
    return Sureness.NONE


def _without_verb(has: _Traits, quote_follows: bool) -> Sureness:
    if has.strangers > 2:
        return Sureness.NONE
    ends = [found.end() for found in ADDRESS.finditer(has.text)]
    if ends and len(has.text) - ends[-1] <= 4 and has.dated and (has.timed or has.year):
        if has.colon or (has.strangers <= 1 and _NUMERIC.match(has.text)):
            return Sureness.ALONE
        return Sureness.WITH_QUOTE if quote_follows else Sureness.NONE
    if quote_follows and has.timed and has.strangers == 0 and _NUMERIC.match(has.text) and len(has.text.split()) <= 8:
        return Sureness.WITH_QUOTE
    short = has.address and len(has.text.split()) <= 6
    if quote_follows and has.colon and ((has.dated and has.timed) or short):
        return Sureness.WITH_QUOTE
    return Sureness.NONE


def _is_dated(text: str) -> bool:
    """Whether it names a day."""
    if _NUMERIC.search(text):
        return True
    tokens = _TOKEN.findall(text)
    for place, token in enumerate(tokens):
        if len(token) <= 12 and token[:3] in MONTHS:
            around = tokens[max(0, place - 2) : place + 3]
            if any(near.isdecimal() and len(near) <= 4 for near in around):
                return True
    return False


def _strangers(text: str) -> int:
    bare = _IN_QUOTES.sub(" ", _IN_ANGLES.sub(" ", ADDRESS.sub(" ", text)))
    count = 0
    for word in _WORD.findall(bare):
        if len(word) >= 4 and word[0].islower():
            known = word in CONNECTIVES or word in _VERB_WORDS or word[:3] in MONTHS
            count += not known
    return count


def _is_opened(text: str) -> bool:
    """Whether the first word is one that opens an attribution."""
    first = text.split(None, 1)[0].strip(",.").lower()
    return first in LEADS or first in CONNECTIVES or first[:1].isdigit() or len(first) <= 3


def span_ending(lines: Sequence[str], end: int, first: int, quote_follows: bool) -> int | None:
    """The line where an attribution that ends in line `end` begins, not before `first`; None if there is none."""
    joined = ""
    weak = None
    for start in range(end, max(first, end - WRAPPED + 1) - 1, -1):
        if not lines[start].strip() or len(joined) > LONGEST:
            break
        joined = lines[start].strip() + " " + joined
        sure = judge(joined, quote_follows)
        if sure is Sureness.ALONE:
            return _with_its_head(lines, start, end, first, quote_follows)
        if sure is Sureness.WITH_QUOTE and (weak is None or _begins(lines[start])):
            weak = start
    return weak


def _with_its_head(lines: Sequence[str], start: int, end: int, first: int, quote_follows: bool) -> int:
    """A line further up where the beginning is missing: the name before its address, the day before its year."""
    above = start - 1
    if above < first or not lines[above].strip() or _begins(lines[start]) or lines[above].rstrip()[-1] in ".!?:":
        return start
    few = len(lines[above].split()) <= 6
    named = few and lines[start].lstrip(_EDGES)[:1] == "<"
    addressed = few and "@" in lines[above] and lines[start][:1].isdigit()
    if not (named or addressed or _begins(lines[above])):
        return start
    whole = " ".join(line.strip() for line in lines[above : end + 1])
    return above if judge(whole, quote_follows) is Sureness.ALONE else start


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
    if bare[0].isdigit() and "GMT" in bare:
        return True
    return bare[-1] in ":：>)]" or bare.lower().endswith(("wrote", "writes", "写道", "schrieb", "écrit", "napisał(a)"))


def begins_a_line(line: str) -> bool:
    """Whether an attribution stands at the head of a line that goes on with what is quoted, as Yahoo writes it."""
    place = line.find(":  ", 20, LONGEST)
    return place > 0 and judge(line[: place + 1], quote_follows=False) is Sureness.ALONE


def sharing_a_line(line: str) -> str | None:
    """What stands before an attribution that was glued to the end of a person's own line."""
    if len(line) > 2 * LONGEST or not line.rstrip().endswith(":"):
        return None
    found = _SAME_LINE.match(line)
    if found is None or judge(found.group(2), quote_follows=True) is not Sureness.ALONE:
        return None
    return found.group(1).rstrip("- ")

"""What a person newly wrote: a mail's text without what it quotes, forwards, and what programs added.

The convention, which is that of the field's test corpora where they agree. Dropped: lines marked ">", the line that
introduces them, the headers of the mail below and everything under them, a signature below a delimiter or with
contacts, lines of apps, legal notices. Kept: greeting, closing and bare name («Thanks, Bob»), answers written between
quotes, code and logs. Where nothing would remain, nothing was new: the whole text is the answer, so too of a mail that
only forwards another.
"""

import re
from dataclasses import dataclass, field

from mailbridge import attribution
from mailbridge.appfooters import without_footers
from mailbridge.headerblock import block_at, is_rule, separator
from mailbridge.headerblock import field as header_field
from mailbridge.quotehints import Hints, hints, squash
from mailbridge.signatures import cut_closing, cut_delimited, cut_disclaimer, without_banner

_QUOTED = re.compile(r"^[ \t\u200b\ufeff\xa0]{0,4}(?:>|&gt;)")
_PROMPT = re.compile(r"^\s{0,4}(?:>>> \S|> \S+@\d+\.\d+\.\d+ |>From )")
_DIFFERENCE = re.compile(r"^(?:\d+(?:,\d+)?[acd]\d+(?:,\d+)?$|< |---$)")
# A name in dashes that isn't known, or the bare address that Foxmail puts there.
_ABOVE_HEADERS = re.compile(
    r"^\s*(?:[-_=]{3,}[^-_=\n]{1,60}[-_=]{3,}|<?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}>?)\s*$"
)
_COMPARISON = re.compile(r"^\s{0,4}>=? ?\d[\d.,]*\s?\S{0,10}\s*$")
_FENCE = re.compile(r"^\s{0,3}(?:```|~~~)")
_INITIALS = re.compile(r"^ {0,4}[^\W\d_]{1,3}>{1,4} ?")
_INTRODUCING = re.compile(r"wrote|writes|писали|писал|пишете|пишет|schrieb", re.IGNORECASE)
_PICTURE = re.compile(
    r"^\s*(?:!?\[[^\]\n]{0,60}(?:cid:|image|logo|icon|outlook-|https?:|picture|photo|banner|facebook|twitter|linkedin|"
    r"instagram|youtube|telegram|whatsapp|website|изображение|логотип)[^\]\n]{0,120}\]"
    r"(?:\([^)\n]{0,300}\)|<[^>\n]{0,300}>)?|!\[[^\]\n]{0,200}\]\([^)\n]{0,300}\)|<image\d*\.\w+>)\s*$",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n(?:[ \t\xa0]*\n){2,}")
LONG_LINE = 60  # characters: a quoted line that long may have been wrapped by a program on its way
WRAPPED_REST = 24
MOST_LINES = 20_000  # that are read closely; nobody writes more
PATIENCE = 3000  # lines that look as if they introduced a quote and don't, after which nothing is looked for any more


@dataclass(slots=True)
class _Reading:
    """Stretches of own lines, none beginning with a blank one; whether anything is quoted, whether all the rest is."""

    stretches: list[list[str]] = field(default_factory=lambda: [[]])
    quoted: bool = False
    ended: bool = False
    patience: int = PATIENCE

    @property
    def said(self) -> bool:
        """Whether any own words were found so far."""
        return any(self.stretches)

    def close(self) -> None:
        if self.stretches[-1]:
            self.stretches.append([])


def reply_text(text: str, html: str | None = None) -> str:
    """The words that the writer of this mail added; never empty unless `text` is. Time grows with its length alone.

    `text`: the plain body, from HTML with quotes marked ">" where there is nothing else; `html`: as it came.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not plain.strip():
        return ""
    lines = without_banner(plain.split("\n"))
    reading = _read(lines[:MOST_LINES])
    if not reading.ended:
        reading.stretches[-1].extend(line for line in lines[MOST_LINES:] if ">" not in line[:5])
    marks = hints(html, quotes_matter=not reading.quoted)
    if not reading.quoted:
        reading = _by_marks(reading, marks)
    own = [_trimmed(stretch, marks) for stretch in reading.stretches]
    return _joined(own) or _joined(reading.stretches) or _joined([lines]) or plain.strip()


def _joined(stretches: list[list[str]]) -> str:
    filled = [stretch for stretch in stretches if any(map(str.strip, stretch))]
    whole = "\n\n".join("\n".join(line.rstrip() for line in stretch) for stretch in filled)
    return _BLANK_LINES.sub("\n\n", whole).strip()


def _trimmed(lines: list[str], marks: Hints) -> list[str]:
    kept = cut_delimited(lines)
    kept = cut_disclaimer(without_footers(kept))
    kept = _without_marked_signature(kept, marks)
    kept = cut_closing(kept)
    end = len(kept)
    while end and (not kept[end - 1].strip() or is_rule(kept[end - 1]) or _PICTURE.match(kept[end - 1])):
        end -= 1
    return kept[:end]


def _without_marked_signature(lines: list[str], marks: Hints) -> list[str]:
    if not marks.signatures:
        return lines
    end, signed = len(lines), 0
    while end:
        bare = squash(lines[end - 1].strip("*_ \t"))
        if bare and not any(bare in signature for signature in marks.signatures):
            break
        signed += len(bare)
        end -= 1
    # A name alone may be in it by chance: the person wrote that, and the signature is already gone.
    whole = any(2 * signed > len(signature) for signature in marks.signatures)
    return lines[:end] if whole and any(map(str.strip, lines[:end])) else lines


def _by_marks(reading: _Reading, marks: Hints) -> _Reading:
    """Of a text that shows no quote: cut where the HTML says that one begins."""
    lines = [line for stretch in reading.stretches for line in stretch]
    begun = [mark for mark in marks.quotes if len(mark) >= 12]
    for place, line in enumerate(lines):
        bare = squash(line)
        if begun and len(bare) >= 8 and any(mark.startswith(bare[:80]) or bare.startswith(mark) for mark in begun):
            if any(text.strip() for text in lines[:place]):
                return _Reading([lines[:place]], quoted=True)
            break
    return reading


def _read(lines: list[str]) -> _Reading:
    reading = _Reading()
    marked = _marked_lines(lines)
    following = _next_filled(lines)
    last_marked = max((place for place, quoted in enumerate(marked) if quoted), default=-1)
    place = 0
    fenced = False
    floor = 0  # nothing above this line belongs to an attribution any more
    while place < len(lines):
        line = lines[place]
        if _FENCE.match(line) and not marked[place]:
            fenced = not fenced and any(map(_FENCE.match, lines[place + 1 : place + 200]))
        if fenced or not line.strip():
            if line.strip() or reading.stretches[-1]:
                reading.stretches[-1].append(line)
            place += 1
            continue
        if marked[place] or _rest_of_quoted(lines, marked, place):
            reading.quoted = True
            reading.close()
            place += 1
            floor = place
            continue
        after = _introduced(lines, marked, following, place, floor, reading)
        if after is None:
            reading.stretches[-1].append(line)
            place += 1
            continue
        reading.quoted = True
        begun = following[after]
        if begun >= len(lines) or not marked[begun]:
            ended = _forward_end(lines, after)
            if ended is None and begun < last_marked and not reading.said:
                ended = after  # written between the attribution and the quote
            if ended is None:
                reading.ended = True
                break
            after = ended
        reading.close()
        place = floor = after
    return reading


def _introduced(
    lines: list[str], marked: list[bool], following: list[int], place: int, floor: int, reading: _Reading
) -> int | None:
    """The line after whatever introduces a quote at `place`, its earlier lines taken back; None for an own line."""
    line = lines[place]
    kind = separator(line)
    if kind is not None:
        _take_back(reading)
        start = following[place + 1]
        inner = block_at(lines, start) if kind != "end" and start < len(lines) else None
        return inner if inner is not None else place + 1
    if reading.patience <= 0:
        return None
    if header_field(line) is not None:
        reading.patience -= 1
        end = block_at(lines, place)
        if end is not None:
            _take_back(reading, _ABOVE_HEADERS)
            return end
    if ":  " in line[: attribution.LONGEST]:
        reading.patience -= 1
        if attribution.begins_a_line(line):
            return place + 1
    if not attribution.may_end(line):
        return None
    reading.patience -= 1
    nearest = following[place + 1]
    quote_follows = nearest < len(lines) and (marked[nearest] or _headed(lines, nearest))
    return _attributed(lines, place, floor, reading, quote_follows)


def _headed(lines: list[str], place: int) -> bool:
    return header_field(lines[place]) is not None and block_at(lines, place) is not None


def _attributed(lines: list[str], place: int, floor: int, reading: _Reading, quote_follows: bool) -> int | None:
    """Likewise, for an attribution that ends in line `place`."""
    own = reading.stretches[-1]
    shared = attribution.sharing_a_line(lines[place])
    if shared is not None:
        own.append(shared)
        return place + 1
    start = attribution.span_ending(lines, place, max(floor, place - attribution.WRAPPED), quote_follows)
    if start is None:
        return None
    del own[len(own) - (place - start) :]
    _take_back(reading)
    return place + 1


def _take_back(reading: _Reading, title: re.Pattern[str] | None = None) -> None:
    """Drops what only led up to the quote: lines of underscores, and a paragraph of its own that is a `title`."""
    own = reading.stretches[-1]
    while own and (not own[-1].strip() or is_rule(own[-1])):
        own.pop()
    if title is not None and own and title.match(own[-1]) and (len(own) == 1 or not own[-2].strip()):
        own.pop()


def _forward_end(lines: list[str], start: int) -> int | None:
    """Past the line that says where a forwarded mail ends."""
    for place in range(start, len(lines)):
        if lines[place][:1] in "-*=_" and separator(lines[place]) == "end":
            return place + 1
    return None


def _next_filled(lines: list[str]) -> list[int]:
    """For each line the first at or after it that isn't blank; one past the end where none is."""
    following = [len(lines)] * (len(lines) + 1)
    for place in range(len(lines) - 1, -1, -1):
        following[place] = place if lines[place].strip() else following[place + 1]
    return following


def _marked_lines(lines: list[str]) -> list[bool]:
    marked = [_QUOTED.match(line) is not None for line in lines]
    if any(marked) and all(_is_code(lines, place) for place, quoted in enumerate(marked) if quoted):
        marked = [False] * len(lines)
    if sum(_INITIALS.match(line) is not None for line in lines) > 1:
        introduced = False
        for place, line in enumerate(lines):
            introduced = introduced or (attribution.may_end(line) and _INTRODUCING.search(line) is not None)
            marked[place] = marked[place] or (introduced and _INITIALS.match(line) is not None)
    return marked


def _is_code(lines: list[str], place: int) -> bool:
    """A prompt, a number to be exceeded, or a side of a difference: marked for another reason than quoting."""
    if _PROMPT.match(lines[place]):
        return True
    if place and lines[place - 1].strip() and _COMPARISON.match(lines[place]):
        return True
    near = lines[max(0, place - 6) : place] + lines[place + 1 : place + 7]
    return any(_DIFFERENCE.match(line) for line in near)


def _rest_of_quoted(lines: list[str], marked: list[bool], place: int) -> bool:
    """The end of a quoted line that a program wrapped on its way."""
    if not 0 < place < len(lines) - 1 or not (marked[place - 1] and marked[place + 1]):
        return False
    above, line = lines[place - 1].rstrip(), lines[place].strip()
    if len(above) < LONG_LINE:
        return False
    continues = line[0].islower() and above[-1] not in ".?!:;" and len(line) <= LONG_LINE
    return continues or (len(line) <= WRAPPED_REST and len(line.split()) <= 3)

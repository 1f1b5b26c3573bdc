"""Header fields: split from the bytes above a body, unfolded, decoded; their parameters."""

import binascii
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from mailbridge import transfer
from mailbridge.charsets import decode, known, storable

# A header beyond this is cut, not refused: what counts stands above or is repeated.
LARGEST = 4 << 20
LARGEST_VALUE = 1 << 16
MOST = 1000

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_USUAL = re.compile(
    rb"(?i)(?:from|to|cc|bcc|subject|date|message-id|in-reply-to|references|reply-to|sender|return-path|received|"
    rb"mime-version|content-[a-z-]+|list-[a-z-]+|delivered-to|dkim-signature|user-agent|importance|priority|"
    rb"auto-submitted|precedence|thread-[a-z]+|x-[a-z0-9-]+)[ \t]*:"
)
_WORD = re.compile(
    r"=\?([^?\s\"<>]{1,60})\?(?:"
    r"[bB]\?([A-Za-z0-9+/=_\s-]{0,8000}+)|"
    # A question mark before an encoded byte is a character of the text, not the end of the word.
    r"[qQ]\?([^?]{0,2000}+(?:(?:\?(?!=)|\?=(?=[0-9A-F]{2}[^?\s]{0,80}\?=))[^?]{0,2000}+){0,30}+)"
    r")\?="
)
_UNFINISHED = re.compile(r"=\?([^?\s\"<>]{1,60})\?(?:[bB]\?([A-Za-z0-9+/=]{4,8000})|[qQ]\?([^?\s]{1,1500}))\??$")
_FOLD = re.compile(r"[ \t]*(?:\r?\n|\r)[ \t]*")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*))', re.S)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")


def split(data: bytes, start: int, end: int) -> tuple[list[tuple[str, bytes]], int]:
    """Fields from `start` on, names in small letters and values still folded, and where the body begins."""
    found: list[tuple[str, list[bytes]]] = []
    position, first = start, True
    limit = min(end, start + LARGEST)
    while position < limit:
        line_end = data.find(b"\n", position, end)
        following = end if line_end < 0 else line_end + 1
        line = data[position:following]
        named = _FIELD.match(line)
        if named and not (first and line.startswith((b"From ", b">From "))):
            if len(found) < MOST:
                found.append((named[1].decode("ascii").lower(), [line[named.end() :]]))
        elif line[:1] in (b" ", b"\t") and found and (line.strip() or _header_goes_on(data, following, end)):
            found[-1][1].append(line)
        elif not line.strip(b"\r\n\t \x00"):
            if found or not first:
                return _joined(found), following
            # Blank lines above a header are an accident of copying.
        elif line.startswith((b"From ", b">From ")):
            pass
        elif found and _header_goes_on(data, following, end):
            # A line that lost its indentation.
            found[-1][1].append(b" " + line)
        else:
            return _joined(found), position
        first = first and not found and not line.strip()
        position = following
    if position < end:
        blank = re.compile(rb"\n\r?\n").search(data, position, end)
        position = blank.end() if blank else end
    return _joined(found), position


def _joined(found: list[tuple[str, list[bytes]]]) -> list[tuple[str, bytes]]:
    return [(name, (lines[0] if len(lines) == 1 else b"".join(lines))[:LARGEST_VALUE].strip()) for name, lines in found]


def _header_goes_on(data: bytes, position: int, end: int) -> bool:
    """Whether a usual field stands in the next few lines, before an empty one."""
    for _ in range(4):
        line_end = data.find(b"\n", position, min(end, position + 1000))
        line = data[position : line_end if line_end >= 0 else min(end, position + 1000)]
        if not line.strip():
            return False
        if _USUAL.match(line):
            return True
        if line_end < 0:
            return False
        position = line_end + 1
    return False


def unfolded(value: bytes, hint: str | None = None) -> str:
    """A value on one line, its encoded words as they came. `hint`: a charset for bytes that nobody declares."""
    text = value.decode("ascii") if value.isascii() else decode(value, None, hint)
    if "\n" in text or "\r" in text:
        if "=?" in text:
            # Folded in the middle of an encoded word, where no blank belongs.
            text = _WORD.sub(lambda found: _FOLD.sub("", found[0]), text)
        text = _FOLD.sub(" ", text)
    return text


def words(text: str) -> str:
    """Text with its encoded words decoded (RFC 2047), those cut within a letter, misplaced or unfinished too."""
    if "=?" in text:
        text = "".join(_pieces(text))
    return " ".join(storable(text).split())


def _pieces(text: str) -> Iterator[str]:
    """Neighbours of one charset are decoded together: some programs cut within a letter."""
    position, charset, pending = 0, "", b""
    found = [*_WORD.finditer(text)]
    if tail := _UNFINISHED.search(text, found[-1].end() if found else 0):
        found.append(tail)
    for word in found:
        between = text[position : word.start()]
        own = word[1].partition("*")[0].lower()
        if pending and (between.strip() or own != charset):
            yield decode(pending, charset)
            pending = b""
        if between.strip() or position == 0:
            yield between
        charset, position = own, word.end()
        pending += transfer.base64(word[2].encode()) if word[2] is not None else _q(word[3])
    if pending:
        yield decode(pending, charset)
    yield text[position:]


def _q(text: str) -> bytes:
    return binascii.a2b_qp(text.encode("utf-8", "replace"), header=True)


@lru_cache(maxsize=256)
def parameters(value: str) -> tuple[str, Mapping[str, str]]:
    """`text/plain; charset="utf-8"`: the first word in small letters, and parameters by name (RFC 2231)."""
    head = value.partition(";")[0].strip().lower()
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, quoted, bare in _PARAMETER.findall(value[:16_000]):
        section = _SECTION.fullmatch(name.lower())
        if section:
            plain = re.sub(r'\\(["\\])', r"\1", quoted) if quoted else bare.strip().strip("'\"")
            own = sections.setdefault(section[1], {})
            # `name*` is better than `name`, whichever comes first.
            if section[3] or int(section[2] or 0) not in own:
                own[int(section[2] or 0)] = (bool(section[3]), plain)
    return head, {name: _put_together([own[n] for n in sorted(own)]) for name, own in sections.items()}


def _put_together(sections: list[tuple[bool, str]]) -> str:
    if not any(extended for extended, _ in sections):
        return words("".join(text for _, text in sections))
    first = sections[0][1]
    charset, mark, rest = first.partition("'")
    if mark and "'" in rest and known(charset or "utf-8"):
        sections = [(True, rest.partition("'")[2]), *sections[1:]]
    else:
        charset = ""
    data = b"".join(
        unquote_to_bytes(text) if extended else text.encode("utf-8", "replace") for extended, text in sections
    )
    return storable(decode(data, charset or None))

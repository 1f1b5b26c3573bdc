"""Rich Text (RTF) as Outlook packs it into winmail.dat: unpacked, and read as plain text."""

import re

LARGEST = 8_000_000

# MS-OXRTFCP: what the dictionary is filled with before the first byte.
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.I
)
_SILENT = {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"header", b"footer", b"object", b"listtable"}
_SILENT |= {b"listoverridetable", b"generator", b"themedata", b"datastore", b"latentstyles", b"xmlnstbl"}
_WORDS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•", b"cell": "\t"}
_WORDS |= {b"row": "\n", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"~": "\xa0"}


def decompressed(data: bytes) -> bytes:
    """What MS-OXRTFCP packs. Raises ValueError for what isn't that."""
    if len(data) < 16:
        raise ValueError("too short for compressed RTF")
    size, kind = int.from_bytes(data[4:8], "little"), data[8:12]
    if kind == b"MELA":
        return data[16 : 16 + size]
    if kind != b"LZFu":
        raise ValueError("not compressed RTF")
    window = bytearray(_BEGINNING.ljust(4096, b"\0"))
    place, done, position = len(_BEGINNING), bytearray(), 16
    while position < len(data) and len(done) < min(size, LARGEST):
        control = data[position]
        position += 1
        for bit in range(8):
            if control >> bit & 1:
                if position + 1 >= len(data):
                    return bytes(done)
                offset, length = data[position] << 4 | data[position + 1] >> 4, (data[position + 1] & 15) + 2
                position += 2
                if offset == place:
                    return bytes(done)
                copied = range(length)
                for step in copied:
                    byte = window[(offset + step) & 4095]
                    done.append(byte)
                    window[place] = byte
                    place = (place + 1) & 4095
            elif position < len(data):
                done.append(data[position])
                window[place] = data[position]
                place = (place + 1) & 4095
                position += 1
    return bytes(done)


def text(rtf: bytes) -> tuple[str, bool]:
    """Its words, and whether those are HTML that Outlook has wrapped (`\\fromhtml`)."""
    stated = re.search(rb"\\ansicpg(\d{3,5})", rtf[:2000])
    codepage = f"cp{stated[1].decode()}" if stated else "cp1252"
    wrapped = b"\\fromhtml" in rtf[:2000]
    pieces: list[str] = []
    high = bytearray()
    # Of each open group: whether it is silent, and how many characters stand in for a `\\u`.
    groups, silent, skipped, to_skip = [], False, 1, 0
    for found in _TOKEN.finditer(rtf[:LARGEST]):
        word, number, code, symbol, brace, plain = found.groups()
        if high and code is None:
            pieces.append(_decoded(bytes(high), codepage))
            high.clear()
        if brace == b"{":
            groups.append((silent, skipped))
        elif brace == b"}":
            silent, skipped = groups.pop() if groups else (False, 1)
        elif word is not None:
            if word in _SILENT or (wrapped and word == b"htmlrtf" and number != b"0"):
                silent = True
            elif word == b"htmlrtf":
                silent = False
            elif word == b"htmltag":
                silent = not wrapped
            elif word == b"uc":
                skipped = min(int(number or 1), 8) if (number or b"1").isdigit() else 1
            elif word == b"u" and not silent:
                pieces.append(chr(int(number or 0) & 0xFFFF))
                to_skip = skipped
            elif word in _WORDS and not silent:
                pieces.append(_WORDS[word])
        elif symbol == b"*":
            # A destination that one may pass over; tags of wrapped HTML are such.
            silent = silent or not (wrapped and rtf.startswith(b"\\htmltag", found.end()))
        elif silent:
            continue
        elif code is not None:
            if to_skip:
                to_skip -= 1
            else:
                high.append(int(code, 16))
        elif symbol is not None:
            pieces.append({b"~": "\xa0", b"_": "-", b"\n": "\n", b"\r": "\n"}.get(symbol, symbol.decode("latin-1")))
        elif plain is not None:
            words = _decoded(plain, codepage)
            pieces.append(words[to_skip:])
            to_skip = max(0, to_skip - len(words))
    if high:
        pieces.append(_decoded(bytes(high), codepage))
    joined = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined.strip("\n"), wrapped


def _decoded(data: bytes, codepage: str) -> str:
    try:
        return data.decode(codepage, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")

"""Undoes transfer encodings, damaged ones too. What can't be undone stays as it came."""

import binascii
import re
from collections.abc import Iterable

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_FULL_LINE = 57  # characters; encoders break lines at 60 at the earliest
_SOFT_BREAK = re.compile(rb"=[ \t]+(\r?\n)")
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.M)
_UU_END = re.compile(rb"^(?:`|[ ])?\r?\n?end[ \t]*\r?$|^====[ \t]*\r?$", re.M)


def undo(data: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            return base64(data)
        case "quoted-printable":
            return quoted_printable(data)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            begun = _UU_BEGIN.search(data)
            return uuencoded(data[begun.end() if begun else 0 :].splitlines())
    return data


def base64(data: bytes) -> bytes:
    """Junk between is skipped, missing padding is made up, blocks that were put one after another are all read."""
    if data.translate(None, _ALPHABET):
        data = _before_footer(data)
    try:
        done = binascii.a2b_base64(data)
    except binascii.Error:
        done = b""
    end = data.find(b"=")
    # Python stops at the first padding without a word, and refuses the whole for a missing one.
    if done and (end == -1 or not data[end:].strip(b"= \t\r\n")):
        return done
    blocks = re.findall(rb"[A-Za-z0-9+/]+", _NOT_BASE64.sub(b"", data))
    return b"".join(binascii.a2b_base64(_padded(block)) for block in blocks)


def _padded(block: bytes) -> bytes:
    block = block if len(block) % 4 != 1 else block[:-1]
    return block + b"=" * (-len(block) % 4)


def _before_footer(data: bytes) -> bytes:
    """Lists append their footers in clear: below the padding, or else where nothing encoded follows any more."""
    padded = re.search(rb"={1,2}[ \t]*\r?\n(?=[^\r\n]*[ _.,:;!?-])", data)
    if padded:
        return data[: padded.end()]
    end = len(data)
    lines = data.splitlines(keepends=True)
    kept = len(lines)
    while kept > 1 and not _is_encoded(lines[kept - 1]):
        end -= len(lines[kept - 1])
        kept -= 1
    # A short last line looks like a word of the footer.
    if kept < len(lines) and lines[kept].strip() and not lines[kept].translate(None, _ALPHABET):
        end += len(lines[kept])
    clear = data[end:]
    return data[:end] if clear.translate(None, _ALPHABET) and not clear.rstrip().endswith(b"=") else data


def _is_encoded(line: bytes) -> bool:
    """A whole line of it; a mark of junk may have got in."""
    bare = line.strip()
    return len(bare) >= _FULL_LINE and b" " not in bare and len(bare.translate(None, _ALPHABET)) <= 1


def quoted_printable(data: bytes) -> bytes:
    if b"=" not in data:
        return data
    return binascii.a2b_qp(_SOFT_BREAK.sub(rb"=\1", data))


def uuencoded(lines: Iterable[bytes]) -> bytes:
    done = []
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            continue
        try:
            done.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Old programs lost the blanks at the end of lines or appended a checksum.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                done.append(binascii.a2b_uu(line[:length].ljust(length)))
            except binascii.Error:
                continue
    return b"".join(done)


def enclosed(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Text without the uuencoded files that stand in it, and those: name, content."""
    files: list[tuple[bytes, bytes]] = []
    kept, position = [], 0
    for begun in _UU_BEGIN.finditer(data):
        if begun.start() < position or len(files) >= 100:
            continue
        ended = _UU_END.search(data, begun.end())
        if ended is None:
            break
        inside = data[begun.end() : ended.start()]
        plain = begun[0].startswith(b"begin-base64")
        unpacked = base64(inside) if plain else uuencoded(inside.splitlines())
        if unpacked:
            files.append((begun[1].strip(), unpacked))
            kept.append(data[position : begun.start()])
            position = ended.end()
    return (b"".join(kept) + data[position:] if files else data), files

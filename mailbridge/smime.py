"""Opaque S/MIME: what a signature wraps can be read without any key. Signatures are not verified here."""

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_OCTETS, _CHUNKED = 0x04, 0x24


def signed_content(data: bytes) -> bytes | None:
    """The MIME part within signed data (RFC 5652); None if it is encrypted, detached or broken."""
    if _SIGNED_DATA not in data[:40]:
        return None
    place = data.find(_DATA, 0, 2000)
    if place < 0:
        return None
    explicit = _header(data, place + len(_DATA))
    content = _header(data, explicit[1]) if explicit and explicit[0] == 0xA0 else None
    if content is None:
        return None
    tag, start, length = content
    if tag == _OCTETS and length is not None:
        return data[start : start + length]
    return _chunks(data, start, len(data) if length is None else start + length) if tag == _CHUNKED else None


def _chunks(data: bytes, position: int, end: int) -> bytes:
    chunks = []
    while position < end and (chunk := _header(data, position)) and chunk[0] == _OCTETS and chunk[2] is not None:
        chunks.append(data[chunk[1] : chunk[1] + chunk[2]])
        position = chunk[1] + chunk[2]
    return b"".join(chunks)


def _header(data: bytes, position: int) -> tuple[int, int, int | None] | None:
    """Tag, where the value begins, its length (None: until further notice)."""
    if position + 2 > len(data):
        return None
    tag, length = data[position], data[position + 1]
    if length < 0x80:
        return tag, position + 2, length
    size = length & 0x7F
    if size > 4:
        return None
    return tag, position + 2 + size, int.from_bytes(data[position + 2 : position + 2 + size], "big") if size else None

"""Takes a mail apart. Whatever the bytes are, something is read and nothing is raised; nothing is judged either."""

from collections.abc import Iterator

from mailbridge import addresses, body, fields, mime
from mailbridge.charsets import decode
from mailbridge.mime import Node
from mailbridge.parsed import Headers, Parsed, Part

_ADDRESSES = {"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to"}


def parse(raw: bytes) -> Parsed:
    """`raw` as it came from the server or out of a file: an mbox line, empty lines or a byte order mark may precede."""
    raw = _straightened(raw)
    found, start = fields.split(raw, 0, len(raw))
    root = mime.tree(raw, found, start, len(raw))
    leaves = root.leaves()
    hint = next((leaf.charset for leaf in leaves if leaf.charset), None)
    shown = body.compose(raw, root, hint)
    return Parsed(
        headers=Headers(tuple(_decoded(found, hint))),
        parts=tuple(_part(raw, leaf) for leaf in leaves),
        content_type=root.content_type,
        report_type=root.parameters.get("report-type", "").lower() or None,
        text=shown.text,
        html=shown.html,
        files=shown.files,
    )


def _straightened(raw: bytes) -> bytes:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Saved by an editor.
        raw = decode(raw).encode("utf-8", "replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in raw[:100_000] and b"\r" in raw[:100_000]:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def _decoded(found: list[tuple[str, bytes]], hint: str | None) -> Iterator[tuple[str, str]]:
    for name, value in found:
        text = fields.unfolded(value, hint)
        if name in _ADDRESSES and (named := addresses.parse(text)):
            yield name, addresses.written(named)
        else:
            yield name, fields.words(text)


def _part(raw: bytes, leaf: Node) -> Part:
    return Part(leaf.content_type, leaf.body(raw), leaf.charset, leaf.filename, leaf.disposition, leaf.content_id)

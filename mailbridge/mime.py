"""The MIME tree of a mail: flat, built without recursion, bounded. Malformed trees are read as far as they go."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailbridge import fields, transfer

DEEPEST = 50
MOST = 1000

_BOUNDARY_LINE = re.compile(
    rb"(?:\A|\n)--([^\s-][^\r\n]{0,200}?)[ \t]*\r?\n(?:[ \t]*\r?\n)?content-[a-z-]+[ \t]*:", re.I
)
_SPACE = re.compile(r"\([^()]*\)|\s+")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


@dataclass(slots=True)
class Node:
    """A part. `start` and `end` bound its body within the mail; `children` are those of a multipart."""

    content_type: str
    start: int
    end: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    disposition: str | None = None
    filename: str | None = None
    content_id: str | None = None
    description: str = ""
    depth: int = 0
    children: list["Node"] = field(default_factory=list)
    data: bytes | None = None

    @property
    def kind(self) -> str:
        return self.content_type.partition("/")[0]

    @property
    def charset(self) -> str | None:
        return self.parameters.get("charset")

    def body(self, raw: bytes) -> bytes:
        """Its own bytes with the transfer encoding undone."""
        if self.data is None:
            self.data = transfer.undo(raw[self.start : self.end], self.encoding)
        return self.data

    def leaves(self) -> "list[Node]":
        """From the top down; the node itself if it has no parts."""
        found, waiting = [], [self]
        while waiting:
            node = waiting.pop()
            if node.children:
                waiting += reversed(node.children)
            else:
                found.append(node)
        return found


def tree(raw: bytes, found: list[tuple[str, bytes]], start: int, end: int) -> Node:
    """The tree of a mail of which the fields are known and the body stands between `start` and `end`."""
    root = _node(found, start, end, "text/plain", 0)
    waiting, count = [root], 0
    while waiting:
        node = waiting.pop()
        if node.kind != "multipart" or node.depth >= DEEPEST:
            continue
        pieces = _pieces(raw, node)
        if not pieces:
            # It says that it is many, and is one.
            node.content_type = "text/plain"
            continue
        usual = "message/rfc822" if node.content_type == "multipart/digest" else "text/plain"
        for first, last in pieces:
            count += 1
            if count > MOST:
                return root
            inner, body = _part_header(raw, first, last)
            node.children.append(_node(inner, body, last, usual, node.depth + 1))
        waiting += node.children
    return root


def _part_header(raw: bytes, start: int, end: int) -> tuple[list[tuple[str, bytes]], int]:
    line = raw[start : start + 2]
    if line[:1] == b"\n" or line == b"\r\n":
        # No field at all: the empty line is not an accident here.
        return [], start + (1 if line[:1] == b"\n" else 2)
    return fields.split(raw, start, end)


def _node(found: list[tuple[str, bytes]], start: int, end: int, usual: str, depth: int) -> Node:
    first: dict[str, bytes] = {}
    for name, value in found:
        if name.startswith("content-") and value:
            first.setdefault(name[8:], value)
    content_type, parameters = fields.parameters(fields.unfolded(first.get("type", b"")))
    content_type = _SPACE.sub("", content_type)
    if not _TYPE.fullmatch(content_type):
        content_type = {"text": "text/plain", "html": "text/html"}.get(content_type, "") or (
            usual if "type" not in first or not content_type else "text/plain" if "charset" in parameters else usual
        )
    node = Node(content_type, start, end, parameters, depth=depth)
    node.encoding = fields.unfolded(first.get("transfer-encoding", b"")).partition(";")[0].strip(" \"'").lower()
    if "disposition" in first:
        node.disposition, own = fields.parameters(fields.unfolded(first["disposition"]))
        node.filename = own.get("filename") or own.get("name")
    node.filename = node.filename or parameters.get("name") or parameters.get("filename")
    if "id" in first:
        node.content_id = fields.unfolded(first["id"]).strip("<> \t") or None
    if "description" in first:
        node.description = fields.words(fields.unfolded(first["description"]))
    return node


def _pieces(raw: bytes, node: Node) -> list[tuple[int, int]]:
    """Where the parts of a multipart stand."""
    stated = node.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")[:200]
    pieces = _between(raw, node, stated) if stated else []
    if not pieces and (guessed := _BOUNDARY_LINE.search(raw, node.start, min(node.end, node.start + 100_000))):
        pieces = _between(raw, node, guessed[1])
    return pieces


def _between(raw: bytes, node: Node, boundary: bytes) -> list[tuple[int, int]]:
    delimiter = b"--" + boundary
    pieces: list[tuple[int, int]] = []
    begun, position = -1, node.start
    while len(pieces) <= MOST:
        position = raw.find(delimiter, position, node.end)
        if position < 0:
            break
        after = position + len(delimiter)
        line_end = raw.find(b"\n", after, node.end)
        following = node.end if line_end < 0 else line_end + 1
        rest = raw[after : min(following, after + 200)].strip()
        at_line_start = position == node.start or raw[position - 1 : position] in (b"\n", b"\r")
        if not at_line_start or rest not in (b"", b"--"):
            position = after
            continue
        if begun >= 0:
            pieces.append((begun, _before_line_end(raw, begun, position)))
        # Behind the end another part may follow: some programs give an inner multipart the boundary of the outer one.
        begun = following if rest == b"" else -1
        position = following
    if begun >= 0 and begun < node.end:
        # Cut off, or its end was lost.
        pieces.append((begun, node.end))
    return pieces


def _before_line_end(raw: bytes, start: int, end: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    if end > start and raw[end - 1 : end] == b"\n":
        end -= 1
    if end > start and raw[end - 1 : end] == b"\r":
        end -= 1
    return end

"""A mail taken apart: headers in order, leaves of the MIME tree, body as text. Pure values; nothing is judged yet."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from crm.mail.letter import File


@dataclass(frozen=True, slots=True)
class Headers:
    """Fields from the top down: names in small letters, values unfolded and decoded, without line ends."""

    fields: tuple[tuple[str, str], ...] = ()
    _named: dict[str, list[str]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.fields:
            self._named.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return [*self._named.get(name.lower(), ())]

    def get(self, name: str, default: str = "") -> str:
        """The topmost of that name."""
        return self._named.get(name.lower(), (default,))[0]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._named

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the tree, `data` with its transfer encoding undone. What is itself a mail (`message/rfc822`), a report
    (`message/delivery-status`) or its headers (`text/rfc822-headers`) is a leaf too. `content_type`: small letters."""

    content_type: str
    data: bytes
    charset: str | None = None
    filename: str | None = None
    disposition: str | None = None
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """`content_type` of the whole, with its `report_type` where it is a report. `text` is the whole body as plain text
    (from HTML where there is nothing else), `html` the body's HTML as it came. `files`: what a person would call an
    attachment. Address fields among the headers are written such that nothing in a name reads like an address."""

    headers: Headers
    parts: tuple[Part, ...] = ()
    content_type: str = "text/plain"
    report_type: str | None = None
    text: str = ""
    html: str | None = None
    files: tuple[File, ...] = ()
    # What is newly written in `text`, once somebody has cut it out.
    written: str | None = None

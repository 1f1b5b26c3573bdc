"""Who proved to be the sender? Only what our own border wrote of this mail counts, and only for one From (RFC 8601).

The border's field is the topmost Authentication-Results; it names the border, and above it stand only Received fields
of the border's own domain, at most one of which took the mail from outside. Whatever is forged arrived in the mail and
stands below what the border put on top. One thing position cannot show: a border that adds nothing of its own to some
mail must at least remove fields that carry its name (RFC 8601, section 5), else a forged one directly below its own
Received is taken for genuine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm.mail.domains import is_public
from crm.mail.letter import Authentication
from mailbridge import addresses
from mailbridge.parsed import Headers, Parsed

_FIELD = "authentication-results"
_RESULT = re.compile(r"^\s*([\w.-]+)(?:\s*/\s*\d+)?\s*=\s*([\w-]+)", re.ASCII)
_PROPERTY = re.compile(r"\b([\w-]+\.[\w-]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;]+)", re.ASCII)
_ID = re.compile(r"^\s*\"?([^\s\";=]+)\"?(?:\s+\d+)?\s*$")
_BY = re.compile(r"\bby\s+\[?([\w.-]+)", re.IGNORECASE)
_FROM = re.compile(r"^\s*from\s+\[?([\w.-]+)", re.IGNORECASE)
_LOOPBACK = re.compile(r"^(?:localhost(?:\..*)?|127\..*|[^.]*)$")


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    word: str
    properties: dict[str, str] = field(default_factory=dict)


def authentication(parsed: Parsed, authserv_id: str | None) -> Authentication:
    """What our border says of the sender. If From names nobody or several, nothing is verified, nor is it without
    `authserv_id`: the words are then those of the topmost field, and mean no more than whoever wrote it."""
    value = _border_field(parsed.headers, authserv_id)
    if value is None:
        return Authentication()
    named, results = _read(value)
    trusted = authserv_id is not None
    domain = _from_domain(parsed.headers) if trusted else None
    spf, dkim, dmarc = (_word(results, method) for method in ("spf", "dkim", "dmarc"))
    failed = dmarc == "fail" or (dmarc is None and spf == "fail" and dkim == "fail")
    return Authentication(
        authserv_id=named,
        spf=spf,
        dkim=dkim,
        dmarc=dmarc,
        verified=domain is not None and not failed and any(_vouches(result, domain) for result in results),
        failed=trusted and failed,
    )


def _border_field(headers: Headers, authserv_id: str | None) -> str | None:
    """The topmost Authentication-Results, None where it cannot be the border's."""
    if authserv_id is None:
        return headers.get(_FIELD) or None
    border = authserv_id.strip().rstrip(".").lower()
    crossed = False
    for name, value in headers:
        if name == "received":
            if crossed or not _inside(_host(_BY, value), border):
                return None
            crossed = not _inside(_host(_FROM, value), border)
        elif name == _FIELD:
            named, _ = _read(value)
            return value if named == border else None
    return None


def _inside(host: str | None, border: str) -> bool:
    """Whether the host belongs to the border's own domain. A hop that names no host is a local one."""
    if host is None or _LOOPBACK.match(host):
        return True
    return _organization(host) == _organization(border)


def _host(pattern: re.Pattern[str], received: str) -> str | None:
    found = pattern.search(_without_comments(received))
    return found[1].rstrip(".").lower() if found else None


def _organization(host: str) -> str:
    labels = host.split(".")
    for count in (2, 3):
        candidate = ".".join(labels[-count:])
        if not is_public(candidate):
            return candidate
    return host


def _read(value: str) -> tuple[str | None, tuple[_Result, ...]]:
    """The name of who judged, None if the field has none, and the results."""
    first, *rest = _without_comments(value).split(";")
    named = _ID.match(first)
    segments = rest if named else [first, *rest]
    return (named[1].rstrip(".").lower() if named else None), tuple(_results(segments))


def _results(segments: list[str]) -> Iterator[_Result]:
    for segment in segments:
        found = _RESULT.match(segment)
        if found:
            properties: dict[str, str] = {}
            for key, value in _PROPERTY.findall(segment[found.end() :]):
                properties.setdefault(key.lower(), value.strip('"').lower())
            yield _Result(found[1].lower(), found[2].lower(), properties)


def _without_comments(value: str) -> str:
    """Without what stands in parentheses, nested ones and quoted strings heeded; an open one swallows the rest."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
            continue
        elif char == '"' and depth == 0:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
            continue
        elif char == ")" and not quoted and depth:
            depth -= 1
            if depth == 0:
                kept.append(" ")
            continue
        if depth == 0:
            kept.append(" " if quoted and char == ";" else char)
    return "".join(kept)


def _word(results: tuple[_Result, ...], method: str) -> str | None:
    """Of several (one a signature) a pass stands, else the first."""
    words = [result.word for result in results if result.method == method]
    return "pass" if "pass" in words else next(iter(words), None)


def _vouches(result: _Result, domain: str) -> bool:
    if result.word != "pass":
        return False
    if result.method == "dmarc":
        return result.properties.get("header.from", "").rpartition("@")[2] == domain
    if result.method == "dkim":
        return _covers(_property(result, "header.d", "header.i"), domain)
    if result.method == "spf":
        return _covers(_property(result, "smtp.mailfrom", "smtp.mail", "smtp.mfrom", "envelope-from.addr"), domain)
    return False


def _property(result: _Result, *names: str) -> str:
    """The domain in the first of the properties that is there."""
    value = next((result.properties[name] for name in names if name in result.properties), "")
    return value.strip("<>").rpartition("@")[2].rstrip(".")


def _covers(proven: str, domain: str) -> bool:
    """Whether a proof for one domain speaks for another: the same, or one above it that somebody owns."""
    return not is_public(proven) and (domain == proven or domain.endswith("." + proven))


def _from_domain(headers: Headers) -> str | None:
    """The domain of the only address of the only From."""
    fields = headers.all("from")
    found = [one for field in fields for one in addresses.parse(field)]
    return found[0].domain if len(fields) == len(found) == 1 else None

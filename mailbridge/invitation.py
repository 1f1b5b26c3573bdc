"""A calendar invitation as a few lines that any person reads, in no particular language."""

import re
from collections.abc import Iterator
from datetime import datetime

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[^":;]+(?:"[^"]*"[^":;]*)*)*):(.*)')
_MARKS = {"CANCEL": "❌", "REPLY": "↩"}
_EVENTS = 5
_PATTERNS = {"%Y%m%dT%H%M%S": "%Y-%m-%d %H:%M", "%Y%m%dT%H%M": "%Y-%m-%d %H:%M", "%Y%m%d": "%Y-%m-%d"}


def text(calendar: str) -> str:
    """Summary, when with its zone, where, who invites, and what they write. Empty if nothing is planned in it."""
    method = re.search(r"^METHOD:([A-Z]+)", calendar, re.M)
    events = [event for event in _events(calendar) if event]
    return "\n\n".join(_shown(event, method[1] if method else "") for event in events[:_EVENTS])


def _events(calendar: str) -> Iterator[dict[str, tuple[str, str]]]:
    event: dict[str, tuple[str, str]] | None = None
    within = 0
    for line in _FOLD.sub("", calendar[:500_000]).splitlines():
        mark = line.strip().upper()
        if mark in ("BEGIN:VEVENT", "BEGIN:VTODO"):
            event, within = {}, 0
        elif mark in ("END:VEVENT", "END:VTODO") and event is not None:
            yield event
            event = None
        elif event is not None and mark.startswith(("BEGIN:", "END:")):
            # Alarms have descriptions of their own.
            within += 1 if mark.startswith("BEGIN:") else -1
        elif event is not None and not within and (found := _LINE.fullmatch(line[:20_000])):
            event.setdefault(found[1].upper(), (found[2], _plain(found[3])))


def _plain(value: str) -> str:
    return re.sub(r"\\([nN,;\\:\"])", lambda found: "\n" if found[1] in "nN" else found[1], value).strip()


def _shown(event: dict[str, tuple[str, str]], method: str) -> str:
    lines = [f"{_MARKS.get(method, '📅')} {event.get('SUMMARY', ('', ''))[1]}".strip()]
    if when := _when(event):
        lines.append(f"🕑 {when}")
    if where := event.get("LOCATION", ("", ""))[1]:
        lines.append(f"📍 {where}")
    if "ORGANIZER" in event:
        parameters, address = event["ORGANIZER"]
        name = re.search(r'CN="?([^";:]+)', parameters, re.I)
        address = re.sub(r"^mailto:", "", address, flags=re.I)
        lines.append(f"👤 {name[1]} <{address}>" if name and name[1] != address else f"👤 {address}")
    if said := event.get("DESCRIPTION", ("", ""))[1]:
        lines += ["", said]
    return "\n".join(lines)


def _when(event: dict[str, tuple[str, str]]) -> str:
    start, end = event.get("DTSTART"), event.get("DTEND") or event.get("DUE")
    if start is None:
        return _moment(end[1]) + _zone(*end) if end else ""
    shown = _moment(start[1])
    if end is not None and (until := _moment(end[1])) != shown:
        same_day = len(until) > 10 and until[:10] == shown[:10]
        shown += f" – {until[11:] if same_day else until}"
    return shown + _zone(*start)


def _moment(value: str) -> str:
    for pattern, shown in _PATTERNS.items():
        try:
            # As it is written there: the zone stands beside it.
            return datetime.strptime(value.rstrip("Z"), pattern).strftime(shown)  # noqa: DTZ007
        except ValueError:
            continue
    return value[:40]


def _zone(parameters: str, value: str) -> str:
    if value.endswith("Z"):
        return " (UTC)"
    zone = re.search(r'TZID="?([^";:]+)', parameters, re.I)
    return f" ({zone[1].strip('/')})" if zone else ""

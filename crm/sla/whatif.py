"""`kezekshi sla due`: a question in one line of JSON, its answer in another. Pure.

In:  {"calendar": {…}, "start": "2026-03-20T17:30:00+05:00", "minutes": 60, "pauses": [["iso", "iso" or null], …]}
Out: {"due": "2026-03-24T09:30:00+05:00"}, {"due": null} if an open pause comes before, or {"error": "…"}.

`calendar` is as in `Calendar.from_plain`; `pauses` may be left out. Instants carry their offset; `due` has that of the
calendar's zone at that moment. Whatever the line is, the answer is one line.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from crm.sla.calendar import Calendar
from crm.sla.clock import Pause, reached
from crm.sla.hours import shown

KEYS = ("calendar", "start", "minutes", "pauses")


class _Wrong(ValueError):
    """The question is wrong; the text says where."""


def answer(line: str) -> str:
    """The line of JSON that answers a line of JSON."""
    try:
        found: dict[str, Any] = {"due": _due(_question(line))}
    except RecursionError:
        found = {"error": "nested too deeply"}
    except OverflowError:
        found = {"error": "the times lie outside the years 1 to 9999"}
    except ValueError as error:
        found = {"error": str(error)}
    return json.dumps(found)


def _question(line: str) -> dict[str, Any]:
    try:
        question = json.loads(line, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _Wrong(f"not JSON: {error}") from None
    except ValueError:
        raise _Wrong("not JSON: NaN, Infinity and numbers of thousands of digits are none") from None
    if not isinstance(question, dict):
        raise _Wrong(f"an object is needed, not {shown(question)}")
    for key in question:
        if key not in KEYS:
            raise _Wrong(f"unknown {shown(key)}; there are {', '.join(KEYS)}")
    for key in KEYS[:3]:
        if key not in question:
            raise _Wrong(f"{key} is missing")
    return question


def _due(question: dict[str, Any]) -> str | None:
    # The same calendar usually comes again and again: its text is the key.
    calendar = _calendar(json.dumps(question["calendar"]))
    start = _instant(question["start"], "start")
    budget = _budget(question["minutes"])
    due = reached(start, budget.total_seconds(), _pauses(question.get("pauses", [])), calendar)
    return None if due is None else due.astimezone(ZoneInfo(calendar.timezone)).isoformat()


@lru_cache(maxsize=64)
def _calendar(text: str) -> Calendar:
    return Calendar.from_plain(json.loads(text))


def _budget(minutes: Any) -> timedelta:
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not minutes > 0:
        raise _Wrong(f"minutes: a positive number is needed, not {shown(minutes)}")
    try:
        budget = timedelta(minutes=minutes)
    except OverflowError:
        raise _Wrong(f"minutes: {shown(minutes)} is too much") from None
    if not budget:
        raise _Wrong(f"minutes: {shown(minutes)} is less than a microsecond")
    return budget


def _pauses(value: Any) -> list[Pause]:
    if not isinstance(value, list):
        raise _Wrong(f"pauses: a list is needed, not {shown(value)}")
    found = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise _Wrong(f"pauses: a pause is [start, end or null], not {shown(pair)}")
        start, end = _instant(pair[0], "pauses"), None if pair[1] is None else _instant(pair[1], "pauses")
        if end is not None and end < start:
            raise _Wrong(f"pauses: {pair[1]} is before {pair[0]}")
        found.append(Pause(start, end))
    return found


def _instant(value: Any, place: str) -> datetime:
    """In UTC. Python would take any character between date and time."""
    try:
        found = datetime.fromisoformat(value if re.search(r"[0-9][Tt ][0-9]", value) else "")
    except (ValueError, TypeError):
        raise _Wrong(f"{place}: {shown(value)} is no time like 2026-03-20T17:30:00+05:00") from None
    if found.tzinfo is None:
        raise _Wrong(f"{place}: {value} has no offset from UTC")
    return found.astimezone(UTC)


def _no_number(value: str) -> NoReturn:
    raise ValueError(value)

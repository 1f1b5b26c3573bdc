"""Fields with a form of their own: Message-IDs, the thread above a mail, its date."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

LONGEST_ID = 500
# Of a longer thread its beginning and what is nearest are kept.
MOST_REFERENCES = 100

_BRACKETED = re.compile(r"<([^<>]{1,2000})>")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")
_NAMED = re.compile(r"(\d{1,2})[ .-]+([^\W\d_]{3,})[ .-]+(\d{4})\D{1,4}(\d\d):(\d\d)(?::(\d\d))?\s*([+-]\d{4})?")
# The beginnings of months as they stand in dates that a program has translated against all rules.
_MONTHS = {
    "янв": 1,
    "фев": 2,
    "мар": 3,
    "апр": 4,
    "май": 5,
    "мая": 5,
    "июн": 6,
    "июл": 7,
    "авг": 8,
    "сен": 9,
    "окт": 10,
    "ноя": 11,
    "дек": 12,
    "қаң": 1,
    "ақп": 2,
    "нау": 3,
    "сәу": 4,
    "мам": 5,
    "мау": 6,
    "шіл": 7,
    "там": 8,
    "қыр": 9,
    "қаз": 10,
    "қар": 11,
    "жел": 12,
}


def ids(value: str) -> list[str]:
    """Message-IDs without brackets, in order and once each. Broken ones too: blanks within, no brackets at all."""
    found = [re.sub(r"\s+", "", one) for one in _BRACKETED.findall(value)]
    if not found:
        found = [word.strip("<>,;\"'") for word in value.split() if "@" in word or len(value.split()) == 1]
    return [one for one in dict.fromkeys(found) if one and len(one) <= LONGEST_ID and one.isprintable()]


def references(value: str) -> tuple[str, ...]:
    found = ids(value)
    return tuple(found if len(found) <= MOST_REFERENCES else [found[0], *found[1 - MOST_REFERENCES :]])


def moment(value: str) -> datetime | None:
    """A date as aware UTC; None if it says nothing usable."""
    try:
        parts = parsedate_tz(value[:200])
        if parts is None:
            return _unusual(value[:200])
        return _utc(parts[:6], parts[9] or 0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return _unusual(value[:200])


def _utc(parts: tuple[int, ...], offset: int) -> datetime | None:
    """`offset`: seconds east of Greenwich."""
    year, month, day, hour, minute, second = parts
    if not 1970 <= year <= 2200 or abs(offset) > 86_400:
        return None
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - timedelta(seconds=offset)
    except (ValueError, OverflowError):
        return None


def _unusual(value: str) -> datetime | None:
    if found := _ISO.search(value):
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        return _utc((year, month, day, hour, minute, second), _offset(found[7]))
    if found := _NAMED.search(value):
        month = _MONTHS.get(found[2][:3].lower(), 0)
        parts = (int(found[3]), month, int(found[1]), int(found[4]), int(found[5]), int(found[6] or 0))
        return _utc(parts, _offset(found[7]))
    return None


def _offset(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    return (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if zone[0] == "-" else 1)

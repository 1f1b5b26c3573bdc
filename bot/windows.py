"""A maintenance window as a lead writes it: `2h reason`, or `2026-12-03 18:00-20:00 reason`. Pure."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.errors import WrongInput
from crm.sla.windows import Window

REASON = 500
LONGEST = timedelta(days=14)
_FROM_NOW = re.compile(r"(?=\d)(?:(\d{1,3})h)?(?:(\d{1,4})m)?\s+(\S.*)", re.I | re.S)
_ON_A_DATE = re.compile(r"(\d{4}-\d\d-\d\d)\s+(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)\s+(\S.*)", re.S)


def parse(words: str, timezone: str, now: datetime) -> Window:
    """Times of day are those of the zone; an end not after its begin is on the next day. Raises WrongInput."""
    if found := _FROM_NOW.fullmatch(words.strip()):
        length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0))
        return _checked(now, now + length, found[3])
    if found := _ON_A_DATE.fullmatch(words.strip()):
        try:
            day, begin, end = date.fromisoformat(found[1]), time.fromisoformat(found[2]), time.fromisoformat(found[3])
            over = timedelta(days=end <= begin)
            return _checked(_at(day, begin, timezone), _at(day + over, end, timezone), found[4])
        except (ValueError, OverflowError):
            raise WrongInput(what="maintenance") from None
    raise WrongInput(what="maintenance")


def _at(day: date, clock: time, timezone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(timezone)).astimezone(UTC)


def _checked(start: datetime, end: datetime, reason: str) -> Window:
    if not timedelta() < end - start <= LONGEST:
        raise WrongInput(what="maintenance")
    return Window(start, end, reason.strip()[:REASON])

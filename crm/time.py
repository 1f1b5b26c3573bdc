"""The one clock, and how instants look to people.

Every instant in the program is an aware datetime in UTC; only here does it become local.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_skeleton, format_time
from babel.units import format_unit


def utcnow() -> datetime:
    """Now, aware, in UTC. Services never call it: they are given `now`."""
    return datetime.now(UTC)


@cache
def city(timezone: str, language: str) -> str:
    """The zone's name for people: `Asia/Almaty` is Алматы in Russian."""
    from babel.dates import get_timezone_location

    return get_timezone_location(timezone, locale=language, return_city=True)


def local(instant: datetime, timezone: str, language: str, now: datetime) -> str:
    """`14:32` today, `24 нояб., 14:32` on another day, in that zone and language."""
    zone = ZoneInfo(timezone)
    there = instant.astimezone(zone)
    clock = format_time(there, "HH:mm", locale=language)
    if there.date() == now.astimezone(zone).date():
        return clock
    skeleton = "MMMd" if there.year == now.astimezone(zone).year else "yMMMd"
    return f"{format_skeleton(skeleton, there, locale=language)}, {clock}"


def dated(instant: datetime, timezone: str, language: str) -> str:
    """`24 нояб. 2026 г., 14:32`, with the year whenever it is read."""
    there = instant.astimezone(ZoneInfo(timezone))
    return f"{format_skeleton('yMMMd', there, locale=language)}, {format_time(there, 'HH:mm', locale=language)}"


def stretch(start: datetime, end: datetime, timezone: str, language: str, now: datetime) -> str:
    """`14:32–15:10` today, with the date on another day, `24 нояб., 18:00 – 25 нояб., 09:00` over midnight.

    What ends in the minute in which it began is that minute, `14:32`.
    """
    zone, first, last = ZoneInfo(timezone), *(local(at, timezone, language, now) for at in (start, end))
    # Less than a minute: the hour that a clock repeats reads the same as well.
    if first == last and end - start < timedelta(minutes=1):
        return first
    there = end.astimezone(zone)
    return f"{first}–{there:%H:%M}" if start.astimezone(zone).date() == there.date() else f"{first} – {last}"


def span(length: timedelta, language: str) -> str:
    """`3 ч 20 мин`: hours, minutes and seconds, as far as there are any; parts of a second are rounded."""
    seconds = round(length.total_seconds())
    parts = ((seconds // 3600, "hour"), (seconds % 3600 // 60, "minute"), (seconds % 60, "second"))
    said = [format_unit(n, f"duration-{unit}", "short", locale=language) for n, unit in parts if n]
    return " ".join(said) or format_unit(0, "duration-minute", "short", locale=language)


def stamp(instant: datetime, timezone: str) -> str:
    """`2026-11-22 14:32:05 +05`, for the command line and the log."""
    return format_datetime(instant.astimezone(ZoneInfo(timezone)), "yyyy-MM-dd HH:mm:ss X", locale="en")

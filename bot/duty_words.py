"""What engineers write after `/duty` and `/away`, in the words of three languages. Pure.

    /duty                         who is on duty
    /duty on|off [until 18:00]    oneself, now
    /duty week                    the coming seven days
    /duty add mon-fri 09:00-18:00
    /duty clear
    /duty swap 25.12              one's shifts of that date go to a colleague

An end is a time (`18:00`, the next there is), a date or weekday, perhaps with a time, or a span (`2h30m`). Times are
wall-clock time of the desk's zone. Whatever cannot be understood raises WrongInput, whose `what` names the hint.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.errors import WrongInput
from crm.people.shifts import Shift
from crm.sla.hours import parse_windows


@dataclass(frozen=True, slots=True)
class Shown:
    """Who is on duty?"""


@dataclass(frozen=True, slots=True)
class Week:
    pass


@dataclass(frozen=True, slots=True)
class Switch:
    on: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Add:
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Clear:
    pass


@dataclass(frozen=True, slots=True)
class Swap:
    day: date


Said = Shown | Week | Switch | Add | Clear | Swap

_WEEKDAYS = {
    word: number
    for number, words in enumerate(
        ("mon пн дс", "tue вт сс", "wed ср", "thu чт бс", "fri пт жм", "sat сб", "sun вс жс")
    )
    for word in words.split()
}
_FILLERS = frozenset(["until", "till", "to", "до", "на", "дейін", "for"])
_DAYS_AHEAD = {"today": 0, "сегодня": 0, "бүгін": 0, "tomorrow": 1, "завтра": 1, "ертең": 1}
_SPAN = re.compile(r"(?:(\d{1,3})(?:d|д|дн|күн))?(?:(\d{1,3})(?:h|ч|сағ))?(?:(\d{1,4})(?:m|min|м|мин))?")
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?")
_LONGEST = timedelta(days=366)


def duty(words: str, now: datetime, timezone: str) -> Said:
    """What stands after `/duty`."""
    verb, *rest = words.lower().split() or ["now"]
    makers: dict[str, Callable[[], Said]] = {
        "now": Shown,
        "week": Week,
        "on": lambda: Switch(True, until(rest, now, timezone)),
        "off": lambda: Switch(False, until(rest, now, timezone)),
        "add": lambda: Add(_shifts(rest)),
        "clear": Clear,
        "swap": lambda: Swap(_swap_day(rest, now.astimezone(ZoneInfo(timezone)).date())),
    }
    if verb not in makers or (rest and verb in ("now", "week", "clear")):
        raise WrongInput(what="duty")
    return makers[verb]()


def away(words: str, now: datetime, timezone: str) -> datetime | None:
    """What stands after `/away`: until when."""
    return until(words.lower().split(), now, timezone)


def until(words: list[str], now: datetime, timezone: str) -> datetime | None:
    """A moment after `now` and within a year; None if nothing is said."""
    known = [word for word in words if word not in _FILLERS]
    if not known:
        if words:
            raise WrongInput(what="until")
        return None
    end = _span_end("".join(known), now) or _moment(known, now, ZoneInfo(timezone))
    if end is None or not now < end <= now + _LONGEST:
        raise WrongInput(what="until")
    return end


def _span_end(words: str, now: datetime) -> datetime | None:
    found = _SPAN.fullmatch(words)
    if found is None:
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return now + timedelta(days=days, hours=hours, minutes=minutes)


def _moment(words: list[str], now: datetime, zone: ZoneInfo) -> datetime | None:
    there = now.astimezone(zone)
    if len(words) == 1 and (clock := _clock(words[0])) is not None:
        today = datetime.combine(there.date(), time(), zone) + clock
        return _instant(today if today > there else today + timedelta(days=1))
    # «Until Friday», said on a Friday, is the next one.
    day = _day(words[0], there.date(), there.date() + timedelta(days=1))
    clock = _clock(words[1]) if len(words) == 2 else timedelta()
    if day is None or clock is None or len(words) > 2:
        return None
    return _instant(datetime.combine(day, time(), zone) + clock)


def _instant(local: datetime) -> datetime:
    """Wall-clock arithmetic is done; from here on it is an instant."""
    return local.astimezone(UTC)


def _clock(word: str) -> timedelta | None:
    """Since midnight; 24:00 is the next."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", word)
    if found is None:
        return None
    clock = timedelta(hours=int(found[1]), minutes=int(found[2]))
    return clock if int(found[2]) < 60 and clock <= timedelta(days=1) else None


def _day(word: str, today: date, first: date) -> date | None:
    """A date, or a weekday from `first` on."""
    if word in _DAYS_AHEAD:
        return today + timedelta(days=_DAYS_AHEAD[word])
    if word in _WEEKDAYS:
        return first + timedelta(days=(_WEEKDAYS[word] - first.weekday()) % 7)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
            return date.fromisoformat(word)
        if (found := _DATE.fullmatch(word)) is not None:
            day = date(int(found[3] or today.year), int(found[2]), int(found[1]))
            return day if found[3] or day >= today else day.replace(year=today.year + 1)
    except ValueError:
        pass
    return None


def _swap_day(words: list[str], today: date) -> date:
    day = _day(words[0], today, today) if len(words) == 1 else None
    if day is None:
        raise WrongInput(what="duty_swap")
    return day


def _shifts(words: list[str]) -> tuple[Shift, ...]:
    """`mon-fri 09:00-18:00`, `sat,sun 20:00-08:00`, `пн 9:00-13:00 14:00-18:00`."""
    try:
        days, *windows = words
        pairs = [[_padded(end) for end in window.replace("–", "-").split("-")] for window in windows]
        minutes = parse_windows(pairs, "shifts")
        weekdays = sorted({day for run in days.replace("–", "-").split(",") for day in _run(run)})
    except (ValueError, KeyError):
        raise WrongInput(what="duty_add") from None
    if not minutes:
        raise WrongInput(what="duty_add")
    return tuple(Shift(day, start, end) for day in weekdays for start, end in minutes)


def _padded(clock: str) -> str:
    return clock.rjust(5, "0")


def _run(words: str) -> list[int]:
    """The weekdays of `mon`, `mon-fri`, `sat-mon`. Raises KeyError."""
    first, _, last = words.partition("-")
    begin, end = _WEEKDAYS[first], _WEEKDAYS[last or first]
    return [(begin + n) % 7 for n in range((end - begin) % 7 + 1)]

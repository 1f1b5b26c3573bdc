"""What engineers may write after /duty and /away."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.duty_words import Add, Clear, Said, Shown, Swap, Switch, Week, away, duty
from crm.errors import WrongInput
from crm.people.shifts import Shift

ZONE = "Asia/Almaty"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # Sunday, 14:00 in Almaty


def at(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    """That time in Almaty."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=5)


SPLIT = ((540, 780), (840, 1080))
OFFICE = tuple(Shift(day, 540, 1080) for day in range(5))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", Shown()),
        ("week", Week()),
        ("CLEAR", Clear()),
        ("on", Switch(True, None)),
        ("off", Switch(False, None)),
        ("On until 18:00", Switch(True, at(22, 18))),
        ("off 2h", Switch(False, NOW + timedelta(hours=2))),
        ("off на 2 ч", Switch(False, NOW + timedelta(hours=2))),
        ("add mon-fri 09:00-18:00", Add(OFFICE)),
        ("add пн–пт 9:00–18:00", Add(OFFICE)),
        ("add дс-жм 09:00-18:00", Add(OFFICE)),
        ("add sat-mon 20:00-08:00", Add(tuple(Shift(day, 1200, 1920) for day in (0, 5, 6)))),
        ("add tue,thu 09:00-13:00 14:00-18:00", Add(tuple(Shift(d, *w) for d in (1, 3) for w in SPLIT))),
        ("add sun 00:00-24:00", Add((Shift(6, 0, 1440),))),
        ("swap 2026-11-25", Swap(date(2026, 11, 25))),
        ("swap 25.11", Swap(date(2026, 11, 25))),
        ("swap 25.11.2027", Swap(date(2027, 11, 25))),
        ("swap 01.02", Swap(date(2027, 2, 1))),
        ("swap today", Swap(date(2026, 11, 22))),
        ("swap завтра", Swap(date(2026, 11, 23))),
        ("swap вс", Swap(date(2026, 11, 22))),
        ("swap сс", Swap(date(2026, 11, 24))),
    ],
)  # fmt: skip
def test_what_is_understood(words: str, said: Said) -> None:
    assert duty(words, NOW, ZONE) == said


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("", None),
        ("until 18:00", at(22, 18)),
        ("until 09:30", at(23, 9, 30)),
        ("until 14:00", at(23, 14)),
        ("до 24:00", at(23, 0)),
        ("18:00 дейін", at(22, 18)),
        ("90m", NOW + timedelta(minutes=90)),
        ("1d2h30m", NOW + timedelta(days=1, hours=2, minutes=30)),
        ("3 күн", NOW + timedelta(days=3)),
        ("until fri", at(27, 0)),
        ("until sun", at(29, 0)),
        ("until tomorrow 09:00", at(23, 9)),
        ("until 2026-12-01", at(1, 0, month=12)),
        ("until 01.12 09:00", at(1, 9, month=12)),
        ("until 05.01", at(5, 0, month=1, year=2027)),
    ],
)
def test_until_when(words: str, end: datetime | None) -> None:
    assert away(words, NOW, ZONE) == end


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("maybe", "duty"),
        ("week please", "duty"),
        ("clear all", "duty"),
        ("on until", "until"),
        ("on until noon", "until"),
        ("on until 25:00", "until"),
        ("on until 18:75", "until"),
        ("off 0h", "until"),
        ("off 999d", "until"),
        ("off 18:00 19:00", "until"),
        ("off until 31.02", "until"),
        ("off until 01.11.2026", "until"),
        ("off until today", "until"),
        ("add", "duty_add"),
        ("add mon-fri", "duty_add"),
        ("add 09:00-18:00 mon-fri", "duty_add"),
        ("add someday 09:00-18:00", "duty_add"),
        ("add mon- 18:00-18:00", "duty_add"),
        ("add mon 09:00", "duty_add"),
        ("add mon 09:00-18:00-20:00", "duty_add"),
        ("add mon 24:00-08:00", "duty_add"),
        ("swap", "duty_swap"),
        ("swap 2026-13-01", "duty_swap"),
        ("swap 30.02", "duty_swap"),
        ("swap tomorrow please", "duty_swap"),
    ],
)
def test_what_is_not_understood_names_its_hint(words: str, what: str) -> None:
    with pytest.raises(WrongInput) as refusal:
        duty(words, NOW, ZONE)
    assert refusal.value.facts == {"what": what}


def test_an_end_is_wall_clock_time_also_in_the_night_of_a_clock_change() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # Saturday, 22:00 in Berlin; at 03:00 it is 02:00 again
    assert away("until 09:00", evening, "Europe/Berlin") == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)
    assert away("11h", evening, "Europe/Berlin") == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)

"""What a lead writes after `/emergency`."""

from datetime import timedelta

import pytest

from bot.handlers.emergency import REASON_LENGTH, wanted
from crm.errors import WrongInput


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("60 4h Авария в ЦОД", (60, timedelta(hours=4), "Авария в ЦОД")),
        ("60 90m x", (60, timedelta(minutes=90), "x")),
        ("120  1d\nОбрыв\nмагистрали", (120, timedelta(days=1), "Обрыв\nмагистрали")),
        ("60 4H Power", (60, timedelta(hours=4), "Power")),
        ("10080 30d all of it", (10080, timedelta(days=30), "all of it")),
    ],
)
def test_minutes_how_long_and_why(words: str, expected: tuple[int, timedelta, str]) -> None:
    assert wanted(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        "60", "60 4h", "60 4h ", "4h 60 reason", "60m 4h reason", "0 4h reason", "60 0h reason", "-5 4h reason",
        "60 4 reason", "60 4w reason", "60 h reason", "1.5 4h reason", "10081 4h reason", "60 31d reason",
        "60 99999d reason", "999999 4h reason", "on 60 4h reason", "off now", "٦٠ 4h reason",
        "60 4h " + "x" * (REASON_LENGTH + 1),
    ],
)  # fmt: skip
def test_anything_else_is_refused(words: str) -> None:
    with pytest.raises(WrongInput) as refusal:
        wanted(words)
    assert refusal.value.facts == {"what": "emergency"}

"""Instants as people read them: the zone's own history, three languages."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.time import city, local, stamp, stretch, utcnow

NOON = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_now_is_aware_and_in_utc() -> None:
    assert utcnow().tzinfo is UTC


@pytest.mark.parametrize(
    ("language", "today", "other_day", "other_year"),
    [
        ("ru", "12:00", "24 нояб., 12:00", "22 нояб. 2025 г., 12:00"),
        ("kk", "12:00", "24 қар., 12:00", "2025 ж. 22 қар., 12:00"),
        ("en", "12:00", "Nov 24, 12:00", "Nov 22, 2025, 12:00"),
    ],
)
def test_the_day_is_named_only_when_it_is_another(language: str, today: str, other_day: str, other_year: str) -> None:
    def shown(instant: datetime) -> str:
        # Typographers put a narrow blank before the word «year».
        return local(instant, "Asia/Almaty", language, NOON).replace("\N{NARROW NO-BREAK SPACE}", " ")

    assert shown(NOON) == today
    assert shown(NOON.replace(day=24)) == other_day
    assert shown(NOON.replace(year=2025)) == other_year


def test_the_day_is_that_of_the_zone_and_not_of_utc() -> None:
    evening = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
    assert local(evening, "Asia/Almaty", "en", NOON) == "23:30"
    assert local(after_midnight, "Asia/Almaty", "en", NOON) == "Nov 23, 00:30"
    assert local(after_midnight, "UTC", "en", NOON) == "19:30"


def test_kazakhstan_moved_its_clocks_back_on_the_first_of_march_2024() -> None:
    before = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
    after = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
    assert stamp(before, "Asia/Almaty") == "2024-02-29 18:00:00 +06"
    assert stamp(after, "Asia/Almaty") == "2024-03-01 17:00:00 +05"


def test_summer_time_is_followed_both_ways() -> None:
    # In Berlin 2026-03-29 the hour from two to three is missing, 2026-10-25 it comes twice.
    hours = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [local(at, "Europe/Berlin", "en", hours[0]) for at in hours] == ["01:30", "03:30"]
    hours = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [local(at, "Europe/Berlin", "en", hours[0]) for at in hours] == ["02:30", "02:30"]
    assert [stamp(at, "Europe/Berlin")[-3:] for at in hours] == ["+02", "+01"]


@pytest.mark.parametrize(("language", "name"), [("ru", "Алматы"), ("kk", "Алматы"), ("en", "Almaty")])
def test_the_zone_has_a_name_for_people(language: str, name: str) -> None:
    assert city("Asia/Almaty", language) == name


def test_a_stamp_of_utc_says_so() -> None:
    assert stamp(NOON, "UTC") == "2026-11-22 07:00:00 Z"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "12:00"),
        (59, "12:00"),
        (60, "12:00–12:01"),
        (86_370, "12:00 – Nov 23, 11:59"),
        (86_400, "12:00 – Nov 23, 12:00"),
    ],
)
def test_a_stretch_within_one_minute_is_that_minute(seconds: int, shown: str) -> None:
    assert stretch(NOON, NOON + timedelta(seconds=seconds), "Asia/Almaty", "en", NOON) == shown


def test_a_stretch_of_the_hour_that_the_clock_repeats_keeps_both_ends() -> None:
    before = datetime(2024, 2, 29, 17, 30, tzinfo=UTC)
    assert stretch(before, before + timedelta(hours=1), "Asia/Almaty", "en", before) == "23:30–23:30"

"""Who is on duty at an instant, and when that changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.people.shifts import Duty, Override, Shift, week

ZONE = "Asia/Almaty"
OFFICE = tuple(Shift(day, 540, 1080) for day in range(5))
NIGHTS = (Shift(6, 1200, 1920),)  # Sunday 20:00 to Monday 08:00


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """That time in Almaty in November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=5)


def duty(*shifts: Shift, said: tuple[Override, ...] = (), otherwise: bool = False) -> Duty:
    return Duty(week(ZONE, shifts), said, otherwise)


@pytest.mark.parametrize(
    ("moment", "on", "changes"),
    [
        (at(23, 8, 59), False, at(23, 9)),
        (at(23, 9), True, at(23, 18)),
        (at(23, 18), False, at(24, 9)),
        (at(27, 20), False, at(30, 9)),
    ],
)
def test_office_hours(moment: datetime, on: bool, changes: datetime) -> None:
    assert (duty(*OFFICE).on(moment), duty(*OFFICE).changes_at(moment)) == (on, changes)


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    nights = duty(*NIGHTS)
    assert [nights.on(at(22, 19)), nights.on(at(23, 7, 59)), nights.on(at(23, 8))] == [False, True, False]
    assert nights.changes_at(at(23, 1)) == at(23, 8)
    assert nights.begun_on(date(2026, 11, 22)) == [(at(22, 20), at(23, 8))]
    assert nights.begun_on(date(2026, 11, 23)) == []


def test_shifts_around_the_clock_never_change() -> None:
    always = duty(*(Shift(day, 0, 1440) for day in range(7)))
    assert always.on(at(23, 3))
    assert always.changes_at(at(23, 3)) is None


@pytest.mark.parametrize("otherwise", [True, False])
def test_without_shifts_the_plain_word_counts(otherwise: bool) -> None:
    plain = duty(otherwise=otherwise)
    assert plain.on(at(23, 3)) is otherwise
    assert plain.changes_at(at(23, 3)) is None
    assert plain.plain
    assert plain.begun_on(date(2026, 11, 23)) == []


def test_the_last_word_that_covers_the_moment_counts() -> None:
    said = (
        Override(False, at(23, 10), None),
        Override(True, at(23, 12), at(23, 14)),
        Override(False, at(23, 13), at(23, 13, 30)),
    )
    found = duty(*OFFICE, said=said)
    stretches = found.stretches(at(23, 0), at(25, 0))
    assert stretches == [(at(23, 9), at(23, 10)), (at(23, 12), at(23, 13)), (at(23, 13, 30), at(23, 14))]
    assert found.changes_at(at(23, 15)) is None


def test_a_word_that_changes_nothing_does_not_cut_a_stretch() -> None:
    said = (Override(True, at(23, 12), at(23, 14)),)
    assert duty(*OFFICE, said=said).stretches(at(23, 0), at(24, 0)) == [(at(23, 9), at(23, 18))]


def test_a_word_for_next_month_is_seen_from_now() -> None:
    later = duty(said=(Override(True, at(23, 0) + timedelta(days=40), at(23, 0) + timedelta(days=41)),))
    assert later.changes_at(at(23, 0)) == at(23, 0) + timedelta(days=40)
    assert later.changes_at(at(23, 0) + timedelta(days=40)) == at(23, 0) + timedelta(days=41)


def test_after_a_long_absence_the_shifts_count_again() -> None:
    back = at(20, 12) + timedelta(days=60)  # a Tuesday
    gone = duty(*OFFICE, said=(Override(False, at(20, 12), back),))
    assert gone.changes_at(at(23, 10)) == back
    assert gone.changes_at(back) == back + timedelta(hours=6)


def test_shifts_keep_their_wall_clock_time_over_a_change_of_the_clocks() -> None:
    # Berlin goes from +02 to +01 on 25 October 2026: that night shift has an hour more.
    nights = Duty(week("Europe/Berlin", (Shift(5, 1320, 1800), Shift(6, 1320, 1800))), (), False)
    long, usual = (nights.begun_on(date(2026, 10, day)) for day in (24, 25))
    assert long == [(datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC))]
    assert usual == [(datetime(2026, 10, 25, 21, tzinfo=UTC), datetime(2026, 10, 26, 5, tzinfo=UTC))]
    # Kazakhstan went from +06 to +05 on 1 March 2024, at midnight.
    mornings = duty(*OFFICE)
    assert mornings.begun_on(date(2024, 2, 29))[0][0] == datetime(2024, 2, 29, 3, tzinfo=UTC)
    assert mornings.begun_on(date(2024, 3, 1))[0][0] == datetime(2024, 3, 1, 4, tzinfo=UTC)


def test_shifts_that_overlap_are_one() -> None:
    assert duty(Shift(0, 540, 1080), Shift(0, 1000, 1200)).begun_on(date(2026, 11, 23)) == [(at(23, 9), at(23, 20))]


MOMENTS = st.integers(0, 14 * 24 * 4).map(lambda quarter: at(16, 0) + timedelta(minutes=15 * quarter))
OVERRIDES = st.builds(
    lambda on, start, length: Override(on, start, None if length is None else start + timedelta(minutes=15 * length)),
    st.booleans(),
    MOMENTS,
    st.none() | st.integers(0, 400),
)
SHIFTS = st.builds(
    lambda day, start, length: Shift(day, start * 15, (start + length) * 15),
    st.integers(0, 6),
    st.integers(0, 95),
    st.integers(1, 96),
)


@settings(deadline=None)
@given(st.lists(SHIFTS, max_size=4), st.lists(OVERRIDES, max_size=4), st.booleans(), MOMENTS)
def test_the_next_change_is_the_first_quarter_of_an_hour_that_differs(
    shifts: list[Shift], said: list[Override], otherwise: bool, moment: datetime
) -> None:
    found = Duty(week(ZONE, tuple(shifts)), tuple(said), otherwise)
    quarters = (moment + timedelta(minutes=15 * n) for n in range(1, 40 * 24 * 4))
    slow = next((at for at in quarters if found.on(at) != found.on(moment)), None)
    assert found.changes_at(moment) == slow
    first_week = [moment + timedelta(minutes=15 * n) for n in range(7 * 24 * 4)]
    stretches = found.stretches(moment, moment + timedelta(days=7))
    assert [any(a <= at < b for a, b in stretches) for at in first_week] == [found.on(at) for at in first_week]

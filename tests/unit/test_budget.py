"""Telegram's limits: never more calls in any window than it admits."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import Bucket, Limits, Window
from tests.factories import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def parsed(setting: str) -> Limits:
    found = Limits.parse(setting)
    assert found is not None
    return found


def test_a_setting_has_three_numbers() -> None:
    limits = parsed("30/1/20")
    assert (limits.overall.calls, limits.chat.calls, limits.group.calls) == (30, 1, 20)


def test_our_windows_are_not_shorter_than_telegrams() -> None:
    limits = parsed("30/1/20")
    assert limits.overall.length >= SECOND
    assert limits.chat.length >= SECOND
    assert limits.group.length >= MINUTE


@pytest.mark.parametrize("setting", ["off", " OFF "])
def test_off_lifts_them(setting: str) -> None:
    assert Limits.parse(setting) is None


@pytest.mark.parametrize("setting", ["", "30", "30/1", "30/1/20/5", "a/b/c", "30/0/20", "-1/1/20", "1.5/1/1"])
def test_anything_else_is_refused_by_the_settings_name(setting: str) -> None:
    with pytest.raises(ValueError, match="TELEGRAM_LIMITS"):
        Limits.parse(setting)


def test_each_bucket_has_its_limit() -> None:
    limits = parsed("30/1/20")
    assert limits.of("prodata") == limits.overall
    assert limits.of("prodata:chat:501") == limits.chat
    assert limits.of("prodata:chat:-1001") == limits.group
    assert limits.of("prodata:group:7") == limits.group
    assert limits.of("prodata:press:501") is None
    assert limits.of("prodata:leave:-1001") is None


windows = st.builds(Window, st.integers(1, 6), st.sampled_from([SECOND, MINUTE]))
# How long after the call before each is wished for, and how much it costs.
wishes = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 10)), min_size=1, max_size=40)


def carried_out(window: Window, wished: list[tuple[float, int]]) -> list[datetime]:
    """Each call waits until it is admitted; gives when every counted call went out."""
    bucket, now, out = Bucket("b"), NOW, []
    for pause, cost in wished:
        now += timedelta(seconds=pause)
        now = max(now, bucket.free_at(window, cost, now))
        assert bucket.free_at(window, cost, now) <= now
        bucket.spend(window, cost, now)
        out += [now] * min(cost, window.calls)
    return out


@given(windows, wishes)
def test_no_stretch_of_the_windows_length_holds_more_than_it_admits(
    window: Window, wished: list[tuple[float, int]]
) -> None:
    out = carried_out(window, wished)
    for first, over in zip(out, out[window.calls :], strict=False):
        assert over - first >= window.length


@given(windows, wishes)
def test_nothing_waits_longer_than_one_window(window: Window, wished: list[tuple[float, int]]) -> None:
    bucket, now = Bucket("b"), NOW
    for pause, cost in wished:
        now += timedelta(seconds=pause)
        free = bucket.free_at(window, cost, now)
        assert now <= free <= now + window.length
        now = free
        bucket.spend(window, cost, now)


def test_a_full_window_admits_its_calls_at_once() -> None:
    window, bucket = Window(3, SECOND), Bucket("b")
    for _ in range(3):
        assert bucket.free_at(window, 1, NOW) <= NOW
        bucket.spend(window, 1, NOW)
    assert bucket.free_at(window, 1, NOW) == NOW + SECOND


def test_a_silence_that_telegram_asked_for_holds_whatever_the_window_says() -> None:
    until = NOW + timedelta(seconds=35)
    assert Bucket("b", [], until).free_at(Window(30, SECOND), 1, NOW) == until
    assert Bucket("b", [], until).free_at(None, 1, NOW) == until


def test_what_has_no_limit_leaves_no_trace() -> None:
    bucket = Bucket("b")
    bucket.spend(None, 1, NOW)
    assert bucket.sent == []
    assert bucket.free_at(None, 5, NOW) == NOW


def test_a_bucket_remembers_no_more_than_a_window() -> None:
    bucket, window = Bucket("b"), Window(4, MINUTE)
    for second in range(100):
        bucket.spend(window, 3, NOW + timedelta(seconds=second))
    assert len(bucket.sent) <= 4

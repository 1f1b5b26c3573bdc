"""Sliding windows: never more than allowed, and a closed gate until retry_after has passed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.errors import ApiError
from sandbox.telegram.limits import TOLERANCE, Limits, Rates, cost

BOT, ALICE, GROUP = 42, 7, -1001


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def passes(limits: Limits, chat: int, method: str = "sendMessage", **params: object) -> int:
    """0 when let through, otherwise retry_after."""
    try:
        limits.spend(BOT, method, {"chat_id": chat, **params})
    except ApiError as error:
        return int((error.parameters or {})["retry_after"])
    return 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_a_second_into_a_private_chat(clock: Clock) -> None:
    limits = Limits(clock, Rates())
    assert passes(limits, ALICE) == 0
    assert passes(limits, ALICE) == 1
    clock.at += 1
    assert passes(limits, ALICE) == 0


def test_other_chats_are_not_held_up(clock: Clock) -> None:
    limits = Limits(clock, Rates())
    assert [passes(limits, who) for who in range(1, 31)] == [0] * 30
    assert passes(limits, 31) == 1


def test_twenty_a_minute_into_a_group(clock: Clock) -> None:
    limits = Limits(clock, Rates())
    assert [passes(limits, GROUP) for _ in range(20)] == [0] * 20
    clock.at += 15
    assert passes(limits, GROUP) == 45


def test_the_gate_stays_closed_until_retry_after_has_passed(clock: Clock) -> None:
    limits = Limits(clock, Rates(per_chat_second=1))
    passes(limits, ALICE)
    clock.at += 0.9
    assert passes(limits, ALICE) == 1
    clock.at += 0.5
    assert passes(limits, ALICE) == 1, "the window is free, but the wait is not over"
    clock.at += 0.5
    assert passes(limits, ALICE) == 0


def test_a_little_early_is_forgiven(clock: Clock) -> None:
    limits = Limits(clock, Rates())
    passes(limits, ALICE)
    clock.at += 1 - TOLERANCE + 0.001
    assert passes(limits, ALICE) == 0


def test_a_refused_call_spends_nothing(clock: Clock) -> None:
    limits = Limits(clock, Rates(per_second=2, per_chat_second=1))
    passes(limits, ALICE)
    assert passes(limits, ALICE) == 1
    assert passes(limits, ALICE + 1) == 0


@pytest.mark.parametrize("method", ["getMe", "answerCallbackQuery", "sendChatAction", "deleteMessage"])
def test_quiet_calls_do_not_count(clock: Clock, method: str) -> None:
    limits = Limits(clock, Rates(per_second=1))
    assert [passes(limits, ALICE, method) for _ in range(5)] == [0] * 5


def test_albums_and_batches_count_per_item(clock: Clock) -> None:
    assert cost("sendMediaGroup", {"media": [1, 2, 3]}) == 3
    assert cost("copyMessages", {"message_ids": [1, 2]}) == 2
    limits = Limits(clock, Rates(per_group_minute=10))
    assert passes(limits, GROUP, "copyMessages", message_ids=list(range(8))) == 0
    assert passes(limits, GROUP, "copyMessages", message_ids=list(range(3))) == 60
    assert passes(Limits(clock, Rates()), ALICE, "sendMediaGroup", media=[1, 2, 3]) == 0


def test_off_means_off(clock: Clock) -> None:
    limits = Limits(clock, None)
    assert [passes(limits, ALICE) for _ in range(100)] == [0] * 100


@given(st.lists(st.floats(0, 0.4), max_size=80), st.integers(1, 4))
def test_no_window_ever_holds_more_than_allowed(pauses: list[float], most: int) -> None:
    clock = Clock()
    limits = Limits(clock, Rates(per_second=1000, per_chat_second=most))
    let_in = []
    for pause in pauses:
        clock.at += pause
        if passes(limits, ALICE) == 0:
            let_in.append(clock.at)
    width = 1 - TOLERANCE - 1e-6
    assert all(sum(start <= at < start + width for at in let_in) <= most for start in let_in)

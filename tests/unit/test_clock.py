"""Arithmetic of promises, against a reference that walks second by second."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.sla.clock import BREACH, Pause, elapsed, merged, reached, step_at

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
SPAN = 240


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def standing(second: int, pauses: list[Pause]) -> bool:
    """Whether the clock stands during the second that begins then."""
    return any(p.start <= at(second) and (p.end is None or at(second) < p.end) for p in pauses)


def slow_reached(budget: int, pauses: list[Pause]) -> datetime | None:
    run, second = 0, 0
    while run < budget:
        if second > 3 * SPAN:
            return None
        run += not standing(second, pauses)
        second += 1
    return at(second)


def slow_elapsed(begin: int, until: int, pauses: list[Pause]) -> int:
    return sum(not standing(second, pauses) for second in range(begin, until))


@st.composite
def ledgers(draw: st.DrawFn) -> list[Pause]:
    """Pauses as they may ever lie: overlapping, touching, empty, unordered, before the start, one perhaps open."""
    pairs = draw(st.lists(st.tuples(st.integers(-30, SPAN), st.integers(0, 80)), max_size=6))
    found = [Pause(at(start), at(start + length)) for start, length in pairs]
    if draw(st.booleans()):
        found.append(Pause(at(draw(st.integers(-30, SPAN))), None))
    return draw(st.permutations(found))


@given(ledgers(), st.integers(1, SPAN))
def test_reached_is_what_a_clock_of_seconds_would_show(pauses: list[Pause], budget: int) -> None:
    assert reached(START, budget, pauses) == slow_reached(budget, pauses)


@given(ledgers(), st.integers(0, SPAN), st.integers(0, SPAN))
def test_elapsed_is_what_a_clock_of_seconds_would_show(pauses: list[Pause], begin: int, until: int) -> None:
    assert elapsed(at(begin), at(until), pauses) == slow_elapsed(begin, until, pauses)


@given(ledgers(), st.integers(1, SPAN))
def test_a_promise_is_due_when_exactly_its_budget_has_run(pauses: list[Pause], budget: int) -> None:
    due = reached(START, budget, pauses)
    if due is not None:
        assert elapsed(START, due, pauses) == budget


@given(ledgers())
def test_merged_pauses_are_apart_and_stand_for_the_same_seconds(pauses: list[Pause]) -> None:
    found = merged(pauses)
    for before, after in itertools.pairwise(found):
        assert before.end is not None
        assert before.end < after.start
    assert [standing(s, found) for s in range(SPAN)] == [standing(s, pauses) for s in range(SPAN)]


@given(ledgers(), st.integers(10, SPAN))
@settings(max_examples=50)
def test_warnings_come_before_the_breach(pauses: list[Pause], budget: int) -> None:
    steps = [step_at(START, budget, stage, pauses) for stage in range(BREACH + 1)]
    known = [step for step in steps if step is not None]
    assert known == sorted(known)
    assert steps[: len(known)] == known


def test_without_pauses_the_steps_are_half_four_fifths_and_all() -> None:
    assert [step_at(START, 600, stage) for stage in range(4)] == [at(300), at(480), at(600), None]


def test_an_open_pause_stops_the_clock_for_good() -> None:
    assert reached(START, 600, [Pause(at(599), None)]) is None
    assert reached(START, 600, [Pause(at(600), None)]) == at(600)


def test_a_pause_moves_the_promise_by_its_length() -> None:
    assert reached(START, 600, [Pause(at(100), at(400))]) == at(900)


def test_nothing_runs_backwards() -> None:
    assert elapsed(at(10), at(5)) == 0
    assert elapsed(at(10), at(5), [Pause(at(0), at(20))]) == 0


@pytest.mark.parametrize(("budget", "stage"), [(600, 3), (600, 9)])
def test_after_the_breach_nothing_is_left_to_say(budget: int, stage: int) -> None:
    assert step_at(START, budget, stage) is None

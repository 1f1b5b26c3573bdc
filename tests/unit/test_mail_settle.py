"""What becomes of a row by what became of its recipients."""

from datetime import timedelta
from typing import Any

import pytest

from mailbridge.claim import Row
from mailbridge.settle import LONGEST_WAIT, PATIENCE, REPEAT_AFTER, decide
from mailbridge.smtp import State, Verdict
from tests.factories import NOW

TO, CC = "to@firma.kz", "cc@firma.kz"


def row(attempts: int = 1, repeats: int = 0, told: dict[str, Any] | None = None, **more: Any) -> Row:
    given: dict[str, Any] = {
        "id": 1, "kind": "relay", "payload": {"address": TO, "cc": [[CC, ""]], "recipients": told or {}},
        "ticket_id": 1, "message_id": 1,
        "lane": "l", "group_id": None, "reference": "PD-1", "subject": "s", "author": "a", "parts": [{"id": 1}],
        "queue": "support", "earlier": [], "asked": None, "origin_chat": None,
        "origin_message": None, "created_at": NOW,
    }  # fmt: skip
    return Row(attempts=attempts, repeats=repeats, **{**given, **more})


def verdicts(to: State | None = None, cc: State | None = None) -> dict[str, Verdict]:
    return {a: Verdict(state, "said") for a, state in ((TO, to), (CC, cc)) if state is not None}


def test_who_has_it_and_who_does_not_yet() -> None:
    first = decide(row(), verdicts("accepted", "later"), NOW)
    assert (first.state, first.due_at, first.failed) == ("queued", NOW + timedelta(minutes=1), ())
    second = row(2, told=first.recipients)
    assert second.pending == [CC]
    last = decide(second, verdicts(cc="accepted"), NOW)
    assert (last.state, set(last.recipients)) == ("sent", {TO, CC})


@pytest.mark.parametrize(
    ("to", "cc", "state", "failed"),
    [
        ("accepted", "accepted", "sent", []),
        ("accepted", "refused", "sent", [CC]),
        ("refused", "accepted", "failed", [TO]),
        ("refused", "refused", "failed", [TO, CC]),
        ("refused", "later", "queued", [TO]),
        ("later", "later", "queued", []),
        ("later", "refused", "queued", [CC]),
        ("unknown", "refused", "queued", [CC]),
        ("unknown", "unknown", "queued", []),
    ],
)
def test_each_mixture(to: State, cc: State, state: str, failed: list[str]) -> None:
    settled = decide(row(), verdicts(to, cc), NOW)
    assert settled.state == state
    assert [address for address, _ in settled.failed] == failed


def test_the_unknown_is_repeated_once() -> None:
    once = decide(row(), verdicts("unknown", "unknown"), NOW)
    assert (once.state, once.repeats, once.due_at) == ("queued", 1, NOW + REPEAT_AFTER)
    twice = decide(row(2, 1), verdicts("unknown", "accepted"), NOW)
    assert (twice.state, [a for a, _ in twice.failed]) == ("unknown", [TO])


def test_the_wait_doubles_up_to_two_hours() -> None:
    waits = []
    for attempts in range(1, 12):
        due = decide(row(attempts), verdicts("later"), NOW).due_at
        assert due is not None
        waits.append(due - NOW)
    assert waits[:3] == [timedelta(minutes=n) for n in (1, 2, 4)]
    assert waits[-1] == LONGEST_WAIT == timedelta(hours=2)


def test_after_five_days_it_has_failed() -> None:
    assert decide(row(60), verdicts("later"), NOW + PATIENCE - timedelta(seconds=1)).state == "queued"
    late = decide(row(60), verdicts("later"), NOW + PATIENCE)
    assert (late.state, [a for a, _ in late.failed]) == ("failed", [TO])


def test_sent_again_by_a_person_it_goes_to_whoever_does_not_have_it() -> None:
    settled = decide(row(), verdicts("refused", "accepted"), NOW)
    assert row(2, told=settled.recipients).pending == [TO]


def test_what_was_taken_back_is_dropped() -> None:
    assert decide(row(parts=[]), {}, NOW).state == "dropped"

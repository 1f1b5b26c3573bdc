"""What becomes of a row after its attempt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.claim import IDEMPOTENT, Row, backoff
from bot.client import Later, Outcome, Refused, Sent, Unknown
from bot.operations import OPERATIONS, Result
from bot.settle import REPEAT_AFTER, _settled
from tests.factories import NOW

ROW = Row(
    id=7,
    kind="relay",
    bucket="prodata:chat:501",
    lane="prodata:chat:501",
    payload={"to": "requester", "chat": 501},
    ticket_id=1,
    message_id=2,
    attempts=1,
    repeats=0,
    created_at=NOW,
    group_id=None,
    group_chat=None,
    thread_id=None,
    card_message_id=None,
    reference=None,
    subject=None,
    content=None,
    album_id=None,
    deleted=False,
    origin_chat=None,
    origin_message=None,
    reply_copies=[],
)


def settled(outcome: Outcome, **row: Any) -> dict[str, Any]:
    return _settled(replace(ROW, **row), Result(outcome), NOW)


def test_sent_is_sent() -> None:
    assert settled(Sent(None))["state"] == "sent"


def test_a_limit_waits_exactly_as_long_as_telegram_asked_and_is_no_repeat() -> None:
    made = settled(Later(17, "Too Many Requests", limited=True), attempts=4)
    assert (made["state"], made["due_at"], made["repeats"]) == ("queued", NOW + timedelta(seconds=17), 0)


def test_without_a_connection_the_pause_grows_but_not_beyond_half_a_minute() -> None:
    waits = [settled(Later(2, "no connection"), attempts=n)["due_at"] - NOW for n in range(1, 9)]
    assert waits == [timedelta(seconds=s) for s in (2, 2, 4, 8, 16, 30, 30, 30)]
    assert settled(Later(2, "no connection"))["repeats"] == 0


def test_an_unknown_outcome_is_repeated_once_and_then_left_to_people() -> None:
    first = settled(Unknown("TimeoutError"))
    assert (first["state"], first["repeats"], first["due_at"]) == ("queued", 1, NOW + REPEAT_AFTER)
    second = settled(Unknown("TimeoutError"), repeats=1, attempts=2)
    assert (second["state"], second["repeats"], second["error"]) == ("unknown", 2, "TimeoutError")


@pytest.mark.parametrize("kind", sorted(IDEMPOTENT))
def test_what_can_be_repeated_without_harm_is_repeated_at_growing_pauses(kind: str) -> None:
    waits = [settled(Unknown("x"), kind=kind, repeats=n)["due_at"] - NOW for n in (1, 2, 3)]
    assert waits == sorted(waits)
    assert settled(Unknown("x"), kind=kind, repeats=3)["state"] == "queued"


def test_a_refusal_is_final_and_keeps_telegrams_words() -> None:
    made = settled(Refused(400, "Bad Request: message text is empty"))
    assert (made["state"], made["error"]) == ("failed", "400 Bad Request: message text is empty")


def test_an_answer_to_an_old_button_is_dropped_without_noise() -> None:
    assert settled(Refused(400, "Bad Request: query is too old"), kind="call")["state"] == "dropped"


@pytest.mark.parametrize("outcome", [Sent(None), Later(1, "x"), Refused(400, "x"), Unknown("x")])
def test_every_outcome_is_written_by_the_attempt_that_had_it(outcome: Outcome) -> None:
    made = settled(outcome, attempts=5)
    assert (made["id"], made["fence"]) == (7, 5)


def test_what_needs_no_mark_is_a_kind_that_is_carried_out() -> None:
    assert set(OPERATIONS) >= IDEMPOTENT


def test_pauses_double_up_to_a_minute() -> None:
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 6, 7, 50)] == [1, 2, 4, 32, 60, 60]


LINK = {
    "to": "requester",
    "chat": 501,
    "notice": "secret_ready",
    "facts": {"title": "a", "url": "https://a.kz/secret/x"},
}


@pytest.mark.parametrize(
    ("outcome", "repeats", "state"),
    [(Sent(None), 0, "sent"), (Refused(403, "blocked"), 0, "failed"), (Unknown("timeout"), 1, "unknown")],
)
def test_a_row_that_is_over_keeps_no_link_to_a_secret(outcome: Outcome, repeats: int, state: str) -> None:
    made = settled(outcome, kind="say", payload=LINK, repeats=repeats)
    assert (made["state"], made["payload"]) == (state, {**LINK, "facts": {"title": "a"}})
    # Any other row stays as it is.
    assert settled(outcome, kind="say", repeats=repeats).get("payload") is None


@pytest.mark.parametrize("outcome", [Later(1, "no connection"), Unknown("timeout")])
def test_a_row_that_is_sent_again_keeps_its_link(outcome: Outcome) -> None:
    made = settled(outcome, kind="say", payload=LINK)
    assert made["state"] == "queued"
    assert made.get("payload", LINK) == LINK

"""The checker itself: it finds what it is there to find."""

from typing import Any

import pytest

from tests.e2e.ledger import Evidence, Said, check

Json = dict[str, Any]
CHAT, GROUP, THREAD = 7, -100, 5


def send(n: int, text: str, chat: int = CHAT, ok: bool = True) -> Json:
    params: Json = {"chat_id": chat, "text": text}
    if chat == GROUP:
        params["message_thread_id"] = THREAD
    return {"n": n, "ok": ok, "method": "sendMessage", "params": params}


def good() -> Evidence:
    """One customer asks twice, an engineer answers and notes; one repeat, marked and on record."""
    topic = {"n": 1, "ok": True, "method": "createForumTopic", "params": {"chat_id": GROUP, "name": "PD-1001 · q1"}}
    return Evidence(
        said=[
            Said("q1", "customer", CHAT),
            Said("q2", "customer", CHAT),
            Said("a1", "engineer", CHAT),
            Said("n1", "note", CHAT),
        ],
        tickets=[{"id": 1, "reference": "PD-1001", "thread_id": THREAD, "chat": CHAT}],
        messages=[{"id": n, "ticket_id": 1, "words": words} for n, words in enumerate(("q1", "q2", "a1", "n1"))],
        outbox=[
            {"id": 1, "kind": "topic.open", "state": "sent", "repeats": 0, "ticket_id": 1, "words": None},
            {"id": 2, "kind": "relay", "state": "sent", "repeats": 0, "ticket_id": 1, "words": "q1"},
            {"id": 3, "kind": "relay", "state": "sent", "repeats": 0, "ticket_id": 1, "words": "q2"},
            {"id": 4, "kind": "relay", "state": "sent", "repeats": 1, "ticket_id": 1, "words": "a1"},
            {"id": 5, "kind": "say", "state": "sent", "repeats": 0, "ticket_id": 1, "words": None},
        ],
        inbox=[{"external_key": str(n), "state": "done"} for n in range(4)],
        events=[{"ticket_id": 1, "kind": "take"}],
        updates=[{"update_id": n, "kind": "message"} for n in range(4)],
        calls=[
            topic,
            send(2, "q1", GROUP),
            send(3, "PD-1001 is registered.\nsoon"),
            send(4, "q2", GROUP),
            send(5, "a1"),
            send(6, "↻ Possibly a repeat:\na1"),
        ],
        group=GROUP,
        expected={CHAT: 1},
        taken={1: 1},
    )


def test_all_is_well() -> None:
    assert check(good()) == []


def test_who_answered_first_has_taken_it_by_that() -> None:
    evidence = good()
    evidence.events = [{"ticket_id": 1, "kind": "replied"}]
    assert check(evidence) == []


def lose_update(e: Evidence) -> None:
    e.inbox = e.inbox[1:]


def leave_update(e: Evidence) -> None:
    e.inbox = [{"external_key": "0", "state": "quarantined"}, *e.inbox[1:]]


def leave_row(e: Evidence) -> None:
    e.outbox = [{**e.outbox[0], "state": "queued"}, *e.outbox[1:]]


def lose_message(e: Evidence) -> None:
    e.messages = e.messages[1:]


def double_message(e: Evidence) -> None:
    e.messages = [*e.messages, e.messages[0]]


def double_ticket(e: Evidence) -> None:
    e.tickets = [*e.tickets, {"id": 2, "reference": "PD-1002", "thread_id": 6, "chat": CHAT}]


def never_deliver(e: Evidence) -> None:
    e.calls = [{**call, "ok": call["ok"] and call["n"] != 4} for call in e.calls]


def leave_in_doubt(e: Evidence) -> None:
    e.outbox = [{**row, "state": "unknown"} if row["words"] == "a1" else row for row in e.outbox]


def never_acknowledge(e: Evidence) -> None:
    e.calls = [call for call in e.calls if call["n"] != 3]


def repeat_unmarked(e: Evidence) -> None:
    e.calls = [*e.calls[:-1], send(6, "a1")]


def repeat_unrecorded(e: Evidence) -> None:
    e.calls = [*e.calls, send(7, "↻ Possibly a repeat:\nq2", GROUP)]


def repeat_again(e: Evidence) -> None:
    e.calls = [*e.calls, send(7, "↻ Possibly a repeat:\na1")]


def tell_note(e: Evidence) -> None:
    e.calls = [*e.calls, send(7, "n1")]


def go_astray(e: Evidence) -> None:
    e.calls = [send(5, "a1", chat=8) if call["n"] == 5 else call for call in e.calls]


def overtake(e: Evidence) -> None:
    e.calls = [{**call, "n": 1.5} if call["n"] == 4 else call for call in e.calls]
    e.calls = sorted(e.calls, key=lambda call: call["n"])


def second_topic(e: Evidence) -> None:
    e.calls = [e.calls[0], *e.calls]


def take_twice(e: Evidence) -> None:
    e.events = [*e.events, *e.events]


def take_in_vain(e: Evidence) -> None:
    e.events = []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lose_update, "update 0 (message) is lost"),
        (leave_update, "update 0 (message) is quarantined"),
        (leave_row, "outbox row 1 (topic.open) is queued"),
        (lose_message, "'q1' was written down 0 times"),
        (double_message, "'q1' was written down 2 times"),
        (double_ticket, "customer 7 has 2 requests, not 1"),
        (never_deliver, "'q2' never arrived (sent)"),
        (leave_in_doubt, "request 1 has 1 messages in doubt and was told of 0"),
        (never_acknowledge, "PD-1001 was never acknowledged"),
        (repeat_unmarked, "'a1' was repeated without a mark"),
        (repeat_unrecorded, "'q2' was sent 2 times with 0 repeats on record"),
        (repeat_again, "'a1' was sent 3 times"),
        (tell_note, "the note 'n1' was sent to [7]"),
        (go_astray, "'a1' went astray, to 8/None"),
        (overtake, "'q2' overtook 'q1'"),
        (second_topic, "PD-1001 has 2 topics and 0 repeats on record"),
        (take_twice, "PD-1001 was taken 2 times, not 1"),
        (take_in_vain, "PD-1001 was taken 0 times, not 1"),
    ],
)
def test_what_is_wrong_is_found(spoil: Any, complaint: str) -> None:
    evidence = good()
    spoil(evidence)
    assert complaint in check(evidence)

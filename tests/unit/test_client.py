"""What an answer of Telegram's means: done, surely not done, refused for good, or unknown."""

import json
from typing import Any

import pytest

from bot.client import Later, Refused, Sent, Unknown, judged


def answer(**body: Any) -> bytes:
    return json.dumps(body).encode()


def test_ok_gives_the_result() -> None:
    assert judged(200, answer(ok=True, result={"message_id": 5})) == Sent({"message_id": 5})
    assert judged(200, answer(ok=True, result=True)) == Sent(True)


def test_429_is_surely_not_sent_and_says_how_long_to_wait() -> None:
    body = answer(ok=False, error_code=429, description="Too Many Requests", parameters={"retry_after": 17})
    assert judged(429, body) == Later(17.0, "Too Many Requests", limited=True)


def test_429_without_a_time_waits_a_second() -> None:
    assert judged(429, answer(ok=False, error_code=429, description="x")) == Later(1.0, "x", limited=True)


@pytest.mark.parametrize("code", [500, 502, 504])
def test_5xx_in_json_is_unknown(code: int) -> None:
    assert isinstance(judged(code, answer(ok=False, error_code=code, description="Internal")), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b"",
        b'{"ok": tr',
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"ok": true}',
        b"[" * 100_000,
        b'{"ok": false, "error_code": "many"}',
        b'{"ok": false, "error_code": 400, "parameters": [1]}',
        b'{"ok": false, "error_code": 429, "parameters": {"retry_after": "soon"}}',
    ],
)
def test_an_answer_that_cannot_be_understood_is_unknown_or_not_done_but_no_error(body: bytes) -> None:
    assert not isinstance(judged(502, body), Sent)


@pytest.mark.parametrize("body", [b"<html>", b"", b"null", b'{"ok": true}', b"[" * 100_000])
def test_an_unreadable_answer_is_unknown_even_with_status_200(body: bytes) -> None:
    assert isinstance(judged(200, body), Unknown)


def test_400_is_refused_with_telegrams_words() -> None:
    body = answer(ok=False, error_code=400, description="Bad Request: message thread not found")
    assert judged(400, body) == Refused(400, "Bad Request: message thread not found")


def test_the_code_of_the_answer_counts_before_that_of_the_transport() -> None:
    assert judged(200, answer(ok=False, error_code=403, description="x")) == Refused(403, "x")
    assert judged(403, answer(ok=False)) == Refused(403, "")


def test_a_migrated_group_names_its_new_id() -> None:
    body = answer(
        ok=False,
        error_code=400,
        description="Bad Request: group chat was upgraded to a supergroup chat",
        parameters={"migrate_to_chat_id": -1002},
    )
    assert judged(400, body) == Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", -1002)

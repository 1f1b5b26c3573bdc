"""Telegram's own words, as its server writes them, and what each means for us."""

import pytest

from bot.refusals import Meaning, meaning

# fmt: off
WORDS: list[tuple[int, str, bool, Meaning]] = [
    (400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
          " as a current content and reply markup of the message", True, "done"),
    (400, "Bad Request: TOPIC_NOT_MODIFIED", True, "done"),
    (400, "Bad Request: CHAT_NOT_MODIFIED", True, "done"),
    (400, "Bad Request: message to be replied not found", False, "reply_gone"),
    (400, "Bad Request: replied message not found", True, "reply_gone"),
    (400, "Bad Request: message thread not found", True, "topic_lost"),
    (400, "Bad Request: TOPIC_DELETED", True, "topic_lost"),
    (400, "Bad Request: TOPIC_ID_INVALID", True, "topic_lost"),
    (400, "Bad Request: TOPIC_CLOSED", True, "topic_closed"),
    (400, "Bad Request: query is too old and response timeout expired or query ID is invalid", False, "too_old"),
    (400, "Bad Request: QUERY_ID_INVALID", False, "too_old"),
    (400, "Bad Request: message to edit not found", True, "gone"),
    (400, "Bad Request: message to delete not found", False, "gone"),
    (400, "Bad Request: message to copy not found", True, "gone"),
    (400, "Bad Request: message to react not found", True, "gone"),
    (400, "Bad Request: MESSAGE_ID_INVALID", True, "gone"),
    (400, "Bad Request: message can't be edited", False, "gone"),
    (403, "Forbidden: bot was blocked by the user", False, "unreachable"),
    (403, "Forbidden: user is deactivated", False, "unreachable"),
    (403, "Forbidden: bot can't initiate conversation with a user", False, "unreachable"),
    (400, "Bad Request: chat not found", False, "unreachable"),
    (400, "Bad Request: PEER_ID_INVALID", False, "unreachable"),
    (403, "Forbidden: bot was kicked from the supergroup chat", True, "group_closed"),
    (403, "Forbidden: bot is not a member of the supergroup chat", True, "group_closed"),
    (400, "Bad Request: chat not found", True, "group_closed"),
    (400, "Bad Request: not enough rights to create a topic", True, "group_closed"),
    (400, "Bad Request: not enough rights to send text messages to the chat", True, "group_closed"),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED", True, "group_closed"),
    (400, "Bad Request: the chat is not a forum", True, "group_closed"),
    (400, "Bad Request: need administrator rights in the channel chat", True, "group_closed"),
    (401, "Unauthorized", True, "token"),
    (401, "Unauthorized", False, "token"),
    (400, "Bad Request: can't parse entities", False, "refused"),
    (400, "Bad Request: message text is empty", True, "refused"),
    (400, "Bad Request: wrong file identifier/HTTP URL specified", False, "refused"),
    (413, "Request Entity Too Large", False, "refused"),
]
# fmt: on


@pytest.mark.parametrize(("code", "words", "to_group", "expected"), WORDS)
def test_what_a_refusal_means(code: int, words: str, to_group: bool, expected: Meaning) -> None:
    assert meaning(code, words, to_group) == expected


def test_the_same_403_is_a_lost_customer_in_one_chat_and_a_lost_group_in_the_other() -> None:
    assert meaning(403, "Forbidden", False) == "unreachable"
    assert meaning(403, "Forbidden", True) == "group_closed"


def test_a_message_that_may_not_be_deleted_is_not_taken_for_one_that_is_gone() -> None:
    assert meaning(400, "Bad Request: message can't be deleted for everyone", False) != "gone"

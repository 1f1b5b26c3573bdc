"""What a refusal of Telegram means for us. Pure: the words are Telegram's own, collected in tests."""

from typing import Literal

Meaning = Literal[
    "done",
    "reply_gone",
    "topic_lost",
    "topic_closed",
    "unreachable",
    "group_closed",
    "token",
    "too_old",
    "gone",
    "refused",
]

_DONE = ("message is not modified", "topic_not_modified", "chat_not_modified")
_REPLY_GONE = ("message to be replied not found", "replied message not found", "reply message not found")
_TOPIC_LOST = ("message thread not found", "topic_deleted", "topic_id_invalid", "thread not found")
_TOO_OLD = ("query is too old", "query_id_invalid", "query id is invalid")
_GONE = (
    "message to copy not found",
    "message to edit not found",
    "message to delete not found",
    "message to react not found",
    "message to pin not found",
    "message_id_invalid",
    "message can't be edited",
    "message can't be copied",
)
_NO_RIGHTS = ("not enough rights", "chat_admin_required", "have no rights", "need administrator rights")
_NO_GROUP = ("chat not found", "kicked", "not a member", "group chat was deactivated", "the chat is not a forum")
_NO_PERSON = (
    "blocked by the user",
    "user is deactivated",
    "chat not found",
    "can't initiate conversation",
    "peer_id_invalid",
)


def meaning(code: int, description: str, to_group: bool) -> Meaning:
    """Decided by text and by chat: the same 403 is a blocked bot in one and a lost group in the other."""
    words = description.lower()

    def says(phrases: tuple[str, ...]) -> bool:
        return any(phrase in words for phrase in phrases)

    if code == 401:
        return "token"
    if says(_DONE):
        return "done"
    if says(_REPLY_GONE):
        return "reply_gone"
    if says(_TOPIC_LOST):
        return "topic_lost"
    if "topic_closed" in words:
        return "topic_closed"
    if says(_TOO_OLD):
        return "too_old"
    if says(_GONE):
        return "gone"
    if to_group and (code == 403 or says(_NO_RIGHTS) or says(_NO_GROUP)):
        return "group_closed"
    if not to_group and (code == 403 or says(_NO_PERSON)):
        return "unreachable"
    return "refused"

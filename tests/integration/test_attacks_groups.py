"""Attacks 31 to 33 of the reliability notes: what is pressed, forwarded or posed as proves nothing."""

from typing import Any

import pytest

from tests.factories import (
    ADMIN,
    BOT,
    CUSTOMER,
    ENGINEER,
    GROUP,
    OTHER_CUSTOMER,
    STRANGER,
    Group,
    Json,
    forum,
    in_group,
    message,
    person,
    said,
    update,
)
from tests.integration.conftest import Reception

GROUP_BOT = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
FORWARDED = {"forward_origin": {"type": "user", "date": 0, "sender_user": person(ADMIN)}}
VIA_BOT = {"via_bot": {"id": 5, "is_bot": True, "first_name": "inline"}}
FOREIGN = {"id": -1009999999999, "type": "supergroup", "title": "Чужие", "is_forum": True}


# --- 31: foreign groups ------------------------------------------------------------------------------------------


def entry(sender: int, chat: Json, status: str = "member", **rights: Any) -> Json:
    user = {k: v for k, v in BOT.items() if k != "username"}
    old = {"status": "left", "user": user}
    member: Json = {"status": status, "user": user}
    if status == "administrator":
        member |= dict.fromkeys(
            (
                "can_be_edited",
                "is_anonymous",
                "can_manage_chat",
                "can_delete_messages",
                "can_manage_video_chats",
                "can_restrict_members",
                "can_promote_members",
                "can_change_info",
                "can_invite_users",
                "can_post_stories",
                "can_edit_stories",
                "can_delete_stories",
                "can_pin_messages",
                "can_manage_topics",
                "can_send_welcome_messages",
            ),
            True,
        )
    change = {"chat": chat, "from": person(sender), "date": 0, "old_chat_member": old, "new_chat_member": member}
    return update(my_chat_member={**change, **rights})


async def test_31_added_to_a_foreign_group_it_leaves_and_keeps_nothing(reception: Reception) -> None:
    assert await reception.did(entry(STRANGER, FOREIGN)) == "foreign_group"
    assert [call["chat_id"] for call in await reception.calls("leaveChat")] == [FOREIGN["id"]]
    assert await reception.calls("sendMessage") == []
    assert [row.chat_id for row in await reception.fetch("select chat_id from desk_group")] == [GROUP]


async def test_31_an_admin_may_add_it_and_somebody_else_may_give_it_rights(reception: Reception) -> None:
    assert await reception.did(entry(ADMIN, FOREIGN)) == "added"
    assert await reception.did(entry(STRANGER, FOREIGN, "administrator")) == "added"
    assert await reception.calls("leaveChat") == []


async def test_31_a_group_that_was_left_is_foreign_again(reception: Reception) -> None:
    assert await reception.did(entry(STRANGER, forum(), "left")) == "left"
    assert await reception.did(entry(STRANGER, forum())) == "foreign_group"


async def test_31_a_command_in_a_foreign_group_connects_nothing(reception: Reception) -> None:
    assert await reception.did(in_group("/connect", STRANGER, chat=FOREIGN)) == "refused:NotAllowed"
    assert [row.chat_id for row in await reception.fetch("select chat_id from desk_group")] == [GROUP]


async def test_31_words_in_a_foreign_group_reach_nobody(reception: Reception) -> None:
    await reception.agent()
    await reception.topic()
    told = in_group("/r Привет", ENGINEER, chat=FOREIGN, thread=80)
    await reception.store(told)
    await reception.until_settled()
    assert await reception.relayed() == []


# --- 32: nobody stands behind it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["/connect", "/agent list", "/duty on"])
async def test_32_an_anonymous_admin_has_no_privilege(reception: Reception, words: str) -> None:
    told = in_group(words, ADMIN, **{"from": GROUP_BOT, "sender_chat": forum()})
    assert await reception.did(told) == "refused:Anonymous"
    [hint] = await reception.calls("sendMessage")
    assert hint["reply_parameters"]["message_id"] == told["message"]["message_id"]


@pytest.mark.parametrize("words", ["/r Привет", "Привет", "/delete"])
async def test_32_an_anonymous_sender_is_not_relayed(reception: Reception, words: str) -> None:
    place = await reception.topic()
    channel = {"id": -100123, "type": "channel", "title": "Канал"}
    for sender_chat in (forum(), channel):
        # Whoever is named in `from`: behind a channel stands nobody.
        more = {"from": person(ENGINEER), "sender_chat": sender_chat}
        told = in_group(words, ENGINEER, thread=place.thread, **more)
        assert await reception.did(told) == "refused:Anonymous"
    assert await reception.relayed() == []


@pytest.mark.parametrize("more", [FORWARDED, VIA_BOT], ids=["forwarded", "via a bot"])
@pytest.mark.parametrize("words", ["/connect", "/agent add lead"])
async def test_32_a_forwarded_command_of_the_group_does_nothing(reception: Reception, words: str, more: Json) -> None:
    target = message("я", STRANGER, forum())
    await reception.did(in_group(words, ADMIN, reply_to_message=target, **more))
    assert await reception.fetch("select 1 from agent") == []
    assert await reception.calls("sendMessage") == []


@pytest.mark.parametrize("more", [FORWARDED, VIA_BOT], ids=["forwarded", "via a bot"])
@pytest.mark.parametrize("words", ["/r Секрет", "/delete"])
async def test_32_a_forwarded_command_in_a_topic_does_not_leave_it(
    reception: Reception, words: str, more: Json
) -> None:
    await reception.agent()
    place = await reception.topic()
    await reception.feed(in_group(words, ENGINEER, thread=place.thread, **more))
    assert await reception.relayed() == []
    assert await reception.fetch("select 1 from message where deleted_at is not null") == []


async def test_32_a_forwarded_command_of_a_customer_is_words(reception: Reception) -> None:
    assert await reception.did(said("/requests", CUSTOMER, **FORWARDED)) == "opened"


# --- 33: the wrong place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["Привет", "/r Привет", "/note Привет", "/delete"])
async def test_33_what_is_written_in_general_is_not_relayed(reception: Reception, words: str) -> None:
    await reception.agent()
    place: Group = await reception.topic()
    replied = {**message("…", ENGINEER, forum(), number=place.card), "from": BOT}
    await reception.feed(in_group(words, ENGINEER, reply_to_message=replied, message_thread_id=place.card))
    assert await reception.relayed() == []
    assert len(await reception.fetch("select 1 from message")) == 1


async def test_33_an_answer_goes_to_the_customer_of_its_topic_and_to_nobody_else(reception: Reception) -> None:
    await reception.agent()
    first = await reception.topic("Первое", CUSTOMER)
    second = await reception.topic("Второе", OTHER_CUSTOMER)
    # The reply names a message of the other topic.
    replied = {**message("…", ENGINEER, forum(), number=first.copy, thread=second.thread), "from": BOT}
    await reception.feed(in_group("Вам ответ", ENGINEER, thread=second.thread, reply_to_message=replied))
    out = await reception.fetch(
        "select payload -> 'chat' as chat from outbox where kind = 'relay' and payload ->> 'to' = 'requester'"
    )
    assert CUSTOMER not in [row.chat for row in out]

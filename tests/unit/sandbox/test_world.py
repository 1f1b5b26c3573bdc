"""The world without HTTP: who may write where, and what becomes of messages and topics."""

import pytest

from sandbox.telegram import groups, people
from sandbox.telegram.errors import ApiError, Refused
from sandbox.telegram.forum import delete_topic, open_topic
from sandbox.telegram.membership import set_member
from sandbox.telegram.methods import METHODS
from sandbox.telegram.model import Bot, Group, Json, Member, Message, User
from sandbox.telegram.posting import seen
from sandbox.telegram.world import World


@pytest.fixture
def world() -> World:
    return World(now=lambda: 1_800_000_000.0)


@pytest.fixture
def bot(world: World) -> Bot:
    return world.add_bot("42:secret", "Desk", "desk_bot")


@pytest.fixture
def alice(world: World) -> User:
    return world.add_user({"first_name": "Alice"})


@pytest.fixture
def group(world: World, bot: Bot, alice: User) -> Group:
    made = groups.create_group(world, {"title": "Engineers", "owner": alice.id})
    groups.add_member(world, made, {"bot": bot.token})
    return made


def say(world: World, user: User, chat: int, text: str = "hello", **more: object) -> Message:
    made = people.say(world, {"from": user.id, "chat": chat, "text": text, **more})
    assert isinstance(made, Message)
    return made


def call(world: World, bot: Bot, method: str, **params: object) -> Json:
    result = METHODS[method](world, bot, params)
    assert isinstance(result, dict | bool)
    return result if isinstance(result, dict) else {}


def texts(bot: Bot, kind: str = "message") -> list[str]:
    entries = [entry.update[kind] for entry in bot.inbox.pending.values() if entry.kind == kind]
    return [body["text"] for body in entries if "text" in body]


def refusal(world: World, bot: Bot, method: str, **params: object) -> str:
    with pytest.raises(ApiError) as caught:
        METHODS[method](world, bot, params)
    return f"{caught.value.code} {caught.value.description}"


def test_the_same_token_is_the_same_bot(world: World, bot: Bot) -> None:
    assert world.add_bot("42:secret", "Other", "other_bot") is bot
    with pytest.raises(Refused):
        world.add_bot("42:other", "Other", "other_bot")


def test_ids_are_not_given_twice(world: World, alice: User) -> None:
    with pytest.raises(Refused, match="taken"):
        world.add_user({"id": alice.id, "first_name": "Mallory"})


def test_a_bot_cannot_begin_a_conversation(world: World, bot: Bot, alice: User) -> None:
    assert refusal(world, bot, "sendMessage", chat_id=alice.id, text="x") == (
        "403 Forbidden: bot can't initiate conversation with a user"
    )
    assert refusal(world, bot, "sendMessage", chat_id=999, text="x") == "400 Bad Request: chat not found"


def test_message_ids_count_per_chat(world: World, bot: Bot, alice: User, group: Group) -> None:
    before = group.last_id
    assert say(world, alice, bot.id).id == 1
    assert say(world, alice, group.id).id == before + 1
    assert call(world, bot, "sendMessage", chat_id=alice.id, text="x")["message_id"] == 2


def test_an_edit_leaves_earlier_updates_as_they_were(world: World, bot: Bot, alice: User) -> None:
    message = say(world, alice, bot.id, "before")
    people.edit(world, {"from": alice.id, "chat": bot.id, "message_id": message.id, "text": "after"})
    assert texts(bot) == ["before"]
    assert texts(bot, "edited_message") == ["after"]
    assert message.edits == 1


def test_bots_learn_nothing_of_a_deletion(world: World, bot: Bot, alice: User) -> None:
    message = say(world, alice, bot.id)
    count = bot.inbox.journal.last
    people.delete(world, {"from": alice.id, "chat": bot.id, "message_id": message.id})
    assert bot.inbox.journal.last == count
    assert seen(world.private(bot, alice), message)["deleted"]


def test_privacy_holds_a_plain_member_back(world: World, bot: Bot, alice: User, group: Group) -> None:
    set_member(world, group, bot.id, Member("member"), alice.data)
    own = call(world, bot, "sendMessage", chat_id=group.id, text="mine")["message_id"]
    bot.inbox.clear()
    say(world, alice, group.id, "chatter")
    say(world, alice, group.id, "/status")
    say(world, alice, group.id, "/status@other_bot")
    say(world, alice, group.id, "/status@desk_bot")
    say(world, alice, group.id, "answer", reply_to=own)
    assert texts(bot) == ["/status", "/status@desk_bot", "answer"]


def test_bots_do_not_hear_each_other(world: World, bot: Bot, group: Group) -> None:
    other = world.add_bot("43:x", "Other", "other_bot")
    groups.add_member(world, group, {"bot": other.id})
    bot.inbox.clear()
    call(world, other, "sendMessage", chat_id=group.id, text="noise")
    assert texts(bot) == []


def test_a_deleted_topic_takes_its_messages_along(world: World, bot: Bot, alice: User, group: Group) -> None:
    topic = open_topic(world, group, alice.data, "PD-1", 0x6FB9F0, None)
    inside = say(world, alice, group.id, thread=topic.thread)
    outside = say(world, alice, group.id)
    delete_topic(world, group, topic)
    assert (inside.deleted, outside.deleted) == (True, False)
    where = {"chat_id": group.id, "message_thread_id": topic.thread}
    assert refusal(world, bot, "sendMessage", text="x", **where) == "400 Bad Request: message thread not found"
    assert refusal(world, bot, "editForumTopic", name="x", **where) == "400 Bad Request: TOPIC_DELETED"
    with pytest.raises(Refused):
        say(world, alice, group.id, thread=topic.thread)


def test_rights_are_asked_for(world: World, bot: Bot, alice: User, group: Group) -> None:
    message = say(world, alice, group.id)
    topic = open_topic(world, group, alice.data, "PD-1", 0x6FB9F0, None)
    set_member(world, group, bot.id, Member("administrator"), alice.data)
    chat = {"chat_id": group.id}
    assert "not enough rights to create a topic" in refusal(world, bot, "createForumTopic", name="x", **chat)
    assert "not enough rights to edit the topic" in refusal(
        world, bot, "editForumTopic", message_thread_id=topic.thread, name="x", **chat
    )
    assert "not enough rights to delete the topic" in refusal(
        world, bot, "deleteForumTopic", message_thread_id=topic.thread, **chat
    )
    assert "not enough rights to manage pinned messages" in refusal(
        world, bot, "pinChatMessage", message_id=message.id, **chat
    )
    assert "message can't be deleted" in refusal(world, bot, "deleteMessage", message_id=message.id, **chat)


def test_a_closed_topic_is_closed_to_those_without_the_right(world: World, bot: Bot, alice: User, group: Group) -> None:
    topic = open_topic(world, group, alice.data, "PD-1", 0x6FB9F0, None)
    groups.change_topic(world, {"chat": group.id, "thread": topic.thread, "do": "close"})
    where = {"chat_id": group.id, "message_thread_id": topic.thread}
    call(world, bot, "sendMessage", text="administrators may", **where)
    set_member(world, group, bot.id, Member("member"), alice.data)
    assert refusal(world, bot, "sendMessage", text="x", **where) == "400 Bad Request: TOPIC_CLOSED"


def test_thrown_out_left_and_never_in(world: World, bot: Bot, alice: User, group: Group) -> None:
    other = groups.create_group(world, {"title": "Other", "owner": alice.id})
    assert refusal(world, bot, "sendMessage", chat_id=other.id, text="x") == "400 Bad Request: chat not found"
    groups.remove_member(world, group, bot.id)
    kicked = "403 Forbidden: bot was kicked from the supergroup chat"
    assert refusal(world, bot, "sendMessage", chat_id=group.id, text="x") == kicked
    groups.add_member(world, group, {"bot": bot.id})
    call(world, bot, "leaveChat", chat_id=group.id)
    left = "403 Forbidden: bot is not a member of the supergroup chat"
    assert refusal(world, bot, "sendMessage", chat_id=group.id, text="x") == left

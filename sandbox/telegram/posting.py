"""A message comes into being, changes, goes: the world, the listeners and the bots hear of it."""

from dataclasses import dataclass
from typing import Final

from sandbox.telegram.model import Bot, Group, Json, Member, Message, Private, Room
from sandbox.telegram.world import World

SERVICE_KINDS: Final = frozenset(
    {
        "forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened",
        "general_forum_topic_hidden", "general_forum_topic_unhidden", "pinned_message", "new_chat_members",
        "left_chat_member", "new_chat_title", "migrate_to_chat_id", "migrate_from_chat_id",
    }
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A message to be: who, where, what."""

    sender: Json
    content: Json
    thread: int | None = None
    reply: Json | None = None
    sender_chat: Json | None = None
    album: str | None = None
    service: bool = False
    protect: bool = False


def post(world: World, room: Room, draft: Draft) -> Message:
    """Put the message into the room and tell everybody who sees it."""
    room.last_id += 1
    now = world.now()
    message = Message(
        room.last_id, _body(room, draft, int(now)), draft.sender["id"], draft.thread, now, service=draft.service
    )
    room.messages[message.id] = message
    if draft.thread is not None and isinstance(room, Group):
        room.topics[draft.thread].messages.append(message.id)
    world.emit("message", room, draft.thread, lambda: {"message": seen(room, message)})
    _announce(world, room, message, "message")
    return message


def _body(room: Room, draft: Draft, date: int) -> Json:
    body: Json = {"message_id": room.last_id, "from": draft.sender, "chat": room.chat, "date": date}
    if draft.sender_chat is not None:
        body["sender_chat"] = draft.sender_chat
    if draft.thread is not None:
        body["message_thread_id"] = draft.thread
        body["is_topic_message"] = True
    if draft.album is not None:
        body["media_group_id"] = draft.album
    if draft.protect:
        body["has_protected_content"] = True
    if draft.reply is not None:
        body.update(draft.reply)
    elif draft.thread is not None:
        root = room.messages.get(draft.thread)
        if root is not None and not root.deleted:
            body["reply_to_message"] = root.data
    body.update(draft.content)
    return body


def change(world: World, room: Room, message: Message, content: Json, *, dated: bool = True) -> None:
    """Edit: the content fields given replace the old ones (None takes a field away)."""
    data = {**message.data, **content}
    message.data = {key: value for key, value in data.items() if value is not None}
    if dated:
        message.data["edit_date"] = int(world.now())
        message.edits += 1
    world.emit("edited", room, message.thread, lambda: {"message": seen(room, message)})
    if message.sender not in world.bots:
        _announce(world, room, message, "edited_message")


def remove(world: World, room: Room, message: Message) -> None:
    """Delete; no bot ever learns of it."""
    message.deleted = True
    if message.id in room.pinned:
        room.pinned.remove(message.id)
    world.emit("deleted", room, message.thread, lambda: {"message_id": message.id})


def service(world: World, room: Room, sender: Json, content: Json, thread: int | None = None) -> Message:
    """A service message, such as «topic created»."""
    return post(world, room, Draft(sender, content, thread, service=True))


def seen(room: Room, message: Message) -> Json:
    """The message with what only a person's eyes see."""
    return {
        **message.data,
        "reactions": message.reaction_list(),
        "pinned": message.id in room.pinned,
        "deleted": message.deleted,
        "edits": message.edits,
    }


def _announce(world: World, room: Room, message: Message, kind: str) -> None:
    for bot, member in world.audience(room):
        if _sees(bot, member, message):
            bot.inbox.add(kind, message.data, ("message", room.id))


def _sees(bot: Bot, member: Member, message: Message) -> bool:
    """Bots hear of service messages, never of other bots' words; privacy holds plain members back."""
    if message.service:
        return True
    if message.data["from"].get("is_bot") and "sender_chat" not in message.data:
        return False
    if member.status == "administrator":
        return True
    text: str = message.data.get("text") or ""
    if text.startswith("/"):
        head = text.split(maxsplit=1)[0]
        return "@" not in head or head.lower().endswith("@" + bot.data["username"].lower())
    replied = message.data.get("reply_to_message")
    return bool(replied and replied["from"]["id"] == bot.id and "forum_topic_created" not in replied)


def snapshot(message: Message) -> Json:
    """As it appears inside a reply: without its own reply."""
    data = message.data
    if "reply_to_message" not in data:
        return data
    return {key: value for key, value in data.items() if key != "reply_to_message"}


def is_private(room: Room) -> bool:
    return isinstance(room, Private)

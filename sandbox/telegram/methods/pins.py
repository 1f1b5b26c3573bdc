"""Pinning and unpinning."""

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Bot, Group, Json, Message, Room
from sandbox.telegram.posting import service, snapshot
from sandbox.telegram.world import World, message_for


def _room(world: World, bot: Bot, params: Json) -> Room:
    room = world.room_for(bot, params["chat_id"])
    if isinstance(room, Group) and not room.member(bot.id).may("can_pin_messages"):
        raise bad("not enough rights to manage pinned messages in the chat")
    return room


def _show(world: World, room: Room, message: Message, *, on: bool) -> None:
    more = {"message_id": message.id, "on": on, "pinned": list(room.pinned)}
    world.emit("pinned", room, message.thread, lambda: more)


def _pin(world: World, bot: Bot, params: Json) -> bool:
    room = _room(world, bot, params)
    message = message_for(room, params["message_id"], "to pin")
    if message.service:
        raise bad("message can't be pinned")
    if message.id in room.pinned:
        return True
    room.pinned.append(message.id)
    _show(world, room, message, on=True)
    service(world, room, bot.data, {"pinned_message": snapshot(message)}, message.thread)
    return True


def _unpin(world: World, bot: Bot, params: Json) -> bool:
    room = _room(world, bot, params)
    if not room.pinned and "message_id" not in params:
        return True
    message = message_for(room, params.get("message_id", room.pinned[-1] if room.pinned else 0), "to unpin")
    if message.id in room.pinned:
        room.pinned.remove(message.id)
        _show(world, room, message, on=False)
    return True


def _unpin_where(world: World, room: Room, thread: int | None, *, everywhere: bool) -> bool:
    for message_id in list(room.pinned):
        message = room.messages[message_id]
        if everywhere or message.thread == thread:
            room.pinned.remove(message_id)
            _show(world, room, message, on=False)
    return True


def _unpin_all(world: World, bot: Bot, params: Json) -> bool:
    return _unpin_where(world, _room(world, bot, params), None, everywhere=True)


def _unpin_topic(world: World, bot: Bot, params: Json) -> bool:
    room = _room(world, bot, params)
    topic = room.topics.get(params["message_thread_id"]) if isinstance(room, Group) else None
    if topic is None or topic.deleted:
        raise bad("message thread not found")
    return _unpin_where(world, room, topic.thread, everywhere=False)


def _unpin_general(world: World, bot: Bot, params: Json) -> bool:
    return _unpin_where(world, _room(world, bot, params), None, everywhere=False)


METHODS = {
    "pinChatMessage": _pin,
    "unpinChatMessage": _unpin,
    "unpinAllChatMessages": _unpin_all,
    "unpinAllForumTopicMessages": _unpin_topic,
    "unpinAllGeneralForumTopicMessages": _unpin_general,
}

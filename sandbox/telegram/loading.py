"""Many updates at once, for benchmarks: the chats, people and messages in them come into being."""

from typing import Final

from sandbox.telegram.errors import Refused
from sandbox.telegram.membership import USUAL
from sandbox.telegram.model import Bot, Callback, Json, Member, Message, Room
from sandbox.telegram.world import World

STORED: Final = frozenset({"message", "edited_message", "callback_query"})


def load(world: World, bot: Bot, updates: list[Json]) -> int:
    """Queue them all, numbered in order; nothing is shown on the page."""
    for update in updates:
        for kind, body in update.items():
            if isinstance(body, dict):
                _know(world, bot, kind, body)
    return bot.inbox.load(updates)


def _know(world: World, bot: Bot, kind: str, body: Json) -> None:
    sender = body.get("from") or body.get("user")
    if isinstance(sender, dict) and not sender.get("is_bot"):
        _user(world, sender)
    message = body.get("message") if kind == "callback_query" else body
    if not isinstance(message, dict) or not isinstance(message.get("chat"), dict):
        return
    room = _room(world, bot, message["chat"])
    if kind in STORED and "message_id" in message:
        _message(world, room, message)
    if kind == "callback_query":
        callback_id = str(body["id"])
        world.callbacks[callback_id] = Callback(callback_id, bot.id, body["from"]["id"], room.where, world.now())


def _user(world: World, data: Json) -> None:
    if data["id"] not in world.users:
        world.add_user({key: value for key, value in data.items() if key != "is_bot"})


def _room(world: World, bot: Bot, chat: Json) -> Room:
    chat_id = chat.get("id")
    if not isinstance(chat_id, int):
        raise Refused("a chat in an update needs an integer id")
    if chat_id > 0:
        _user(world, {"id": chat_id, "first_name": chat.get("first_name", "Loaded")})
        room = world.private(bot, world.users[chat_id])
        room.started = True
        return room
    group = world.groups.get(chat_id)
    if group is None:
        group = world.add_group(chat.get("title", "Loaded"), is_forum=bool(chat.get("is_forum")), chat_id=chat_id)
        group.members[bot.id] = Member("administrator", dict(USUAL))
    return group


def _message(world: World, room: Room, data: Json) -> None:
    message_id: int = data["message_id"]
    sender = data.get("from") or {"id": room.id}
    room.messages[message_id] = Message(message_id, data, sender["id"], data.get("message_thread_id"), world.now())
    room.last_id = max(room.last_id, message_id)

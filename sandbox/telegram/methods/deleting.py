"""deleteMessage and deleteMessages."""

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Bot, Group, Json, Message, Room
from sandbox.telegram.posting import remove
from sandbox.telegram.world import World, message_for

DELETABLE = 48 * 3600.0
MOST = 100


def _why_not(world: World, room: Room, bot: Bot, message: Message) -> str | None:
    if "forum_topic_created" in message.data:
        return "message can't be deleted"
    moderator = isinstance(room, Group) and room.member(bot.id).may("can_delete_messages")
    if world.now() - message.at > DELETABLE and not moderator:
        return "message can't be deleted for everyone"
    if isinstance(room, Group) and message.sender != bot.id and not moderator:
        return "message can't be deleted"
    return None


def _delete_message(world: World, bot: Bot, params: Json) -> bool:
    room = world.room_known(bot, params["chat_id"])
    message = message_for(room, params["message_id"], "to delete")
    reason = _why_not(world, room, bot, message)
    if reason is not None:
        raise bad(reason)
    remove(world, room, message)
    return True


def _delete_messages(world: World, bot: Bot, params: Json) -> bool:
    ids: list[int] = params["message_ids"]
    room = world.room_known(bot, params["chat_id"])
    if not ids:
        raise bad("message identifiers are not specified")
    if len(ids) > MOST:
        raise bad("too many message identifiers specified")
    for message_id in ids:
        message = room.live(message_id)
        if message is not None and _why_not(world, room, bot, message) is None:
            remove(world, room, message)
    return True


METHODS = {"deleteMessage": _delete_message, "deleteMessages": _delete_messages}

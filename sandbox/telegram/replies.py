"""To which message does this answer, and in which topic does it land?"""

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Bot, Group, Json, Message, Room
from sandbox.telegram.posting import snapshot
from sandbox.telegram.world import World, chat_number

REPLIED = "to be replied"


def check_thread(room: Room, bot: Bot, thread: int | None) -> None:
    """May the bot write into that topic? General (None) always exists."""
    if thread is None:
        if isinstance(room, Group) and room.general_closed and not room.member(bot.id).may("can_manage_topics"):
            raise bad("TOPIC_CLOSED")
        return
    topic = room.topics.get(thread) if isinstance(room, Group) else None
    if topic is None or topic.deleted:
        raise bad("message thread not found")
    if topic.closed and isinstance(room, Group) and not room.member(bot.id).may("can_manage_topics"):
        raise bad("TOPIC_CLOSED")


def placed(world: World, bot: Bot, room: Room, params: Json) -> tuple[int | None, Json | None]:
    """The thread and the reply fields of a bot's message."""
    thread: int | None = params.get("message_thread_id")
    asked = reply_parameters(params)
    if asked is None:
        check_thread(room, bot, thread)
        return thread, None
    if asked.get("chat_id") is not None and chat_number(asked["chat_id"]) != room.id:
        check_thread(room, bot, thread)
        other = world.room_for(bot, asked["chat_id"])
        return thread, _external(other, _target(other, asked["message_id"]), asked)
    return _reply_here(room, bot, thread, asked)


def reply_parameters(params: Json) -> Json | None:
    """reply_parameters, or the older reply_to_message_id in their shape."""
    asked: Json | None = params.get("reply_parameters")
    if asked is None and params.get("reply_to_message_id") is not None:
        asked = {
            "message_id": params["reply_to_message_id"],
            "allow_sending_without_reply": params.get("allow_sending_without_reply"),
        }
    return asked if asked and asked.get("message_id") else None


def _reply_here(room: Room, bot: Bot, thread: int | None, asked: Json) -> tuple[int | None, Json | None]:
    known = room.messages.get(asked["message_id"])
    target = None if known is None or known.deleted else known
    check_thread(room, bot, thread)
    if target is None:
        elsewhere = known is not None and known.thread != thread
        if asked.get("allow_sending_without_reply") and not elsewhere:
            return thread, None
        raise bad(f"message {REPLIED} not found")
    if thread is None:
        check_thread(room, bot, target.thread)
        thread = target.thread
    if target.thread != thread:
        return thread, _external(room, target, asked)
    return thread, reply_fields(room, target, asked.get("quote"), asked.get("quote_entities"))


def _target(room: Room, message_id: int) -> Message:
    target = room.live(message_id)
    if target is None:
        raise bad(f"message {REPLIED} not found")
    return target


def reply_fields(room: Room, target: Message, quote: str | None, entities: list[Json] | None = None) -> Json:
    """What a reply adds to a message."""
    fields: Json = {"reply_to_message": snapshot(target)}
    if isinstance(room, Group) and room.is_forum and target.thread is None:
        # The quirk of General: the id there names the replied message, it is no topic.
        fields["message_thread_id"] = target.data.get("message_thread_id", target.id)
    if quote:
        fields["quote"] = _quote(target, quote, entities)
    return fields


def _quote(target: Message, quote: str, entities: list[Json] | None) -> Json:
    text: str = target.data.get("text") or target.data.get("caption") or ""
    at = text.find(quote)
    if at < 0:
        raise bad("QUOTE_TEXT_INVALID")
    position = len(text[:at].encode("utf-16-le")) // 2
    made: Json = {"text": quote, "position": position, "is_manual": True}
    if entities:
        made["entities"] = entities
    return made


def _external(room: Room, target: Message, asked: Json) -> Json:
    origin: Json = {"type": "user", "sender_user": target.data["from"], "date": target.data["date"]}
    fields: Json = {"external_reply": {"origin": origin, "chat": room.chat, "message_id": target.id}}
    if asked.get("quote"):
        fields["quote"] = _quote(target, asked["quote"], asked.get("quote_entities"))
    return fields

"""copyMessage(s) and forwardMessage(s)."""

from itertools import pairwise
from typing import Final

from sandbox.telegram.entities import caption_fields
from sandbox.telegram.errors import bad
from sandbox.telegram.methods.media import new_album
from sandbox.telegram.methods.sending import refuse_parse_mode, send
from sandbox.telegram.model import Bot, Json, Message, Room
from sandbox.telegram.world import World, message_for

ENVELOPE: Final = frozenset(
    {
        "message_id", "from", "chat", "date", "sender_chat", "message_thread_id", "is_topic_message",
        "media_group_id", "has_protected_content", "reply_to_message", "external_reply", "quote",
        "edit_date", "reply_markup", "author_signature",
    }
)  # fmt: skip
CAPTION: Final = frozenset({"caption", "caption_entities", "show_caption_above_media"})
CAPTIONED: Final = frozenset({"photo", "video", "document", "audio", "voice", "animation"})
MOST = 100


def content_of(message: Message) -> Json:
    """What the message says, without where and by whom."""
    return {key: value for key, value in message.data.items() if key not in ENVELOPE}


def _copied(message: Message, params: Json) -> Json:
    content = content_of(message)
    content.pop("forward_origin", None)
    if params.get("remove_caption"):
        return {key: value for key, value in content.items() if key not in CAPTION}
    if "caption" in params and CAPTIONED & content.keys():
        kept = {key: value for key, value in content.items() if key not in CAPTION}
        return kept | caption_fields(params["caption"], params.get("caption_entities"))
    return content


def _forwarded(message: Message) -> Json:
    content = content_of(message)
    sender = message.data["from"]
    origin: Json = {"type": "user", "sender_user": sender, "date": message.data["date"]}
    if "sender_chat" in message.data:
        origin = {"type": "chat", "sender_chat": message.data["sender_chat"], "date": message.data["date"]}
    return {"forward_origin": origin, **content}


def _free(message: Message) -> bool:
    return not (message.service or message.protected)


def _copy_message(world: World, bot: Bot, params: Json) -> Json:
    refuse_parse_mode(params)
    source = world.room_known(bot, params["from_chat_id"])
    world.room_for(bot, params["chat_id"])
    message = message_for(source, params["message_id"], "to copy")
    if not _free(message):
        raise bad("message can't be copied")
    return {"message_id": send(world, bot, params, _copied(message, params)).id}


def _forward_message(world: World, bot: Bot, params: Json) -> Json:
    source = world.room_known(bot, params["from_chat_id"])
    world.room_for(bot, params["chat_id"])
    message = message_for(source, params["message_id"], "to forward")
    if not _free(message):
        raise bad("message can't be forwarded")
    return send(world, bot, params, _forwarded(message)).data


def _batch(source: Room, ids: list[int]) -> list[Message]:
    if not ids:
        raise bad("message identifiers are not specified")
    if len(ids) > MOST:
        raise bad("too many message identifiers specified")
    if any(later <= earlier for earlier, later in pairwise(ids)):
        raise bad("message identifiers must be in a strictly increasing order")
    found = [source.live(message_id) for message_id in ids]
    return [message for message in found if message is not None and _free(message)]


def _copy_messages(world: World, bot: Bot, params: Json) -> list[Json]:
    return _send_batch(world, bot, params, copy=True)


def _forward_messages(world: World, bot: Bot, params: Json) -> list[Json]:
    return _send_batch(world, bot, params, copy=False)


def _send_batch(world: World, bot: Bot, params: Json, *, copy: bool) -> list[Json]:
    source = world.room_known(bot, params["from_chat_id"])
    world.room_for(bot, params["chat_id"])
    messages = _batch(source, params["message_ids"])
    if not messages:
        raise bad(f"there are no messages to {'copy' if copy else 'forward'}")
    albums: dict[str, str] = {}
    made = []
    for message in messages:
        old = message.data.get("media_group_id")
        album = albums.setdefault(old, new_album(world)) if old is not None else None
        content = _copied(message, params) if copy else _forwarded(message)
        made.append({"message_id": send(world, bot, params, content, album).id})
    return made


METHODS = {
    "copyMessage": _copy_message,
    "copyMessages": _copy_messages,
    "forwardMessage": _forward_message,
    "forwardMessages": _forward_messages,
}

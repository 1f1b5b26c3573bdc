"""editMessageText, …Caption, …Media, …ReplyMarkup."""

from sandbox.telegram.entities import caption_fields
from sandbox.telegram.errors import NOT_MODIFIED, bad
from sandbox.telegram.keyboards import inline_part
from sandbox.telegram.methods.copying import CAPTIONED, content_of
from sandbox.telegram.methods.media import media_fields
from sandbox.telegram.methods.sending import refuse_parse_mode, text_content
from sandbox.telegram.model import Bot, Json, Message, Room
from sandbox.telegram.posting import change
from sandbox.telegram.world import World, message_for


def _target(world: World, bot: Bot, params: Json) -> tuple[Room, Message]:
    if params.get("inline_message_id"):
        raise bad("MESSAGE_ID_INVALID")
    for name in ("chat_id", "message_id"):
        if name not in params:
            raise bad(f'parameter "{name}" is required')
    room = world.room_known(bot, params["chat_id"])
    message = message_for(room, params["message_id"], "to edit")
    if message.sender != bot.id or message.service:
        raise bad("message can't be edited")
    return room, message


def _apply(world: World, room: Room, message: Message, content: Json, markup: Json | None) -> Json:
    """Replace the content; a missing reply_markup takes the old one away, as the server does."""
    old = content_of(message)
    inline = inline_part(room, markup)
    if old == content and message.data.get("reply_markup") == inline:
        raise bad(NOT_MODIFIED)
    gone = {key: None for key in old if key not in content}
    change(world, room, message, {**gone, **content, "reply_markup": inline}, dated=old != content)
    return message.data


def _edit_text(world: World, bot: Bot, params: Json) -> Json:
    if "text" not in params:
        raise bad("message text is empty")
    room, message = _target(world, bot, params)
    content = text_content(params)
    if "text" not in message.data:
        raise bad("there is no text in the message to edit")
    return _apply(world, room, message, content, params.get("reply_markup"))


def _edit_caption(world: World, bot: Bot, params: Json) -> Json:
    refuse_parse_mode(params)
    room, message = _target(world, bot, params)
    old = content_of(message)
    if not CAPTIONED & old.keys():
        raise bad("there is no caption in the message to edit")
    kept = {key: value for key, value in old.items() if key not in ("caption", "caption_entities")}
    content = kept | caption_fields(params.get("caption"), params.get("caption_entities"))
    return _apply(world, room, message, content, params.get("reply_markup"))


def _edit_media(world: World, bot: Bot, params: Json) -> Json:
    room, message = _target(world, bot, params)
    if message.data.get("media_group_id") and params["media"]["type"] == "animation":
        raise bad("can't use the media of the specified type in the album")
    if params["media"]["type"] not in CAPTIONED:
        raise bad(f"the sandbox has no media of type {params['media']['type']}")
    content = media_fields(world, params["media"]["type"], params["media"], "media")
    return _apply(world, room, message, content, params.get("reply_markup"))


def _edit_markup(world: World, bot: Bot, params: Json) -> Json:
    room, message = _target(world, bot, params)
    return _apply(world, room, message, content_of(message), params.get("reply_markup"))


METHODS = {
    "editMessageText": _edit_text,
    "editMessageCaption": _edit_caption,
    "editMessageMedia": _edit_media,
    "editMessageReplyMarkup": _edit_markup,
}

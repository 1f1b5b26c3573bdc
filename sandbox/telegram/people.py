"""What people do in Telegram: write, edit, delete, press, react, block."""

from typing import Final

from sandbox.telegram.entities import caption_fields, text_fields
from sandbox.telegram.errors import Refused
from sandbox.telegram.files import FILE_KINDS, media_content, store
from sandbox.telegram.keyboards import callback_data, used_reply_keyboard
from sandbox.telegram.methods import reactions
from sandbox.telegram.methods.copying import CAPTIONED, content_of
from sandbox.telegram.methods.media import NO_CAPTION, check_album, new_album
from sandbox.telegram.methods.sending import (
    contact_content,
    dice_content,
    location_content,
    poll_content,
    venue_content,
)
from sandbox.telegram.model import Callback, Group, Json, Message, Private, Room, Upload, User
from sandbox.telegram.posting import Draft, change, post, remove
from sandbox.telegram.replies import reply_fields
from sandbox.telegram.samples import kind_of, sample
from sandbox.telegram.world import ANONYMOUS, CHANNEL_BOT, World

PLACE: Final = {"latitude": 43.238949, "longitude": 76.889709}


def say(world: World, asked: Json) -> Message | list[Message]:
    """A person writes; an album comes back as a list."""
    author, room = _room(world, asked)
    if isinstance(room, Private) and room.blocked:
        raise Refused(f"user {author.id} has blocked the bot: unblock it first")
    thread, reply = _place(room, author, asked)
    sender, sender_chat = _mask(room, author, asked)
    draft = Draft(sender, {}, thread, reply, sender_chat, protect=bool(asked.get("protected")))
    if asked.get("album"):
        return _album(world, room, draft, asked["album"], author)
    draft.content = _content(world, asked, author)
    message = _post(world, room, draft, author)
    used_reply_keyboard(world, room, draft.content.get("text", ""))
    return message


def _post(world: World, room: Room, draft: Draft, author: User) -> Message:
    if isinstance(room, Private):
        room.started = True
    message = post(world, room, draft)
    # Behind a mask the message still belongs to the person, who may edit it.
    message.sender = author.id
    return message


def _album(world: World, room: Room, draft: Draft, items: list[Json], author: User) -> list[Message]:
    check_album([str(item.get("kind")) for item in items])
    contents = [_content(world, item, author) for item in items]
    album = new_album(world)
    made = []
    for content in contents:
        part = Draft(draft.sender, content, draft.thread, draft.reply, draft.sender_chat, album, False, draft.protect)
        made.append(_post(world, room, part, author))
    return made


def _room(world: World, asked: Json) -> tuple[User, Room]:
    author = world.user(asked.get("from"))
    return author, world.room_seen(asked.get("chat"), author)


def _place(room: Room, author: User, asked: Json) -> tuple[int | None, Json | None]:
    thread: int | None = asked.get("thread")
    target = _message(room, asked["reply_to"]) if asked.get("reply_to") else None
    if target is not None and thread is None:
        thread = target.thread
    _check_topic(room, author, thread)
    if target is None:
        return thread, None
    return thread, reply_fields(room, target, asked.get("quote"))


def _check_topic(room: Room, author: User, thread: int | None) -> None:
    if not isinstance(room, Group):
        if thread is not None:
            raise Refused("a private chat has no topics")
        return
    admin = room.member(author.id).status in ("creator", "administrator")
    if thread is None:
        closed = room.general_closed
    else:
        topic = room.topics.get(thread)
        if topic is None or topic.deleted:
            raise Refused(f"group {room.id} has no topic {thread}; General has no thread id")
        closed = topic.closed
    if closed and not admin:
        raise Refused(f"topic {thread or 'General'} is closed: only administrators write there")


def _mask(room: Room, author: User, asked: Json) -> tuple[Json, Json | None]:
    if asked.get("anonymous"):
        if not isinstance(room, Group):
            raise Refused("only a group has anonymous administrators")
        return ANONYMOUS, room.chat
    if asked.get("as_channel"):
        title = f"{author.data['first_name']}'s channel"
        return CHANNEL_BOT, {"id": -1_009_000_000_000 - author.id, "title": title, "type": "channel"}
    return author.data, None


def _content(world: World, asked: Json, author: User) -> Json:
    kind = asked.get("kind") or _implied_kind(world, asked)
    if kind is None:
        return text_fields(asked.get("text") or "", asked.get("entities"))
    if kind in FILE_KINDS:
        return _file_content(world, kind, asked)
    if kind == "contact":
        own = {
            "phone_number": "+77010000000",
            "first_name": author.data["first_name"],
            "user_id": author.id,
        }
        return contact_content({**own, **(asked.get("contact") or {})})
    if kind == "location":
        return location_content({**PLACE, **(asked.get("location") or {})})
    if kind == "venue":
        return venue_content({**PLACE, "title": "Office", "address": "Abay Avenue 1", **(asked.get("location") or {})})
    if kind == "poll":
        return poll_content(world, {"question": "When?", "options": ["Now", "Later"], **(asked.get("poll") or {})})
    if kind == "dice":
        return dice_content({})
    raise Refused(f"unknown kind {kind}")


def _implied_kind(world: World, asked: Json) -> str | None:
    named = next((name for name in ("contact", "location", "poll") if asked.get(name)), None)
    if named is None and asked.get("file"):
        return kind_of(_upload(world, asked["file"]))
    return named


def _upload(world: World, upload_id: str) -> Upload:
    upload = world.uploads.get(upload_id)
    if upload is None:
        raise Refused(f"no upload {upload_id}: POST /sandbox/api/files first")
    return upload


def _file_content(world: World, kind: str, asked: Json) -> Json:
    upload = _upload(world, asked["file"]) if asked.get("file") else sample(kind)
    content = media_content(store(world, kind, upload))
    if kind in NO_CAPTION:
        return content
    caption = asked.get("caption") or asked.get("text")
    return content | caption_fields(caption, asked.get("entities"))


def _message(room: Room, message_id: object) -> Message:
    message = room.live(message_id) if isinstance(message_id, int) else None
    if message is None:
        raise Refused(f"no message {message_id} in this chat")
    return message


def _own(room: Room, author: User, asked: Json) -> Message:
    message = _message(room, asked.get("message_id"))
    if message.sender != author.id:
        raise Refused(f"message {message.id} is not by user {author.id}")
    return message


def edit(world: World, asked: Json) -> Message:
    """A person edits their message; without a new text it is an edit that changes nothing visible."""
    author, room = _room(world, asked)
    message = _own(room, author, asked)
    old = content_of(message)
    new = _edited(world, asked, old)
    gone = {key: None for key in old if key not in new}
    change(world, room, message, {**gone, **new})
    return message


def _edited(world: World, asked: Json, old: Json) -> Json:
    if asked.get("kind"):
        return _file_content(world, asked["kind"], asked)
    if "text" in asked and "text" in old:
        return text_fields(asked["text"], asked.get("entities"))
    if "caption" in asked or "text" in asked:
        if not CAPTIONED & old.keys():
            raise Refused("that message has no caption")
        kept = {k: v for k, v in old.items() if k not in ("caption", "caption_entities")}
        return kept | caption_fields(asked.get("caption", asked.get("text")), asked.get("entities"))
    return old


def delete(world: World, asked: Json) -> None:
    """Own messages anywhere, any message in a private chat, anything for an administrator."""
    author, room = _room(world, asked)
    message = _message(room, asked.get("message_id"))
    admin = isinstance(room, Private) or (
        isinstance(room, Group) and room.member(author.id).status in ("creator", "administrator")
    )
    if message.sender != author.id and not admin:
        raise Refused(f"message {message.id} is not by user {author.id}")
    remove(world, room, message)


def press(world: World, asked: Json) -> Callback:
    """A person presses a button below a bot's message."""
    author, room = _room(world, asked)
    message = _message(room, asked.get("message_id"))
    data = callback_data(message, str(asked.get("button")))
    bot = world.bots.get(message.sender)
    if bot is None:
        raise Refused(f"message {message.id} is not by a bot")
    callback_id = str(world.count("callbacks", 4_000_000_000_000_001))
    callback = Callback(callback_id, bot.id, author.id, room.where, world.now())
    world.callbacks[callback.id] = callback
    query = {
        "id": callback.id,
        "from": author.data,
        "chat_instance": str(abs(room.id) * 31),
        "message": message.data,
        "data": data,
    }
    bot.inbox.add("callback_query", query, ("callback", author.id))
    return callback


def react(world: World, asked: Json) -> None:
    """A person sets, changes or takes away their reaction."""
    author, room = _room(world, asked)
    message = _message(room, asked.get("message_id"))
    emoji: str | None = asked.get("emoji")
    if emoji is not None and emoji not in reactions.ALLOWED:
        raise Refused(f"{emoji} is not among the reactions Telegram allows")
    before = reactions.react(world, room, message, author.id, emoji)
    if before == emoji:
        return
    update = {
        "chat": room.chat,
        "message_id": message.id,
        "user": author.data,
        "date": int(world.now()),
        "old_reaction": [{"type": "emoji", "emoji": before}] if before else [],
        "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
    }
    for bot, member in world.audience(room):
        if member.status == "administrator":
            bot.inbox.add("message_reaction", update, ("message_reaction", room.id))

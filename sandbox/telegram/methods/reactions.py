"""setMessageReaction and answerCallbackQuery: the two quiet answers."""

from typing import Final

from sandbox.telegram.errors import OLD_QUERY, bad
from sandbox.telegram.model import Bot, Json, Message, Room
from sandbox.telegram.updates import CALLBACK_LIFE
from sandbox.telegram.world import World, message_for

_LIST: Final = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 "
    "🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 "
    "🤷\u200d♂ 🤷 🤷\u200d♀ 😡"
)
ALLOWED: Final = frozenset(_LIST.split())
ANSWER_LIMIT = 200


def react(world: World, room: Room, message: Message, who: int, emoji: str | None) -> str | None:
    """Set or take away one's only reaction; returns the one before."""
    before = message.reactions.pop(who, None)
    if emoji is not None:
        message.reactions[who] = emoji
    more: Json = {"message_id": message.id, "reactions": message.reaction_list()}
    world.emit("reaction", room, message.thread, lambda: more)
    return before


def _set_reaction(world: World, bot: Bot, params: Json) -> bool:
    room = world.room_known(bot, params["chat_id"])
    message = message_for(room, params["message_id"], "to react")
    asked: list[Json] = params.get("reaction") or []
    if len(asked) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if message.service:
        raise bad("MESSAGE_ID_INVALID")
    if asked and asked[0].get("emoji") not in ALLOWED:
        raise bad("REACTION_INVALID")
    react(world, room, message, bot.id, asked[0]["emoji"] if asked else None)
    return True


def _answer(world: World, bot: Bot, params: Json) -> bool:
    callback = world.callbacks.get(params["callback_query_id"])
    if callback is None or callback.bot != bot.id or world.now() - callback.at > CALLBACK_LIFE:
        raise bad(OLD_QUERY)
    text = params.get("text")
    if text and len(text) > ANSWER_LIMIT:
        raise bad("MESSAGE_TOO_LONG")
    callback.answered = True
    callback.text = text
    callback.show_alert = bool(params.get("show_alert"))
    callback.url = params.get("url")
    frame = {
        "callback_query_id": callback.id,
        "by": callback.user,
        "text": text,
        "show_alert": callback.show_alert,
        "url": callback.url,
    }
    world.events.emit("callback_answer", callback.where, lambda: frame)
    return True


METHODS = {"setMessageReaction": _set_reaction, "answerCallbackQuery": _answer}

"""reply_markup: what is allowed on a keyboard, and which button a person means."""

from collections.abc import Iterator
from typing import Final

from sandbox.telegram.errors import Refused, bad
from sandbox.telegram.model import Json, Message, Private, Room
from sandbox.telegram.world import World

MOST_BUTTONS = 100
SILENT: Final = {
    "url": "a link",
    "copy_text": "a copy button",
    "web_app": "a mini app",
    "login_url": "a login link",
    "switch_inline_query": "an inline query",
    "switch_inline_query_current_chat": "an inline query",
    "switch_inline_query_chosen_chat": "an inline query",
    "pay": "a payment",
    "callback_game": "a game",
    "disabled": "disabled",
}
PRIVATE_ONLY: Final = {
    "request_contact": "phone number can be requested in private chats only",
    "request_location": "location can be requested in private chats only",
    "request_users": "users can be requested in private chats only",
    "request_chat": "chats can be requested in private chats only",
    "request_poll": "poll can be requested in private chats only",
}


def buttons(markup: Json | None) -> Iterator[Json]:
    for row in (markup or {}).get("inline_keyboard", ()):
        yield from row


def inline_part(room: Room, markup: Json | None) -> Json | None:
    """The part of reply_markup that stays on the message; the whole of it is checked."""
    if not markup:
        return None
    if "inline_keyboard" in markup:
        return _inline(markup)
    for row in markup.get("keyboard", ()):
        for button in row:
            _check_reply_button(room, button)
    return None


def _inline(markup: Json) -> Json | None:
    rows = [[{k: v for k, v in b.items() if v is not None} for b in row] for row in markup["inline_keyboard"]]
    rows = [row for row in rows if row]
    for row in rows:
        for button in row:
            _check_inline(button)
    if sum(len(row) for row in rows) > MOST_BUTTONS:
        raise bad("reply markup is too long")
    return {"inline_keyboard": rows} if rows else None


def _check_inline(button: Json) -> None:
    if not button["text"].strip():
        raise bad("can't parse inline keyboard button: text can't be empty")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    copied = button.get("copy_text")
    if copied is not None and not 1 <= len(copied["text"]) <= 256:
        raise bad("BUTTON_COPY_TEXT_INVALID")
    url = button.get("url")
    if url is not None and not url.startswith(("http://", "https://", "tg://")):
        raise bad(f"inline keyboard button URL '{url}' is invalid: wrong HTTP URL")
    actions = [key for key in ("callback_data", *SILENT) if key in button]
    if not actions:
        raise bad("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")


def _check_reply_button(room: Room, button: Json | str) -> None:
    if isinstance(button, str):
        return
    if not button["text"].strip():
        raise bad("can't parse keyboard button: text can't be empty")
    if isinstance(room, Private):
        return
    for key, text in PRIVATE_ONLY.items():
        if button.get(key):
            raise bad(text)


def show_reply_keyboard(world: World, room: Room, markup: Json | None) -> None:
    """A reply keyboard appears below the input field, or goes."""
    if not markup or "inline_keyboard" in markup:
        return
    if "keyboard" in markup or markup.get("force_reply"):
        _set(world, room, markup)
    elif markup.get("remove_keyboard"):
        _set(world, room, None)


def used_reply_keyboard(world: World, room: Room, text: str) -> None:
    """A one-time keyboard folds away once one of its buttons was used."""
    keyboard = room.keyboard
    if keyboard is None:
        return
    texts = {b if isinstance(b, str) else b["text"] for row in keyboard.get("keyboard", ()) for b in row}
    if keyboard.get("force_reply") or (keyboard.get("one_time_keyboard") and text in texts):
        _set(world, room, None)


def _set(world: World, room: Room, keyboard: Json | None) -> None:
    room.keyboard = keyboard
    world.emit("keyboard", room, None, lambda: {"reply_keyboard": keyboard})


def callback_data(message: Message, button: str) -> str:
    """The data behind a button, named by its text or by its data."""
    found = [b for b in buttons(message.data.get("reply_markup")) if button in (b["text"], b.get("callback_data"))]
    if not found:
        there = ", ".join(f"«{b['text']}»" for b in buttons(message.data.get("reply_markup"))) or "none"
        raise Refused(f"message {message.id} has no button «{button}»; there are: {there}")
    silent = next((what for key, what in SILENT.items() if found[0].get(key)), None)
    if silent is not None or "callback_data" not in found[0]:
        raise Refused(f"button «{found[0]['text']}» is {silent or 'silent'}: pressing it tells the bot nothing")
    return str(found[0]["callback_data"])

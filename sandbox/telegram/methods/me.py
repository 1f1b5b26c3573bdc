"""The bot about itself: getMe, commands, name, descriptions, menu button."""

import re
from collections.abc import Callable
from typing import Final

from sandbox.telegram.commands import LANGUAGE, scope_key
from sandbox.telegram.errors import bad
from sandbox.telegram.model import Bot, Json
from sandbox.telegram.world import World

TEXTS: Final = {
    "Name": ("name", 64),
    "Description": ("description", 512),
    "ShortDescription": ("short_description", 120),
}
COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")


def _get_me(world: World, bot: Bot, params: Json) -> Json:
    return {
        **bot.data,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def _key(params: Json) -> tuple[str, str]:
    language = params.get("language_code") or ""
    if language and not LANGUAGE.fullmatch(language):
        raise bad("language code is invalid")
    return scope_key(params.get("scope")), language


def _set_commands(world: World, bot: Bot, params: Json) -> bool:
    commands: list[Json] = params["commands"]
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    bot.commands[_key(params)] = [
        {"command": c["command"].removeprefix("/"), "description": c["description"]} for c in commands
    ]
    world.events.emit("commands", {"bot": bot.id})
    return True


def _get_commands(world: World, bot: Bot, params: Json) -> list[Json]:
    return bot.commands.get(_key(params), [])


def _delete_commands(world: World, bot: Bot, params: Json) -> bool:
    bot.commands.pop(_key(params), None)
    world.events.emit("commands", {"bot": bot.id})
    return True


def _setter(field: str, limit: int) -> Callable[[World, Bot, Json], bool]:
    def set_text(world: World, bot: Bot, params: Json) -> bool:
        text = params.get(field) or ""
        if len(text) > limit:
            raise bad(f"bot {field.replace('_', ' ')} is too long")
        bot.texts[field, params.get("language_code") or ""] = text
        return True

    return set_text


def _getter(field: str) -> Callable[[World, Bot, Json], Json]:
    def get_text(world: World, bot: Bot, params: Json) -> Json:
        usual = bot.data["first_name"] if field == "name" else ""
        text = bot.texts.get((field, params.get("language_code") or "")) or bot.texts.get((field, ""))
        return {field: text or usual}

    return get_text


def _set_menu_button(world: World, bot: Bot, params: Json) -> bool:
    bot.menu_buttons[params.get("chat_id", 0)] = params.get("menu_button") or {"type": "default"}
    return True


def _get_menu_button(world: World, bot: Bot, params: Json) -> Json:
    return bot.menu_buttons.get(params.get("chat_id", 0)) or bot.menu_buttons.get(0) or {"type": "commands"}


METHODS: dict[str, Callable[[World, Bot, Json], object]] = {
    "getMe": _get_me,
    "setMyCommands": _set_commands,
    "getMyCommands": _get_commands,
    "deleteMyCommands": _delete_commands,
    "setChatMenuButton": _set_menu_button,
    "getChatMenuButton": _get_menu_button,
    **{f"setMy{name}": _setter(field, limit) for name, (field, limit) in TEXTS.items()},
    **{f"getMy{name}": _getter(field) for name, (field, _) in TEXTS.items()},
}

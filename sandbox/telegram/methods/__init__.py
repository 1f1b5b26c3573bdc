"""The Bot API's methods: documented name → function of (world, bot, checked parameters)."""

from collections.abc import Callable
from typing import Final

from sandbox.telegram.methods import (
    chats,
    copying,
    deleting,
    editing,
    me,
    media,
    pins,
    reactions,
    sending,
    topics,
    webhook,
)
from sandbox.telegram.model import Bot, Json
from sandbox.telegram.world import World

Method = Callable[[World, Bot, Json], object]

METHODS: Final[dict[str, Method]] = {
    **me.METHODS,
    **webhook.METHODS,
    **sending.METHODS,
    **media.METHODS,
    **copying.METHODS,
    **editing.METHODS,
    **deleting.METHODS,
    **pins.METHODS,
    **reactions.METHODS,
    **topics.METHODS,
    **chats.METHODS,
}

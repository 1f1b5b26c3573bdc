"""What the topics read when two requests become one. Pure."""

from collections.abc import Callable
from typing import Any

from aiogram.utils.formatting import Text, TextLink

from bot.rendered import Rendered, render
from bot.views import Look


def _merged_into(look: Look, facts: dict[str, Any]) -> Rendered:
    words = look.t("{name} merged this request; it goes on in", name=facts["name"])
    return render(Text(f"🔗 {words} ", _way(facts)))


def _merged_from(look: Look, facts: dict[str, Any]) -> Rendered:
    words = look.t("{name} merged into this request:", name=facts["name"])
    return render(Text(f"🔗 {words} ", _way(facts)))


def _way(facts: dict[str, Any]) -> Text | str:
    """To another topic; only its name, while it has none."""
    name = f"{facts['reference']} · {facts['subject']}"
    if facts["chat"] is None or facts["thread"] is None:
        return name
    # Supergroups are known to links without the -100 before their id.
    return TextLink(name, url=f"https://t.me/c/{str(facts['chat']).removeprefix('-100')}/{facts['thread']}")


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "merged_into": _merged_into,
    "merged_from": _merged_from,
}

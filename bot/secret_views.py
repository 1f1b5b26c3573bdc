"""What engineers read of a secret that was handed over. Pure."""

from collections.abc import Callable
from typing import Any

from bot.rendered import Rendered, render
from bot.views import Look


def _opened(look: Look, facts: dict[str, Any]) -> Rendered:
    """By whom, nobody can know."""
    words = look.t("The page with the login and the password was opened at {time}", time=look.local(facts["at"]))
    return render(f"🔑 {words}")


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {"secret_opened": _opened}

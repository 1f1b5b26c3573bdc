"""What engineers read of an emergency. Pure."""

from collections.abc import Callable
from typing import Any

from aiogram.utils.formatting import Bold, as_list

from bot.rendered import Rendered, render
from bot.views import Look
from crm.sla.models import Emergency


def state(look: Look, held: Emergency | None) -> Rendered:
    if held is None:
        return render(look.t("No emergency: answers are promised as usual."))
    facts = {"minutes": held.minutes, "ends_at": held.ends_at, "reason": held.reason, "name": held.agent_name}
    return _begun(look, facts)


def _begun(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    until = t("Emergency until {time} ({place} time)", time=look.local(facts["ends_at"]), place=look.place)
    return render(
        as_list(
            Bold(f"🆘 {until}"),
            t.n(
                "New requests are promised a first answer within {n} minute.",
                "New requests are promised a first answer within {n} minutes.",
                facts["minutes"],
            ),
            t("Customers read why: {reason}", reason=facts["reason"]),
            t("Declared by {name}; /emergency off ends it.", name=facts["name"]),
        )
    )


def _over(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    ended = t("{name} ended the emergency.", name=facts["name"]) if facts["name"] else t("The emergency is over.")
    return render(
        as_list(
            Bold(f"🟢 {ended}"),
            t("Reason:") + " " + facts["reason"],
            t("New requests are promised an answer as usual."),
        )
    )


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {"emergency": _begun, "emergency_over": _over}

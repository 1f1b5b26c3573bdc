"""Maintenance, as the group reads of it. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from aiogram.utils.formatting import Bold, Text, as_list
from babel.dates import get_day_names

from bot.rendered import Rendered, render
from bot.views import Look
from crm import time
from crm.sla.calendar import WEEKDAYS
from crm.sla.windows import Recurring


def _when(look: Look, facts: dict[str, Any]) -> str:
    start, end = datetime.fromisoformat(facts["start"]), datetime.fromisoformat(facts["end"])
    return time.stretch(start, end, look.profile.timezone, look.language, look.now)


def announced(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    head = t("Maintenance №{number}: {when} ({place} time)", **_place(look, facts))
    return render(
        as_list(
            Bold(f"🛠 {head}"),
            facts["reason"],
            t(
                "{name} announces it. The clocks stand for it; customers whose promise moves are told.",
                name=facts["by"],
            ),
        )
    )


def cancelled(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    head = t("Maintenance №{number} is cancelled: {when} ({place} time)", **_place(look, facts))
    return render(
        as_list(
            Bold(f"🛠 {head}"),
            t("{name} cancels it. Customers whose promise moves are told.", name=facts["by"]),
        )
    )


def _place(look: Look, facts: dict[str, Any]) -> dict[str, Any]:
    return {"number": facts["number"], "when": _when(look, facts), "place": look.place}


def listing(look: Look, windows: Sequence[dict[str, Any]]) -> Rendered:
    """What goes on, what is to come, and what comes every week."""
    t = look.t
    lines: list[Text | str] = [Bold("🛠 " + t("Maintenance ({place} time)", place=look.place))]
    lines += [f"№{one['number']}: {_when(look, one)} · {one['reason']}" for one in windows]
    lines += [_weekly(look, each) for each in look.profile.maintenance]
    if len(lines) == 1:
        lines.append(t("None is announced."))
    lines += [
        t("Announce: /maintenance 2h reason, or /maintenance 2026-12-03 18:00-20:00 reason"),
        t("Cancel: /maintenance cancel and its number"),
    ]
    return render(as_list(*lines))


def _weekly(look: Look, each: Recurring) -> str:
    day = get_day_names("wide", locale=look.language)[WEEKDAYS.index(each.weekday)]
    hours = f"{day} {each.begin}–{each.end}"
    place = time.city(each.timezone, look.language)
    return look.t("every week: {hours} ({place} time)", hours=hours, place=place)


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "maintenance": announced,
    "maintenance_cancelled": cancelled,
}

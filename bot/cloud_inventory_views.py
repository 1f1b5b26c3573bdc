"""What engineers read of the cloud itself: it is away, it is back, quotas have drifted. Pure."""

from collections.abc import Callable
from typing import Any

from aiogram.utils.formatting import Bold, Text, as_list

from bot.hands_views import short
from bot.rendered import Rendered, render
from bot.views import Look
from crm.cloud import words


def _away(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    since = t("The cloud does not answer as it should since {time} ({place} time).", time=look.local(facts["since"]),
              place=look.place)  # fmt: skip
    what = t("What the desk shows of it is as old as that; approved actions wait.")
    return render(as_list(Bold(f"☁️ {since}"), what, facts["problem"][:300]))


def _back(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    return render("🌤 " + t("The cloud answers again; it was away since {time}.", time=look.local(facts["since"])))


def _drifted(look: Look, facts: dict[str, Any]) -> Rendered:
    t, labels = look.t, words.resource_labels(look.t)
    lines: list[Text | str] = [Bold("⚖️ " + t("Quotas in the cloud are not as this desk set them:"))]
    for one in facts["drifts"]:
        owner = f" ({short(one['organization'])})" if one["organization"] else ""
        is_so = t(
            "{resource}: set {granted}, in the cloud {allowed}",
            resource=labels[one["resource"]],
            granted=words.amount(t, one["resource"], one["granted"]),
            allowed=words.amount(t, one["resource"], one["allowed"]),
        )
        lines.append(Text(Bold(short(one["project"])), f"{owner} · {is_so}"))
    if facts["more"]:
        lines.append(t("… and {n} more: kezekshi cloud drift", n=facts["more"]))
    return render(as_list(*lines))


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "cloud_away": _away,
    "cloud_back": _back,
    "quota_drift": _drifted,
}

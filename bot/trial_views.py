"""What people read in Telegram of trials: customers who ask for one, engineers who decide. Pure.

What a customer is told of one later on is the same by every channel (`crm/cloud/trial_notices.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Code, Text, as_list

from bot import keyboards
from bot.callbacks import Cabinet, Judge
from bot.cloud_views import leaving
from bot.keyboards import Rows, button
from bot.rendered import Rendered, render
from crm.cloud import trial_notices
from crm.look import Look
from crm.texts import Texts

Lines = list[Text | str]

# --- a customer asks -----------------------------------------------------------------------------------------------


def name(look: Look, dialogue: int) -> Rendered:
    """What it is, in short, and the first question."""
    t, rules = look.t, look.profile.trial
    lines: Lines = [Bold(t("Try it free of charge"))]
    if rules is not None:
        lines.append(trial_notices.length(t, rules.days))
        lines += trial_notices.within(t, {str(resource): limit for resource, limit in rules.limits.items()})
    lines += [trial_notices.afterwards(t), t("It is for new customers, and once only.")]
    asked = t("For whom? Write the name of your organization, or your own.")
    shown = as_list(as_list(*lines), asked, sep="\n\n")
    return render(shown, keyboards.inline(leaving(t, dialogue)))


def new_trial(look: Look, chosen: str, number: str, dialogue: int) -> Rendered:
    t = look.t
    lines: Lines = [
        Bold(t("Try it free of charge")),
        t("For: {name}", name=chosen),
        t("Phone: {phone}", phone=number),
        "",
        t("An engineer has to agree; then its login and password come here."),
    ]
    rows: Rows = [[button(t("Ask for the trial"), Cabinet(dialogue=dialogue, step="ask"), "success")]]
    rows += leaving(t, dialogue, Cabinet(dialogue=dialogue, step="name"))
    return render(as_list(*lines), keyboards.inline(rows))


def sent(look: Look, reference: str) -> Rendered:
    return render(
        "✅ " + look.t("{reference}: the trial is asked for. You hear here what becomes of it.", reference=reference)
    )


def _wish(t: Texts, wish: Mapping[str, Any]) -> list[str]:
    lines = [t("Organization:") + f" {wish['organization']}"]
    if wish.get("phone"):
        known = t("confirmed by Telegram") if wish["verified"] else t("written, not confirmed")
        lines.append(t("Phone:") + f" {wish['phone']} ({known})")
    return lines


# --- engineers decide ----------------------------------------------------------------------------------------------


def judging(t: Texts, ticket_id: int) -> InlineKeyboardMarkup:
    return keyboards.inline(
        [
            [
                button(t("Grant the trial"), Judge(action="grant", ticket=ticket_id), "success"),
                button(t("Refuse it"), Judge(action="refuse", ticket=ticket_id), "danger"),
            ]
        ]
    )


def state_labels(t: Texts) -> dict[str, str]:
    return {
        "asked": t("waits for a decision"),
        "granted": t("granted, the cabinet is not open yet"),
        "opened": t("the cabinet is open, nothing was launched yet"),
        "running": t("is running"),
        "paid": t("over, paid use has begun"),
        "closed": t("over, all was deleted"),
        "refused": t("refused"),
    }


def _obstacle(t: Texts, what: str, reference: str | None) -> str:
    labels = {
        "customer": t("They are a customer already: there is a cabinet"),
        "person": t("This person has had one"),
        "organization": t("This organization has had one"),
        "phone": t("Somebody with this phone has had one"),
        "domain": t("Somebody with this mail address or domain has had one"),
    }
    return f"⛔️ {labels.get(what, what)}" + (f" ({reference})" if reference else "")


def state(
    look: Look,
    ticket_id: int,
    trial: Mapping[str, Any],
    obstacles: Sequence[tuple[str, str | None]],
    decidable: bool,
) -> Rendered:
    """How a trial stands; with buttons while it can be decided. `obstacles`: what speaks against it, and in which
    request that was."""
    t = look.t
    lines: Lines = [Text(Bold(t("Trial:")), " ", state_labels(t)[trial["state"]]), *_wish(t, trial)]
    if trial["decided_by_name"]:
        lines.append(t("Decided by {name}", name=trial["decided_by_name"]))
    if trial["launched_at"] and trial["ends_at"]:
        span = {"begin": look.local(trial["launched_at"]), "end": look.local(trial["ends_at"])}
        lines.append(t("From {begin} to {end} ({place} time)", **span, place=look.place))
    lines += against(t, obstacles)
    if trial["state"] == "asked" and not obstacles:
        lines.append("✅ " + t("Nothing known speaks against it."))
    return render(as_list(*lines), judging(t, ticket_id) if decidable else None)


def against(t: Texts, obstacles: Sequence[tuple[str, str | None]]) -> list[str]:
    return [_obstacle(t, what, reference) for what, reference in obstacles]


def not_eligible(look: Look, obstacles: Sequence[tuple[str, str | None]]) -> Rendered:
    """An engineer wanted to make a trial of a request."""
    t = look.t
    head = Bold(t("No trial: it is granted once only, and to customers who never used the service."))
    return render(as_list(head, *against(t, obstacles)))


def refusals(t: Texts) -> dict[tuple[str, str], str]:
    """Why somebody gets none; a customer does not learn from it who else had one."""
    return {
        ("HadTrial", "customer"): t("You are our customer already, and a trial is for new ones. Just write to us."),
        ("HadTrial", "person"): t("You have asked for a trial before, and it is granted once only."),
        ("HadTrial", "organization"): t("Your organization has had its trial, and it is granted once only."),
        ("HadTrial", "phone"): t("With this phone number a trial was asked for before, and it is granted once only."),
        ("HadTrial", "domain"): t(
            "With your mail address or its domain a trial was asked for before, and it is granted once only."
        ),
        ("NoCloud", "trial"): t("This desk gives no trials."),
        ("NotFound", "trial"): t("This request is none for a trial; /trial makes it one."),
        ("WrongStatus", "trial"): t("This trial is decided already; /trial shows how it stands."),
    }


# --- notices of the topic -------------------------------------------------------------------------------------------


def _asked(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    lines = as_list(Bold("🎁 " + t("A trial is asked for. Grant it?")), *_wish(t, facts))
    return render(lines, judging(t, facts["ticket"]))


def _refused(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    reason = (t("Reason:") + " " + facts["reason"],) if facts.get("reason") else ()
    return render(as_list("⛔️ " + t("{name} refused the trial", name=facts["name"]), *reason))


def _unused(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("💤 " + look.t("Nothing has been launched yet in this trial's cabinet; the customer is reminded"))


def _span(look: Look, facts: dict[str, Any]) -> str:
    return f"{look.local(facts['launched_at'])} – {look.local(facts['ends_at'])} ({look.place})"


def _begun(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(Text("▶️ ", Bold(look.t("The trial has begun:")), " ", _span(look, facts)))


def _paid(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    head = Text("💳 ", Bold(t("The trial is over, paid use has begun:")), " ", _span(look, facts))
    billing = (t("For the bill: {reference}", reference=facts["billing"]),) if facts.get("billing") else ()
    return render(as_list(head, *billing))


def _closed(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(Text("🏁 ", Bold(look.t("The trial is over, all was deleted:")), " ", _span(look, facts)))


def _billing(look: Look, facts: dict[str, Any]) -> Rendered:
    """What whoever writes the bill has to know."""
    t = look.t
    lines: Lines = [
        Bold("💳 " + t("Paid use after a trial: the customer has asked nothing and waits for no answer.")),
        t("Organization:") + f" {facts['organization']}",
        Text(t("Cabinet:"), " ", Code(facts["project"])),
        t("Paid since {time} ({place} time), at the price list", time=look.local(facts["ends_at"]), place=look.place),
        t("Trial: {reference}", reference=facts["reference"]),
    ]
    return render(as_list(*lines))


def _unseen(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    since = look.local(facts["seen_at"]) if facts.get("seen_at") else t("never")
    head = Bold("🚨 " + t("Trials have ended, but the cloud has not been seen since: nothing is decided."))
    return render(as_list(head, t("Seen last: {time}", time=since), ", ".join(facts["references"][:50])))


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "trial_asked": _asked,
    "trial_refused": _refused,
    "trial_unused": _unused,
    "trial_begun": _begun,
    "trial_paid": _paid,
    "trial_closed": _closed,
    "trial_billing": _billing,
    "trials_unseen": _unseen,
}

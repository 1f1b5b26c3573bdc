"""What requesters read. Pure: facts and a language in, text with entities and buttons out."""

from collections.abc import Callable, Sequence
from typing import Any

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Text, as_list

from bot import callbacks as press
from bot import cloud_notices, cloud_views, keyboards, kinds
from bot.rendered import Rendered, render
from crm import notices
from crm.notices import Look as Look
from crm.notices import type_labels as type_labels
from crm.texts import Texts

Notice = Callable[[Look, dict[str, Any]], Rendered]


def status_labels(t: Texts) -> dict[str, str]:
    return {
        "new": t("registered"),
        "open": t("in progress"),
        "pending": t("waiting for your answer"),
        "on_hold": t("waiting for a third party"),
        "resolved": t("solved, please confirm"),
        "closed": t("closed"),
        "declined": t("declined"),
    }


# --- the bot's own pages ---------------------------------------------------------------------------------


def welcome(look: Look, accepted: bool) -> Rendered:
    t = look.t
    parts: list[Text | str] = [
        Bold(t("Hello! This is the support desk of {desk}.", desk=look.profile.title)),
        t(
            "Write in your own words what happened: "
            "it is registered at once and an engineer answers here, day and night."
        )
        if look.profile.around_the_clock
        else t(
            "Write in your own words what happened, at any hour: "
            "it is registered at once, and an engineer answers here in working hours."
        ),
    ]
    if not accepted:
        parts.append(notices.rules_text(t))
    return render(as_list(*parts, sep="\n\n"), keyboards.welcome(t, look.profile, accepted))


def ready(look: Look) -> Rendered:
    t = look.t
    return render(t("Thank you! Now just write what you need."), keyboards.menu(t))


def help_page(look: Look) -> Rendered:
    t = look.t
    return render(
        t(
            "Write what happened, with a photo or a file if it helps.\n"
            "Reply to a message to write to that very request.\n\n"
            "/new – a new request\n/requests – my requests\n/language – language\n/help – this page"
        ),
        keyboards.menu(t),
    )


def choose_language(look: Look) -> Rendered:
    t = look.t
    return render(t("Choose the language:"), keyboards.inline([keyboards.languages(look.profile, look.language)]))


def choose_kind(look: Look, dialogue: int = 0) -> Rendered:
    """`dialogue`: 0 as long as it has no message yet."""
    t = look.t
    shown = keyboards.kinds(t, look.profile, type_labels(t), dialogue)
    return render(t("What is it about? Choose, or just write."), shown)


def describe(look: Look, key: str, dialogue: int, back: str = "kinds") -> Rendered:
    """Write it in your own words; `back` as of `press.Dialogue`."""
    t = look.t
    hints = {
        "outage": t("Describe what stopped and since when."),
        "fault": t("Describe what works badly and since when."),
        "vm": t("Which VM, and what should be done with it?"),
        "quota": t("Which quotas, and how much do you need?"),
        "password": t("Which cabinet is it about? Never send the password itself."),
        "link": t("Which two zones should be linked?"),
        "incident": t("Describe what works badly and since when."),
        "domain": t("Which name do you want, and for which school?"),
        "mailbox": t("Which name should the mailbox have, and for whom?"),
        "restore": t("What should be restored, and as of which day?"),
        "technical": t("Describe what works badly and since when."),
    }
    leave = keyboards.leaving(t, dialogue, press.Dialogue(dialogue=dialogue, action=back))
    hint = hints.get(key, t("Describe what you need."))
    return render(as_list(Bold(type_labels(t)[key]), hint), keyboards.inline(leave))


def cancelled(look: Look) -> Rendered:
    """Said anew where the buttons below the input field were others."""
    return render(look.t("Cancelled: nothing was asked for. Write whenever you need us."), keyboards.menu(look.t))


def which_request(look: Look, message_id: int, tickets: list[tuple[int, str, str]]) -> Rendered:
    t = look.t
    labels = [(ticket, f"{reference} · {kinds.subject(t, stored)}"[:60]) for ticket, reference, stored in tickets]
    return render(t("Which request is this about?"), keyboards.which(t, message_id, labels))


def placed(look: Look, reference: str) -> Rendered:
    return render(look.t("Added to {reference}.", reference=reference))


def my_requests(look: Look, tickets: list[dict[str, Any]]) -> Rendered:
    t = look.t
    if not tickets:
        return render(t("You have no requests yet. Just write what you need."))
    labels = status_labels(t)
    lines: list[Text | str] = [Bold(t("My requests"))]
    called = {ticket["id"]: kinds.subject(t, ticket["subject"]) for ticket in tickets}
    lines += [
        Text(Bold(ticket["reference"]), f" · {called[ticket['id']]}\n", _state(look, ticket, labels))
        for ticket in tickets
    ]
    buttons = [(ticket["id"], f"{ticket['reference']} · {called[ticket['id']]}"[:60]) for ticket in tickets]
    return render(as_list(*lines, sep="\n\n"), keyboards.mine(buttons))


def _state(look: Look, ticket: dict[str, Any], labels: dict[str, str]) -> str:
    state = labels[ticket["status"]]
    if ticket.get("due_at") and ticket["status"] in ("new", "open"):
        return f"{state}, " + look.t("promised by {time}", time=look.local(ticket["due_at"]))
    return state


def own_ticket(
    look: Look, ticket: dict[str, Any], last: list[tuple[str, str]], actions: Sequence[dict[str, Any]] = ()
) -> Rendered:
    """`actions`: how what the cloud does for it stands (`crm.cloud.requests.of_ticket`)."""
    t = look.t
    lines: list[Text | str] = [
        Bold(f"{ticket['reference']} · {kinds.subject(t, ticket['subject'])}"),
        as_list(
            t("Type: {type}", type=type_labels(t)[ticket["type"]]),
            t("State: {state}", state=_state(look, ticket, status_labels(t))),
            t("Opened: {time}", time=look.local(ticket["opened_at"])),
        ),
    ]
    if actions:
        lines.append(as_list(*(cloud_views.progress(look, action) for action in actions)))
    if last:
        lines.append(as_list(*(Text(Bold(author + ": "), words) for author, words in last)))
    lines.append(t("To write to this request, reply to this message."))
    return render(as_list(*lines, sep="\n\n"), keyboards.own_ticket(t, ticket["id"], ticket["status"]))


def author_label(look: Look, kind: str) -> str:
    return look.t("You") if kind == "requester" else look.t("engineer")


# --- notices about a ticket -------------------------------------------------------------------------------


def _notice(name: str, buttons: Callable[[Look, dict[str, Any]], InlineKeyboardMarkup | None] | None = None) -> Notice:
    def shown(look: Look, facts: dict[str, Any]) -> Rendered:
        said = notices.SAYINGS[name](look, facts)
        return render(as_list(Bold(said.headline), *said.lines), buttons(look, facts) if buttons else None)

    return shown


def _acknowledged(look: Look, facts: dict[str, Any]) -> Rendered:
    """The first one brings the rules along: two messages would be one too many."""
    t = look.t
    said = notices.SAYINGS["acknowledged"](look, facts)
    shown = as_list(Bold(said.headline), *said.lines)
    if facts.get("rules"):
        return render(as_list(shown, notices.rules_text(t), sep="\n\n"), keyboards.rules(t))
    return render(shown, keyboards.menu(t))


def _solved(look: Look, facts: dict[str, Any]) -> InlineKeyboardMarkup:
    return keyboards.solved(look.t, facts["ticket"])


def _perhaps_solved(look: Look, facts: dict[str, Any]) -> InlineKeyboardMarkup | None:
    return _solved(look, facts) if facts.get("resolved") else None


def _lapsed(look: Look, facts: dict[str, Any]) -> Rendered:
    said = notices.SAYINGS["lapsed"](look, facts)
    asked = look.t("How did we do?")
    return render(as_list(Bold(said.headline), *said.lines, asked), keyboards.stars(facts["ticket"]))


def _repeat(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(look.t("↻ The next message may be a repeat."))


NOTICES: dict[str, Notice] = {
    **{name: _notice(name) for name in notices.SAYINGS},
    "acknowledged": _acknowledged,
    "resolved": _notice("resolved", _solved),
    "reminded": _notice("reminded", _solved),
    "lapsed": _lapsed,
    "action_succeeded": _notice("action_succeeded", _perhaps_solved),
    "secret_ready": cloud_notices.secret,
    "repeat": _repeat,
}


def repeat_mark(t: Texts) -> str:
    return t("↻ Possibly a repeat:") + "\n"


def rate(look: Look, reference: str, ticket_id: int) -> Rendered:
    t = look.t
    return render(
        as_list(Bold(t("{reference} is closed. Thank you!", reference=reference)), t("How did we do?")),
        keyboards.stars(ticket_id),
    )


def rated(look: Look, stars: int) -> Rendered:
    return render(look.t("Thank you for your rating: {stars} out of 5.", stars=stars))


def still_wrong(look: Look, reference: str) -> Rendered:
    return render(look.t("Sorry! {reference} is open again. Please write what is still wrong.", reference=reference))


def withdrawn(look: Look, reference: str, going: bool = False) -> Rendered:
    """`going`: the cloud is at it already."""
    t = look.t
    lines = [t("{reference} is withdrawn.", reference=reference)]
    if going:
        lines.append(t("What has begun in the cloud cannot be stopped any more; you hear here how it ends."))
    return render(as_list(*lines))


def cannot_relay(look: Look, kind: str) -> Rendered:
    t = look.t
    words = t("We cannot forward polls.") if kind == "poll" else t("We cannot forward messages of this kind.")
    return render(words + " " + t("Please write it as text, or send a photo or a file."))

"""What customers read in a dialogue about machines, and how what they asked of the cloud stands. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiogram.utils.formatting import Bold, Text, as_list

from bot import callbacks as press
from bot import keyboards
from bot.keyboards import Rows, button
from bot.rendered import Rendered, render
from crm import notices
from crm.cloud import words
from crm.cloud.choices import Going, Machine
from crm.cloud.requests import Asked, Lacking
from crm.notices import Look, type_labels
from crm.texts import Texts

PAGE = 8
# A button shows no more.
LABEL = 60


def leaving(t: Texts, dialogue: int, back: Any = None) -> Rows:
    """Back (to all types if to nowhere else) and cancel."""
    return keyboards.leaving(t, dialogue, back or press.Dialogue(dialogue=dialogue, action="kinds"))


def own_words(t: Texts, dialogue: int) -> Rows:
    return [[button(t("Write it in my own words"), press.Dialogue(dialogue=dialogue, action="words"))]]


def first_page(dialogue: int) -> press.Dialogue:
    return press.Dialogue(dialogue=dialogue, action="first")


def ended(look: Look) -> Rendered:
    """The page of a dialogue that was cancelled."""
    return render(look.t("Cancelled: nothing was asked for. Write whenever you need us."))


def lacking(look: Look, key: str, who: Lacking, dialogue: int) -> Rendered:
    """Of a contact who may not ask for it: whom to ask, and that writing is still possible."""
    t = look.t
    told = t("At {name} only authorised contacts may ask for that.", name=who.organization)
    ask = t("Please ask: {names}.", names=", ".join(who.names)) if who.names else None
    free = t("Or write here what you need, and an engineer looks at it.")
    lines = [Bold(type_labels(t)[key]), told, *filter(None, [ask]), free]
    return render(as_list(*lines), keyboards.inline(leaving(t, dialogue)))


# --- machines -------------------------------------------------------------------------------------------------


def machines(look: Look, found: Sequence[Machine], offset: int, more: bool, dialogue: int) -> Rendered:
    t = look.t

    def at(start: int) -> press.OwnMachine:
        return press.OwnMachine(dialogue=dialogue, action="list", id=start)

    rows: Rows = []
    for one in found:
        label = f"{one.name[:40]} · {state(t, one)}"[:LABEL]
        rows.append([button(label, press.OwnMachine(dialogue=dialogue, action="look", id=one.id))])
    turn = [button("«", at(max(offset - PAGE, 0)))] if offset else []
    turn += [button("»", at(offset + PAGE))] if more else []
    rows += [turn] if turn else []
    rows += own_words(t, dialogue) + leaving(t, dialogue)
    return render(as_list(Bold(type_labels(t)["vm"]), t("Which machine?")), keyboards.inline(rows))


def state(t: Texts, machine: Machine) -> str:
    return words.machine(t, {"status": machine.status, "task": machine.task, "locked": machine.locked})


def machine(look: Look, one: Machine, seen_at: datetime | None, dialogue: int) -> Rendered:
    """What can be done with it now, or what is being done."""
    t = look.t
    lines: list[Text | str] = [Bold(one.name), state(t, one)]
    if one.zone:
        lines.append(t("Zone: {name}", name=one.zone))
    if seen_at is not None:
        lines.append(t("As of {time}.", time=look.local(seen_at)))
    if one.going is not None:
        lines += ["", going(look, one.going, one.name)]
    elif "reboot" in one.offers:
        lines += ["", t("A forced reboot is like pulling the plug: what is not saved is lost.")]
    elif not one.offers:
        lines += ["", t("In this state there is nothing to be done by a button; write to us in your own words.")]
    rows: Rows = [[_offer(t, act, one.id, dialogue)] for act in one.offers]
    back = press.OwnMachine(dialogue=dialogue, action="list", id=0)
    rows += own_words(t, dialogue) + leaving(t, dialogue, back)
    return render(as_list(*lines), keyboards.inline(rows))


def _offer(t: Texts, act: str, vm_id: int, dialogue: int) -> Any:
    """Whatever stops a service for longer asks once more."""
    labels = {**words.verb_labels(t), "reboot": t("Reboot now")}
    action = "stopping" if act == "stop" else act
    style = {"reboot": "danger", "start": "success"}.get(act)
    return button(labels[act], press.OwnMachine(dialogue=dialogue, action=action, id=vm_id), style)


def stopping(look: Look, one: Machine, dialogue: int) -> Rendered:
    t = look.t
    sure = t("It stays off until you switch it on again, and so does what runs on it.")
    rows: Rows = [
        [button(t("Switch off now"), press.OwnMachine(dialogue=dialogue, action="stop", id=one.id), "danger")]
    ]
    rows += leaving(t, dialogue, press.OwnMachine(dialogue=dialogue, action="look", id=one.id))
    headline = t("Switch off {name}?", name=one.name)
    return render(as_list(Bold(headline), sure), keyboards.inline(rows))


def going(look: Look, busy: Going, title: str) -> str:
    """`⏳ Forced reboot: web-1 · is running since 14:32 · PD-1042`."""
    t = look.t
    since = t("since {time}", time=look.local(busy.since))
    said = [f"{words.named(t, busy.kind, title)} – {words.state_labels(t)[busy.state]} {since}"]
    return "⏳ " + " · ".join([*said, *filter(None, [busy.reference])])


# --- what was asked -------------------------------------------------------------------------------------------


def asked(look: Look, made: Asked, rules: bool) -> Rendered:
    """Accepted, and what comes next. `rules`: the person has not seen them yet."""
    t, action = look.t, made.action
    waits = action["state"] == "planned"
    head = t("{reference} is registered.") if waits else t("Accepted: {reference}.")
    lines: list[Text | str] = [
        Bold(head.format(reference=made.reference)),
        words.named(t, action["kind"], action["title"]),
    ]
    if waits:
        lines += words.details(t, action["kind"], action["parameters"], action["present"])
        lines.append(t("An engineer looks at it and decides; you hear of it here."))
    else:
        lines.append(t("It is being done now; you hear here as soon as it is ready."))
    if action["kind"] == "password":
        lines.append(t("The new password comes here as a link that opens once and only for 15 minutes."))
    if made.due_at is not None:
        lines.append(t("We will solve it by {time} ({place} time).", time=look.local(made.due_at), place=look.place))
    rows: Rows = [
        [button(t("Follow {reference}", reference=made.reference), press.Mine(action="open", ticket=made.ticket_id))]
    ]
    if rules:
        lines += ["", notices.rules_text(t)]
        rows += keyboards.rules(t).inline_keyboard
    return render(as_list(*lines), keyboards.inline(rows))


def asked_before(t: Texts, made: Asked) -> str:
    """The answer to a press that came again."""
    return t("That is asked for already: {reference}.", reference=made.reference)


def progress(look: Look, action: dict[str, Any]) -> Text:
    """How an action stands, in plain words."""
    return Text(Bold(words.named(look.t, action["kind"], action["title"])), "\n", _progress(look, action))


def _progress(look: Look, action: dict[str, Any]) -> str:
    t, reason = look.t, words.reasons(look.t).get(action["reason"] or "", "")

    def at(moment: datetime | None) -> str:
        return look.local(moment) if moment is not None else "–"

    return {
        "planned": "⏸ " + t("waits for an engineer, until {time} at most", time=at(action["expires_at"])),
        "approved": "▶️ " + t("accepted, begins at once"),
        "running": "⏳ " + t("is being done since {time}", time=at(action["started_at"])),
        "succeeded": "✅ " + t("done at {time}", time=at(action["finished_at"])),
        "failed": "❗️ " + ": ".join(filter(None, [t("not done"), reason])),
        "unknown": "❓ " + t("an engineer is finding out whether it was done"),
        "refused": "✖️ " + t("an engineer has refused it"),
        "cancelled": "✖️ " + t("withdrawn"),
        "expired": "✖️ " + t("nobody approved it in time, so nothing was done"),
    }[action["state"]]

"""What people read in Telegram of actions in the cloud: engineers in the topic, the customer of a secret. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Code, Text, as_list

from bot import cloud_buttons
from bot.rendered import Rendered, mention, render
from crm.cloud import notices, words
from crm.cloud.words import NO_LIMIT
from crm.look import Look

Lines = list[Text | str]
# Of the cloud's own words; they may be a page of HTML.
SAID_LIMIT = 500


def _head(look: Look, sign: str, facts: Mapping[str, Any]) -> Text:
    return Text(f"{sign} ", Bold(notices.named(look, dict(facts))))


def plan(look: Look, facts: Mapping[str, Any]) -> Lines:
    """All of what is planned, from what to what; the hash names just that."""
    t = look.t
    lines: Lines = [_head(look, "📝", facts)]
    lines += words.details(t, facts["what"], facts["parameters"], facts.get("present"))
    lines.append(t("Asked by {name}", name=facts["asker"]))
    lines.append(Text(f"№ {facts['action']} · ", Code(facts["digest"])))
    return lines


def _planned(look: Look, facts: dict[str, Any]) -> Rendered:
    if not facts["asks"]:
        return render(as_list(*plan(look, facts)))
    return render(as_list(*plan(look, facts)), cloud_buttons.approval(look.t, facts["action"]))


def decided(look: Look, facts: Mapping[str, Any], verdict: str, name: str, reason: str = "") -> Rendered:
    """The message whose button was pressed, from then on: what it is, and who has decided."""
    t = look.t
    told = {
        "approve": "✅ " + t("Approved by {name}"),
        "refuse": "⛔️ " + t("Refused by {name}"),
        "done": "✅ " + t("{name} has looked: it was done"),
        "notdone": "❌ " + t("{name} has looked: it was not done"),
        "again": "🔁 " + t("{name} runs it again"),
    }
    lines = [*plan(look, facts), *observed(look, facts.get("observed")), Bold(told[verdict].format(name=name))]
    return render(as_list(*lines, *([t("Reason:") + " " + reason] if reason else [])))


def refusing(look: Look, facts: Mapping[str, Any], keyboard: InlineKeyboardMarkup) -> Rendered:
    """While a reason is waited for."""
    return render(as_list(*plan(look, facts), look.t("Refuse? The reason may follow as your next message.")), keyboard)


def asked_again(look: Look, facts: Mapping[str, Any]) -> Rendered:
    """As it was planned."""
    return _planned(look, {**facts, "asks": True})


def _succeeded(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    lines: Lines = [_head(look, "✅", facts), *observed(look, facts.get("observed"))]
    if facts["reason"] in ("decided", "read_back"):
        lines.append(notices.why(look, facts))
    lines.append(notices.taken(look, facts))
    if facts.get("resolved"):
        lines.append(t("The request is resolved."))
    return render(as_list(*lines))


def _failed(look: Look, facts: dict[str, Any]) -> Rendered:
    lines: Lines = [_head(look, "❌", facts), look.t("Not done: {reason}.", reason=notices.why(look, facts))]
    return render(as_list(*lines, *_found(look, facts)))


def _unknown(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    lines: Lines = [_head(look, "❓", facts), Bold(t("Nobody knows whether it was done:")), notices.why(look, facts)]
    lines += _found(look, facts)
    lines.append(t("Please look at the cloud, then say what has become of it. It is not called again by itself."))
    return render(as_list(*lines), cloud_buttons.unknown(t, facts["action"], facts["what"]))


def _found(look: Look, facts: Mapping[str, Any]) -> Lines:
    """What the cloud said and shows, and who is called."""
    lines: Lines = []
    if facts.get("said"):
        lines.append(Text(look.t("The cloud says:"), " ", Code(facts["said"][:SAID_LIMIT])))
    lines += observed(look, facts.get("observed"))
    called = [mention(agent["id"], agent["name"]) for agent in facts.get("mention", ())]
    if called:
        lines.append(as_list(*called, sep=", "))
    return lines


def observed(look: Look, seen: Mapping[str, Any] | None) -> Lines:
    """What was read back, a line each: state and task, the entry of the cloud's log, quotas, the link."""
    t = look.t
    if not seen:
        return []
    lines: Lines = []
    if machine := seen.get("server"):
        lines.append(t("The machine: {state}", state=words.machine(t, machine)))
        lines.append(entry(look, seen["entry"]) if seen.get("entry") else t("The cloud's log has no entry of it"))
    for resource, quota in seen.get("quotas", {}).items():
        lines.append(t("In the cloud: {what}", what=usage(look, resource, quota["limit"], quota["used"])))
    if "active" in seen:
        state = t("active") if seen["active"] else t("not active yet")
        lines.append(t("The link: {zones}, {state}", zones=" – ".join(seen["zones"]), state=state))
    return lines


def entry(look: Look, line: Mapping[str, Any]) -> str:
    """A line of the cloud's own log: `14:31 · Forced reboot · done`."""
    t = look.t
    made = {"create": t("Creation"), "delete": t("Deletion"), "lock": t("Locking")}
    act = {**words.kind_labels(t), **made}.get(line["action"], line["action"])
    ended = {"True": t("done"), "False": t("failed")}.get(str(line.get("succeeded")), t("no outcome"))
    return f"{look.local(line['started_at'])} · {act} · {ended}"


def usage(look: Look, resource: str, allowed: int, used: int) -> str:
    """`Processors: 4 of 10`."""
    t = look.t
    label = words.resource_labels(t).get(resource, resource)
    if allowed == NO_LIMIT:
        return f"{label}: {words.amount(t, resource, used)} ({words.amount(t, resource, allowed)})"
    both = {"used": words.amount(t, resource, used), "allowed": words.amount(t, resource, allowed)}
    return f"{label}: " + t("{used} of {allowed}", **both)


def _waits(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    why = t("Approved, but nothing carries it out: look at the role jobs and at the setting of the desk's cloud.")
    return render(as_list(_head(look, "⏳", facts), why, *_found(look, facts)))


def _expired(look: Look, facts: dict[str, Any]) -> Rendered:
    words_ = look.t("Nobody approved it in time: nothing was done, and the customer was told.")
    return render(as_list(_head(look, "⌛️", facts), words_))


def _undelivered(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    if facts.get("lost", "chat") != "chat":
        taken = t("The new password reached nobody: whoever asked may not have it any more. Nobody can see it.")
        return render(as_list(_head(look, "💔", facts), taken))
    lost = t("The new password reached nobody: the customer has no chat with the bot. Nobody can see it any more.")
    return render(as_list(_head(look, "💔", facts), lost, t("Once they have written to the bot, set a new one.")))


def _secret_opened(look: Look, facts: dict[str, Any]) -> Rendered:
    """By whom, nobody can know."""
    said = look.t("The page with the login and the password was opened at {time}", time=look.local(facts["at"]))
    return render(f"🔑 {said}")


def secret(look: Look, facts: dict[str, Any]) -> Rendered:
    """For the one who asked, in a private chat: where the password stands, once."""
    t, url = look.t, facts["url"]
    headline = t("{reference}: the password is ready: {name}", reference=facts["reference"], name=facts["title"])
    until = t(
        "The page opens once, until {time} ({place} time). Write the password down there and then: "
        "afterwards nobody can show it, not even we.",
        time=look.local(facts["expires_at"]),
        place=look.place,
    )
    keyboard = cloud_buttons.page(t, url)
    return render(as_list(Bold(headline), until, *([] if keyboard else [url])), keyboard)


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "action_planned": _planned,
    "action_succeeded": _succeeded,
    "action_failed": _failed,
    "action_unknown": _unknown,
    "action_expired": _expired,
    "action_waits": _waits,
    "secret_undelivered": _undelivered,
    "secret_opened": _secret_opened,
}

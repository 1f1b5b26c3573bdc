"""What engineers read in the group. Pure: facts in, text with entities and buttons out."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from aiogram.utils.formatting import Bold, ExpandableBlockQuote, Text, as_list
from babel.dates import format_timedelta
from babel.numbers import format_percent

from bot import (
    cloud_inventory_views,
    cloud_notices,
    duty_views,
    emergency_views,
    keyboards,
    kinds,
    mail_views,
    maintenance_views,
    merging_views,
    trial_views,
)
from bot.content import prefixed, utf16
from bot.rendered import TEXT_LIMIT, Rendered, mention, render
from bot.views import Look
from crm.texts import Texts

BOARD_ROWS = 40
BOARD_SUBJECT = 48
PRIORITY_SIGNS = {"low": "▫️", "normal": "🔹", "high": "🔶", "urgent": "🔴"}


def priority_labels(t: Texts) -> dict[str, str]:
    return {"low": t("low"), "normal": t("normal"), "high": t("high"), "urgent": t("urgent")}


def status_labels(t: Texts) -> dict[str, str]:
    return {
        "new": t("new"),
        "open": t("open"),
        "pending": t("waiting for the customer"),
        "on_hold": t("waiting for a third party"),
        "resolved": t("resolved, waiting for confirmation"),
        "closed": t("closed"),
        "declined": t("declined"),
    }


def metric_labels(t: Texts) -> dict[str, str]:
    return {
        "first_response": t("First response"),
        "next_response": t("Next response"),
        "resolution": t("Resolution"),
        "inform": t("Word to the customer"),
        "transfer": t("Taking over"),
    }


def queue_labels(t: Texts) -> dict[str, str]:
    return {
        "support": t("Support"),
        "infrastructure": t("Infrastructure"),
        "billing": t("Contracts and bills"),
        "methodology": t("Methodology"),
    }


def queue_label(look: Look, key: str) -> str:
    """A queue that the catalogues do not know is called as its profile says."""
    queue = look.profile.queue(key)
    return queue_labels(look.t).get(key) or (queue.title if queue else None) or key


def choose_queue(look: Look, ticket_id: int, current: str) -> Rendered:
    """Which queue it is in, and the others as buttons."""
    others = {queue.key: queue_label(look, queue.key) for queue in look.profile.queues if queue.key != current}
    words = Text(look.t("Queue:"), " ", Bold(queue_label(look, current)))
    return render(words, keyboards.queues(ticket_id, others))


def board(look: Look, rows: list[dict[str, Any]], total: int) -> Rendered:
    """Open tickets, soonest deadline first; the same rows give the same text, so nothing is sent in vain."""
    t = look.t
    if not rows:
        return render(as_list(Bold(t("Open requests: {n}", n=0)), "☕ " + t("All caught up.")))
    shown = rows[:BOARD_ROWS]
    while utf16(_board(look, shown, total).as_kwargs()["text"]) > TEXT_LIMIT:
        shown = shown[:-1]
    return render(_board(look, shown, total))


def _board(look: Look, shown: list[dict[str, Any]], total: int) -> Text:
    t = look.t
    lines: list[Text | str] = [Bold(t("Open requests: {n}", n=total))]
    for row in shown:
        due = look.local(row["due_at"]) if row["due_at"] else "⏸"
        sign = "🔴" if row["breached"] else PRIORITY_SIGNS[row["priority"]]
        who = row["assignee"] or t("nobody yet")
        subject = _short(kinds.subject(t, row["subject"]))
        lines.append(Text(f"{sign} ", Bold(due), f" · {row['reference']} · {subject} · {who}"))
    if total > len(shown):
        lines.append(t("… and {n} more", n=total - len(shown)))
    return as_list(*lines)


def _short(subject: str) -> str:
    return subject if len(subject) <= BOARD_SUBJECT else subject[: BOARD_SUBJECT - 1].rstrip() + "…"


def bundle(look: Look, contents: Sequence[dict[str, Any]]) -> Rendered:
    """Several texts of a customer at once, in their order, each formatted as it was."""
    head = render(Bold("🌊 " + look.t.n("One message in a row:", "{n} messages in a row:", len(contents))))
    words, entities = head.text, head.entities
    for content in contents:
        after, moved = prefixed(content.get("text", ""), content.get("entities", []), words + "\n\n")
        words, entities = after, [*entities, *moved]
    return Rendered(words, entities)


def reworded(look: Look, words: str) -> Rendered:
    """An edit of a message that has no copy of its own."""
    return render(Text("✏️ ", Bold(look.t("Edited:")), " ", words))


def digest(look: Look, messages: list[dict[str, Any]]) -> Rendered:
    """The history of a topic that was rebuilt."""
    t = look.t
    lines = []
    for message in messages:
        mark = "📝 " if message["kind"] == "note" else ""
        lines.append(
            Text(
                Bold(f"{mark}{message['author']}, {look.local(message['sent_at'])}: "),
                kinds.words(t, message["content"])[:300],
            )
        )
    head = "♻️ " + t("The topic was lost and has been rebuilt. The history so far:")
    while lines and len(as_list(*lines).as_kwargs()["text"]) > 3500:
        lines.pop(0)
    return render(as_list(head, ExpandableBlockQuote(as_list(*lines))) if lines else head)


# --- notices ---------------------------------------------------------------------------------------------


def _mentioned(look: Look, facts: dict[str, Any]) -> Text:
    """What was done about it, and who is called."""
    t = look.t
    done = ""
    if facts.get("raised"):
        done += "\n" + t("The priority is raised: {priority}", priority=priority_labels(t)[facts["raised"]])
    if facts.get("assigned"):
        done += "\n" + t("Now it is for {name}", name=facts["assigned"])
    parts: list[Text | str] = []
    for agent in facts.get("mention", ()):
        parts += ["\n" if not parts else ", ", mention(agent["id"], agent["name"])]
    return Text(done, *parts)


def _warned(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    label = metric_labels(t)[facts["metric"]]
    share = format_percent(facts["share"], locale=look.language)
    words = t(
        "{metric}: {share} of the time has passed, due {time}",
        metric=label,
        share=share,
        time=look.local(facts["due_at"]),
    )
    return render(Text("⏳ ", words, _mentioned(look, facts)))


def _breached(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    label = metric_labels(t)[facts["metric"]]
    words = t("{metric}: the promise is broken, it was due {time}", metric=label, time=look.local(facts["due_at"]))
    return render(Text("🔴 ", Bold(words), _mentioned(look, facts)))


def _escalated(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    label = metric_labels(t)[facts["metric"]]
    words = t(
        "{metric}: broken for {span} of working time, it was due {time}",
        metric=label,
        span=format_timedelta(timedelta(minutes=facts["after"]), threshold=1.5, locale=look.language),
        time=look.local(facts["due_at"]),
    )
    return render(Text("🚨 ", Bold(words), _mentioned(look, facts)))


def reasons(t: Texts) -> dict[str, str]:
    return {
        "blocked": t("the customer has blocked the bot"),
        "unknown": t("Telegram did not say whether it arrived, twice; please ask the customer"),
        "mail_unknown": t("the mail server did not say whether it took the mail, twice; please ask the customer"),
        "gone": t("the original message is gone"),
        "refused": t("Telegram refused it"),
        "expired": t("the link had expired before it could be sent; please ask for a new password"),
    }


def _undelivered(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    words = reasons(t).get(facts["reason"], facts["reason"])
    return render(Text("💔 ", Bold(t("Not delivered:")), " ", words))


def _confirmed(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("✅ " + look.t("{name} confirms: solved", name=facts["name"]))


def _rejected(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("↩️ " + look.t("{name} says: not solved. The clock runs again", name=facts["name"]))


def _withdrawn(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("🗑 " + look.t("{name} withdrew the request", name=facts["name"]))


def _lapsed(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    words = t.n(
        "No answer within {n} working day: closed as solved", "No answer within {n} working days: closed as solved",
        facts["days"],
    )  # fmt: skip
    return render(f"🌙 {words}")


def _rated(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(look.t("The customer's rating:") + " " + "⭐" * facts["stars"])


def _reachable(look: Look, facts: dict[str, Any]) -> Rendered:
    if facts["reachable"]:
        return render("🔔 " + look.t("The customer can be reached again"))
    if facts.get("channel") == "email":
        return render("⚠️ " + look.t("The customer's mail address does not work: answers by mail do not arrive"))
    return render("⚠️ " + look.t("The customer has blocked the bot: answers cannot be delivered for now"))


def _unrelayed(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(look.t("The customer sent something that cannot be forwarded and was told so"))


def _quarantined(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(
        "🚧 "
        + look.t("An incoming message could not be processed and is kept: kezekshi inbox show {id}", id=facts["id"])
    )


def _no_topic(look: Look, facts: dict[str, Any]) -> Rendered:
    words = look.t("{reference} has no topic, Telegram refused it:", reference=facts["reference"])
    return render(Text("🚧 ", Bold(words), " ", facts["reason"]))


def _transferred(look: Look, facts: dict[str, Any]) -> Rendered:
    queues = {key: queue_label(look, facts[key]) for key in ("before", "queue")}
    words = look.t("{name} gives it from {before} to {queue}. Who takes it?", name=facts["name"], **queues)
    return render("🔀 " + words)


def _bound(look: Look, facts: dict[str, Any]) -> Rendered:
    words = look.t("{name}: the customer is a contact of {organization}", **facts)
    return render("🏢 " + words)


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "warned": _warned,
    "breached": _breached,
    "escalated": _escalated,
    "undelivered": _undelivered,
    "confirmed": _confirmed,
    "rejected": _rejected,
    "withdrawn": _withdrawn,
    "lapsed": _lapsed,
    "rated": _rated,
    "reachable": _reachable,
    "unrelayed": _unrelayed,
    "quarantined": _quarantined,
    "no_topic": _no_topic,
    **emergency_views.NOTICES,
    "transferred": _transferred,
    "bound": _bound,
    **maintenance_views.NOTICES,
    **duty_views.NOTICES,
    **mail_views.NOTICES,
    **merging_views.NOTICES,
    **cloud_notices.NOTICES,
    **cloud_inventory_views.NOTICES,
    **trial_views.NOTICES,
}

"""A ticket's topic and its card: what an engineer sees of it at a glance. Pure."""

from typing import Any

from aiogram.utils.formatting import Bold, Code, Italic, Text, as_list

from bot import hands_views, keyboards, kinds
from bot.cloud_notices import usage
from bot.rendered import Rendered, mention, render
from bot.team_views import PRIORITY_SIGNS, metric_labels, priority_labels, queue_label, status_labels
from bot.views import Look, type_labels
from crm.cloud import words
from crm.cloud.actions import ALIVE
from crm.cloud.rules import RESOURCES
from crm.texts import Texts

TOPIC_NAME_LIMIT = 128


def topic_name(t: Texts, reference: str, subject: str) -> str:
    return f"{reference} · {kinds.subject(t, subject)}"[:TOPIC_NAME_LIMIT]


def card(look: Look, ticket: dict[str, Any]) -> Rendered:
    t = look.t
    person = Text(ticket["requester"])
    if ticket["telegram_id"]:
        person = Text(mention(ticket["telegram_id"], ticket["requester"]))
    nobody = t("nobody yet")
    lines: list[Text | str] = [
        Bold(f"{ticket['reference']} · {kinds.subject(t, ticket['subject'])}"),
        Text(t("Customer:"), " ", person, f" ({ticket['language']})"),
        t("Status:") + f" {status_labels(t)[ticket['status']]}",
        t("Priority:") + f" {PRIORITY_SIGNS[ticket['priority']]} {priority_labels(t)[ticket['priority']]}",
        t("Type:") + f" {type_labels(t)[ticket['type']]}",
        t("Engineer:") + f" {ticket['assignee'] or nobody}",
    ]
    if ticket["organization"]:
        contract = f" · {ticket['contract']}" if ticket["contract"] else ""
        lines.insert(2, t("Organization:") + f" {ticket['organization']}{contract}")
    if len(look.profile.queues) > 1:
        lines.insert(-1, t("Queue:") + f" {queue_label(look, ticket['queue'])}")
    lines += [_promise(look, target) for target in ticket["targets"]]
    lines += _cloud(look, ticket["cloud"]) if ticket["cloud"] else []
    if ticket["related"]:
        lines.append(t("Continues {reference}", reference=ticket["related"]))
    if ticket["mail"]:
        lines.insert(2, Text("✉️ ", Code(ticket["mail"])))
    if ticket["mail_unreachable"]:
        lines.append("⚠️ " + t("The customer's mail address does not work"))
    if ticket["merged_into"]:
        lines.append(t("Goes on in {reference}", reference=ticket["merged_into"]))
    if ticket["unreachable"]:
        lines.append("⚠️ " + t("The customer has blocked the bot"))
    lines.append(
        Italic(t("Reply to the customer's message or to this card – or /r – goes to the customer; the rest is a note."))
    )
    return render(as_list(*lines), keyboards.card(t, ticket["id"], ticket["status"], ticket["assignee"] is not None))


def _promise(look: Look, target: dict[str, Any]) -> Text | str:
    t = look.t
    label = metric_labels(t)[target["metric"]]
    if target["met_at"]:
        late = target["breached_at"] or target["met_at"] > target["due_at"]
        sign = "❗️" if late else "✅"
        return f"{sign} {label}: {look.local(target['met_at'])}"
    if target["breached_at"]:
        return Bold(f"🔴 {label}: ", t("was due {time}", time=look.local(target["due_at"])))
    if target["stands"]:
        return f"⏸ {label}: " + t("the clock stands")
    return Text(f"⏱ {label}: ", Bold(look.local(target["due_at"])), f" ({look.place})")


def _cloud(look: Look, cloud: dict[str, Any]) -> list[Text | str]:
    """What is being done, the machine that it is about, and what the customer's cabinets use (`crm/cloud/shown.py`)."""
    t = look.t
    lines: list[Text | str] = [_live(look, action) for action in cloud["actions"] if action["state"] in ALIVE]
    if (vm := cloud["machine"]) is not None:
        gone = {"status": "DELETED", "task": None, "locked": False} if vm["deleted_at"] else {}
        lines += [hands_views.state(t, {**vm, **gone}), *hands_views.log(look, vm["log"])]
    lines += [_cabinet(look, cabinet) for cabinet in cloud["cabinets"]]
    if cloud["more"]:
        lines.append(t("… and {n} more", n=cloud["more"]))
    if cloud["problem"] and cloud["seen_at"]:
        lines.append("🌧 " + t("The cloud does not answer; this is as of {time}", time=look.local(cloud["seen_at"])))
    return lines


def _live(look: Look, action: dict[str, Any]) -> Text:
    t = look.t
    sign = {"planned": "📝", "unknown": "❓"}.get(action["state"], "⏳")
    since = action["started_at"] or action["planned_at"]
    told = t("{state}, since {time}", state=words.state_labels(t)[action["state"]], time=look.local(since))
    return Text(f"{sign} ", Bold(words.named(t, action["kind"], hands_views.short(action["title"]))), f" – {told}")


def _cabinet(look: Look, cabinet: dict[str, Any]) -> Text:
    """`acme · Machines: 3 of 5 · Processors: 4 of 10`."""
    there = cabinet["quotas"]
    uses = [usage(look, name, there[name]["allowed"], there[name]["used"]) for name in RESOURCES if name in there]
    return Text("☁️ ", " · ".join([hands_views.short(cabinet["name"]), *uses]))

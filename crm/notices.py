"""What a requester is told of a ticket, by whichever channel: a headline and lines, in their language. Pure.

A transport adds what is its own: buttons, a greeting, how to answer.
"""

from collections.abc import Callable
from typing import Any

from crm.cloud import notices as of_cloud
from crm.cloud import trial_notices
from crm.look import Look as Look
from crm.look import Said as Said
from crm.texts import Texts


def type_labels(t: Texts) -> dict[str, str]:
    return {
        "outage": t("Services are completely down"),
        "fault": t("Something is not working well"),
        "vm": t("Reboot or unlock a VM"),
        "quota": t("Raise quotas"),
        "password": t("The cabinet's password"),
        "link": t("Link two availability zones"),
        "cabinet": t("Open a cabinet"),
        "trial": t("Try it free of charge"),
        "other": t("Something else"),
        "incident": t("Something does not work"),
        "question": t("A question"),
        "change": t("Change the terms of the service"),
        "service": t("Information or documents"),
        "methodology": t("How to use it in teaching"),
        "domain": t("A domain name"),
        "mailbox": t("A mailbox"),
        "placement": t("Place data on the site"),
        "restore": t("Restore from a backup copy"),
        "help": t("Help with managing the site"),
        "technical": t("A fault of the portal"),
        "feature": t("A wish or an idea"),
    }


def rules_text(t: Texts) -> str:
    return t(
        "The rules: write about your own services only; send no passwords and no other people's data; "
        "the conversation is kept to serve you and to check that we keep our promises."
    )


def _acknowledged(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    emergency = facts.get("emergency")
    why = (t("We answer more slowly than usual now: {reason}", reason=emergency),) if emergency else ()
    when = t("We will answer by {time} ({place} time).", time=look.local(facts["due_at"]), place=look.place)
    return Said(t("{reference} is registered.", reference=facts["reference"]), (*why, when))


def _resumed(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    when = t("The new promised time: {time} ({place} time).", time=look.local(facts["due_at"]), place=look.place)
    return Said(t("{reference} is being worked on again.", reference=facts["reference"]), (when,))


def _retyped(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    when = t("We will solve it by {time} ({place} time).", time=look.local(facts["due_at"]), place=look.place)
    return Said(f"{facts['reference']}: {type_labels(t)[facts['type']]}", (when,))


def _moved(look: Look, facts: dict[str, Any]) -> Said:
    """A promise has another time, for a reason that is ours."""
    t = look.t
    reasons = {
        "maintenance": t("{reference}: the promised time has moved because of maintenance."),
        "transfer": t("{reference} is with another team now, and the promised time has changed."),
        "contract": t("{reference}: the promised time is now as your organization's contract says."),
    }
    solved, answered = t("We will solve it by {time} ({place} time)."), t("We will answer by {time} ({place} time).")
    lines = [
        (solved if promise["metric"] == "resolution" else answered).format(
            time=look.local(promise["due_at"]), place=look.place
        )
        for promise in facts["promises"]
    ]
    return Said(reasons[facts["reason"]].format(reference=facts["reference"]), tuple(lines))


def _asked(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference} is waiting for your answer.", reference=facts["reference"])
    return Said(headline, (t("The clock is paused until you reply."),))


def field_labels(t: Texts) -> dict[str, str]:
    """What an agreement may want of a request."""
    return {
        "named_person": t("a named person of the customer"),
        "contract": t("contract number"),
        "organization": t("organisation"),
        "subject": t("school subject"),
        "grade": t("grade"),
        "lesson": t("lesson number"),
        "online_lesson": t("online-lesson number"),
        "description": t("detailed description"),
        "full_name": t("full name"),
        "locality": t("locality and region"),
    }


def _wanted(look: Look, facts: dict[str, Any]) -> Said:
    """What is missing, asked for at once; that nobody named has written is another matter than a missing fact."""
    t = look.t
    fields = [field for field in facts["fields"] if field != "named_person"]
    lines = []
    if fields:
        labels = ", ".join(field_labels(t)[field] for field in fields)
        lines.append(t("To begin, we still need: {fields}.", fields=labels))
    if "named_person" in facts["fields"]:
        lines.append(
            t("By the contract, requests come from persons whom the customer has named: please write through one.")
        )
    lines.append(t("Please add it in an answer to this message; the clock is paused until then."))
    return Said(t("{reference} is registered.", reference=facts["reference"]), tuple(lines))


def _link_code(look: Look, facts: dict[str, Any]) -> Said:
    t, desk = look.t, look.profile.title
    what = t("Write this code to the bot of {desk} to link this address: {code}", desk=desk, code=facts["code"])
    return Said(what, (t("If it was not you who asked for it, do nothing: without the code nothing is linked."),))


def _resolved(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference} is solved.", reference=facts["reference"])
    return Said(headline, (t("Please check whether everything works."),))


def _reminded(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    closes = look.local(facts["closes_at"])
    when = t("Without an answer it closes by itself on {time} ({place} time).", time=closes, place=look.place)
    return Said(t("{reference} is solved. Does everything work now?", reference=facts["reference"]), (when,))


def _lapsed(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    again = t.n(
        "If something is still wrong, reply to this message within {n} day, and it is reopened.",
        "If something is still wrong, reply to this message within {n} days, and it is reopened.",
        facts["reopen_days"],
    )
    return Said(t("{reference} is closed: there was no answer.", reference=facts["reference"]), (again,))


def _merged(look: Look, facts: dict[str, Any]) -> Said:
    t, both = look.t, {"reference": facts["reference"], "into": facts["into"]}
    more = t("We go on with it in {into}; nothing that you wrote is lost.", into=facts["into"])
    return Said(t("{reference} and {into} are one request now.", **both), (more,))


def _declined(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    why = t("Reason:") + " " + facts["reason"]
    return Said(t("{reference} is declined.", reference=facts["reference"]), (why,))


SAYINGS: dict[str, Callable[[Look, dict[str, Any]], Said]] = {
    "acknowledged": _acknowledged,
    "resumed": _resumed,
    "retyped": _retyped,
    "moved": _moved,
    "asked": _asked,
    "wanted": _wanted,
    "link_code": _link_code,
    "resolved": _resolved,
    "reminded": _reminded,
    "lapsed": _lapsed,
    "declined": _declined,
    "merged": _merged,
    **of_cloud.SAYINGS,
    **trial_notices.SAYINGS,
}

"""What whoever asked is told of an action in the cloud, by whichever channel. Pure.

What a secret's link is told with is no notice of every channel: only the bot has words for it (`bot/cloud_notices.py`),
so that it can never become a mail.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from crm import time
from crm.cloud import words
from crm.cloud.rules import POWERS
from crm.look import Look, Said


def named(look: Look, facts: dict[str, Any]) -> str:
    """`Forced reboot: web-1`."""
    return words.named(look.t, facts["what"], facts["title"])


def why(look: Look, facts: dict[str, Any]) -> str:
    """The reason of how it ended; one that has no words yet is shown as it is."""
    reason = facts.get("reason") or ""
    return words.reasons(look.t).get(reason, reason)


def taken(look: Look, facts: dict[str, Any]) -> str:
    """How long it took, against what is promised where something is."""
    t = look.t
    span = time.span(timedelta(seconds=facts["seconds"]), look.language)
    if "promised" not in facts:
        return t("It took {span}.", span=span)
    promised = time.span(timedelta(seconds=facts["promised"]), look.language)
    return t("It took {span}; promised: {promised}.", span=span, promised=promised)


def _accepted(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: accepted, it begins at once.", reference=facts["reference"])
    return Said(headline, (named(look, facts), *words.details(t, facts["what"], facts["parameters"])))


def _running(look: Look, facts: dict[str, Any]) -> Said:
    headline = look.t("{reference}: it is running.", reference=facts["reference"])
    return Said(headline, (named(look, facts),))


def _succeeded(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    lines = [f"{facts['reference']} · {named(look, facts)}"]
    if facts["what"] not in POWERS:
        lines += words.details(t, facts["what"], facts["parameters"])
    lines.append(taken(look, facts))
    if "lost" in facts:
        lines.append(t("The password could not be sent to you; an engineer writes to you."))
    elif facts["what"] in ("password", "open"):
        lines.append(t("The page with the password is sent to your chat with the bot, and nowhere else."))
    if facts.get("resolved"):
        lines.append(t("Please check whether everything works."))
    return Said(done(look, facts), tuple(lines))


def done(look: Look, facts: dict[str, Any]) -> str:
    """`Done: web-1 runs since 14:32.`"""
    t = look.t
    told = {
        "reboot": t("Done: {name} runs since {time}."),
        "start": t("Done: {name} runs since {time}."),
        "stop": t("Done: {name} is off since {time}."),
        "unlock": t("Done: {name} is unlocked."),
        "quota": t("Done: the quotas are raised: {name}."),
        "password": t("Done: the password is changed: {name}."),
        "link": t("Done: the zones are linked: {name}."),
        "open": t("Done: the cabinet is open: {name}."),
    }
    return told[facts["what"]].format(name=facts["title"], time=look.local(facts["at"]))


def _failed(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: it could not be done.", reference=facts["reference"])
    # What a person has found out they write themselves.
    reason = () if facts["reason"] == "decided" else (t("Why: {reason}.", reason=why(look, facts)),)
    return Said(headline, (named(look, facts), *reason, t("An engineer takes it up and writes to you.")))


def _unknown(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: we do not know yet whether it was done.", reference=facts["reference"])
    wait = t("The engineers know of it and find out; please do not try it again meanwhile.")
    return Said(headline, (named(look, facts), wait))


def _refused(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    reason = (t("Reason:") + " " + facts["reason"],) if facts.get("reason") else ()
    return Said(t("{reference}: an engineer refused it.", reference=facts["reference"]), (named(look, facts), *reason))


def _expired(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: nobody approved it in time, so nothing was done.", reference=facts["reference"])
    return Said(headline, (named(look, facts), t("If you still need it, answer this message.")))


SAYINGS: dict[str, Callable[[Look, dict[str, Any]], Said]] = {
    "action_accepted": _accepted,
    "action_running": _running,
    "action_succeeded": _succeeded,
    "action_failed": _failed,
    "action_unknown": _unknown,
    "action_refused": _refused,
    "action_expired": _expired,
}

"""What a customer is told of a trial, by whichever channel. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from crm.cloud.words import amount, resource_labels
from crm.look import Look, Said
from crm.texts import Texts


def within(t: Texts, limits: Mapping[str, int]) -> list[str]:
    """`Free within these limits: Machines: 2 · Memory: 8 GB.`; nothing where there are none."""
    labels = resource_labels(t)
    listed = " · ".join(f"{labels.get(name, name)}: {amount(t, name, value)}" for name, value in limits.items())
    return [t("Free within these limits: {limits}.", limits=listed)] if limits else []


def length(t: Texts, days: int) -> str:
    return t.n(
        "It lasts {n} calendar day, counted from the first launch of a service in the cabinet, not before.",
        "It lasts {n} calendar days, counted from the first launch of a service in the cabinet, not before.",
        days,
    )


def afterwards(t: Texts) -> str:
    """prodata 5.4: by itself."""
    return t("What you have not deleted by the end goes on as paid use at the price list, by itself.")


def _end(look: Look, facts: dict[str, Any]) -> str:
    return look.t("It ends {time} ({place} time).", time=look.local(facts["ends_at"]), place=look.place)


def _refused(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: thank you for your interest, but we cannot give a trial now.", **_of(facts))
    reason = (t("Reason:") + " " + facts["reason"],) if facts.get("reason") else ()
    return Said(headline, (*reason, t("An ordinary cabinet is open to you at any time; just write to us.")))


def _opened(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    sign_in = (
        t("Sign in with the login and the password of the page that we send you, and launch what you want to try.")
        if facts.get("page", True)
        else t("An engineer writes to you how to sign in; then launch what you want to try.")
    )
    lines = [
        sign_in,
        length(t, facts["days"]),
        *within(t, facts["limits"]),
    ]
    return Said(t("{reference}: the cabinet for your trial is open.", **_of(facts)), (*lines, afterwards(t)))


def _unused(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    still = t("Nothing has been launched in it yet. It stays open, and the trial still waits for you.")
    headline = t("{reference}: your trial has not begun.", **_of(facts))
    return Said(headline, (still, length(t, facts["days"])))


def _begun(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    began = t("First launch: {time}.", time=look.local(facts["launched_at"]))
    headline = t("{reference}: your trial has begun.", **_of(facts))
    return Said(headline, (began, _end(look, facts), afterwards(t)))


def _reminder(look: Look, facts: dict[str, Any], headline: str) -> Said:
    return Said(headline, (_end(look, facts), afterwards(look.t)))


def _half(look: Look, facts: dict[str, Any]) -> Said:
    return _reminder(look, facts, look.t("{reference}: half of your trial is over.", **_of(facts)))


def _day(look: Look, facts: dict[str, Any]) -> Said:
    return _reminder(look, facts, look.t("{reference}: your trial ends within a day.", **_of(facts)))


def _hours(look: Look, facts: dict[str, Any]) -> Said:
    return _reminder(look, facts, look.t("{reference}: your trial ends within three hours.", **_of(facts)))


def _paid(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    at = {"time": look.local(facts["ends_at"]), "place": look.place}
    since = t("The services that are there are paid for at the price list since {time} ({place} time).", **at)
    stop = t("To use them no longer, delete them in the cabinet.")
    return Said(t("{reference}: your trial is over, and paid use has begun.", **_of(facts)), (since, stop))


def _closed(look: Look, facts: dict[str, Any]) -> Said:
    t = look.t
    headline = t("{reference}: your trial is over.", **_of(facts))
    return Said(
        headline, (t("You have deleted what you launched, so nothing is to be paid. Thank you for trying us!"),)
    )


def _of(facts: dict[str, Any]) -> dict[str, Any]:
    return {"reference": facts["reference"]}


SAYINGS: dict[str, Callable[[Look, dict[str, Any]], Said]] = {
    "trial_refused": _refused,
    "trial_opened": _opened,
    "trial_unused": _unused,
    "trial_begun": _begun,
    "trial_half": _half,
    "trial_day": _day,
    "trial_hours": _hours,
    "trial_paid": _paid,
    "trial_closed": _closed,
}

"""Why something cannot be had of the cloud, in one line that says how to mend it. Pure."""

from collections.abc import Mapping
from typing import Any

from crm.cloud import words as of_cloud
from crm.look import Look


def words(look: Look, kind: str, facts: Mapping[str, Any]) -> str | None:
    """For a refusal of that class; None for one that is not of the cloud."""
    t = look.t
    match kind, facts:
        case "UnderWay", {"title": title, "kind": str(what), "state": str(state)}:
            going_on = f"{of_cloud.named(t, what, title)} – {of_cloud.state_labels(t).get(state, state)}"
            place = f" ({facts['reference']})" if facts.get("reference") else ""
            return t("Something is going on there already.") + f" {going_on}{place}"
        case "OverCeiling", {"most": most}:
            labels = of_cloud.resource_labels(t)
            can = ", ".join(f"{labels[name]}: {of_cloud.amount(t, name, value)}" for name, value in most.items())
            return t("That is more than can be had now. At most: {what}.", what=can)
        case "WrongStatus", {"what": "action", "state": str(state)}:
            return _decided(look, state, facts.get("name"))
        case "WrongInput", {"what": "cabinet", "names": names}:
            return t("There are several cabinets; name one of them: {names}.", names=", ".join(names))
    return _plain(look).get((kind, facts.get("what", "")))


def _decided(look: Look, state: str, name: str | None) -> str:
    t = look.t
    if state == "changed":
        return t("It is not what was planned any more, so nothing was done. Please plan it anew.")
    said = of_cloud.state_labels(t).get(state, state)
    if name:
        return t("{name} has decided already: {state}.", name=name, state=said)
    return t("That is decided already: {state}.", state=said)


def _plain(look: Look) -> dict[tuple[str, str], str]:
    t = look.t
    return {
        ("UnderWay", ""): t("Something is going on there already."),
        ("OverCeiling", ""): t("That is more than can be had now."),
        ("Expired", ""): t("The plan has expired: nobody approved it in time. Please plan it anew."),
        ("NoCloud", ""): t("There is nothing in the cloud to act upon."),
        ("NoCloud", "desk"): t("This desk has no cloud."),
        ("NoCloud", "person"): t(
            "We know of no cabinet of yours yet. Describe what you need, and an engineer answers."
        ),
        ("NoCloud", "organization"): t(
            "The customer's organization has no cabinet here, or is not known: /organization Name binds the customer."
        ),
        ("NoCloud", "pages"): t(
            "A password cannot be handed over here yet: the page that shows it is not set up (PAGES_URL)."
        ),
        ("HadTrial", ""): t("A trial is granted once, and there has been one already."),
        ("NotAllowed", "power"): t("Approving machines and passwords needs the right «power»; a lead gives it."),
        ("NotAllowed", "money"): t("Approving what costs money needs the right «money»; a lead gives it."),
        ("NotAllowed", "request"): t("Planning actions needs the right «request»; a lead gives it."),
        ("NotAllowed", "own_plan"): t("You planned it yourself; a second person has to approve it."),
        ("NotAllowed", "nobody_has_it"): t("Nobody has that password, so it is not done: press «Run again»."),
        ("NotAllowed", "asker"): t(
            "Whoever asked may not have that any more: they are no contact of the organization with the right to it."
        ),
        ("NotAllowed", "approve"): t("An engineer has to approve that."),
        ("NotAllowed", "contact"): t(
            "Only an authorised contact of your organization may ask for that. Describe it, and an engineer answers."
        ),
        ("NotAllowed", "reader"): t(
            "A password is given only to an authorised contact of the organization, with the right «power»."
        ),
        ("WrongPlace", "chat"): t(
            "The customer has no chat with the bot, and a password goes no other way. Ask them to write to the bot."
        ),
        ("NotFound", "action"): t("There is no such action."),
        ("NotFound", "cabinet"): t("The customer has no such cabinet."),
        ("NotFound", "vm"): t("The customer has no such machine; /vm lists all."),
        ("NotFound", "login"): t("Nobody of that name logs in to the customer's cabinets; /password lists all."),
        ("NotFound", "zone"): t("The cloud has no such zone; /link lists all."),
        ("WrongInput", "quota"): t("Write what and how much: /quota vcpus=16 ram+8G."),
        ("WrongInput", "not_more"): t("Quotas can only be raised here: write more than there is now."),
        ("WrongInput", "link"): t("Write two different zones: /link zone-a zone-b."),
        ("WrongInput", "rights"): t(
            "Write the rights with a sign: /agent rights +money -power (request, power, money)."
        ),
        ("WrongInput", "refusal"): t("Write the reason as text, or press «Refuse without a reason»."),
    }

"""What admins and leads read while they set the desk up. Pure."""

from collections.abc import Sequence
from typing import Any

from aiogram.utils.formatting import Bold, Text, as_list

from bot import cloud_refusals, hands_views, trial_views
from bot.rendered import Rendered, render
from bot.views import Look
from crm.errors import DeskError
from crm.people.models import Agent
from crm.people.service import RIGHTS_OF
from crm.people.shifts import Duty
from crm.texts import Texts

NEEDED_RIGHTS = ("can_manage_topics", "can_pin_messages", "can_delete_messages")


def missing_rights(rights: dict[str, Any]) -> list[str]:
    """Which of the needed rights the bot lacks; none if nothing is known yet."""
    if not rights:
        return []
    return [right for right in NEEDED_RIGHTS if not rights.get(right)]


def right_labels(t: Texts) -> dict[str, str]:
    return {
        "can_manage_topics": t("manage topics"),
        "can_pin_messages": t("pin messages"),
        "can_delete_messages": t("delete messages"),
    }


def _rights(look: Look, missing: Sequence[str]) -> list[Text | str]:
    if not missing:
        return []
    names = ", ".join(right_labels(look.t)[right] for right in missing)
    return ["⚠️ " + look.t("Make me an administrator with these rights: {names}.", names=names)]


def added(look: Look, missing: Sequence[str]) -> Rendered:
    t = look.t
    return render(
        as_list(
            t("Hello! Send /connect here, and requests will come to this group as topics."), *_rights(look, missing)
        )
    )


def connected(look: Look, waited: int, missing: Sequence[str]) -> Rendered:
    t = look.t
    lines: list[Text | str] = [Bold(t("Connected: new requests come to this group, each as a topic."))]
    if waited:
        lines.append(
            t.n("One request was waiting and is coming now.", "{n} requests were waiting and are coming now.", waited)
        )
    lines.append(t("Add the engineers: reply to a person's message with /agent add or /agent add lead."))
    return render(as_list(*lines, *_rights(look, missing)))


def named(look: Look, name: str, role: str) -> Rendered:
    t = look.t
    if role == "lead":
        return render(t("{name} is a lead now.", name=name))
    return render(t("{name} is an engineer now.", name=name))


def removed(look: Look, name: str, was: bool) -> Rendered:
    t = look.t
    return render(
        t("{name} is no longer an engineer.", name=name)
        if was
        else t("{name} is not on the list of engineers.", name=name)
    )


def agents(look: Look, members: Sequence[tuple[Agent, Duty]]) -> Rendered:
    t = look.t
    if not members:
        return render(t("No engineers yet. Reply to a person's message with /agent add."))
    roles = {"agent": t("engineer"), "lead": t("lead")}
    lines = [
        f"{agent.name} · {roles[agent.role]}" + ("" if duty.on(look.now) else " · 💤") + _unusual(t, agent)
        for agent, duty in members
    ]
    return render(as_list(Bold(t("Engineers")), *lines))


def _unusual(t: Texts, agent: Agent) -> str:
    """Rights that are not those of the role."""
    return hands_views.unusual(t, agent.rights) if {*agent.rights} != {*RIGHTS_OF[agent.role]} else ""


def kept_as_note(look: Look) -> Rendered:
    """A reply to a message of ours that we do not know."""
    return render(
        look.t(
            "Kept as a note: I do not know which message you replied to. "
            "For the customer, reply to the card or write /r and the text."
        )
    )


# --- refusals ------------------------------------------------------------------------------------------


def refusal(look: Look, error: DeskError) -> Rendered:
    """Why not, in one line that says how to mend it."""
    t, kind = look.t, type(error).__name__
    known = _by_fact(t).get((kind, error.facts.get("what", ""))) or cloud_refusals.words(look, kind, error.facts)
    return render(known or _by_kind(t, error.facts.get("name", "")).get(kind, t("That did not work.")))


def _by_kind(t: Texts, name: str) -> dict[str, str]:
    return {
        "NotFound": t("This is no longer there."),
        "NotAllowed": t("You are not allowed to do that."),
        "NotAnAgent": t("You are not listed as an engineer of this desk; a lead can add you: /agent add."),
        "Anonymous": t("Please write under your own name, not as an anonymous admin or a channel."),
        "WrongStatus": t("That is not possible in the request's present state."),
        "AlreadyTaken": t(
            "{name} has taken it already. To take it over all the same, press «Take over».",
            name=name,
        ),
        "CannotRelay": t("We cannot forward messages of this kind."),
        "WrongPlace": t("That does not work here."),
        "WrongInput": t("I did not understand that."),
        "Taken": t("That is somebody else's already."),
    }


def _by_fact(t: Texts) -> dict[tuple[str, str], str]:
    return {
        **trial_views.refusals(t),
        ("NotAllowed", "admin"): t("Only an administrator of the desk may do that (ADMIN_TELEGRAM_IDS)."),
        ("NotAllowed", "team"): t("Only a lead or an administrator of the desk may do that."),
        ("NotAllowed", "lead"): t("Only a lead may do that."),
        ("NotFound", "maintenance"): t("No such maintenance is ahead; /maintenance lists what is."),
        ("WrongInput", "maintenance"): t(
            "Write /maintenance 2h reason, or /maintenance 2026-12-03 18:00-20:00 reason; it begins now or later."
        ),
        ("WrongInput", "queue"): t("There is no such queue, or the request is in it already; /queue shows the others."),
        ("WrongInput", "organization"): t("Write the name of the customer's organization: /organization Name."),
        ("NotFound", "organization"): t("No such organization; it is added with: kezekshi organization add."),
        ("WrongPlace", "mail"): t("This desk does not answer by mail."),
        ("WrongInput", "merge"): t("Write the request in which this one goes on: /merge PD-1042."),
        ("NotFound", "merge"): t("There is no such request."),
        ("NotAllowed", "merge"): t("These requests are of different customers; only one customer's can be merged."),
        ("WrongStatus", "merge"): t("The request in which it would go on is not in work; reopen that one first."),
        ("WrongPlace", "topic"): t("No request belongs to this topic."),
        ("WrongPlace", "forum"): t("Turn on topics in the group's settings first, then send /connect again."),
        ("WrongInput", "agent"): t(
            "Reply to a person's message with /agent add, /agent add lead, /agent rights or /agent remove; "
            "/agent list shows all."
        ),
        ("WrongInput", "email"): t("That is no mail address. Write it like name@example.kz."),
        ("WrongInput", "codes"): t("Too many codes for today. Please try again tomorrow."),
        ("NotFound", "code"): t("The code has expired. Begin anew with /email."),
        ("NotAllowed", "mailed"): t("This answer has gone by mail and cannot be taken back."),
        ("WrongInput", "delete"): t("Reply with /delete to your own message that should be removed."),
        ("WrongInput", "empty"): t("Write the text after the command: /r text or /note text."),
        ("WrongInput", "reason"): t("A reason is needed: press «Decline» again and write it as text."),
        ("WrongInput", "emergency"): t(
            "Write /emergency 60 4h reason: minutes for the first answer, for how long (90m, 4h, 1d), and why, "
            "as customers will read it; /emergency off ends it."
        ),
        ("WrongInput", "duty"): t(
            "Write /duty, /duty on, /duty off until 18:00, /duty week, /duty add mon-fri 09:00-18:00, /duty clear "
            "or /duty swap 25.12 in reply to a colleague."
        ),
        ("WrongInput", "duty_add"): t("Write the days and the hours: /duty add mon-fri 09:00-18:00."),
        ("WrongInput", "duty_swap"): t("Reply to a colleague's message with the date: /duty swap 25.12."),
        ("WrongInput", "no_shift"): t("You have no shift on that date that you could give away."),
        ("WrongInput", "until"): t("Write until when: 18:00, 2h, 25.12 or 25.12 09:00."),
        ("NotAllowed", "shifts"): t("Only a lead may change the shifts of others."),
        ("WrongStatus", "dialogue"): t("This dialogue is over. Begin anew with «New request»."),
        ("WrongStatus", "machine"): t("That is not possible just now."),
        ("NoCloud", "has_cabinet"): t("Your organization has a cabinet already."),
        ("NotFound", "agent"): t("That person is not listed as an engineer of this desk."),
    }

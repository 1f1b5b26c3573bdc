"""The bot's commands: what its menu offers customers and engineers, and the engineers' page of help. Pure."""

from aiogram.utils.formatting import Bold, as_list

from bot.rendered import Rendered, render
from crm.desks import Profile
from crm.look import Look
from crm.texts import texts


def of_customers(language: str, mail: bool) -> list[dict[str, str]]:
    t = texts(language)
    by_mail = [
        {"command": "email", "description": t("Link a mail address")},
        {"command": "answers", "description": t("Where answers go")},
    ]
    return [
        {"command": "new", "description": t("New request")},
        {"command": "requests", "description": t("My requests")},
        {"command": "language", "description": t("Language")},
        *(by_mail if mail else ()),
        {"command": "help", "description": t("Help")},
    ]


def of_engineers(profile: Profile, language: str) -> list[dict[str, str]]:
    """Of the cloud only where the desk has hands on one."""
    t = texts(language)
    in_cloud = [
        {"command": "vm", "description": t("The customer's machines: /vm, /vm reboot name")},
        {"command": "quota", "description": t("The customer's quotas: /quota, /quota vcpus+8")},
        {"command": "password", "description": t("A new password: /password login")},
        {"command": "link", "description": t("Link two zones: /link zone-a zone-b")},
    ]
    trial = [{"command": "trial", "description": t("A trial: /trial, /trial refuse reason")}]
    return [
        {"command": "r", "description": t("Answer the customer: /r text")},
        {"command": "note", "description": t("Internal note: /note text")},
        {"command": "delete", "description": t("In reply: remove your message everywhere")},
        {"command": "why", "description": t("How the times of the request come about")},
        {"command": "queue", "description": t("To another queue: /queue")},
        {"command": "organization", "description": t("Whose contact the customer is: /organization name")},
        {"command": "merge", "description": t("This request goes on in another: /merge PD-1042")},
        *(in_cloud if profile.cloud is not None else ()),
        *(trial if profile.trial is not None else ()),
        {"command": "maintenance", "description": t("Maintenance: /maintenance 2h reason")},
        {"command": "emergency", "description": t("Emergency: /emergency 60 4h reason, /emergency off")},
        {"command": "duty", "description": t("Who is on duty; /duty on, off, week, swap")},
        {"command": "away", "description": t("Off duty, my requests are free again")},
        {"command": "back", "description": t("I am back")},
        {"command": "agent", "description": t("Engineers: /agent list, add, remove, rights")},
        {"command": "connect", "description": t("Receive requests in this group")},
        {"command": "help", "description": t("Help")},
    ]


def help_of_engineers(look: Look) -> Rendered:
    """How one talks to a customer, and every command in a line."""
    t = look.t
    lines = [f"/{one['command']} – {one['description']}" for one in of_engineers(look.profile, look.language)]
    how = t("A reply to the customer's message or to the card – or /r – goes to the customer; the rest is a note.")
    return render(as_list(Bold(t("Commands in this group")), *lines, how))

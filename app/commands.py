"""Tells Telegram the bot's commands, in each language and for each place, at start."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog

from bot.client import Client, Sent
from crm.desks import Profile
from crm.texts import texts

log = structlog.get_logger()


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


def of_engineers(language: str) -> list[dict[str, str]]:
    t = texts(language)
    return [
        {"command": "r", "description": t("Answer the customer: /r text")},
        {"command": "note", "description": t("Internal note: /note text")},
        {"command": "delete", "description": t("In reply: remove your message everywhere")},
        {"command": "why", "description": t("How the times of the request come about")},
        {"command": "queue", "description": t("To another queue: /queue")},
        {"command": "organization", "description": t("Whose contact the customer is: /organization name")},
        {"command": "merge", "description": t("This request goes on in another: /merge PD-1042")},
        {"command": "maintenance", "description": t("Maintenance: /maintenance 2h reason")},
        {"command": "emergency", "description": t("Emergency: /emergency 60 4h reason, /emergency off")},
        {"command": "duty", "description": t("Who is on duty; /duty on, off, week, swap")},
        {"command": "away", "description": t("Off duty, my requests are free again")},
        {"command": "back", "description": t("I am back")},
        {"command": "agent", "description": t("Engineers: /agent list, add, remove")},
        {"command": "connect", "description": t("Receive requests in this group")},
    ]


def _settings(profile: Profile, mail: bool) -> list[dict[str, Any]]:
    private = {"scope": {"type": "all_private_chats"}}
    calls: list[dict[str, Any]] = [{"commands": of_customers(profile.team_language, mail), **private}]
    calls += [{"commands": of_customers(lang, mail), "language_code": lang, **private} for lang in profile.languages]
    calls.append({"commands": of_engineers(profile.team_language), "scope": {"type": "all_group_chats"}})
    return calls


async def announce(clients: Mapping[str, Client], profiles: Sequence[Profile], by_mail: Collection[str]) -> None:
    """Best effort: the bot works without its menu of commands."""
    for profile in profiles:
        for params in _settings(profile, profile.name in by_mail):
            outcome = await clients[profile.name].call("setMyCommands", params)
            if not isinstance(outcome, Sent):
                log.warning("commands.not_set", desk=profile.name, outcome=repr(outcome))
                await asyncio.sleep(1)

"""Tells Telegram the bot's commands, in each language and for each place, at start."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog

from bot.client import Client, Sent
from bot.menu import of_customers, of_engineers
from crm.desks import Profile

log = structlog.get_logger()


def _settings(profile: Profile, mail: bool) -> list[dict[str, Any]]:
    private = {"scope": {"type": "all_private_chats"}}
    calls: list[dict[str, Any]] = [{"commands": of_customers(profile.team_language, mail), **private}]
    calls += [{"commands": of_customers(lang, mail), "language_code": lang, **private} for lang in profile.languages]
    calls.append({"commands": of_engineers(profile, profile.team_language), "scope": {"type": "all_group_chats"}})
    return calls


async def announce(clients: Mapping[str, Client], profiles: Sequence[Profile], by_mail: Collection[str]) -> None:
    """Best effort: the bot works without its menu of commands."""
    for profile in profiles:
        for params in _settings(profile, profile.name in by_mail):
            outcome = await clients[profile.name].call("setMyCommands", params)
            if not isinstance(outcome, Sent):
                log.warning("commands.not_set", desk=profile.name, outcome=repr(outcome))
                await asyncio.sleep(1)

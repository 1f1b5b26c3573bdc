"""Buttons of engineers' hands on the cloud, from facts. Pure."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.callbacks import Act, Machine
from bot.keyboards import button, inline
from crm.cloud import words
from crm.cloud.choices import sensible
from crm.cloud.rules import HANDED_OVER
from crm.texts import Texts

MOST_MACHINES = 30


def approval(t: Texts, action_id: int) -> InlineKeyboardMarkup:
    yes = button(t("Approve"), Act(action="approve", id=action_id), "success")
    return inline([[yes, button(t("Turn it down"), Act(action="refuse", id=action_id), "danger")]])


def refusal(t: Texts, action_id: int) -> InlineKeyboardMarkup:
    silent = button(t("Refuse without a reason"), Act(action="silent", id=action_id), "danger")
    return inline([[silent], [button(t("Back"), Act(action="back", id=action_id))]])


def unknown(t: Texts, action_id: int, kind: str) -> InlineKeyboardMarkup:
    """A person has looked, and says what has become of it; a password that nobody has is never done."""
    yes = button(t("It was done"), Act(action="done", id=action_id), "success")
    no = button(t("It was not done"), Act(action="notdone", id=action_id))
    return inline(
        [
            [no] if kind in HANDED_OVER else [yes, no],
            [button(t("Run again"), Act(action="again", id=action_id), "danger")],
        ]
    )


def machines(ticket_id: int, found: Sequence[Mapping[str, Any]]) -> InlineKeyboardMarkup | None:
    """One a row, as many as can be overlooked."""
    shown = found[:MOST_MACHINES]
    rows = [[button(vm["name"][:60], Machine(action="show", ticket=ticket_id, id=vm["id"]))] for vm in shown]
    return inline(rows) if rows else None


def powers(t: Texts, ticket_id: int, vm: Mapping[str, Any]) -> InlineKeyboardMarkup | None:
    """What makes sense in its state; a command may still ask for anything else."""
    acts = sensible(vm["status"], vm["task"], vm["locked"])
    labels = words.verb_labels(t)
    row = [button(labels[act], Machine(action=act, ticket=ticket_id, id=vm["id"])) for act in acts]
    return inline([row[place : place + 2] for place in range(0, len(row), 2)]) if row else None


def page(t: Texts, url: str) -> InlineKeyboardMarkup | None:
    """A button that opens it; None for an address that Telegram refuses in buttons, as of a machine of one's own."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        public = "." in host and not host.endswith((".localhost", ".local"))
    else:
        public = False
    return inline([[InlineKeyboardButton(text=t("Show the password"), url=url)]]) if public else None

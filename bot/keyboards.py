"""Buttons, from facts. Pure."""

from typing import Any

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from bot import callbacks as press
from crm.desks import Profile
from crm.texts import Texts
from crm.tickets import status

LANGUAGES = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
Rows = list[list[InlineKeyboardButton]]


def button(text: str, data: Any, style: str | None = None) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data.pack(), style=style)


def inline(rows: Rows) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=rows)


def languages(profile: Profile, current: str) -> list[InlineKeyboardButton]:
    return [
        button(("• " if code == current else "") + LANGUAGES[code], press.Language(code=code))
        for code in profile.languages
    ]


def welcome(t: Texts, profile: Profile, accepted: bool) -> InlineKeyboardMarkup:
    rows = [languages(profile, t.language)]
    if not accepted:
        rows.append([button(t("I accept the rules"), press.Rules(), "success")])
    return inline(rows)


def rules(t: Texts) -> InlineKeyboardMarkup:
    return inline([[button(t("I accept the rules"), press.Rules(), "success")]])


def menu(t: Texts) -> ReplyKeyboardMarkup:
    """What is always at hand below the input field."""
    return ReplyKeyboardMarkup(
        keyboard=[[KeyboardButton(text=t("New request")), KeyboardButton(text=t("My requests"))]],
        resize_keyboard=True,
        is_persistent=True,
    )


def phone(t: Texts) -> ReplyKeyboardMarkup:
    """Telegram itself says whose number it is."""
    shared = KeyboardButton(text=t("Share my phone number"), request_contact=True)
    return ReplyKeyboardMarkup(keyboard=[[shared]], resize_keyboard=True, is_persistent=True)


def cancel(t: Texts, dialogue: int) -> InlineKeyboardButton:
    return button(t("Cancel"), press.Dialogue(dialogue=dialogue, action="cancel"))


def leaving(t: Texts, dialogue: int, back: Any) -> Rows:
    """The last row of every page of a dialogue."""
    return [[button("‹ " + t("Back"), back), cancel(t, dialogue)]]


def kinds(t: Texts, profile: Profile, labels: dict[str, str], dialogue: int) -> InlineKeyboardMarkup:
    rows = [[button(labels[kind.key], press.Kind(key=kind.key))] for kind in profile.request_types]
    return inline([*rows, [cancel(t, dialogue)]])


def which(t: Texts, message_id: int, tickets: list[tuple[int, str]]) -> InlineKeyboardMarkup:
    rows = [[button(label, press.Place(message=message_id, ticket=ticket))] for ticket, label in tickets]
    rows.append([button(t("New request"), press.Place(message=message_id, ticket=0), "primary")])
    return inline(rows)


def mine(tickets: list[tuple[int, str]]) -> InlineKeyboardMarkup | None:
    if not tickets:
        return None
    return inline([[button(label, press.Mine(action="open", ticket=ticket))] for ticket, label in tickets])


def own_ticket(t: Texts, ticket_id: int, state: str) -> InlineKeyboardMarkup:
    rows: Rows = []
    if state == "resolved":
        rows += solved(t, ticket_id).inline_keyboard
    elif status.possible("withdraw", state):
        rows.append([button(t("Withdraw the request"), press.Mine(action="withdraw", ticket=ticket_id), "danger")])
    rows.append([button(t("Back to the list"), press.Mine(action="list", ticket=0))])
    return inline(rows)


def solved(t: Texts, ticket_id: int) -> InlineKeyboardMarkup:
    return inline(
        [
            [
                button(t("Solved, thank you"), press.Mine(action="confirm", ticket=ticket_id), "success"),
                button(t("Not solved"), press.Mine(action="reject", ticket=ticket_id), "danger"),
            ]
        ]
    )


def stars(ticket_id: int) -> InlineKeyboardMarkup:
    return inline([[button(f"⭐ {n}", press.Stars(ticket=ticket_id, stars=n)) for n in range(1, 6)]])


def card(t: Texts, ticket_id: int, state: str, assigned: bool) -> InlineKeyboardMarkup | None:
    """Only what the status admits; the desk checks again at the press."""

    def one(action: status.Action, text: str, style: str | None = None) -> list[InlineKeyboardButton]:
        if not status.possible(action, state):
            return []
        return [button(text, press.Work(action=action, ticket=ticket_id), style)]

    first = one("take", t("Take"), "primary")
    if first and assigned:
        first = [button(t("Take over"), press.Work(action="over", ticket=ticket_id))]
    rows = [
        [*first, *one("ask", t("Wait for the customer"))],
        one("hold", t("Wait for a third party")),
        [*one("resolve", t("Resolve"), "success"), *one("reopen", t("Reopen"))],
    ]
    if state in status.ACTIVE:
        rows.append(
            [
                button(t("Priority"), press.Work(action="priority", ticket=ticket_id)),
                button(t("Type"), press.Work(action="type", ticket=ticket_id)),
                *one("decline", t("Decline"), "danger"),
            ]
        )
    return inline([row for row in rows if row])


def priorities(ticket_id: int, labels: dict[str, str], back: str) -> InlineKeyboardMarkup:
    rows = [[button(label, press.Priority(ticket=ticket_id, value=value)) for value, label in labels.items()]]
    return inline([*rows, [button(back, press.Work(action="card", ticket=ticket_id))]])


def types(ticket_id: int, labels: dict[str, str], back: str) -> InlineKeyboardMarkup:
    rows = [[button(label, press.Type(ticket=ticket_id, key=key))] for key, label in labels.items()]
    return inline([*rows, [button(back, press.Work(action="card", ticket=ticket_id))]])


def queues(ticket_id: int, labels: dict[str, str]) -> InlineKeyboardMarkup | None:
    """A button for each; none at all where there is nothing to choose."""
    rows = [[button(label, press.Queue(ticket=ticket_id, key=key))] for key, label in labels.items()]
    return inline(rows) if rows else None

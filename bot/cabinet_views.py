"""What customers read who ask for a password, a link between zones, or a cabinet. Pure."""

from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.utils.formatting import Bold, Text, as_list

from bot import callbacks as press
from bot import keyboards
from bot.cloud_views import LABEL, first_page, leaving, own_words
from bot.keyboards import Rows, button
from bot.rendered import Rendered, render
from crm.cloud import words
from crm.cloud.access import Cabinet
from crm.cloud.choices import mark
from crm.notices import Look, type_labels

# --- passwords ------------------------------------------------------------------------------------------------


def logins(look: Look, found: Sequence[tuple[Cabinet, str, str]], dialogue: int) -> Rendered:
    """Cabinet, user id and login name of each."""
    t, several = look.t, len({own.id for own, _, _ in found}) > 1
    rows: Rows = [
        [
            button(
                (f"{name} · {own.name}" if several else name)[:LABEL],
                press.Login(dialogue=dialogue, step="look", cabinet=own.id, login=mark(user_id)),
            )
        ]
        for own, user_id, name in found
    ]
    rows += own_words(t, dialogue) + leaving(t, dialogue)
    return render(as_list(Bold(type_labels(t)["password"]), t("For which login?")), keyboards.inline(rows))


def new_password(look: Look, own: Cabinet, user_id: str, login: str, dialogue: int, several: bool) -> Rendered:
    t = look.t
    asking = press.Login(dialogue=dialogue, step="ask", cabinet=own.id, login=mark(user_id))
    rows: Rows = [[button(t("Make a new password"), asking, "danger")]]
    rows += leaving(t, dialogue, first_page(dialogue) if several else None)
    return render(
        as_list(
            Bold(t("A new password for {name}?", name=login)),
            t("The present one stops working at once."),
            t("The new one comes to this chat as a link that opens once and only for 15 minutes."),
        ),
        keyboards.inline(rows),
    )


# --- links ----------------------------------------------------------------------------------------------------


def _zones(dialogue: int, step: str, cabinet: int, first: str = "", second: str = "") -> press.Zones:
    """By name."""
    marks = [mark(name) if name else "" for name in (first, second)]
    return press.Zones(dialogue=dialogue, step=step, cabinet=cabinet, first=marks[0], second=marks[1])


def where(look: Look, found: Sequence[Cabinet], dialogue: int) -> Rendered:
    t = look.t
    rows: Rows = [[button(one.name[:LABEL], _zones(dialogue, "look", one.id))] for one in found]
    rows += own_words(t, dialogue) + leaving(t, dialogue)
    return render(as_list(Bold(type_labels(t)["link"]), t("In which cabinet?")), keyboards.inline(rows))


def zones(look: Look, own: Cabinet, available: Sequence[str], first: str, dialogue: int, several: bool) -> Rendered:
    """The first zone, then the second. `several`: the cabinet is one of more."""
    t = look.t
    left = [name for name in available if name != first]
    rows: Rows = [
        [button(name[:LABEL], _zones(dialogue, "look", own.id, *((first, name) if first else (name,))))]
        for name in left
    ]
    back = _zones(dialogue, "look", own.id) if first else first_page(dialogue) if several else None
    rows += own_words(t, dialogue) + leaving(t, dialogue, back)
    asking = t("Which zone should {name} be linked with?", name=first) if first else t("Which zone first?")
    return render(as_list(Bold(own.name), asking), keyboards.inline(rows))


def new_link(look: Look, own: Cabinet, first: str, second: str, dialogue: int, back: CallbackData | None) -> Rendered:
    t = look.t
    rows: Rows = [[button(t("Ask for it"), _zones(dialogue, "ask", own.id, first, second), "success")]]
    rows += own_words(t, dialogue) + leaving(t, dialogue, back)
    return render(
        as_list(
            Bold(own.name),
            t("Link the zones {first} and {second} by a network?", first=first, second=second),
            t("An engineer has to agree first."),
        ),
        keyboards.inline(rows),
    )


def before(own: Cabinet, first: str, dialogue: int) -> press.Zones:
    """Where the second zone was chosen."""
    return _zones(dialogue, "look", own.id, first)


# --- a cabinet of one's own -----------------------------------------------------------------------------------


def name(look: Look, dialogue: int) -> Rendered:
    t = look.t
    lines = [Bold(type_labels(t)["cabinet"]), t("For whom? Write the name of your organization, or your own.")]
    return render(as_list(*lines), keyboards.inline(leaving(t, dialogue)))


def named(look: Look, chosen: str) -> Rendered:
    """Brings the button that shares the number."""
    return render(look.t("Thank you: {name}.", name=chosen), keyboards.phone(look.t))


def phone(look: Look, dialogue: int, note: str = "") -> Rendered:
    t = look.t
    asking = t("And a phone number? Press the button below the input field, or write it.")
    rows = leaving(t, dialogue, press.Cabinet(dialogue=dialogue, step="name"))
    return render(as_list(*filter(None, [note]), asking), keyboards.inline(rows))


def no_phone(look: Look) -> str:
    return "❗️ " + look.t("That is no phone number. Write it like +7 701 123 45 67.")


def phoned(look: Look, number: str) -> Rendered:
    """Brings the usual buttons back."""
    return render(look.t("Thank you: {name}.", name=number), keyboards.menu(look.t))


def new_cabinet(look: Look, chosen: str, number: str, dialogue: int) -> Rendered:
    t, labels = look.t, words.resource_labels(look.t)
    rules = look.profile.cloud
    given = rules.cabinet if rules is not None else {}
    gets = [f"{labels[resource]}: {words.amount(t, resource, value)}" for resource, value in given.items()]
    lines: list[Text | str] = [
        Bold(t("A new cabinet")),
        t("For: {name}", name=chosen),
        t("Phone: {phone}", phone=number),
    ]
    if gets:
        lines += ["", t("What it has at first:"), *gets]
    lines += ["", t("An engineer has to agree; then its login and password come here.")]
    rows: Rows = [[button(t("Open the cabinet"), press.Cabinet(dialogue=dialogue, step="ask"), "success")]]
    rows += leaving(t, dialogue, press.Cabinet(dialogue=dialogue, step="name"))
    return render(as_list(*lines), keyboards.inline(rows))

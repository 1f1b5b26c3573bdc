"""What engineers see of mail in a ticket's topic. Pure: facts in, text with entities out."""

from collections.abc import Callable
from typing import Any

from aiogram.utils.formatting import BlockQuote, Bold, Code, Text, as_list

from bot import keyboards
from bot.callbacks import Held
from bot.rendered import Rendered, render
from bot.views import Look
from crm.mail.shown import dealt
from crm.notices import field_labels

# Held mails in one message; each takes some 300 characters at most.
MOST_HELD = 10


def mail(look: Look, content: dict[str, Any], part: int) -> Rendered:
    """A part of what came by mail; the first one says from whom, with the full address."""
    pieces, whole = dealt(content["text"])
    words: list[Text | str] = [pieces[part]] if pieces[part] else []
    if part > 0:
        return render(as_list("✉️ …", *words))
    if whole:
        words.append("… 📎 " + look.t("The whole text is in the file."))
    return render(as_list(*_head(look, content), *words))


def _head(look: Look, content: dict[str, Any]) -> list[Text | str]:
    t, sender = look.t, content["mail"]
    who: Text = (
        Text("✉️ ", Bold(sender["name"]), " · ", Code(sender["address"]))
        if sender["name"]
        else Text("✉️ ", Code(sender["address"]))
    )
    head: list[Text | str] = [who]
    if sender["failed"]:
        head.append("⛔️ " + t("The sender is forged, or the mail was changed on its way."))
    elif sender["proven"] is False:
        head.append("⚠️ " + t("It is not proven that this sender wrote it."))
    if sender.get("too_big"):
        head.append("🐘 " + t("The mail is too large to be shown; it lies in the mailbox."))
    elif not content["text"] and not content.get("files"):
        head.append(t("(no text)"))
    return head


def caption(look: Look, file: dict[str, Any]) -> str:
    return f"✉️ {file['name']}"


def _returned(look: Look, facts: dict[str, Any]) -> Rendered:
    t = look.t
    words = t("The mail to {address} came back:") if facts["permanent"] else t("The mail to {address} is delayed:")
    sign = "💔" if facts["permanent"] else "⏳"
    return render(Text(f"{sign} ", Bold(words.format(address=facts["address"])), " ", facts["reason"] or "–"))


def _auto_reply(look: Look, facts: dict[str, Any]) -> Rendered:
    said = look.t("Automatic answer from {address}:", address=facts["address"])
    return render(as_list(Text("🤖 ", Bold(said)), BlockQuote(facts["text"] or "–")))


def _stranger(look: Look, facts: dict[str, Any]) -> Rendered:
    return render(
        "🕵️ "
        + look.t(
            "The mail refers to {reference}, but its sender does not take part there: a request of its own.",
            reference=facts["reference"],
        )
    )


def _held(look: Look, facts: dict[str, Any]) -> Rendered:
    t, mails = look.t, facts["mails"]
    lines: list[Text] = []
    buttons = []
    for mail in mails[:MOST_HELD]:
        head = t("A mail that a program sent is held: kezekshi inbox show {id}", id=mail["id"])
        lines += [Text("📥 ", Bold(head)), Text(Code(mail["address"]), f" · {mail['subject']}")]
        label = t("It is a request") + (f" · {mail['id']}" if len(mails) > 1 else "")
        buttons.append([keyboards.button(label, Held(item=mail["id"]))])
    if len(mails) > MOST_HELD:
        more = t("{count} more: kezekshi inbox list --state done", count=len(mails) - MOST_HELD)
        lines.append(Text("📥 … ", more))
    return render(as_list(*lines), keyboards.inline(buttons))


def wanted(look: Look, name: str) -> str:
    return "📥 " + look.t("{name} has made a request of the mail.", name=name)


def _mail_stays(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("✉️ " + look.t("This answer has gone by mail and stays as it was; write again to correct it."))


def _missing(look: Look, facts: dict[str, Any]) -> Rendered:
    asked = ", ".join(field_labels(look.t)[field] for field in facts["fields"])
    head = look.t("Asked for what the agreement wants:") if facts["asked"] else look.t("What the agreement wants:")
    return render(Text("📋 ", Bold(head), " ", asked))


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "returned": _returned,
    "auto_reply": _auto_reply,
    "stranger": _stranger,
    "held": _held,
    "mail_stays": _mail_stays,
    "missing": _missing,
}

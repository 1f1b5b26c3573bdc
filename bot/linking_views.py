"""What a customer reads who links a mail address. Pure."""

from collections.abc import Sequence

from aiogram.utils.formatting import Bold, Code, Text, as_list

from bot import keyboards
from bot.callbacks import AnswersBy
from bot.rendered import Rendered, render
from bot.views import Look


def ask_address(look: Look, known: Sequence[str]) -> Rendered:
    t = look.t
    lines: list[Text | str] = [t("Write the mail address that you write to us from: we send a code there.")]
    if known:
        lines.insert(0, Text(t("Linked already:"), " ", Code(", ".join(known))))
    return render(as_list(*lines))


def code_sent(look: Look, address: str) -> Rendered:
    t = look.t
    return render(
        as_list(
            Text(t("A code is on its way to"), " ", Code(address)),
            t("Write it here within 15 minutes. /email begins anew, /start leaves it."),
        )
    )


def wrong_code(look: Look) -> Rendered:
    return render(look.t("That is not the code. Please look again, or begin anew with /email."))


def linked(look: Look, address: str) -> Rendered:
    t = look.t
    return render(
        as_list(
            Text(Bold(t("Linked:")), " ", Code(address)),
            t("Your requests by mail are here now too. Answers go where you wrote last; /answers changes that."),
        ),
        keyboards.menu(t),
    )


def choose(look: Look, known: Sequence[str]) -> Rendered:
    t = look.t
    if not known:
        return render(t("Answers come here. To get them by mail, link an address first: /email"))
    rows = [
        [keyboards.button(t("Here, in Telegram"), AnswersBy(channel="telegram"))],
        [keyboards.button(t("By mail"), AnswersBy(channel="email"))],
        [keyboards.button(t("Where I wrote last"), AnswersBy(channel="last"))],
    ]
    return render(t("Where shall answers go?"), keyboards.inline(rows))


def chosen(look: Look, channel: str | None) -> Rendered:
    t = look.t
    words = {
        "telegram": t("Answers come here from now on."),
        "email": t("Answers go by mail from now on."),
        None: t("Answers go where you wrote last."),
    }
    return render("✅ " + words[channel])

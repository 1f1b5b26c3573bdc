"""How people's mail programs introduce what they quote, and how a quote is told from what was said."""

import pytest

from sandbox.mail.accounts import Account
from sandbox.mail.reading import cut, parse, text_of
from sandbox.mail.writing import Letter, written

NOON = 1_795_590_000.0
FROM = "From: ProData <support@prodata.example>\r\nMessage-ID: <1@prodata.example>\r\n"
DATE = "Date: Thu, 26 Nov 2026 06:05:00 +0000\r\n"


@pytest.mark.parametrize(
    ("language", "date", "line"),
    [
        ("kk", DATE, "2026 ж. 26 қар., бс 11:05, ProData <support@prodata.example> жазды:"),
        ("ru", DATE, "чт, 26 нояб. 2026 г. в 11:05, ProData <support@prodata.example>:"),
        ("en", DATE, "On Thu, 26 Nov 2026 at 11:05, ProData <support@prodata.example> wrote:"),
        ("en", "", "ProData <support@prodata.example> wrote:"),
        ("kk", "Date: never\r\n", "ProData <support@prodata.example> жазды:"),
    ],
)
def test_a_quote_is_introduced_in_the_writers_language(language: str, date: str, line: str) -> None:
    account = Account("aigerim@kaspiy.example", "Айгерім", "x", language)
    original = f"{FROM}{date}Subject: re: VPN\r\n\r\nWhich office?\r\n\r\n> It is down\r\n".encode()
    mail = parse(written(account, Letter(["support@prodata.example"], [], "", "Almaty", [], original), NOON))
    assert mail["Subject"] == "re: VPN"
    assert text_of(mail) == f"Almaty\n\n{line}\n\n> Which office?\n>\n>> It is down"
    assert cut(text_of(mail)) == ("Almaty", f"{line}\n\n> Which office?\n>\n>> It is down")


@pytest.mark.parametrize(
    "text", ["", "no quote", "> only a quote\nand an answer below", "one: two\n\nthree:", "a\n> b\nc"]
)
def test_what_is_no_quote_at_the_end_is_left_alone(text: str) -> None:
    assert cut(text) == (text, "")

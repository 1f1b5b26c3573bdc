"""What a person newly wrote, out of texts of every shape."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbridge.reply import reply_text
from tests.bench.reading import Case, mails, normalised, score, texts

QUOTED = "On Mon, Mar 4, 2024 at 10:05 AM ProData Support <support@prodata.example> wrote:\n> Which room?"


@pytest.mark.parametrize("case", texts(), ids=lambda case: case.name)
def test_a_short_text(case: Case) -> None:
    assert normalised(reply_text(case.text, case.html)) == normalised(case.reply)


@pytest.mark.parametrize("case", mails(), ids=lambda case: case.name)
def test_a_mail_of_the_corpus(case: Case) -> None:
    assert normalised(reply_text(case.text, case.html)) == normalised(case.reply)


def test_the_whole_is_well_above_what_libraries_reach() -> None:
    exact, overlap = score(lambda case: reply_text(case.text, case.html), texts())
    assert exact > 0.95
    assert overlap > 0.97


def test_an_answer_of_nothing_but_quotes_is_the_whole_text() -> None:
    assert reply_text("> Which room?\n> Tell us.\n") == "> Which room?\n> Tell us."


def test_a_mail_that_only_forwards_says_what_it_forwards() -> None:
    text = "---------- Forwarded message ---------\nFrom: A <a@b.example>\nSubject: x\nTo: c@d.example\n\nBody"
    assert reply_text(text) == text


def test_a_signature_alone_is_still_an_answer() -> None:
    assert reply_text(f"-- \nTom Berg\n\n{QUOTED}") == "--\nTom Berg"


@pytest.mark.parametrize("blank", ["", " \n\t\n", "\r\n\r\n"])
def test_nothing_is_nothing(blank: str) -> None:
    assert reply_text(blank) == ""


def test_what_html_marks_as_a_signature_goes() -> None:
    text = f"It works.\n\nTom Berg\nExample School\n\n{QUOTED}"
    html = '<div>It works.</div><div class="gmail_signature">Tom Berg<br>Example School</div>'
    assert reply_text(text) == "It works.\n\nTom Berg\nExample School"
    assert reply_text(text, html) == "It works."


def test_a_name_that_is_also_in_the_signature_stays() -> None:
    text = f"It works.\n\nThanks,\nTom\n\n-- \nTom Berg\nExample School\n\n{QUOTED}"
    html = '<div>It works.</div><div class="gmail_signature">Tom Berg<br>Example School</div>'
    assert reply_text(text, html) == "It works.\n\nThanks,\nTom"


def test_a_quoted_mails_signature_is_not_ours() -> None:
    text = f"Tom Berg is right.\n\nTom Berg\n\n{QUOTED}"
    html = f'<div>Tom Berg</div><blockquote type="cite"><div class="gmail_signature">Tom Berg</div></blockquote>{text}'
    assert reply_text(text, html) == "Tom Berg is right.\n\nTom Berg"


def test_html_shows_a_quote_that_the_text_does_not_mark() -> None:
    text = "Thank you.\n\nsupport, this morning, about the printer\n\nWhich room?"
    html = '<p>Thank you.</p><div class="yahoo_quoted">support, this morning, about the printer<p>Which room?</p></div>'
    assert reply_text(text) == text
    assert reply_text(text, html) == "Thank you."


@pytest.mark.parametrize(
    "broken",
    [
        "<",
        "<!-- gmail_signature -->",
        "<div class=gmail_quote",
        "\x00<blockquote type=cite>",
        "<div id=Signature>" * 5000,
    ],
)
def test_html_that_cannot_be_read_changes_nothing(broken: str) -> None:
    assert reply_text("It works.", broken) == "It works."


_LINES = st.sampled_from(
    [
        *("", "Hello,", "> quoted", ">> deeper", "-- ", "--", "________________________________", "Thanks,", "Tom"),
        *("Sent from my iPhone", "Отправлено с iPhone", "-----Original Message-----", "С уважением,", "```", "---"),
        *("From: A <a@b.example>", "Sent: Monday, March 4, 2024 10:05 AM", "To: B", "Subject: x", "Тема: y", "From:"),
        *("On Mon, Mar 4, 2024 at 10:05 AM A <a@b.example> wrote:", "04.03.2024 10:05, Анна пишет:", "wrote:"),
        *("CAUTION: This email originated from outside", "+7 701 123 45 67", "[cid:image001.png]", "АС> Какой?"),
    ]
)


@given(st.lists(st.one_of(_LINES, st.text(max_size=60)), max_size=30).map("\n".join), st.none() | st.text(max_size=80))
def test_whatever_comes_something_is_said_and_nothing_invented(text: str, html: str | None) -> None:
    said = reply_text(text, html)
    assert bool(said) == bool(text.strip())
    assert set(said.split()) <= set(text.split())


@given(st.lists(_LINES, max_size=12).map("\n".join))
def test_line_ends_do_not_matter(text: str) -> None:
    assert reply_text(text.replace("\n", "\r\n")) == reply_text(text)


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a:\n",
            "1:\n",
            "a@b.c:\n",
            "From: a@b.c\n",
            "--\n\nx\n\n",
            "-----\n\n",
            "> a\nb\n",
            "sent from my\n\n",
            "```\n",
        ),
        *("On Mon, Mar 4, 2024 at 10:05 AM x\n", "Thanks,\n", "x", "a: ", ">", "\n", "- ", "<a@b.c> ", '"', "1 2 3 "),
    ],
    ids=json.dumps,
)
def test_a_megabyte_of_anything_takes_a_second_or_so(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    reply_text(text)
    assert time.process_time() - begun < 3.0

"""What we send, read again by ourselves: as it comes back in a loop, and as a customer's answer quotes it."""

from email.message import EmailMessage
from urllib.parse import unquote

import pytest

from crm.mail import tokens
from crm.mail.letter import Address
from crm.notices import SAYINGS
from mailbridge.answers import choice
from mailbridge.compose import Answer, Quote, Thread, compose, heading, message_id, reply_address
from mailbridge.entities import quoted
from mailbridge.read import read
from tests.factories import NOW, PROFILE
from tests.unit.test_mail_compose import CLIENT, FACTS, Mail, Notice

KEY = b"k" * 32
TOKEN = tokens.token(KEY, "PD-1042")
FROM = "support@desk.kz"
# As a customer's program names our mail above its quote.
ATTRIBUTIONS = {
    "gmail ru": "вс, 22 нояб. 2026 г. в 14:00, Айдар · ProData <support@desk.kz>:",
    "gmail en": "On Sun, Nov 22, 2026 at 2:00 PM Айдар · ProData <support@desk.kz> wrote:",
    "thunderbird": "22.11.2026 14:00, Айдар · ProData пишет:",
    "apple kk": "2026 ж. 22 қар., сағат 14:00, Айдар · ProData <support@desk.kz> жазды:",
}


def thread(plus: bool = True) -> Thread:
    return Thread("PD-1042", "Не открывается кабинет", TOKEN, plus, message_id("PD-1042", 7, TOKEN, FROM), "b@firma.kz")


def answer(plus: bool = True) -> Mail:
    asked = Quote(Address("client@firma.kz", "Клиент"), NOW, "Здравствуйте!\n\nНе открывается кабинет")
    body = Answer("Айдар", {"type": "text", "text": "Добрый день!\n\nПерезагрузили, проверьте."}, quote=asked)
    return Mail(PROFILE, "ru", NOW, FROM, CLIENT, thread(plus), body)


def notice(name: str, language: str = "ru") -> Mail:
    body = Notice(name, {"reference": "PD-1042", **FACTS[name]})
    return Mail(PROFILE, language, NOW, FROM, CLIENT, thread(), body)


def plain_of(mail: Mail) -> str:
    return read(compose(mail)).text


def reply_to(mail: Mail, words: str, attribution: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"] = "client@firma.kz", reply_address(mail.thread, FROM)
    made["Subject"], made["Message-ID"] = heading(mail), "<c@firma.kz>"
    made["In-Reply-To"] = f"<{mail.thread.message_id}>"
    made.set_content(f"{words}\n\n{attribution}\n{quoted(plain_of(mail).strip())}\n")
    return made.as_bytes()


@pytest.mark.parametrize("language", PROFILE.languages)
@pytest.mark.parametrize("name", SAYINGS)
def test_our_own_notice_is_never_a_request(name: str, language: str) -> None:
    """Attack 12: two desks that write to one another stop at once."""
    assert read(compose(notice(name, language))).nature != "request"


@pytest.mark.parametrize("plus", [True, False])
def test_the_ticket_is_proven_by_what_an_answer_carries(plus: bool) -> None:
    mail = answer(plus)
    assert tokens.proven(KEY, reply_address(mail.thread, FROM), heading(mail)) == ["PD-1042"]
    assert tokens.proven(KEY, mail.thread.message_id) == ["PD-1042"]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
@pytest.mark.parametrize("words", ["Да, работает. Спасибо!", "Всё равно 502.\nПосмотрите, пожалуйста."])
def test_an_answer_is_read_without_what_it_quotes(words: str, attribution: str) -> None:
    found = read(reply_to(answer(), words, attribution))
    assert found.reply_text.strip() == words
    assert found.in_reply_to == thread().message_id


@pytest.mark.parametrize("language", PROFILE.languages)
def test_our_attribution_is_known_as_one(language: str) -> None:
    """What the customer wrote is cut from our answer, whoever forwards or quotes it."""
    mail = answer()
    mail = Mail(PROFILE, language, NOW, FROM, CLIENT, mail.thread, mail.body)
    assert "Не открывается" not in read(compose(mail)).reply_text


@pytest.mark.parametrize("language", PROFILE.languages)
def test_a_pressed_link_becomes_a_choice(language: str) -> None:
    html = read(compose(notice("resolved", language))).html
    links = [part.split('"')[0].replace("&amp;", "&") for part in html.split('href="mailto:')[1:]]
    assert len(links) == 2
    meant = []
    for link in links:
        to, _, rest = link.partition("?subject=")
        about, _, body = rest.partition("&body=")
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = "client@firma.kz", unquote(to), unquote(about)
        made.set_content(unquote(body).replace("\r\n", "\n") + "\n-- \nОтправлено с iPhone\n")
        letter = read(made.as_bytes())
        assert tokens.proven(KEY, letter.to[0].address) == ["PD-1042"]
        meant.append(choice(letter.reply_text))
    assert meant == ["confirm", "reject"]

"""Mails as their readers have them: taken apart again by the standard library."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import pytest

from crm.mail.letter import Address, File
from crm.notices import SAYINGS
from mailbridge import answers
from mailbridge.compose import Answer, Mail, Notice, Quote, Thread, compose, message_id, reply_address
from tests.factories import NOW, PROFILE

TOKEN = "abcdefghij234567abcdefghij"
SECRET = "Пароль-от-незнакомца"
THREAD = Thread(
    "PD-1042", "Не открывается кабинет", TOKEN, True, f"pd-1042.{TOKEN}.7@desk.kz", "b@firma.kz", ("a@firma.kz",)
)
CLIENT = Address("client@firma.kz", "Клиент, ТОО")
DUE = (NOW + timedelta(hours=2)).isoformat()
FACTS: dict[str, dict[str, Any]] = {
    "acknowledged": {"due_at": DUE, "rules": True, "emergency": "авария на канале"},
    "resumed": {"due_at": DUE},
    "retyped": {"due_at": DUE, "type": "vm"},
    "moved": {"reason": "maintenance", "promises": [{"metric": "resolution", "due_at": DUE}]},
    "asked": {},
    "resolved": {"ticket": 1},
    "reminded": {"ticket": 1, "closes_at": DUE},
    "lapsed": {"reopen_days": 5},
    "merged": {"into": "PD-1043"},
    "wanted": {"fields": ["contract", "named_person"]},
    "link_code": {"code": "12345678"},
    **{
        name: {
            "what": kind,
            "title": "web-1",
            "parameters": {"limits": {"vcpus": 16}} if kind == "quota" else {},
            "reason": "conflict",
            "seconds": 94.5,
            "promised": 600,
            "at": DUE,
        }
        for name, kind in (
            ("action_accepted", "quota"),
            ("action_running", "reboot"),
            ("action_succeeded", "password"),
            ("action_failed", "stop"),
            ("action_unknown", "reboot"),
            ("action_refused", "link"),
            ("action_expired", "quota"),
        )
    },
    "declined": {"reason": "нет договора {{ 7*7 }} <b>{x}</b>"},
    "trial_refused": {"reason": ""},
    "trial_opened": {"days": 3, "limits": {"instances": 2, "ram": 8192}},
    "trial_unused": {"days": 3, "opened_at": DUE},
    "trial_begun": {"launched_at": DUE, "ends_at": DUE},
    **{f"trial_{name}": {"ends_at": DUE} for name in ("half", "day", "hours", "closed")},
    "trial_paid": {"launched_at": DUE, "ends_at": DUE, "billing": "PD-1044"},
}


def notice(name: str, language: str = "ru", thread: Thread = THREAD, **more: Any) -> Mail:
    body = Notice(name, {"reference": thread.reference, **FACTS[name]}, **more)
    return Mail(PROFILE, language, NOW, "support@desk.kz", CLIENT, thread, body)


def answer(text: str = "Готово.", thread: Thread = THREAD, cc: tuple[Address, ...] = (), **more: Any) -> Mail:
    content = {"type": "text", "text": text, **more.pop("content", {})}
    body = Answer(more.pop("author", "Айдар"), content, **more)
    return Mail(PROFILE, "ru", NOW, "support@desk.kz", CLIENT, thread, body, cc)


def read(mail: Mail) -> EmailMessage:
    raw = compose(mail)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 100
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def bodies(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


# --- an answer -------------------------------------------------------------------------------------------------------


def test_an_answer_looks_like_a_persons_mail() -> None:
    asked = Quote(Address("client@firma.kz", "Клиент"), NOW - timedelta(hours=1), "Здравствуйте!\r\n\nНе открывается")
    mail = read(answer("Добрый день!\nПроверьте, пожалуйста.", quote=asked))
    assert bodies(mail)[0] == (
        "Добрый день!\nПроверьте, пожалуйста.\n\n-- \nАйдар · ProData · PD-1042\n"
        "Чтобы ответить, просто напишите в ответ на это письмо.\n\n"
        "22 нояб. 2026 г., 13:00, Клиент <client@firma.kz> пишет:\n"
        "> Здравствуйте!\n>\n> Не открывается\n"
    )
    html = bodies(mail)[1].replace("\r\n", "\n")
    assert "Добрый день!<br>\nПроверьте" in html
    assert re.search(r'<blockquote class="gmail_quote" type="cite"[^>]*>Здравствуйте!<br>', html)


def test_its_fields_put_it_into_the_thread() -> None:
    mail = read(answer(cc=(Address("boss@firma.kz", "Шеф"), Address("it@firma.kz"))))
    assert str(mail["From"]) == "Айдар · ProData <support@desk.kz>"
    assert str(mail["To"]) == '"Клиент, ТОО" <client@firma.kz>'
    assert [one.addr_spec for one in mail["Cc"].addresses] == ["boss@firma.kz", "it@firma.kz"]
    assert mail["Reply-To"].addresses[0].addr_spec == f"support+pd-1042.{TOKEN}@desk.kz"
    assert str(mail["Subject"]) == "Re: Не открывается кабинет [PD-1042]"
    assert str(mail["Message-ID"]) == f"<pd-1042.{TOKEN}.7@desk.kz>"
    assert str(mail["In-Reply-To"]) == "<b@firma.kz>"
    assert str(mail["References"]) == "<a@firma.kz> <b@firma.kz>"
    assert mail["Date"].datetime == NOW
    assert str(mail["Date"]).endswith("+0500")
    assert str(mail["Content-Language"]) == "ru"
    assert str(mail["X-Kezekshi-Desk"]) == "prodata"
    assert mail["Auto-Submitted"] is None


def test_without_a_token_in_the_address_the_subject_has_it() -> None:
    mail = read(answer(thread=replace(THREAD, plus=False)))
    assert str(mail["Subject"]) == f"Re: Не открывается кабинет [PD-1042-{TOKEN}]"
    assert mail["Reply-To"] is None


def test_re_is_said_once() -> None:
    assert str(read(answer(thread=replace(THREAD, subject="RE: Счёт")))["Subject"]) == "RE: Счёт [PD-1042]"


def test_a_ticket_that_began_elsewhere_begins_a_thread() -> None:
    mail = read(answer(thread=replace(THREAD, in_reply_to=None, references=())))
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


def test_files_go_along() -> None:
    files = (
        File("Отчёт за ноябрь.pdf", "application/pdf", b"%PDF\r\n.\r\n\x00\xff"),
        File('a "b"; c\\d.txt', "text/plain", b"x"),
        File("a.eml", "message/rfc822", b"From: x\n\n"),
        File("б\r\nBcc: x\u202egpj.exe", "text/plain; x", "текст\r.\n".encode()),
    )
    mail = read(answer(files=files))
    assert mail.get_content_type() == "multipart/mixed"
    found = list(mail.iter_attachments())
    assert [one.get_filename() for one in found] == [
        "Отчёт за ноябрь.pdf",
        'a "b"; c\\d.txt',
        "a.eml",
        "б Bcc: xgpj.exe",
    ]
    assert [one.get_content_type() for one in found] == [
        "application/pdf",
        "text/plain",
        *["application/octet-stream"] * 2,
    ]
    assert [one.get_payload(decode=True) for one in found] == [file.data for file in files]


def test_a_place_and_a_contact_are_words() -> None:
    where = answer("", content={"type": "location", "location": {"latitude": 43.2, "longitude": 76.9}})
    assert "mlat=43.2&mlon=76.9" in bodies(read(where))[0]
    venue = {"location": {"latitude": 1, "longitude": 2}, "title": "Офис", "address": "Абая 1"}
    assert bodies(read(answer("", content={"type": "venue", "venue": venue})))[0].startswith("Офис\nАбая 1\nhttps://")
    contact = {"first_name": "Айдар", "phone_number": "+7 700"}
    assert bodies(read(answer("", content={"type": "contact", "contact": contact})))[0].startswith("Айдар +7 700\n")


# --- notices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", PROFILE.languages)
@pytest.mark.parametrize("name", SAYINGS)
def test_every_notice_is_a_mail(name: str, language: str) -> None:
    mail = read(notice(name, language))
    plain, html = bodies(mail)
    assert "PD-1042" in plain
    assert f'lang="{language}"' in html
    assert "[PD-1042]" in str(mail["Subject"])
    assert "{{" not in plain or name == "declined"


def test_an_acknowledgement_promises_a_named_local_time() -> None:
    assert bodies(read(notice("acknowledged")))[0] == (
        "Здравствуйте!\n\nЗаявка PD-1042 зарегистрирована.\n"
        "Сейчас отвечаем дольше обычного. Причина: авария на канале\n"
        "Ответим до 16:00 (время: Алматы).\n\nПравила: пишите только о своих сервисах; не присылайте пароли и чужие "
        "данные; переписка хранится, чтобы помогать вам и проверять, держим ли мы обещания.\n\n-- \n"
        "ProData · PD-1042\nЧтобы ответить, просто напишите в ответ на это письмо.\n"
    )


def test_the_link_to_a_secret_has_no_words_in_a_mail() -> None:
    """Whatever asks for it: a mail is anybody's."""
    assert not [name for name in SAYINGS if "secret" in name]
    mine = Mail(
        PROFILE, "ru", NOW, "support@desk.kz", CLIENT, THREAD, Notice("secret_ready", {"url": "https://a.kz/x"})
    )
    with pytest.raises(KeyError):
        compose(mine)


@pytest.mark.parametrize("name", SAYINGS)
def test_automatic_mail_says_so_and_repeats_nothing(name: str) -> None:
    """Attack 11: whoever wrote may want these words to reach somebody else."""
    mine = replace(notice(name, thread=replace(THREAD, subject=SECRET)), to=Address("victim@example.com", SECRET))
    mail = read(mine)
    wanted = "auto-replied" if name == "acknowledged" else "auto-generated"
    assert str(mail["Auto-Submitted"]) == wanted
    assert str(mail["X-Auto-Response-Suppress"]) == "All"
    assert SECRET not in "".join([*(str(value) for value in mail.values()), *bodies(mail)])


def test_a_notice_of_an_engineer_is_not_automatic() -> None:
    assert read(notice("resolved", auto=False))["Auto-Submitted"] is None


def test_what_resolved_its_request_asks_whether_it_did() -> None:
    body = Notice("action_succeeded", {"reference": "PD-1042", **FACTS["action_succeeded"], "resolved": True})
    asking = bodies(read(replace(notice("action_succeeded"), body=body)))
    assert [html.count("mailto:") for html in (asking[1], bodies(read(notice("action_succeeded")))[1])] == [2, 0]
    assert "ответьте «+»" in asking[0]


@pytest.mark.parametrize("language", PROFILE.languages)
@pytest.mark.parametrize("plus", [True, False])
def test_a_solution_offers_two_answers_that_are_understood(language: str, plus: bool) -> None:
    mail = read(notice("resolved", language, replace(THREAD, plus=plus)))
    links = re.findall(r'href="mailto:([^"?]*)\?subject=([^"&]*)&amp;body=([^"]*)"', bodies(mail)[1])
    assert [unquote(to) for to, _, _ in links] == [reply_address(replace(THREAD, plus=plus), "support@desk.kz")] * 2
    assert [answers.choice(unquote(body)) for _, _, body in links] == ["confirm", "reject"]
    assert all((TOKEN in unquote(about)) is not plus for _, about, _ in links)
    assert "+" in bodies(mail)[0]


def test_what_belongs_to_no_ticket_names_none() -> None:
    mine = notice("link_code", thread=replace(THREAD, reference="", in_reply_to=None, references=()))
    mail = read(mine)
    assert "[" not in str(mail["Subject"])
    assert mail["Reply-To"] is None
    assert "12345678" in bodies(mail)[0]
    assert bodies(mail)[0].splitlines()[-2] == "ProData"


# --- attacks ---------------------------------------------------------------------------------------------------------

SMUGGLED = [
    "x\r\nBcc: victim@example.com",
    "=?utf-8?Q?x=0D=0ABcc:_victim@example.com?=",
    "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AZXhhbXBsZS5jb20=?=",
    "x\nBcc: victim@example.com\n\nbody",
    "x\rBcc: victim@example.com",
    "x\u2028Bcc: y\x85z\x0bw\ud800",
]


@pytest.mark.parametrize("words", SMUGGLED)
def test_no_field_can_hold_another(words: str) -> None:
    """Attack 14."""
    thread = replace(THREAD, subject=words, in_reply_to=words, references=(words, "good@x"))
    asked = Quote(Address(words, words), NOW, words)
    files = (File(words, words, b"x"),)
    mine = answer(words, thread, (Address("c@x.kz", words),), author=words, quote=asked, files=files)
    mail = read(replace(mine, to=Address("client@firma.kz", words)))
    assert mail["Bcc"] is None
    assert [one.addr_spec for one in mail["To"].addresses] == ["client@firma.kz"]
    assert {*mail.keys()} == {
        "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "References", "Content-Language",
        "X-Kezekshi-Desk", "Content-Type", "MIME-Version",
    }  # fmt: skip
    [attached] = mail.iter_attachments()
    assert {*attached.keys()} <= {
        "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version",
    }  # fmt: skip
    assert str(mail["References"]) == "<good@x>"


@pytest.mark.parametrize("words", ["a\r\n.\r\nMAIL FROM:<x>", "a\r.\rb", "a\n.\nb", ".\n..\n.", "x\r\n\r\n.\r\n"])
def test_a_dot_alone_stays_a_line_of_text(words: str) -> None:
    """Attack 15: and no bare CR or LF leaves (`read` looks)."""
    plain, _ = bodies(read(answer(words)))
    assert plain.startswith(words.replace("\r\n", "\n").replace("\r", "\n").strip("\n") or words)


TEMPLATES = ["{{ 7*7 }}", "{% for x in y %}", "{{ title.__class__ }}", "{reference}", "%(x)s", "${7*7}", "{# gone #}"]


@pytest.mark.parametrize("words", TEMPLATES)
def test_template_syntax_is_words(words: str) -> None:
    """Attack 19."""
    asked = Quote(Address("client@firma.kz", words), NOW, words)
    mail = read(answer(words, replace(THREAD, subject=words), author=words, quote=asked))
    plain, html = bodies(mail)
    assert plain.count(words) == 4
    assert html.count(words) == 4
    assert words in str(mail["Subject"])


def test_markup_in_any_field_is_words() -> None:
    """Attack 18."""
    words = '<script>alert(1)</script><img src=x onerror="y">'
    asked = Quote(Address("client@firma.kz", words), NOW, words)
    html = bodies(read(answer(words, author=words, quote=asked)))[1]
    html += bodies(read(replace(notice("declined"), body=Notice("declined", {"reference": words, "reason": words}))))[1]
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.parametrize("mail", [answer(), notice("acknowledged"), notice("resolved")])
def test_nothing_is_fetched_from_anywhere(mail: Mail) -> None:
    html = bodies(read(mail))[1]
    assert re.findall(r"(?:src|background|url)\s*[=(]|https?://", html) == []


def test_a_long_quote_is_cut() -> None:
    asked = Quote(Address("client@firma.kz"), NOW, "слово " * 10_000)
    plain, _ = bodies(read(answer(quote=asked)))
    assert len(plain) < 5000
    assert plain.rstrip().endswith("…")


def test_ids_are_those_of_the_row() -> None:
    assert message_id("PD-1042", 7, TOKEN, "Support@Desk.KZ") == f"pd-1042.{TOKEN}.7@desk.kz"


def test_the_same_mail_is_the_same_whenever_it_is_made() -> None:
    def fixed(raw: bytes) -> bytes:
        return re.sub(rb"={15}\d+={2}", b"BOUNDARY", raw)

    mail = notice("acknowledged")
    assert fixed(compose(mail)) == fixed(compose(mail))


@pytest.mark.parametrize("address", ["a@b\r\nBcc: x", "nobody", ""])
def test_an_address_that_is_none_makes_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        compose(replace(answer(), to=Address(address)))


def test_an_address_beyond_ascii_is_written_as_it_is() -> None:
    raw = compose(replace(answer(), to=Address("почта@пример.рф")))
    assert "To: почта@xn--e1afmkfd.xn--p1ai\r\n".encode() in raw
    assert datetime.fromisoformat(DUE) > NOW

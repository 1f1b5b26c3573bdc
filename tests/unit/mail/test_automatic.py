"""Programs and people: who is never answered by the desk itself, and who always is."""

import time

import pytest

from mailbridge.automatic import automatic, nature
from mailbridge.parsed import Headers, Parsed
from tests.unit.mail.mails import mail

PERSON = "From: Anna <anna@firm.example>\nTo: help@desk.example\nMessage-ID: <1@firm.example>"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied", "Auto-Submitted: auto-replied (zimbra; vacation)", "X-Autoreply: yes",
        "X-Autorespond: 1", "Precedence: auto_reply", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
        "X-POST-MessageClass: 9; Autoresponder",
    ],
)  # fmt: skip
def test_headers_of_auto_replies(header: str) -> None:
    parsed = mail(f"{PERSON}\nSubject: Re: Answer\nIn-Reply-To: <7@desk.example>\n{header}")
    assert nature(parsed) == "auto_reply"
    assert automatic(parsed)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated", "Precedence: bulk", "List-Unsubscribe: <https://x.example>",
        "Feedback-ID: 1:2:3",
        "X-GitHub-Reason: mention", "X-Mailer: PHPMailer 6.9", "Return-Path: <>", "Return-Path: <bounces+1@em.example>",
        "X-Auto-Response-Suppress: All", "X-Cron-Env: <SHELL=/bin/sh>", "X-PHP-Originating-Script: 33:form.php",
    ],
)  # fmt: skip
def test_headers_of_machines(header: str) -> None:
    parsed = mail(f"{header}\n{PERSON}\nSubject: Report")
    assert nature(parsed) == "machine"
    assert automatic(parsed)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no", "X-Autoreply: no", "X-Spam-Flag: NO", "X-Spam-Status: No, score=1", "Precedence: normal",
        "X-Rspamd-Action: no action", "X-Yandex-Spam: 1", "Return-Path: <anna@firm.example>", "X-MS-Has-Attach:",
        "X-Auto-Response-Suppress: DR, RN", "Thread-Index: AQHZ\nX-Auto-Response-Suppress: All",
        "X-SES-Outgoing: 1\nX-Mailer: Amazon WorkMail Outlook", "Disposition-Notification-To: anna@firm.example",
    ],
)  # fmt: skip
def test_headers_that_people_have(header: str) -> None:
    parsed = mail(f"{header}\n{PERSON}\nSubject: Printer")
    assert nature(parsed) == "request"
    assert not automatic(parsed)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Answer", "Out of Office: Answer", "Автоответ: Ответ", "Автоматический ответ: Ответ",
        "Автоматты жауап: Сұрақ", "Abwesenheitsnotiz", "Réponse automatique : Sujet",
        "Resposta automática: Assunto",
        "Risposta automatica", "Automatisch antwoord: x", "Odpowiedź automatyczna: x", "Otomatik yanıt: x",
        "自动回复: x",
        "Автоматична відповідь: x", "AUTO: Lim is out of the office", "[#5] Automatic reply: x",
        "Re: x (Out of office)",
    ],
)  # fmt: skip
def test_subjects_of_auto_replies(subject: str) -> None:
    assert nature(mail(f"{PERSON}\nSubject: {subject}")) == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Automatic reply: Answer", "Автоматизация журнала", "Автошкола", "Автомобиль", "Office 365",
        "Autocad licence",
        "Abwesend?", "Autoritäten", "Automat defekt", "Автоматты есік жұмыс істемейді", "OOO 5 документов",
    ],
)  # fmt: skip
def test_subjects_of_people(subject: str) -> None:
    assert nature(mail(f"{PERSON}\nSubject: {subject}")) == "request"


@pytest.mark.parametrize(
    "address",
    ["noreply", "no-reply", "do_not_reply", "donotreply+x", "notifications", "mailer-daemon", "zabbix", "jira",
     "newsletter",
     "root", "www-data", "bounce", "portal-alerts"],
)  # fmt: skip
def test_senders_that_no_person_is(address: str) -> None:
    assert automatic(mail(f"From: {address}@x.example\nSubject: News"))


@pytest.mark.parametrize(
    "address",
    ["info", "support", "admin", "robotova", "office", "auto", "norepl", "alertov", "director", "botagoz", "rooty"],
)
def test_senders_that_people_are(address: str) -> None:
    assert not automatic(mail(f"From: {address}@x.example\nSubject: Question"))


def test_absence_counts_where_something_was_answered() -> None:
    away = "I am out of the office until Monday and will answer upon my return. If urgent, please contact Ben."
    assert nature(mail(f"{PERSON}\nSubject: Re: x\nIn-Reply-To: <7@desk.example>", away)) == "auto_reply"
    assert nature(mail(f"{PERSON}\nSubject: Access", away)) == "request"


def test_what_is_quoted_was_said_by_somebody_else() -> None:
    quoted = "Works, thanks.\n\nOn Tue John wrote:\n> This is an automated response. Do not reply to this message."
    assert nature(mail(f"{PERSON}\nSubject: Re: x", quoted)) == "request"


def test_posts_to_lists_are_by_people_unless_a_program_wrote_them() -> None:
    fields = "Precedence: bulk\nList-Id: <l.x.example>\nList-Post: <mailto:l@x.example>\nList-Unsubscribe: <mailto:u@x>"
    post = mail(f"{PERSON}\nSubject: [l] Hello\n{fields}")
    assert (nature(post), automatic(post)) == ("list", False)
    robot = mail(f"From: noreply@x.example\nSubject: [l] Digest\n{fields}")
    assert (nature(robot), automatic(robot)) == ("list", True)


def test_of_spam_flags_the_topmost_counts() -> None:
    assert nature(mail(f"X-Spam-Flag: YES\n{PERSON}\nSubject: x")) == "spam"
    assert nature(mail(f"X-Rspamd-Action: add header\n{PERSON}\nSubject: x")) == "spam"
    assert nature(mail(f"X-Yandex-Spam: 4\n{PERSON}\nSubject: x")) == "spam"
    assert nature(mail(f"X-Spam-Flag: NO\nX-Spam-Flag: YES\n{PERSON}\nSubject: x")) == "request"


def test_our_own_mail_came_round() -> None:
    parsed = mail("From: help@desk.example\nSubject: Answer\nMessage-ID: <9@Desk.example>")
    assert nature(parsed, frozenset({"desk.example"})) == "own"
    assert automatic(parsed, frozenset({"desk.example"}))
    assert nature(parsed) == "request"


def test_attack_12_two_responders_never_answer_each_other() -> None:
    for header in (
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated",
        "Return-Path: <>",
        "Precedence: bulk",
    ):
        assert automatic(mail(f"{header}\n{PERSON}\nSubject: We received your request"))
    assert automatic(mail("\n".join([*["Received: from a by b"] * 45, PERSON, "Subject: x"])))


def test_attack_13_control_headers_from_outside_mean_nothing() -> None:
    plain = mail(f"{PERSON}\nSubject: x")
    forged = mail(f"X-Kezekshi-Desk: prodata\nX-Kezekshi-Role: engineer\n{PERSON}\nSubject: x")
    assert nature(forged, frozenset({"desk.example"})) == nature(plain) == "request"


@pytest.mark.parametrize("text", [" " * 100_000, "the " * 25_000, "_" * 100_000, "письмо " * 15_000, "\t\n" * 50_000])
def test_no_text_makes_it_think_long(text: str) -> None:
    parsed = Parsed(Headers((("from", "a@b.example"), ("subject", text), ("in-reply-to", "<1@x>"))), text=text)
    started = time.process_time()
    automatic(parsed)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Password", "I have requested a password reset twice, and no mail comes."),
        ("Mails", "We no longer wish to receive e-mails from the journal, please switch them off."),
        ("Mails", "What must I do to stop receiving these messages?"),
        ("Mails", "I ask to be removed from this mailing list."),
        ("Server is down - please help", "Nothing opens since nine."),
        ("Disk space warning on my computer", "It shows up every morning."),
        ("Scan from a printer does not work", "The document was scanned by our scanner and is blurred."),
        ("On leave requests", "Where are they entered?"),
        ("Автоматический ответ в Outlook", "Здравствуйте, включите его, пожалуйста, учителю химии."),
        ("Мой ящик переполнен", "Письма на rosa@school7.example не доставляются, помогите."),
    ],
)
def test_people_use_the_words_of_programs(subject: str, body: str) -> None:
    parsed = mail(f"{PERSON}\nSubject: {subject}", body)
    assert (nature(parsed), automatic(parsed)) == ("request", False)


@pytest.mark.parametrize(
    "body",
    [
        "Anna no longer works at the school. Please write to Dana.",
        "Иванова больше не работает в школе. Обращайтесь к Петровой.",
        "I am on leave next week. Could you call me before?",
    ],
)
def test_people_answer_that_somebody_is_away(body: str) -> None:
    parsed = mail(f"{PERSON}\nSubject: Re: Answer\nIn-Reply-To: <7@desk.example>", body)
    assert not automatic(parsed)

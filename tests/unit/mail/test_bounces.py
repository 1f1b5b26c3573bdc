"""A mail of ours that came back: from whom, for good or not, and which one it was."""

import time

import pytest

from mailbridge import dsn, returned
from mailbridge.bounces import bounce
from mailbridge.parsed import Headers, Parsed, Part
from tests.unit.mail.mails import mail, report

FAILED = (
    "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user"
)


def test_a_report_names_recipient_status_reason_and_mail() -> None:
    found = bounce(report(FAILED, returned="Message-ID: <7@desk.example>\nTo: a@b.example"))
    assert found is not None
    assert found.recipients == ("a@b.example",)
    assert found.status == "5.1.1"
    assert found.reason == "550 5.1.1 no such user"
    assert found.original_id == "7@desk.example"
    assert found.permanent


def test_a_server_that_still_tries_has_not_given_up() -> None:
    found = bounce(report("Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1"))
    assert found is not None
    assert not found.permanent


@pytest.mark.parametrize("status", ["4.4.7", "5.2.2", "5.7.1"])
def test_a_mail_given_up_is_lost_whatever_the_status(status: str) -> None:
    found = bounce(report(f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}"))
    assert found is not None
    assert found.permanent
    assert found.status == status


def test_of_several_fates_only_failures_count_and_lasting_ones_first() -> None:
    delivered = "Final-Recipient: rfc822; ok@b.example\nAction: delivered"
    delayed = "Final-Recipient: rfc822; late@b.example\nAction: delayed\nStatus: 4.4.1"
    assert bounce(report(delivered)) is None
    found = bounce(report(delivered, delayed))
    assert found is not None
    assert found.recipients == ("late@b.example",)
    found = bounce(report(delivered, delayed, FAILED))
    assert found is not None
    assert found.recipients == ("a@b.example",)


def test_whom_we_wrote_to_is_named_not_where_the_mail_was_led() -> None:
    led = "Original-Recipient: rfc822; all@b.example\nFinal-Recipient: rfc822; deep@inside.example\nAction: failed"
    found = bounce(report(led, returned="To: all@b.example"))
    assert found is not None
    assert found.recipients == ("all@b.example",)
    # Unless the mail itself says that we wrote there.
    found = bounce(report(led, returned="To: deep@inside.example"))
    assert found is not None
    assert found.recipients == ("deep@inside.example",)


def test_recipients_that_no_blank_line_parts_are_told_apart() -> None:
    other = "Final-Recipient: rfc822; c@b.example\nAction: failed\nAction: delivered\nStatus: 5.2.2"
    found = bounce(report(f"{FAILED}\n{other}"))
    assert found is not None
    assert found.recipients == ("a@b.example", "c@b.example")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; a@b.example", "a@b.example"),
        ("RFC822;<a@b.example>", "a@b.example"),
        ("a@b.example", "a@b.example"),
        ("rfc822; a+2Btag@b.example", "a+tag@b.example"),
        ("utf-8; \\x{430}@b.example", "а@b.example"),
        ("utf-8; ұлан@пошта.example", "ұлан@пошта.example"),
        ("rfc822; nobody", None),
        ("", None),
    ],
)
def test_recipient_fields(value: str, address: str | None) -> None:
    assert dsn.address(value) == address


DAEMON = "From: MAILER-DAEMON@mx.example\nTo: help@desk.example\nSubject: failure notice"


@pytest.mark.parametrize(
    "said",
    [
        "<a@b.example>:\nUser unknown",
        "550 5.1.1 <a@b.example>... User unknown",
        "did not reach the following recipient(s):\n\na@b.example on Tue, 10 Nov 2026 10:00:00 +0500",
        "could not be delivered to one or more recipients\n\nrcpt to:<a@b.example>",
        "Mailbox unavailable\nFailed address: a@b.example",
        "Не удалось доставить письмо получателю a@b.example",
        "Your message to a@b.example couldn't be delivered.",
        "undeliverable: c=US;dda:SMTP=a@b.example; on Fri",
        "following address(es) failed:\n\n  an undisclosed address\n    (generated from a@b.example)",
        "Deliver failed: alias@inside.example (expanded from: <a@b.example>): user unknown",
    ],
)
def test_a_notice_in_words_names_who_failed(said: str) -> None:
    found = bounce(mail(DAEMON, f"{said}\n\nAsk postmaster@mx.example. You wrote as help@desk.example."))
    assert found is not None
    assert found.recipients == ("a@b.example",)


def test_a_notice_in_words_may_say_that_the_server_still_tries() -> None:
    found = bounce(mail(DAEMON, "<a@b.example>: not yet been delivered. Delivery attempts will continue."))
    assert found is not None
    assert not found.permanent


def test_what_stands_before_the_list_of_failures_is_not_in_it() -> None:
    said = "list@c.example:\ndid not reach the following recipient(s):\n\na@b.example on 1/2/2026"
    found = bounce(mail(DAEMON, said))
    assert found is not None
    assert found.recipients == ("a@b.example",)


def test_what_came_back_beneath_a_notice_is_not_part_of_it() -> None:
    said = "User unknown\n\n--- Below this line is a copy of the message.\n\n"
    copy = "Message-ID: <7@desk.example>\nFrom: help@desk.example\nTo: a@b.example\n\nWrite to c@d.example"
    found = bounce(mail(DAEMON, said + copy))
    assert found is not None
    assert found.recipients == ("a@b.example",)
    assert found.original_id == "7@desk.example"


def test_the_mail_that_a_notice_answers_is_the_one_that_came_back() -> None:
    found = bounce(mail(DAEMON + "\nIn-Reply-To: <7@desk.example>", "<a@b.example>: user unknown"))
    assert found is not None
    assert found.original_id == "7@desk.example"


def test_neither_we_nor_the_server_are_blamed() -> None:
    found = bounce(mail(DAEMON, "<help@desk.example>: no\n<postmaster@other.example>: no\n<a@b.example>: user unknown"))
    assert found is not None
    assert found.recipients == ("a@b.example",)
    # Unless it is all that is said.
    found = bounce(mail(DAEMON, "<help@desk.example>: user unknown"))
    assert found is not None
    assert found.recipients == ("help@desk.example",)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("From: a@b.example\nSubject: Fwd: Undelivered Mail Returned to Sender", "<x@y.example>: user unknown"),
        ("From: a@b.example\nSubject: Не доставлено", "Здравствуйте! Пишет: user unknown <x@y.example>"),
        ("From: a@b.example\nSubject: Mail delivery failed\nUser-Agent: Thunderbird", "user unknown <x@y.example>"),
        ("From: a@b.example\nSubject: Question", "550 5.1.1 user unknown"),
        ("Return-Path: <>\nFrom: a@b.example\nSubject: Out of office", "I am away and unable to send or reach mail"),
        ("From: postmaster@school.example\nSubject: Вопрос", "Как настроить ящик?"),
    ],
)
def test_people_who_write_of_bounces_send_none(headers: str, body: str) -> None:
    assert bounce(mail(headers, body)) is None


def test_a_report_that_a_person_passes_on_is_theirs() -> None:
    by_server = report(FAILED)
    passed_on = Parsed(
        Headers((("from", "a@b.example"), ("subject", "Fwd: Undelivered"))),
        by_server.parts, by_server.content_type, by_server.report_type, by_server.text,
    )  # fmt: skip
    assert bounce(by_server) is not None
    assert bounce(passed_on) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("!" * 200_000, 2), (" " * 200_000, 0.7), ("\n" * 200_000, 0.7), ("\t " * 100_000, 0.7), ("a@" * 50_000, 2),
        ("550 " * 25_000, 2), ("-" * 100_000, 2), ("to a@b.c" * 12_000, 2),
    ],
    ids=["marks", "blanks", "lines", "tabs", "ats", "codes", "dashes", "addresses"],
)  # fmt: skip
def test_no_text_makes_it_think_long(text: str, seconds: float) -> None:
    parsed = Parsed(
        Headers((("from", "MAILER-DAEMON@x.example"), ("subject", "failure notice"), ("to", text))),
        (Part("message/rfc822", text.encode()), Part("message/delivery-status", text.encode())),
        text=text,
    )
    started = time.process_time()
    bounce(parsed)
    assert time.process_time() - started < seconds


def test_addresses_are_given_once_and_in_order() -> None:
    assert returned.addresses("b@x.example, A@x.example, a@x.example, b@x.example") == ("b@x.example", "A@x.example")

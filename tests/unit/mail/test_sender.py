"""Who proved to be the sender: only the border's own word counts, and only for one From."""

import pytest

from crm.mail.letter import Authentication
from mailbridge.sender import authentication
from tests.unit.mail.mails import mail

BORDER = "mx.desk.example"
RECEIVED = (
    "Received: from out.firm.example (out.firm.example [192.0.2.9])\n| by mx.desk.example (Postfix); Tue, 10 Nov 2026"
)


def judged(results: str, sender: str = "anna@firm.example", above: str = "", below: str = "") -> Authentication:
    headers = f"{above}\nAuthentication-Results: {BORDER}; {results}\n{below}\nFrom: {sender}\nSubject: x"
    return authentication(mail("\n".join(line for line in headers.splitlines() if line.strip())), BORDER)


@pytest.mark.parametrize(
    "results",
    [
        "dmarc=pass header.from=firm.example",
        "dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=firm.example",
        "dkim=pass header.d=firm.example header.s=s1",
        'dkim=pass (2048-bit key; unprotected) header.d=firm.example header.i=@firm.example header.b="ab;c"',
        "dkim=pass header.i=@firm.example",
        "dkim=fail header.d=firm.example; dkim=pass header.d=firm.example",
        "spf=pass (sender; IP is 192.0.2.9) smtp.mailfrom=anna@firm.example",
        "spf=pass smtp.mailfrom=firm.example",
        "spf=pass smtp.mail=anna@firm.example; dkim=none",
        "DKIM/1 = PASS header.d = firm.example",
    ],
)
def test_a_proof_for_the_domain_of_from(results: str) -> None:
    found = judged(results)
    assert found.verified
    assert not found.failed
    assert found.authserv_id == BORDER


@pytest.mark.parametrize(
    "results",
    [
        "none",
        "dmarc=none header.from=firm.example",
        "dmarc=pass header.from=other.example",
        "dmarc=pass",
        "dkim=pass header.d=other.example",
        "dkim=pass header.d=example",
        "dkim=pass header.d=mail.firm.example",
        "dkim=pass header.d=irm.example",
        "spf=pass smtp.helo=firm.example",
        "spf=pass smtp.mailfrom=bounces@esp.example",
        "spf=softfail smtp.mailfrom=firm.example",
        "dmarc=fail header.from=firm.example; dkim=pass header.d=firm.example",
        "x (dmarc=pass header.from=firm.example)",
        'dkim=fail reason="; dmarc=pass header.from=firm.example"',
    ],
)
def test_no_proof_for_the_domain_of_from(results: str) -> None:
    assert not judged(results).verified


@pytest.mark.parametrize(
    ("proven", "sender", "verified"),
    [
        ("school.edu.kz", "a@school.edu.kz", True),
        ("school.edu.kz", "a@mail.school.edu.kz", True),
        ("edu.kz", "a@school.edu.kz", False),
        ("com.kz", "a@com.kz", False),
        ("gov.kz", "a@akimat.gov.kz", False),
        ("co.uk", "a@x.co.uk", False),
        ("github.io", "a@x.github.io", False),
        ("kz", "a@x.kz", False),
        ("bilim.kz", "a@bilim.kz", True),
    ],
)
def test_a_public_suffix_speaks_for_nobody(proven: str, sender: str, verified: bool) -> None:
    assert judged(f"dkim=pass header.d={proven}", sender).verified is verified


def test_failed_means_disproven() -> None:
    assert judged("dmarc=fail header.from=firm.example").failed
    assert judged("spf=fail smtp.mailfrom=firm.example; dkim=fail header.d=firm.example").failed
    assert not judged("spf=fail smtp.mailfrom=firm.example; dkim=none").failed
    assert not judged("dmarc=none").failed


def test_the_words_are_given() -> None:
    found = judged("spf=softfail smtp.mailfrom=x.example; dkim=temperror; dmarc=none")
    assert (found.spf, found.dkim, found.dmarc) == ("softfail", "temperror", "none")
    assert judged("dkim=fail header.d=esp.example; dkim=pass header.d=firm.example").dkim == "pass"


def test_without_a_border_nothing_is_verified_but_the_words_are_told() -> None:
    parsed = mail("Authentication-Results: a.example; dmarc=pass header.from=b.example\nFrom: a@b.example")
    assert authentication(parsed, None) == Authentication("a.example", dmarc="pass")
    assert authentication(mail("From: a@b.example"), None) == Authentication()


def test_a_field_without_a_name_is_nobodys() -> None:
    office = "Authentication-Results: spf=pass (sender IP is 192.0.2.9) smtp.mailfrom=firm.example;"
    office += "\n| dmarc=pass header.from=firm.example"
    parsed = mail(f"{office}\nFrom: a@firm.example")
    assert authentication(parsed, BORDER) == Authentication()
    assert authentication(parsed, None).dmarc == "pass"


GOOD = "dmarc=pass header.from=firm.example"


@pytest.mark.parametrize(
    "above",
    [
        "",
        RECEIVED,
        f"Received: from mx.desk.example by imap.desk.example with LMTP\n{RECEIVED}",
        f"Received: from localhost (localhost [127.0.0.1]) by mx.desk.example (Postfix)\n{RECEIVED}",
        "Received: by imap.desk.example with LMTP id 7",
    ],
)
def test_the_border_and_what_lies_behind_it_may_stand_above(above: str) -> None:
    assert judged(GOOD, above=above).verified


@pytest.mark.parametrize(
    "above",
    [
        # The mail arrived with it: a server of somebody else stands above.
        "Received: from a.evil.example by b.evil.example; Tue, 10 Nov 2026",
        f"{RECEIVED}\nReceived: from a.evil.example by b.evil.example",
        # A hop that pretends to be the border below the true one.
        f"{RECEIVED}\nReceived: from firm.example by mx.desk.example",
        "Received: from x.example by mx.desk.example.evil.example",
    ],
)
def test_attack_4_a_forged_field_deeper_is_ignored(above: str) -> None:
    assert judged(GOOD, above=above) == Authentication()


def test_attack_4_forged_duplicates_below_are_ignored() -> None:
    forged = f"Authentication-Results: {BORDER}; dmarc=pass header.from=firm.example"
    found = judged("dmarc=fail header.from=firm.example", below=f"{RECEIVED}\n{forged}")
    assert not found.verified
    assert found.failed
    other = mail(f"Authentication-Results: mx.evil.example; {GOOD}\n{forged}\nFrom: a@firm.example")
    assert authentication(other, BORDER) == Authentication()


@pytest.mark.parametrize(
    "name", ["ARC-Authentication-Results: i=1;", "X-Authentication-Results:", "Authentication-Results-Original:"]
)
def test_attack_4_other_fields_prove_nothing(name: str) -> None:
    parsed = mail(f"{name} {BORDER}; {GOOD}\nFrom: a@firm.example")
    assert authentication(parsed, BORDER) == Authentication()


def test_the_name_of_the_border_is_compared_as_a_host() -> None:
    parsed = mail(f"Authentication-Results: MX.Desk.Example. 1; {GOOD}\nFrom: a@firm.example")
    assert authentication(parsed, "mx.desk.example").verified
    assert not authentication(parsed, "desk.example").verified


@pytest.mark.parametrize(
    "senders",
    [
        "From: engineer@desk.example, mallory@firm.example",
        "From: mallory@firm.example\nFrom: engineer@desk.example",
        "From: engineer@desk.example <mallory@firm.example>, <x@firm.example>",
        "From: staff: a@firm.example, b@firm.example;",
        "From: undisclosed",
        "Sender: a@firm.example",
    ],
)
def test_attack_1_an_ambiguous_from_proves_nobody(senders: str) -> None:
    parsed = mail(f"Authentication-Results: {BORDER}; {GOOD}\n{senders}\nSubject: x")
    assert not authentication(parsed, BORDER).verified


def test_attack_1_a_colleagues_address_without_proof_is_a_strangers() -> None:
    found = judged("spf=pass smtp.mailfrom=mallory@evil.example; dkim=none; dmarc=none", "engineer@desk.example")
    assert not found.verified


def test_attack_5_the_address_for_answers_proves_nothing() -> None:
    parsed = mail(
        f"Authentication-Results: {BORDER}; dmarc=pass header.from=evil.example\nReply-To: ceo@firm.example\n"
        "From: ceo@firm.example"
    )
    assert not authentication(parsed, BORDER).verified
    honest = mail(f"Authentication-Results: {BORDER}; {GOOD}\nReply-To: x@evil.example\nFrom: ceo@firm.example")
    assert authentication(honest, BORDER).verified

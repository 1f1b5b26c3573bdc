"""Handing over one mail: what each recipient gets, whatever the server does (F15, F16, P10; attacks 15 to 17)."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from mailbridge import smtp
from mailbridge.smtp import Finding, SmtpAddress, probe, send
from tests.integration.smtp_server import DROP, SILENT, STORE_DROP, STORE_SILENT, Script, certificate, serving

FROM, A, B, C = "support@desk.kz", "a@firma.kz", "b@firma.kz", "c@firma.kz"
MAIL = b"From: x\r\nSubject: y\r\n\r\nbody\r\n"


def at(port: int, more: str = "", user: str = "") -> SmtpAddress:
    return SmtpAddress.parse(f"smtp://{user}127.0.0.1:{port}{more}")


def states(outcome: smtp.Outcome) -> dict[str, str]:
    return {address: verdict.state for address, verdict in outcome.items()}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "STEP", 0.5)


async def test_taken() -> None:
    script = Script()
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A, B], MAIL)
    assert states(outcome) == {A: "accepted", B: "accepted"}, outcome
    assert script.taken == [(FROM, [A, B], MAIL)]


async def test_what_must_never_come_back_has_no_sender() -> None:
    script = Script()
    async with serving(script) as port:
        await send(at(port), "", [A], MAIL)
    assert script.taken == [("", [A], MAIL)]


async def test_a_connection_for_each() -> None:
    script = Script()
    async with serving(script) as port:
        for _ in range(3):
            await send(at(port), FROM, [A], MAIL)
    assert script.sessions == 3


async def test_some_refused_for_good_some_for_now() -> None:
    """P10: the library returns these, and does not raise."""
    script = Script(rcpt={B: ["550 5.1.1 no such\x00 user\xff"], C: ["451 4.7.1 greylisted"]})
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A, B, C], MAIL)
    assert states(outcome) == {A: "accepted", B: "refused", C: "later"}
    assert outcome[B].answer.startswith("550 5.1.1 no such user")
    assert outcome[C].answer == "451 4.7.1 greylisted"
    assert script.taken == [(FROM, [A], MAIL)]


async def test_all_refused_is_no_mail() -> None:
    script = Script(rcpt={A: ["550 no"], B: ["450 later"]})
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A, B], MAIL)
    assert states(outcome) == {A: "refused", B: "later"}
    assert script.taken == []


@pytest.mark.parametrize(
    ("answer", "state"), [("451 try later", "later"), ("421 closing", "later"), ("552 too big", "refused")]
)
async def test_refused_after_the_mail_was_said(answer: str, state: str) -> None:
    script = Script(data=[answer], rcpt={B: ["550 no"]})
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A, B], MAIL)
    assert states(outcome) == {A: state, B: "refused"}
    assert script.taken == []


@pytest.mark.parametrize("how", [SILENT, DROP, STORE_SILENT, STORE_DROP])
async def test_silence_after_the_mail_leaves_it_unknown(how: str) -> None:
    """F16: in two of the four the server has it, and nobody can tell which."""
    script = Script(data=[how], rcpt={B: ["450 later"]})
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A, B], MAIL)
    assert states(outcome) == {A: "unknown", B: "later"}
    assert len(script.taken) == (how in (STORE_SILENT, STORE_DROP))


async def test_an_answer_that_is_none_leaves_it_unknown() -> None:
    script = Script(data=["299 whatever"])
    async with serving(script) as port:
        assert states(await send(at(port), FROM, [A], MAIL)) == {A: "unknown"}


@pytest.mark.parametrize("how", [SILENT, DROP])
async def test_silence_before_the_mail_is_no_doubt(how: str) -> None:
    script = Script(rcpt={B: [how]})
    async with serving(script) as port:
        assert states(await send(at(port), FROM, [A, B], MAIL)) == {A: "later", B: "later"}
    assert script.taken == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [("550 you may not", "refused"), ("451 busy", "later"), ("530 log in first", "later"), ("552 too big", "refused")],
)
async def test_the_sender_is_refused(answer: str, state: str) -> None:
    async with serving(Script(mail=answer)) as port:
        assert states(await send(at(port), FROM, [A, B], MAIL)) == {A: state, B: state}


async def test_nobody_listens() -> None:
    async with serving(Script()) as port:
        pass
    outcome = await send(at(port), FROM, [A], MAIL)
    assert states(outcome) == {A: "later"}
    assert "connect" in outcome[A].answer.lower()


async def test_a_session_is_bounded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "STEP", 60)
    monkeypatch.setattr(smtp, "SESSION", 0.3)
    async with asyncio.timeout(20):
        script = Script(data=[STORE_SILENT])
        async with serving(script) as port:
            assert states(await send(at(port), FROM, [A], MAIL)) == {A: "unknown"}
        script = Script(rcpt={A: [SILENT]})
        async with serving(script) as port:
            assert states(await send(at(port), FROM, [A], MAIL)) == {A: "later"}


# --- the wire --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b".\r\n..\r\n.x", b"a\r\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA", b"a\n.\nb\r.\rc\r\n.\nd\r.\r\ne"]
)
async def test_dots_and_bare_line_ends_end_no_mail(body: bytes) -> None:
    """Attack 15, outward: one mail goes in, one comes out."""
    script = Script()
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [A], b"Subject: x\r\n\r\n" + body)
    assert states(outcome) == {A: "accepted"}
    [(_, _, content)] = script.taken
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert content.replace(b"\r\n", b"\n").rstrip(b"\n") == b"Subject: x\n\n" + lines


@pytest.mark.parametrize("address", ["a@b.kz\r\nRCPT TO:<x@y.kz>", "a@b.kz> SIZE=1", "a b@c", "", "a@b\x00.kz"])
async def test_an_address_that_is_none_never_gets_to_the_wire(address: str) -> None:
    """Attack 17."""
    script = Script()
    async with serving(script) as port:
        outcome = await send(at(port), FROM, [address, A], MAIL)
        assert states(outcome) == {address: "refused", A: "accepted"}
        assert states(await send(at(port), FROM, [address], MAIL)) == {address: "refused"}
        with pytest.raises(ValueError, match="not an address"):
            await send(at(port), address or "x", [A], MAIL)
    assert script.sessions == 1
    assert script.taken == [(FROM, [A], MAIL)]


async def test_an_address_beyond_ascii_needs_a_server_that_knows_such() -> None:
    script = Script()
    async with serving(script) as port:
        assert states(await send(at(port), FROM, ["почта@пример.рф"], MAIL)) == {"почта@пример.рф": "accepted"}
    assert script.taken[0][1] == ["почта@xn--e1afmkfd.xn--p1ai"]
    async with serving(Script(), utf8=False) as port:
        outcome = await send(at(port), FROM, ["почта@пример.рф"], MAIL)
        assert states(outcome) == {"почта@пример.рф": "refused"}
        assert states(await send(at(port), FROM, ["info@пример.рф"], MAIL)) == {"info@пример.рф": "accepted"}


# --- TLS and credentials ---------------------------------------------------------------------------------------------


async def test_credentials_go_over_tls(tmp_path: Path) -> None:
    script, (context, trusted) = Script(), certificate(tmp_path, "127.0.0.1")
    async with serving(script, context) as port:
        outcome = await send(at(port, f"?ca={trusted}", "me:secret@"), FROM, [A], MAIL)
    assert states(outcome) == {A: "accepted"}
    assert script.logins == [(b"me", b"secret")]
    assert "AUTH over TLS: True" in script.heard


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    script, (context, trusted) = Script(), certificate(tmp_path, "127.0.0.1")
    async with serving(script, context, implicit=True) as port:
        address = SmtpAddress.parse(f"smtps://127.0.0.1:{port}?ca={trusted}")
        assert states(await send(address, FROM, [A], MAIL)) == {A: "accepted"}


async def test_without_starttls_no_credentials_are_said(tmp_path: Path) -> None:
    """Attack 16: somebody on the way has cut the offer out."""
    script, (_, trusted) = Script(), certificate(tmp_path, "127.0.0.1")
    async with serving(script) as port:
        outcome = await send(at(port, f"?ca={trusted}", "me:secret@"), FROM, [A], MAIL)
    assert states(outcome) == {A: "later"}
    assert "STARTTLS" in outcome[A].answer
    assert script.logins == []
    assert script.taken == []
    assert script.heard == ["EHLO"]


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("wrong", ["untrusted", "other host"])
async def test_with_a_wrong_certificate_no_credentials_are_said(tmp_path: Path, wrong: str, implicit: bool) -> None:
    """Attack 16."""
    script = Script()
    context, trusted = certificate(tmp_path, "127.0.0.1" if wrong == "untrusted" else "mail.example.com")
    if wrong == "untrusted":
        _, trusted = certificate(tmp_path, "127.0.0.2")
    async with serving(script, context, implicit=implicit) as port:
        scheme = "smtps" if implicit else "smtp"
        address = SmtpAddress.parse(f"{scheme}://me:secret@127.0.0.1:{port}?ca={trusted}")
        outcome = await send(address, FROM, [A], MAIL)
        [finding] = await probe(address, FROM)
    assert states(outcome) == {A: "later"}
    assert "certificate" in outcome[A].answer.lower()
    assert not finding.good
    assert "certificate" in finding.what
    assert script.logins == []
    assert script.taken == []
    assert "AUTH" not in "".join(script.heard)


async def test_a_wrong_password_is_no_fault_of_the_mail() -> None:
    script = Script()
    async with serving(script) as port:
        assert states(await send(at(port, user="me:wrong@"), FROM, [A], MAIL)) == {A: "later"}
    assert script.taken == []


async def test_a_file_of_certificates_that_is_not_there_loses_nothing() -> None:
    assert states(await send(at(1, "?ca=/nowhere.pem"), FROM, [A], MAIL)) == {A: "later"}
    [finding] = await probe(at(1, "?ca=/nowhere.pem"), FROM)
    assert "?ca=" in finding.mend


# --- the check -------------------------------------------------------------------------------------------------------


async def test_a_check_sends_nothing() -> None:
    script = Script()
    async with serving(script) as port:
        found = await probe(at(port, user="me:secret@"), FROM)
    assert [finding.good for finding in found] == [True, True]
    assert FROM in found[1].what
    assert script.taken == []


async def test_a_check_says_what_is_wrong() -> None:
    async def said(script: Script, user: str = "") -> Finding:
        async with serving(script) as port:
            return (await probe(at(port, user=user), FROM))[-1]

    wrong = await said(Script(), "me:wrong@")
    assert (wrong.good, wrong.mend) == (False, "check user and password of the SMTP address")
    refused = await said(Script(mail="553 not yours"))
    assert not refused.good
    assert "553 not yours" in refused.what
    async with serving(Script()) as port:
        pass
    [closed] = await probe(at(port), FROM)
    assert closed.mend == "check host and port, and that a firewall lets it through"
    assert "secret" not in str(await said(Script(mail="553 no"), "me:secret@"))


async def test_forty_at_once() -> None:
    """Four times as many as are ever under way; well below what a listening socket lets wait."""
    script = Script()
    async with serving(script) as port:
        outcomes = await asyncio.gather(*(send(at(port), FROM, [f"{n}@firma.kz"], MAIL) for n in range(40)))
    assert [verdict for outcome in outcomes for verdict in outcome.values() if verdict.state != "accepted"] == []
    assert len({to for _, [to], _ in script.taken}) == 40


def test_uvloop_takes_leave_of_a_server_without_trust_as_well(tmp_path: Path) -> None:
    """The program runs on it, the tests do not."""
    code = """
import asyncio, pathlib, sys, uvloop
from tests.integration.smtp_server import Script, certificate, serving
from mailbridge.smtp import SmtpAddress, send
async def main(folder):
    script = Script()
    context, trusted = certificate(folder, "127.0.0.1")
    _, other = certificate(folder, "127.0.0.2")
    async with serving(script, context) as port:
        for file, state in ((trusted, "accepted"), (other, "later")):
            address = SmtpAddress.parse(f"smtp://me:secret@127.0.0.1:{port}?ca={file}")
            outcome = await send(address, "s@desk.kz", ["a@firma.kz"], b"Subject: x\\r\\n\\r\\ny")
            assert outcome["a@firma.kz"].state == state, outcome
    assert len(script.logins) == 1
uvloop.run(main(pathlib.Path(sys.argv[1])))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr

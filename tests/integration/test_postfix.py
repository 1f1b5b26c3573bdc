"""Our mail through a real Postfix: over STARTTLS, into Maildirs, as it was composed."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db import Sessions
from crm.mail.letter import Address, File
from crm.wake import Waker
from mailbridge.compose import compose
from mailbridge.smtp import SmtpAddress, probe, send
from tests.factories import PROFILE
from tests.integration import postfix
from tests.integration.postfix import Postfix
from tests.integration.smtp_server import Script
from tests.integration.test_mail_delivery import Office
from tests.unit.test_mail_compose import answer, notice

pytestmark = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing())
FROM = "support@desk.kz"


@pytest.fixture(scope="module")
def mta() -> Iterator[Postfix]:
    with postfix.running() as made:
        yield made


def at(mta: Postfix) -> SmtpAddress:
    return SmtpAddress.parse(f"smtp://{postfix.HOST}:{mta.port}?ca={mta.trusted}")


async def arrived(mta: Postfix, who: str, number: int) -> list[bytes]:
    async with asyncio.timeout(60):
        while len(found := mta.delivered(who)) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def test_it_arrives_as_it_was_composed(mta: Postfix) -> None:
    before = len(mta.delivered("a"))
    text = "Добрый день! Қайырлы күн! 👍\n.\n..\nFrom here\n" + "длинная строка " * 200
    files = (File("Отчёт.bin", "application/octet-stream", bytes(range(256)) * 50),)
    mails = [answer(text, files=files), *(notice("resolved", language) for language in PROFILE.languages)]
    for mail in mails:
        outcome = await send(at(mta), FROM, ["a@firma.kz"], compose(mail))
        assert outcome["a@firma.kz"].state == "accepted", outcome
    found = [message_from_bytes(raw, policy=policy.default) for raw in await arrived(mta, "a", before + len(mails))]
    assert all("ESMTPS" in str(mail["Received"]) for mail in found)
    [first] = [mail for mail in found if list(mail.iter_attachments())]
    body = first.get_body(("plain",))  # type: ignore[attr-defined]
    assert body.get_content().replace("\r\n", "\n").partition("\n\n")[0] == text
    assert [part.get_content() for part in first.iter_attachments()] == [files[0].data]
    assert str(first["Subject"]) == "Re: Не открывается кабинет [PD-1042]"


async def test_each_recipient_has_an_answer_of_its_own(mta: Postfix) -> None:
    wanted = {
        "a@firma.kz": "accepted", "slow@firma.kz": "later", "quota@firma.kz": "refused", "nobody@firma.kz": "refused",
        "x@elsewhere.kz": "refused",
    }  # fmt: skip
    outcome = await send(at(mta), FROM, list(wanted), compose(answer()))
    assert {address: verdict.state for address, verdict in outcome.items()} == wanted
    assert outcome["nobody@firma.kz"].answer.startswith("550 5.1.1")


async def test_an_automatic_mail_has_no_way_back(mta: Postfix) -> None:
    before = len(mta.delivered("b"))
    await send(at(mta), "", ["b@firma.kz"], compose(notice("acknowledged")))
    assert (await arrived(mta, "b", before + 1))[-1].startswith(b"Return-Path: <>\n")


async def test_too_big_a_mail_is_refused_before_it_is_said(mta: Postfix) -> None:
    big = compose(answer(files=(File("big.bin", "application/octet-stream", b"x" * 2_000_000),)))
    outcome = await send(at(mta), FROM, ["a@firma.kz"], big)
    assert outcome["a@firma.kz"].state == "refused"
    assert outcome["a@firma.kz"].answer.startswith("552")


async def test_an_address_beyond_ascii(mta: Postfix) -> None:
    mail = compose(replace(answer(), to=Address("қолдау@firma.kz")))
    outcome = await send(at(mta), FROM, ["қолдау@firma.kz"], mail)
    # Postfix takes it, and has no such mailbox.
    assert outcome["қолдау@firma.kz"].answer.startswith("550 5.1.1")


async def test_the_check_is_content(mta: Postfix) -> None:
    assert [finding.good for finding in await probe(at(mta), FROM)] == [True, True]


async def test_a_server_that_restarts_loses_and_doubles_nothing(
    mta: Postfix, sessions: Sessions, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Waker, "wait", lambda *_: asyncio.sleep(0.01))
    office = Office(sessions, Waker(engine), mta.port, Script())
    ticket = await office.ticket()
    for number in range(60):
        await office.put(ticket, address="b@firma.kz", facts={"reference": f"PD-{number}"})
    await office.fetch("update outbox set lane = lane || (id / 3)::text returning 1")
    before = len(mta.delivered("b"))
    sender = office.sender(str(mta.trusted))
    running = asyncio.ensure_future(sender.run())
    try:
        await arrived(mta, "b", before + 5)
        await asyncio.to_thread(_abort, mta)
        async with asyncio.timeout(60):
            while set(await office.states()) != {"sent"}:
                await asyncio.to_thread(_start, mta)
                await office.fetch("update outbox set due_at = created_at where state = 'queued' returning 1")
                await asyncio.sleep(0.1)
    finally:
        sender.stop()
        await running
    found = await arrived(mta, "b", before + 60)
    seen = Counter(str(message_from_bytes(raw)["Message-ID"]) for raw in found[before:])
    repeated = {row.id for row in await office.mails() if row.repeats}
    assert len(seen) == 60
    assert sum(seen.values()) <= 60 + len(repeated)


def _abort(mta: Postfix) -> None:
    subprocess.run(["/usr/sbin/postfix", "-c", str(mta.base / "conf"), "abort"], capture_output=True, check=False)


def _start(mta: Postfix) -> None:
    subprocess.run(["/usr/sbin/postfix", "-c", str(mta.base / "conf"), "start"], capture_output=True, check=False)

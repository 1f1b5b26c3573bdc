"""Rows of the outbox on their way to a mail server that fails in every way it can."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.changes import Changes
from crm.db import Sessions, transaction
from crm.outbox import Outgoing, Priority, mail_bucket, mail_lane
from crm.outbox import retry as send_again
from crm.people.service import OpenTicket
from crm.wake import Waker
from mailbridge import claim, smtp
from mailbridge.deliver import Post, Sender
from mailbridge.smtp import SmtpAddress
from tests.factories import DESK, GROUP, NOW, PROFILE, Moment, connected, opened, rows
from tests.integration.smtp_server import DROP, SILENT, STORE_DROP, STORE_SILENT, Script, serving

TO, CC, TOKEN = "client@firma.kz", "boss@firma.kz", "abcdefghij234567abcdefghij"


@dataclass
class Office:
    """A sender, its server, and a hand that moves the clock."""

    sessions: Sessions
    waker: Waker
    port: int
    script: Script
    clock: Moment = field(default_factory=Moment)
    # Who gets copies of answers.
    copies: list[tuple[str, str]] = field(default_factory=list)

    def sender(self, ca: str = "", port: int | None = None) -> Sender:
        address = SmtpAddress.parse(f"smtp://127.0.0.1:{port or self.port}{f'?ca={ca}' if ca else ''}")
        post = Post(PROFILE, address, lambda queue: f"{queue}@desk.kz", True, lambda _: TOKEN)
        return Sender(post, self.sessions, self.waker, self.clock)

    async def send(self, sender: Sender | None = None) -> int:
        """All that may leave now; gives how many attempts that were."""
        sender, made = sender or self.sender(), 0
        while True:
            async with asyncio.TaskGroup() as group:
                before = made

                def spawn(attempt: Any) -> object:
                    nonlocal made
                    made += 1
                    return group.create_task(attempt)

                await sender.round(spawn)
            if made == before:
                return made

    async def ticket(self) -> OpenTicket:
        async with transaction(self.sessions) as session:
            await connected(session)
            made = await opened(session)
            await session.rows("delete from outbox")
            return made

    async def put(
        self, ticket: OpenTicket | None, kind: str = "say", message: int | None = None, **payload: Any
    ) -> None:
        facts = {"reference": ticket.reference} if ticket else {"code": "12345678"}
        notice = {"notice": "asked" if ticket else "link_code", "facts": facts} if kind == "say" else {}
        made = Outgoing(
            bucket=mail_bucket(DESK),
            lane=mail_lane(DESK, ticket and ticket.id),
            kind=kind,
            payload={"to": "requester", "address": TO, "name": "Клиент", "language": "ru", **notice, **payload},
            ticket_id=ticket and ticket.id,
            message_id=message,
            priority=Priority.REPLY,
            channel="email",
        )
        async with transaction(self.sessions) as session:
            await Changes(outgoing=[made]).write(session, DESK, self.clock())

    async def answer(self, ticket: OpenTicket, words: str = "Готово", **content: Any) -> int:
        """An engineer's words in the topic, to go by mail; gives the message's id."""
        async with transaction(self.sessions) as session:
            [made] = await session.rows(
                """insert into message (desk, ticket_id, requester_id, kind, author_kind, author_id,
                   author_name, channel, content, album_id, sent_at)
                   select desk, id, requester_id, 'public', 'agent', 1, 'Айдар', 'telegram', $2::text::jsonb, $3, $4
                   from ticket where id = $1 returning id""",
                ticket.id,
                json.dumps({"type": "text", "text": words, **content}),
                content.get("album"),
                self.clock(),
            )
            await session.rows(
                """insert into telegram_message (desk, chat_id, message_id, ticket_id, message_ref, role)
                   values ($1, $2, $3, $4, $3, 'origin')""",
                DESK,
                GROUP,
                made["id"],
                ticket.id,
            )
        await self.put(ticket, "relay", made["id"], album=content.get("album"), cc=self.copies)
        return int(made["id"])

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with transaction(self.sessions) as session:
            return await rows(session, query, **values)

    async def mails(self) -> list[Any]:
        return await self.fetch("select * from outbox where channel = 'email' order by id")

    async def states(self) -> list[str]:
        return [row.state for row in await self.mails()]

    async def told(self) -> list[str]:
        """Reasons that the topic was told of."""
        found = await self.fetch(
            """select payload -> 'facts' ->> 'reason' as r from outbox where payload ->> 'notice' = 'undelivered'
               order by id"""
        )
        return [row.r for row in found]

    async def marks(self) -> list[str]:
        found = await self.fetch("select payload ->> 'emoji' as e from outbox where kind = 'react' order by id")
        return [row.e for row in found]

    def read(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for _, _, raw in self.script.taken]  # type: ignore[misc]


@pytest.fixture
async def office(sessions: Sessions, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(smtp, "STEP", 0.5)
    # A round that finds nothing comes back at once.
    monkeypatch.setattr(Waker, "wait", lambda *_: asyncio.sleep(0))
    script = Script()
    async with serving(script) as port:
        yield Office(sessions, Waker(engine), port, script)


# --- what arrives ----------------------------------------------------------------------------------------------------


async def test_an_answer_arrives_and_is_marked(office: Office) -> None:
    ticket = await office.ticket()
    office.copies = [(CC, "")]
    await office.fetch(
        """insert into mail_message (desk, direction, message_id, address, subject, nature, ticket_id, at)
           values (:d, 'in', 'first@firma.kz', :a, 's', 'request', :t, :n),
                  (:d, 'in', 'absent@firma.kz', :a, 's', 'auto_reply', :t, :n) returning 1""",
        d=DESK, a=TO, t=ticket.id, n=NOW,
    )  # fmt: skip
    message = await office.answer(ticket, "Готово 👍", entities=[{"type": "bold", "offset": 0, "length": 6}])
    await office.fetch(
        """insert into attachment (message_ref, filename, content_type, inline, data)
           values (:m, 'План.pdf', 'application/pdf', false, '\\x00ff') returning 1""",
        m=message,
    )
    assert await office.send() == 1
    [(sender, recipients, _)] = office.script.taken
    assert (sender, recipients) == ("support@desk.kz", [TO, CC])
    [mail] = office.read()
    row = (await office.mails())[0]
    assert str(mail["Message-ID"]) == f"<{ticket.reference.lower()}.{TOKEN}.{row.id}@desk.kz>"
    assert str(mail["In-Reply-To"]) == "<first@firma.kz>"
    assert str(mail["From"]) == "Айдар · ProData <support@desk.kz>"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["План.pdf"]
    html = mail.get_body(("html",))
    assert html is not None
    assert "<b>Готово</b> 👍" in html.get_content()
    assert "Не открывается кабинет</blockquote>" in html.get_content()
    assert await office.states() == ["sent"]
    assert await office.marks() == ["👌"]
    [relayed] = await office.fetch("select relayed_at from message where id = :m", m=message)
    assert relayed.relayed_at == NOW
    [out] = await office.fetch("select * from mail_message where direction = 'out'")
    assert (out.message_id, out.in_reply_to, out.outbox_id, out.message_ref, out.nature) == (
        str(mail["Message-ID"]).strip("<>"), "first@firma.kz", row.id, message, "own",
    )  # fmt: skip


async def test_the_next_mail_goes_on_with_the_thread(office: Office) -> None:
    ticket = await office.ticket()
    await office.answer(ticket, "Раз")
    await office.answer(ticket, "Два")
    assert await office.send() == 2
    first, second = office.read()
    assert str(second["In-Reply-To"]) == str(first["Message-ID"]) == str(second["References"])
    assert first["In-Reply-To"] is None


async def test_automatic_mail_goes_to_the_requester_alone_and_never_comes_back(office: Office) -> None:
    ticket = await office.ticket()
    office.copies = [(CC, "")]
    await office.put(ticket)
    await office.send()
    [(sender, recipients, raw)] = office.script.taken
    assert (sender, recipients) == ("", [TO])
    assert b"Auto-Submitted: auto-generated" in raw
    assert "Клиент" not in str(office.read()[0]["To"])
    assert await office.marks() == []


async def test_what_belongs_to_no_ticket_leaves_as_well(office: Office) -> None:
    """A code that links an address; one stranger's server does not hold up another stranger's mail."""
    office.script.rcpt["slow@firma.kz"] = ["450 busy"]
    await office.put(None, address="slow@firma.kz")
    await office.put(None)
    assert await office.send() == 2
    assert await office.states() == ["queued", "sent"]
    [mail] = office.read()
    assert str(mail["Message-ID"]).startswith(f"<pd.{TOKEN}.")
    assert mail["Reply-To"] is None


async def test_each_queue_writes_as_its_own_address(office: Office) -> None:
    ticket = await office.ticket()
    await office.fetch("update ticket set queue = 'methodology' returning 1")
    await office.answer(ticket)
    await office.send()
    [(sender, _, _)] = office.script.taken
    assert sender == "methodology@desk.kz"
    assert "<methodology@desk.kz>" in str(office.read()[0]["From"])


async def test_an_album_is_one_mail(office: Office) -> None:
    ticket = await office.ticket()
    album = {"type": "photo", "album": "a1"}
    first = await office.answer(ticket, "", **album)
    second = await office.answer(ticket, "Подпись", **album)
    await office.fetch("delete from outbox where message_id = :m returning 1", m=second)
    await office.fetch(
        """insert into attachment (message_ref, filename, content_type, inline, data)
           values (:b, '2.jpg', 'image/jpeg', false, ''), (:a, '1.jpg', 'image/jpeg', false, '') returning 1""",
        a=first, b=second,
    )  # fmt: skip
    await office.send()
    [mail] = office.read()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["1.jpg", "2.jpg"]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Подпись")
    relayed = await office.fetch("select id from message where relayed_at is not null order by id")
    assert [row.id for row in relayed] == [first, second]


async def test_what_was_taken_back_does_not_leave(office: Office) -> None:
    ticket = await office.ticket()
    message = await office.answer(ticket)
    await office.fetch("update message set deleted_at = :n where id = :m returning 1", n=NOW, m=message)
    await office.send()
    assert (await office.states(), office.script.taken) == (["dropped"], [])


# --- what does not ---------------------------------------------------------------------------------------------------


async def test_refused_for_now_is_tried_again(office: Office) -> None:
    """F15."""
    ticket = await office.ticket()
    office.script.rcpt[TO] = ["451 greylisted"] * 2
    await office.answer(ticket)
    assert await office.send() == 1
    assert await office.send() == 0
    office.clock.move(minutes=1)
    assert await office.send() == 1
    office.clock.move(minutes=1)
    assert await office.send() == 0
    office.clock.move(minutes=1)
    assert await office.send() == 1
    assert (await office.states(), await office.told(), len(office.script.taken)) == (["sent"], [], 1)


async def test_refused_for_now_too_long_has_failed(office: Office) -> None:
    ticket = await office.ticket()
    office.script.rcpt[TO] = ["451 4.7.1 greylisted"] * 200
    await office.answer(ticket)
    attempts = 0
    for _ in range(70):
        attempts += await office.send()
        office.clock.move(hours=2)
    assert await office.states() == ["failed"]
    assert 55 < attempts < 65
    assert await office.told() == [f"{TO}: 451 4.7.1 greylisted"]
    assert await office.marks() == ["💔"]


async def test_refused_for_good_is_told_in_the_topic(office: Office) -> None:
    ticket = await office.ticket()
    office.script.rcpt[TO] = ["550 5.1.1 no such user"]
    await office.answer(ticket)
    await office.send()
    assert await office.states() == ["failed"]
    assert await office.told() == [f"{TO}: 550 5.1.1 no such user"]
    assert await office.marks() == ["💔"]
    [event] = await office.fetch("select * from ticket_event where kind = 'undelivered'")
    assert event.data["reason"] == f"{TO}: 550 5.1.1 no such user"


async def test_only_those_put_off_get_it_again(office: Office) -> None:
    """F15: and while a follower's server is away, the next answer goes to the customer."""
    ticket = await office.ticket()
    office.copies = [(CC, "")]
    office.script.rcpt[CC] = ["450 mailbox busy"]
    await office.answer(ticket, "Раз")
    await office.send()
    await office.answer(ticket, "Два")
    assert await office.send() == 1
    assert [to for _, to, _ in office.script.taken] == [[TO], [TO, CC]]
    office.clock.move(minutes=1)
    await office.send()
    assert [to for _, to, _ in office.script.taken] == [[TO], [TO, CC], [CC]]
    first, _, third = office.read()
    assert first["Message-ID"] == third["Message-ID"]
    assert (await office.states(), await office.marks()) == (["sent", "sent"], ["👌", "👌"])


async def test_a_follower_who_is_refused_is_told_of(office: Office) -> None:
    ticket = await office.ticket()
    office.copies = [(CC, "")]
    office.script.rcpt[CC] = ["550 unknown"]
    await office.answer(ticket)
    await office.send()
    assert (await office.states(), await office.told()) == (["sent"], [f"{CC}: 550 unknown"])
    assert await office.marks() == ["👌"]


@pytest.mark.parametrize("how", [SILENT, DROP, STORE_SILENT, STORE_DROP])
async def test_unknown_is_repeated_once_with_the_same_id(office: Office, how: str) -> None:
    """F16."""
    ticket = await office.ticket()
    office.script.data = [how]
    await office.answer(ticket)
    await office.send()
    [row] = await office.mails()
    assert (row.state, row.repeats) == ("queued", 1)
    office.clock.move(minutes=1)
    await office.send()
    assert (await office.states(), await office.told()) == (["sent"], [])
    assert len(office.script.taken) == (2 if how in (STORE_SILENT, STORE_DROP) else 1)
    assert len({str(mail["Message-ID"]) for mail in office.read()}) == 1
    assert len(await office.fetch("select 1 from mail_message where direction = 'out'")) == 1


async def test_unknown_twice_is_told_and_a_person_may_send_it_again(office: Office) -> None:
    ticket = await office.ticket()
    office.script.data = [STORE_DROP, DROP]
    await office.answer(ticket)
    await office.send()
    office.clock.move(minutes=1)
    await office.send()
    office.clock.move(hours=3)
    assert await office.send() == 0
    assert (await office.states(), await office.told()) == (["unknown"], ["mail_unknown"])
    [row] = await office.mails()
    async with transaction(office.sessions) as session:
        assert await send_again(session, row.id, office.clock())
    await office.send()
    assert await office.states() == ["sent"]
    assert len({str(mail["Message-ID"]) for mail in office.read()}) == 1


async def test_no_server_loses_nothing(office: Office) -> None:
    ticket = await office.ticket()
    await office.answer(ticket)
    async with serving(Script()) as closed:
        pass
    await office.send(office.sender(port=closed))
    assert await office.states() == ["queued"]
    office.clock.move(minutes=1)
    await office.send()
    assert await office.states() == ["sent"]


async def test_a_lane_keeps_its_order(office: Office) -> None:
    ticket = await office.ticket()
    office.script.rcpt[TO] = ["451 later"]
    await office.answer(ticket, "Раз")
    await office.answer(ticket, "Два")
    assert await office.send() == 1
    office.clock.move(minutes=1)
    assert await office.send() == 2
    words = [mail.get_body(("plain",)).get_content()[:3] for mail in office.read()]  # type: ignore[union-attr]
    assert words == ["Раз", "Два"]


async def test_a_row_that_cannot_become_a_mail_is_given_up_and_told(office: Office) -> None:
    ticket = await office.ticket()
    await office.put(ticket, notice="unheard of")
    for _ in range(4):
        await office.send()
        office.clock.move(hours=1)
    assert await office.states() == ["failed"]
    assert await office.told() == [f"{TO}: KeyError: 'unheard of'"]


@pytest.mark.parametrize("address", ["a@b.kz\r\nBcc: x@y.kz", "nobody"])
async def test_an_address_that_is_none_is_told(office: Office, address: str) -> None:
    ticket = await office.ticket()
    await office.put(ticket, address=address)
    for _ in range(4):
        await office.send()
        office.clock.move(hours=1)
    assert await office.states() == ["failed"]
    assert office.script.sessions == 0


async def test_a_row_of_another_channel_or_desk_is_left_alone(office: Office) -> None:
    ticket = await office.ticket()
    await office.put(ticket)
    await office.fetch("update outbox set channel = 'telegram' returning 1")
    assert await office.send() == 0
    await office.fetch("update outbox set channel = 'email', desk = 'meo' returning 1")
    assert await office.send() == 0


async def test_the_dead_of_another_channel_are_not_its_own(office: Office) -> None:
    ticket = await office.ticket()
    await office.put(ticket)
    await office.fetch(
        "update outbox set channel = 'telegram', state = 'attempting', lease_until = :past returning 1",
        past=NOW - claim.LEASE,
    )
    await office.sender()._give_up_the_dead()
    [row] = await office.fetch("select state, repeats from outbox")
    assert (row.state, row.repeats) == ("attempting", 0)


# --- several, and dying ----------------------------------------------------------------------------------------------


async def test_two_senders_send_each_mail_once(office: Office) -> None:
    ticket = await office.ticket()
    for number in range(30):
        await office.put(ticket, facts={"reference": f"PD-{number}"})
    await office.fetch("update outbox set lane = lane || (id / 3)::text returning 1")
    made = await asyncio.gather(*(office.send() for _ in range(3)))
    assert sum(made) >= 30
    await office.send()
    assert set(await office.states()) == {"sent"}
    assert len(office.script.taken) == 30


async def test_a_sender_that_overslept_writes_nothing(office: Office) -> None:
    """F6: the lease has run out, another one has it."""
    ticket = await office.ticket()
    await office.answer(ticket)
    async with office.sessions() as session:
        [row] = await claim.claim(session, DESK, office.clock(), 10)
    office.clock.move(seconds=claim.LEASE.total_seconds() + 1)
    sender = office.sender()
    await sender._give_up_the_dead()
    assert await office.send() == 1
    assert not await sender._settle(row, {TO: smtp.Verdict("refused", "550 late")})
    assert (await office.states(), await office.told()) == (["sent"], [])
    assert (await office.mails())[0].repeats == 1


async def test_a_sender_that_died_twice_leaves_it_unknown(office: Office) -> None:
    ticket = await office.ticket()
    await office.answer(ticket)
    sender = office.sender()
    for _ in range(2):
        async with office.sessions() as session:
            assert len(await claim.claim(session, DESK, office.clock(), 10)) == 1
        office.clock.move(seconds=claim.LEASE.total_seconds() + 1)
        await sender._give_up_the_dead()
    assert (await office.states(), await office.told()) == (["unknown"], ["mail_unknown"])


def test_a_lease_outlasts_an_attempt() -> None:
    assert claim.LEASE.total_seconds() > smtp.SESSION + smtp.STEP / 2


async def test_it_runs_until_it_is_told_to_stop(office: Office) -> None:
    ticket = await office.ticket()
    await office.answer(ticket)
    sender = office.sender()
    running = asyncio.ensure_future(sender.run())
    try:
        async with asyncio.timeout(10):
            while await office.states() != ["sent"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            sender.stop()
            await running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

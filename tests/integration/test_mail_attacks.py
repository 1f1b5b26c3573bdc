"""What people and programs do to a desk by mail that they should not get away with, and what the desk must not lose.

The attacks of the matrix have their tests where the guard stands; here is what goes through several parts at once.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiogram.types import InlineKeyboardMarkup

from bot import claim, mail_views, settle
from bot.budget import Limits
from bot.client import TIMEOUT, Client
from bot.delivery import NOTHING_TO_DO, Desk, Result
from bot.views import Look
from crm import inbox
from crm.changes import Changes
from crm.db import Session, transaction
from crm.errors import NotYet, Unreadable
from crm.inbox import Item, Received
from crm.mail import service
from crm.mail.letter import Address, File, Letter
from crm.outbox import Outgoing
from crm.tickets import work
from mailbridge.process import Mails, NotTaken
from mailbridge.read import read
from mailbridge.reader import Readers
from tests.factories import DESK, ENGINEER, PROFILE, Moment, engineer, forum, pressed, rows
from tests.integration.conftest import Reception
from tests.integration.test_mail_tickets import (
    COLLEAGUE,
    CUSTOMER,
    FORGED,
    OWN,
    PROVEN,
    STRANGER,
    Post,
    followers,
    letter,
    organization,
    post,
)

__all__ = ["post"]


async def resolved(post: Post) -> None:
    """The first ticket has a solution."""
    async with transaction(post.sessions) as session:
        agent = await engineer(session)
        await work.resolve(session, PROFILE, agent, (await post.ticket()).id, post.clock())


# --- who may do what -------------------------------------------------------------------------------------------------


async def test_attack_2_who_is_disproven_closes_nothing(post: Post) -> None:
    """The words are shown, marked as forged; a choice is for whoever can be it."""
    post.border = True
    await post.take(letter(authentication=PROVEN))
    await resolved(post)
    forged = letter("Да, работает", number="2", in_reply_to="1@firma.kz", authentication=FORGED)
    assert await post.take(forged, "confirm") == "added"
    assert (await post.ticket()).status == "open"


async def test_a_colleagues_confirmation_is_a_message(post: Post) -> None:
    """It was refused as somebody else's ticket, and nobody ever saw it."""
    await organization(post)
    await post.take(letter(cc=(Address(COLLEAGUE),)))
    await resolved(post)
    mail = letter("Работает", COLLEAGUE, "2", in_reply_to="1@firma.kz")
    assert await post.take(mail, "confirm") == "added"
    assert len(await post.fetch("select 1 from message where author_kind = 'requester'")) == 2


async def test_a_colleague_who_writes_does_not_move_the_answers(post: Post) -> None:
    await organization(post)
    await post.take(letter(cc=(Address(COLLEAGUE),)))
    before = (await post.ticket()).answers_to
    assert await post.take(letter("И у меня", COLLEAGUE, "2", in_reply_to="1@firma.kz")) == "added"
    assert (await post.ticket()).answers_to == before


async def test_who_follows_gets_the_answers_of_a_chat_as_well(post: Post) -> None:
    await organization(post)
    await post.take(letter(cc=(Address(COLLEAGUE),)))
    async with transaction(post.sessions) as session:
        chat = """insert into identity (person_id, desk, channel, address, created_at)
                  select requester_id, desk, 'telegram', '501', now() from ticket returning 1"""
        await rows(session, chat)
        await rows(session, "update person set answers_by = 'telegram' returning 1")
    await post.answer()
    found = await post.fetch(
        "select channel, payload from outbox where kind = 'relay' and payload ->> 'to' = 'requester' order by id"
    )
    assert [(row.channel, row.payload.get("address")) for row in found] == [("telegram", None), ("email", COLLEAGUE)]


async def test_attack_9_who_has_left_the_organization_reads_and_writes_nothing_more(post: Post) -> None:
    await organization(post)
    await post.take(letter(cc=(Address(COLLEAGUE),)))
    assert await followers(post) == [COLLEAGUE]
    async with transaction(post.sessions) as session:
        await rows(session, "update contact set active = false where email = :e returning 1", e=COLLEAGUE)
    await post.answer()
    [answer] = await post.fetch("select payload from outbox where kind = 'relay' and channel = 'email'")
    assert answer.payload["cc"] == []
    assert await post.take(letter("Ещё", COLLEAGUE, "2", in_reply_to="1@firma.kz")) == "separate"


@pytest.mark.parametrize(
    "address", ["aigerim@sub.firma.kz", "aigerim@fіrma.kz", "aigerim@firma.kz.example", "Aigerim@f1rma.kz"]
)
async def test_attack_3_a_look_alike_however_proven_is_somebody_else(post: Post, address: str) -> None:
    """And what they are called is shown in full, in letters that cannot be mistaken."""
    await post.take(letter())
    raw = f"From: Aigerim <{address}>\r\nIn-Reply-To: <1@firma.kz>\r\nMessage-ID: <2@x>\r\n\r\nreboot it".encode()
    assert await post.take(replace(read(raw), authentication=PROVEN)) == "separate"
    [shown] = [row.content["mail"]["address"] for row in await post.fetch("select content from message where id > 1")]
    assert shown.isascii()
    assert shown.lower() != CUSTOMER
    assert len(await post.fetch("select 1 from person")) == 2


def test_attack_15_a_mail_that_would_end_early_is_one_mail() -> None:
    """Whatever another server would take for its end, or for a second From."""
    for end in (b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\n.\r\n"):
        smuggled = b"MAIL FROM:<a@x>" + end + b"From: <admin@firma.kz>\r\n\r\nreboot"
        seen = read(b"From: a@x.kz\r\nSubject: s\r\n\r\none" + end + smuggled)
        assert [one.address for one in seen.senders] == ["a@x.kz"]
        assert "reboot" in seen.text
    for line in (b"\r", b"\n"):
        seen = read(b"X: y" + line + b"From: admin@firma.kz\r\nFrom: a@x.kz\r\n\r\nreboot")
        assert "admin@firma.kz" not in [one.address for one in seen.senders[:1] if seen.sender]


def test_attack_20_marks_and_links_of_a_mail_are_words() -> None:
    words = "<b>*_[x](tg://user?id=1)`` </a> &amp; tg://resolve?domain=x"
    head = {"address": "a@b.kz", "name": "<i>*N*", "proven": False, "failed": True}
    drawn = mail_views.mail(Look(PROFILE, "en", Moment()()), {"type": "text", "text": words, "mail": head}, 0)
    assert words in drawn.text
    assert "<i>*N*" in drawn.text
    assert {one["type"] for one in drawn.entities} == {"bold", "code"}
    assert "parse_mode" not in drawn.params()


@pytest.mark.parametrize("senders", [(), (Address(CUSTOMER), Address(STRANGER))])
async def test_attack_6_who_does_not_say_who_speaks_is_put_aside(senders: tuple[Address, ...]) -> None:
    """Whole, for a person to look at; a bounce may well come from nobody."""

    class Reader(Readers):
        async def read(self, raw: bytes) -> Letter:
            return letter(senders=senders, nature="bounce" if raw else "request")

    mails = Mails(service.Door(PROFILE, b""), Reader(1))
    item = Item(1, "mail:prodata:support", "k", "l", b"", Moment()(), 1)
    with pytest.raises(Unreadable):
        await mails.read(item)
    assert (await mails.read(replace(item, payload=b"x"))).sender is None


@pytest.mark.parametrize("address", [OWN, OWN.upper(), OWN.replace("@", "+pd-1001.x@")])
async def test_attack_12_our_own_address_in_any_form_opens_nothing(post: Post, address: str) -> None:
    assert await post.take(letter(sender=address)) == "own"
    assert await post.fetch("select 1 from ticket") == []


async def test_attack_21_a_name_neither_hides_nor_fills_the_card(post: Post) -> None:
    name = "Ин\u202eженер\u200b " + "N" * 5000
    await post.take(letter(senders=(Address(CUSTOMER, name),)))
    [person] = await post.fetch("select name from person")
    [message] = await post.fetch("select content from message")
    for shown in (person.name, message.content["mail"]["name"]):
        assert len(shown) <= 80
        assert shown.startswith("Инженер")
    assert message.content["mail"]["address"] == CUSTOMER


# --- what must not be lost --------------------------------------------------------------------------------------------


async def at_once(post: Post, one: Letter, other: Letter) -> asyncio.Task[str]:
    """The second is under way while the first is not yet committed; it is by the end."""

    async def take(session: Session, mail: Letter) -> str:
        return await service.take(session, service.Door(PROFILE, post.key), mail, None, 7, post.clock())

    async def second() -> str:
        async with transaction(post.sessions) as session:
            return await take(session, other)

    async with transaction(post.sessions) as session:
        await take(session, one)
        slower = asyncio.create_task(second())
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        async with asyncio.timeout(10):
            while not (slower.done() or await post.fetch(waiting)):  # noqa: ASYNC110 - the database knows
                await asyncio.sleep(0.01)
    return slower


async def test_two_first_mails_of_one_sender_at_once(post: Post) -> None:
    """The slower one waits a moment; it is not its own fault."""
    slower = await at_once(post, letter(), letter("Другое", number="2"))
    with pytest.raises(NotYet):
        await slower
    assert await post.take(letter("Другое", number="2")) == "opened"
    assert len(await post.fetch("select 1 from person")) == 1


async def test_attack_11_mails_at_once_are_answered_once(post: Post) -> None:
    await post.take(letter(authentication=FORGED))
    slower = await at_once(post, letter("Раз", number="2"), letter("Два", number="3"))
    assert await slower == "opened"
    assert len(await post.fetch("select 1 from outbox where channel = 'email' and kind = 'say'")) == 1


async def test_what_became_impossible_meanwhile_is_tried_again_and_never_dropped(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a ticket and the mail's effects an engineer may have been faster."""
    await post.take(letter())
    await resolved(post)
    [thread] = [row.id for row in await post.fetch("update ticket set status = 'resolved' returning id")]
    real = service.glance

    async def stale(*values: Any) -> Any:
        seen = await real(*values)
        await values[0].rows("update ticket set status = 'closed', closed_at = now() where id = $1", thread)
        return seen

    monkeypatch.setattr(service, "glance", stale)
    mail = letter("Да, работает", number="2", in_reply_to="1@firma.kz")
    mails = Mails(service.Door(PROFILE, post.key), None)  # type: ignore[arg-type]
    async with transaction(post.sessions) as session:
        await inbox.store(session, "mail:prodata:support", [Received("k", "l", b"")], post.clock())
        [item] = await inbox.claim(session, ["mail:prodata:support"], 1, post.clock())
    with pytest.raises(NotTaken):
        async with transaction(post.sessions) as session:
            await mails.handle(session, item, mail, post.clock())


async def test_thanks_with_a_file_want_something(post: Post) -> None:
    await post.take(letter())
    await resolved(post)
    shot = File("экран.png", "image/png", b"x" * 9000)
    mail = letter("Спасибо!", number="2", in_reply_to="1@firma.kz", files=(shot,))
    assert await post.take(mail) == "added"
    assert (await post.ticket()).status == "open"


@pytest.mark.parametrize("limits", [None, Limits.parse("30/1/20")])
async def test_whoever_is_at_a_large_file_is_not_taken_for_dead(post: Post, limits: Limits | None) -> None:
    """Another would fetch it as well, and the mail would leave twice."""
    made = [Outgoing(bucket=f"{DESK}:files", lane=kind, kind=kind) for kind in ("fetch", "upload", "call")]
    async with transaction(post.sessions) as session:
        await Changes(outgoing=made).write(session, DESK, post.clock())
        taken = await claim.claim(session, DESK, limits, post.clock(), 10)
    assert {row.kind for row in taken} == {"fetch", "upload", "call"}
    held = await post.fetch("select kind, extract(epoch from lease_until - :now) as s from outbox", now=post.clock())
    assert {row.kind: row.s > 5 * TIMEOUT + 20 for row in held} == {"fetch": True, "upload": True, "call": False}


async def test_what_an_overslept_attempt_would_cause_is_not_caused_twice(post: Post) -> None:
    async with transaction(post.sessions) as session:
        await Changes(outgoing=[Outgoing(f"{DESK}:files", "l", "fetch")]).write(session, DESK, post.clock())
        [row] = await claim.claim(session, DESK, None, post.clock(), 10)
        await rows(session, "update outbox set attempts = attempts + 1 returning 1")
        result = Result(NOTHING_TO_DO, follow=[Outgoing(f"{DESK}:mail", "m", "relay", channel="email")])
        desk = Desk(PROFILE, Client("1:x"), post.sessions)
        await settle.settle(session, desk, None, [(row, result)], post.clock())
    assert [row.kind for row in await post.fetch("select kind from outbox")] == ["fetch"]


async def test_of_two_hundred_files_the_most_give_way(post: Post) -> None:
    files = tuple(File(f"{number}.pdf", "application/pdf", b"x") for number in range(200))
    await post.take(letter(files=files))
    found = await post.fetch("select priority, count(*) as n from outbox where kind = 'upload' group by 1 order by 1")
    assert [(row.priority, row.n) for row in found] == [(2, 10), (5, 190)]


# --- held mail --------------------------------------------------------------------------------------------------------


async def hold(desk: Reception, number: int, source: str = f"mail:{DESK}:support", disposition: str = "held") -> int:
    async with transaction(desk.sessions) as session:
        received = Received(f"k{number}", "l", b"From: a@b\xff\r\n\r\n", disposition)
        await inbox.store(session, source, [received], desk.clock())
    [row] = await desk.fetch("select max(id) as id from inbox")
    return int(row.id)


async def test_each_of_several_held_mails_is_told_of(reception: Reception) -> None:
    await reception.agent(ENGINEER)
    ids = [await hold(reception, number) for number in range(12)]
    async with transaction(reception.sessions) as session:
        door = service.Door(PROFILE, await service.mail_key(session), own=frozenset({OWN}))
        for item in ids:
            mail = letter("Заявка", f"www{item}@site.kz", str(item), nature="machine")
            assert await service.take(session, door, mail, None, item, reception.clock()) == "held"
    [row] = await reception.fetch("select payload from outbox where kind = 'alarm'")
    told = mail_views.NOTICES["held"](Look(PROFILE, "en", reception.clock()), row.payload["facts"])
    assert isinstance(told.keyboard, InlineKeyboardMarkup)
    buttons = [one.callback_data for line in told.keyboard.inline_keyboard for one in line]
    assert buttons == [f"held:{item}" for item in ids[:10]]
    assert "2 more: kezekshi inbox list" in told.text


async def test_a_held_mail_of_another_desk_is_not_there(reception: Reception) -> None:
    """Whoever writes a bot's buttons by hand."""
    await reception.agent(ENGINEER)
    item = await hold(reception, 1, "mail:meo:support")
    assert await reception.did(pressed(f"held:{item}", ENGINEER, forum())) == "refused:NotFound"


async def test_what_was_taken_for_spam_can_be_taken_back(reception: Reception) -> None:
    item = await hold(reception, 1, disposition="spam")
    async with transaction(reception.sessions) as session:
        assert not await inbox.want(session, item, reception.clock())
        assert await inbox.want(session, item, reception.clock(), "mail:", ("list", "spam"))

"""What people and programs do to a desk by mail that they should not get away with, and what the desk must not lose.

The attacks of the matrix have their tests where the guard stands; here is what goes through several parts at once.
"""

import asyncio
from typing import Any

import pytest
from aiogram.types import InlineKeyboardMarkup

from bot import mail_views
from bot.views import Look
from crm import inbox
from crm.db import transaction
from crm.errors import NotYet
from crm.inbox import Received
from crm.mail import service
from crm.mail.letter import Address, File
from crm.tickets import work
from mailbridge.process import Mails, NotTaken
from tests.factories import DESK, ENGINEER, PROFILE, engineer, forum, pressed, rows
from tests.integration.conftest import Reception
from tests.integration.test_mail_tickets import (
    COLLEAGUE,
    CUSTOMER,
    FORGED,
    OWN,
    PROVEN,
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


async def test_two_first_mails_of_one_sender_at_once(post: Post) -> None:
    """The slower one waits a moment; it is not its own fault."""
    door = service.Door(PROFILE, post.key)
    async with transaction(post.sessions) as one:
        await service.take(one, door, letter(), None, 7, post.clock())

        async def second() -> str:
            async with transaction(post.sessions) as other:
                return await service.take(other, door, letter("Другое", number="2"), None, 8, post.clock())

        slower = asyncio.create_task(second())
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        async with asyncio.timeout(10):
            while not await post.fetch(waiting):  # noqa: ASYNC110 - what is waited for is in the database
                await asyncio.sleep(0.01)
    with pytest.raises(NotYet):
        await slower
    assert await second() == "opened"
    assert len(await post.fetch("select 1 from person")) == 1


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

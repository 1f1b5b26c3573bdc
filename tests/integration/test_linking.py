"""A customer proves a mail address from the chat: what came by mail and what is written here are one person's."""

from dataclasses import replace

import pytest

from bot.process import source_of
from crm.db import transaction
from crm.mail import service as mail
from tests.factories import CUSTOMER, DESK, ENGINEER, OTHER_CUSTOMER, STRANGER, forum, pressed, private, said
from tests.integration.conftest import Reception
from tests.integration.test_mail_tickets import CUSTOMER as ADDRESS
from tests.integration.test_mail_tickets import Post, letter


@pytest.fixture
async def desk(reception: Reception) -> Reception:
    """A desk that sends mail."""
    handlings = reception.processor._handlings
    old = handlings[source_of(DESK)]
    handlings[source_of(DESK)] = replace(old, served=replace(old.served, mail=True))
    return reception


@pytest.fixture
async def post(desk: Reception) -> Post:
    async with transaction(desk.sessions) as session:
        return Post(desk.sessions, await mail.mail_key(session), desk.clock)


async def code(desk: Reception) -> str:
    """What the last mail with a code says."""
    found = await desk.fetch(
        """select payload -> 'facts' ->> 'code' as code from outbox
           where channel = 'email' and payload ->> 'notice' = 'link_code' order by id desc limit 1"""
    )
    return str(found[0].code)


async def owners(desk: Reception) -> set[int]:
    return {row.requester_id for row in await desk.fetch("select requester_id from ticket")}


async def test_what_came_by_mail_is_the_persons_once_the_code_is_right(desk: Reception, post: Post) -> None:
    assert await post.take(letter()) == "opened"
    assert await desk.did(said("Из чата", CUSTOMER)) == "opened"
    assert len(await owners(desk)) == 2
    assert await desk.did(said("/email", CUSTOMER)) == "asked_address"
    assert await desk.did(said(f" {ADDRESS.upper()} ", CUSTOMER)) == "code_sent"
    assert await desk.did(said(await code(desk), CUSTOMER)) == "linked"
    assert len(await owners(desk)) == 1
    assert await post.take(letter("Ещё", number="2", in_reply_to="1@firma.kz")) == "added"
    # Both stand in the list now.
    assert await desk.did(said("/requests", CUSTOMER)) == "my_requests"
    shown = (await desk.calls("sendMessage"))[-1]["text"]
    assert shown.count("PD-") == 2


async def test_a_wrong_code_links_nothing_and_is_counted(desk: Reception, post: Post) -> None:
    """Attack 36, and guessing."""
    await post.take(letter())
    assert await desk.did(said(f"/email {ADDRESS}", CUSTOMER)) == "code_sent"
    right = await code(desk)
    wrong = "00000000" if right != "00000000" else "11111111"
    for _ in range(5):
        assert await desk.did(said(wrong, CUSTOMER)) == "wrong_code"
    assert await desk.did(said(right, CUSTOMER)) == "refused:NotFound"
    linked = "select 1 from identity where channel = 'telegram' and person_id in (select requester_id from ticket)"
    assert await desk.fetch(linked) == []


async def test_a_code_is_no_good_for_somebody_else_or_later(desk: Reception, post: Post) -> None:
    await desk.did(said(f"/email {ADDRESS}", CUSTOMER))
    right = await code(desk)
    assert await desk.did(said(f"/email {ADDRESS}", OTHER_CUSTOMER)) == "code_sent"
    if right != await code(desk):
        assert await desk.did(said(right, OTHER_CUSTOMER)) == "wrong_code"
    desk.clock.move(minutes=16)
    assert await desk.did(said(right, CUSTOMER)) == "refused:NotFound"


async def test_the_desk_is_no_means_to_fill_a_mailbox(desk: Reception) -> None:
    for _ in range(3):
        assert await desk.did(said(f"/email {ADDRESS}", CUSTOMER)) == "code_sent"
    assert await desk.did(said(f"/email {ADDRESS}", CUSTOMER)) == "refused:WrongInput"
    assert await desk.did(said(f"/email {ADDRESS}", OTHER_CUSTOMER)) == "refused:WrongInput"


async def test_a_request_in_the_middle_of_it_is_a_request(desk: Reception) -> None:
    await desk.did(said("/email", CUSTOMER))
    assert await desk.did(said("Не открывается кабинет", CUSTOMER)) == "opened"
    await desk.did(said(f"/email {ADDRESS}", CUSTOMER))
    assert await desk.did(said("И сервер не отвечает", CUSTOMER)) == "added"


async def test_where_answers_go_is_chosen(desk: Reception, post: Post) -> None:
    await post.take(letter())
    await desk.did(said(f"/email {ADDRESS}", CUSTOMER))
    await desk.did(said(await code(desk), CUSTOMER))
    assert await desk.did(said("/answers", CUSTOMER)) == "asked_answers"
    assert await desk.did(pressed("by:telegram", CUSTOMER, private(CUSTOMER))) == "answers_chosen"
    await post.answer()
    [row] = await desk.fetch("select channel from outbox where kind = 'relay' and payload ->> 'to' = 'requester'")
    assert row.channel == "telegram"


async def test_a_desk_without_mail_says_so(reception: Reception) -> None:
    assert await reception.did(said(f"/email {ADDRESS}", CUSTOMER)) == "refused:WrongPlace"


async def test_a_held_mail_becomes_a_request_at_an_engineers_word(desk: Reception, post: Post) -> None:
    await desk.agent(ENGINEER)
    async with transaction(desk.sessions) as session:
        [row] = await session.rows(
            """insert into inbox (source, external_key, lane, payload, received_at, due_at, state, disposition)
               values ('mail:prodata:support', 'x', 'l', ''::bytea, now(), now(), 'done', 'held') returning id"""
        )
    held = row["id"]
    assert await post.take(letter("Заявка с сайта", "www@site.kz", nature="machine")) == "held"
    assert await desk.did(pressed(f"held:{held}", STRANGER, forum())) == "refused:NotAnAgent"
    assert await desk.did(pressed(f"held:{held}", ENGINEER, forum())) == "held_wanted"
    assert await desk.did(pressed(f"held:{held}", ENGINEER, forum())) == "refused:NotFound"
    [item] = await desk.fetch("select state, disposition from inbox where id = :id", id=held)
    assert (item.state, item.disposition) == ("queued", "wanted")
    wanted = letter("Заявка с сайта", "www@site.kz", nature="machine")
    async with transaction(desk.sessions) as session:
        door = mail.Door(post.profile, post.key)
        assert await mail.take(session, door, wanted, None, held, desk.clock(), wanted=True) == "opened"

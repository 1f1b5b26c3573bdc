"""Updates through the real dispatcher: each ends in one recorded disposition, and an error leaves nothing behind."""

from typing import Any

import pytest

from bot.handlers import requester
from bot.process import source_of
from crm import inbox, worker
from crm.db import transaction
from crm.inbox import MAX_ATTEMPTS
from tests.factories import (
    BOT,
    CUSTOMER,
    DESK,
    ENGINEER,
    GROUP,
    in_group,
    message,
    photo,
    pressed,
    private,
    said,
    update,
)
from tests.integration.conftest import Reception

POLL = {
    "id": "1",
    "question": "?",
    "options": [],
    "total_voter_count": 0,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": False,
    "members_only": False,
}


async def texts(reception: Reception) -> list[str]:
    return [call["text"] for call in await reception.calls("sendMessage")]


async def test_a_customers_first_words_are_a_request(reception: Reception) -> None:
    assert await reception.did(said("Не открывается кабинет")) == "opened"
    assert await reception.did(said("Всё ещё")) == "added"
    assert len(await reception.fetch("select 1 from ticket")) == 1


async def test_the_same_update_is_stored_and_done_once(reception: Reception) -> None:
    told = said("Не открывается")
    await reception.did(told)
    assert await reception.store(told) == 0
    await reception.work()
    assert len(await reception.fetch("select 1 from ticket")) == 1


async def test_the_same_message_under_another_update_is_a_duplicate(reception: Reception) -> None:
    told = said("Не открывается", number=5)
    assert await reception.did(told) == "opened"
    assert await reception.did(update(message=told["message"])) == "duplicate"
    assert len(await reception.fetch("select 1 from message")) == 1


@pytest.mark.parametrize(
    ("words", "disposition"),
    [
        ("/start", "start"),
        ("/help", "help"),
        ("/language", "language"),
        ("/new", "new"),
        ("/requests", "my_requests"),
        ("Мои заявки", "my_requests"),
        ("/nosuch", "unknown_command"),
    ],
)
async def test_commands_are_answered_and_open_nothing(reception: Reception, words: str, disposition: str) -> None:
    if words == "Мои заявки":
        from crm.texts import texts as of

        words = of("ru")("My requests")
    assert await reception.did(said(words)) == disposition
    assert len(await texts(reception)) == 1
    assert await reception.fetch("select 1 from ticket") == []


async def test_a_chosen_type_is_that_of_the_next_request(reception: Reception) -> None:
    assert await reception.did(said("/new")) == "new"
    assert await reception.did(pressed("kind:outage", CUSTOMER, private(CUSTOMER))) == "kind"
    assert await reception.did(said("Всё лежит")) == "opened"
    assert [row.request_type for row in await reception.fetch("select request_type from ticket")] == ["outage"]


async def test_with_several_requests_the_bot_asks_and_a_reply_needs_no_asking(reception: Reception) -> None:
    first = said("Первое", number=11)
    await reception.did(first)
    await reception.did(said("/new"))
    await reception.did(said("Второе"))
    assert await reception.did(said("А это куда?")) == "asked_which"
    assert await reception.did(said("Сюда", reply_to_message=first["message"])) == "added"
    held = await reception.fetch("select id from message where ticket_id is null")
    tickets = await reception.fetch("select id from ticket order by id")
    choice = f"place:{held[0].id}:{tickets[1].id}"
    assert await reception.did(pressed(choice, CUSTOMER, private(CUSTOMER))) == "placed"
    placed = await reception.fetch("select ticket_id from message order by id")
    assert [row.ticket_id for row in placed] == [tickets[0].id, tickets[1].id, tickets[1].id, tickets[0].id]


async def test_an_album_is_one_request(reception: Reception) -> None:
    for number in range(3):
        await reception.did(said(None, photo=photo(str(number)), media_group_id="9", caption=None))
    assert len(await reception.fetch("select 1 from ticket")) == 1
    assert len(await reception.fetch("select 1 from message where album_id is not null")) == 3


async def test_what_cannot_travel_is_answered(reception: Reception) -> None:
    assert await reception.did(said(None, poll=POLL)) == "cannot_relay"
    assert len(await texts(reception)) == 1
    assert await reception.fetch("select 1 from message") == []


async def test_an_edit_travels_and_the_same_edit_does_not(reception: Reception) -> None:
    told = said("Не открывается", number=5)
    await reception.did(told)
    edit = message("Уже открылся", CUSTOMER, private(CUSTOMER), number=5, edit_date=1)
    assert await reception.did(update(edited_message=edit)) == "edited"
    assert await reception.did(update(edited_message=edit)) == "unchanged"
    assert len(await reception.fetch("select 1 from outbox where kind = 'amend'")) == 1


async def test_an_update_of_a_kind_that_nobody_handles_is_ignored(reception: Reception) -> None:
    reaction = {
        "chat": private(CUSTOMER),
        "message_id": 5,
        "date": 0,
        "user": message("", CUSTOMER, private(CUSTOMER))["from"],
        "old_reaction": [],
        "new_reaction": [],
    }
    assert await reception.did(update(message_reaction=reaction)) == "ignored"


async def test_a_customer_who_blocks_the_bot_is_told_of_in_the_topic(reception: Reception) -> None:
    await reception.topic()
    user = message("", CUSTOMER, private(CUSTOMER))["from"]
    bot = {"id": 700000001, "is_bot": True, "first_name": "ProData"}

    def member(status: str) -> dict[str, Any]:
        return {"status": status, "user": bot, **({"until_date": 0} if status == "kicked" else {})}

    change = {"chat": private(CUSTOMER), "from": user, "date": 0}
    blocked = {**change, "old_chat_member": member("member"), "new_chat_member": member("kicked")}
    freed = {**change, "old_chat_member": member("kicked"), "new_chat_member": member("member")}
    assert await reception.did(update(my_chat_member=blocked)) == "blocked"
    assert await reception.did(update(my_chat_member=blocked)) == "unchanged"
    assert await reception.did(update(my_chat_member=freed)) == "reachable"
    told = await reception.fetch("select 1 from outbox where payload ->> 'notice' = 'reachable'")
    assert len(told) == 2


# --- what goes wrong ----------------------------------------------------------------------------------------------


async def test_a_refusal_is_told_and_its_effects_are_rolled_back(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm.errors import WrongStatus

    real = requester.open_ticket

    async def refusing(*args: Any, **more: Any) -> None:
        await real(*args, **more)
        raise WrongStatus(status="new", action="confirm")

    monkeypatch.setattr(requester, "open_ticket", refusing)
    assert await reception.did(said("Не открывается")) == "refused:WrongStatus"
    assert await reception.fetch("select 1 from ticket") == []
    [answer] = await reception.calls("sendMessage")
    assert answer["chat_id"] == CUSTOMER


async def test_an_unknown_error_is_tried_three_times_then_kept_and_told(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = requester.open_ticket

    async def broken(*args: Any, **more: Any) -> None:
        await real(*args, **more)
        raise LookupError("a bug")

    monkeypatch.setattr(requester, "open_ticket", broken)
    poison, other = said("Яд"), said("/help", 777)
    await reception.store(poison, other)
    await reception.until_settled(30)
    row = await reception.item(poison)
    assert (row.state, row.attempts, row.error) == ("quarantined", MAX_ATTEMPTS, "LookupError: a bug")
    assert (await reception.item(other)).disposition == "help"
    assert await reception.fetch("select 1 from ticket") == []
    [alarm] = await reception.fetch("select payload, bucket from outbox where kind = 'alarm'")
    assert alarm.payload["facts"] == {"id": row.id}
    monkeypatch.undo()
    assert await reception.did(said("А теперь можно")) == "opened"


UNDECODABLE = [
    b'{"update_id": 5, "message": {"message_id": "five"}}',
    b'{"update_id": 5, "message": []}',
    b"not json at all",
    b'{"update_id": 5, "message": {"text": "\\ud800"}}',
    b'{"update_id": 5, "message": {"text": "\\u0000"}}',
    b"\xff\xfe",
    b"[" * 50_000,
]


async def test_what_cannot_be_decoded_is_kept_in_quarantine(reception: Reception) -> None:
    for number, payload in enumerate(UNDECODABLE):
        await reception.store_raw(str(number), payload)
    await reception.until_settled()
    found = await reception.fetch("select state, payload from inbox order by id")
    assert [(row.state, bytes(row.payload)) for row in found] == [("quarantined", raw) for raw in UNDECODABLE]
    assert len(await reception.fetch("select 1 from outbox where kind = 'alarm'")) == len(UNDECODABLE)


async def test_what_the_database_cannot_hold_does_not_keep_the_rest_out(reception: Reception) -> None:
    told = said("a\0b\ud83d <b>")
    told["message"]["from"]["first_name"] = "A\0"
    assert await reception.did(told) == "opened"
    [stored] = await reception.fetch("select m.content ->> 'text' as words, t.subject from message m, ticket t")
    assert stored.words == stored.subject == "a\ufffdb\ufffd <b>"
    # What came is kept as it came.
    assert rb"\u0000" in bytes((await reception.item(told)).payload)


async def test_an_edit_that_overtook_its_message_waits_for_it(reception: Reception) -> None:
    edit = update(edited_message=message("Уже открылся", CUSTOMER, private(CUSTOMER), number=5, edit_date=1))
    assert (await reception.feed(edit)).state == "parked"
    assert await reception.did(said("Не открывается", number=5)) == "opened"
    reception.clock.move(seconds=2)
    await reception.work()
    assert (await reception.item(edit)).disposition == "edited"


async def test_an_edit_whose_original_never_came_waits_and_is_then_a_message(reception: Reception) -> None:
    edit = update(edited_message=message("Уже открылся", CUSTOMER, private(CUSTOMER), number=5, edit_date=1))
    assert (await reception.feed(edit)).state == "parked"
    await reception.until_settled(120)
    row = await reception.item(edit)
    assert (row.state, row.disposition, row.attempts) == ("done", "opened", 1)


async def test_an_edited_command_is_no_message(reception: Reception) -> None:
    edit = update(edited_message=message("/help", CUSTOMER, private(CUSTOMER), number=5, edit_date=1))
    await reception.feed(edit)
    await reception.until_settled(120)
    assert await reception.fetch("select 1 from ticket") == []


async def test_a_reply_that_overtook_its_parent_is_attached(reception: Reception) -> None:
    parent = said("Первое", number=5)
    reply = said("И вот ещё", reply_to_message=parent["message"])
    assert (await reception.feed(reply)).state == "parked"
    await reception.did(parent)
    reception.clock.move(seconds=2)
    await reception.work()
    assert (await reception.item(reply)).disposition == "added"


@pytest.mark.parametrize(("told", "disposition"), [(True, "added"), (False, "asked_which")])
async def test_a_reply_to_an_answer_waits_until_it_is_known_where_that_stands(
    reception: Reception, told: bool, disposition: str
) -> None:
    """A customer may be faster than the note that the answer was sent; but not for ever."""
    first = await reception.topic("Первое")
    await reception.did(said("/new"))
    await reception.did(said("Второе"))
    answer = message("Какой офис?", CUSTOMER, private(CUSTOMER), number=888) | {"from": BOT}
    reply = said("Северный", reply_to_message=answer)
    assert (await reception.feed(reply)).state == "parked"
    if told:
        await reception.fetch(
            """insert into telegram_message (desk, chat_id, message_id, ticket_id, role)
               values (:desk, :chat, 888, :ticket, 'notice') returning 1""",
            desk=DESK,
            chat=CUSTOMER,
            ticket=first.ticket.id,
        )
    reception.clock.move(seconds=2)
    await reception.work()
    assert (await reception.item(reply)).disposition == disposition
    placed = await reception.fetch("select ticket_id from message order by id desc limit 1")
    assert placed[0].ticket_id == (first.ticket.id if told else None)


async def test_a_reply_to_an_own_command_is_not_lost(reception: Reception) -> None:
    """Whatever is replied to, the customer's words are registered or refused aloud."""
    command = said("/help", number=5)
    await reception.did(command)
    reply = said("У меня упала ВМ", reply_to_message=command["message"])
    await reception.store(reply)
    await reception.until_settled()
    row = await reception.item(reply)
    assert await reception.fetch("select 1 from message"), row.disposition


async def test_an_engineers_answer_to_a_message_of_the_bot_that_nobody_knows_is_not_lost(reception: Reception) -> None:
    await reception.agent()
    place = await reception.topic()
    hint = message("Не понял", ENGINEER, {"id": GROUP, "type": "supergroup"}, number=999, thread=place.thread)
    hint["from"] = {"id": 700000001, "is_bot": True, "first_name": "ProData"}
    reply = in_group("Пишу заметку", thread=place.thread, reply_to_message=hint)
    before = len(await texts(reception))
    await reception.store(reply)
    await reception.until_settled()
    noted = await reception.fetch("select 1 from message where author_kind = 'agent'")
    assert noted or len(await texts(reception)) > before, (await reception.item(reply)).disposition


async def test_an_answer_in_a_topic_of_no_ticket_is_refused_aloud(reception: Reception) -> None:
    await reception.agent()
    told = in_group("/r Уже чиним", thread=4242)
    await reception.store(told)
    await reception.until_settled()
    assert len(await texts(reception)) == 1, (await reception.item(told)).disposition


async def test_a_full_disk_is_nobodys_fault(reception: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is tried: nothing is quarantined, and it goes on by itself once there is room."""
    monkeypatch.setattr(worker, "RELEASED_REST", 0)
    async with reception.sessions() as session:
        await session.rows(
            """create function no_room() returns trigger language plpgsql as
               $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$"""
        )
        await session.rows("create trigger no_room before insert on ticket for each row execute function no_room()")
    update = said("Не открывается кабинет")
    await reception.store(update)
    for _ in range(5):
        async with transaction(reception.sessions) as session:
            [item] = await inbox.claim(session, [source_of(DESK)], 12, reception.clock())
        await reception.processor.process(item)
    row = await reception.item(update)
    assert (row.state, row.attempts) == ("queued", 0)
    async with reception.sessions() as session:
        await session.rows("drop trigger no_room on ticket")
    await reception.work()
    assert (await reception.item(update)).disposition == "opened"

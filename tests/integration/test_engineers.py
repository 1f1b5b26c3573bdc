"""Engineers in the group, through the real dispatcher: what leaves a topic and what does not."""

from typing import Any

import pytest

from crm.db import transaction
from crm.tickets import service
from tests.factories import (
    BOT,
    ENGINEER,
    LEAD,
    PROFILE,
    Group,
    Json,
    customer,
    forum,
    in_group,
    message,
    photo,
    pressed,
    update,
)
from tests.integration.conftest import Reception


@pytest.fixture
async def place(reception: Reception) -> Group:
    await reception.agent()
    return await reception.topic()


def reply_to(number: int, place: Group) -> Json:
    """The message that is replied to, as Telegram repeats it inside of the reply."""
    replied = message("…", ENGINEER, forum(), number=number, thread=place.thread)
    return {**replied, "from": BOT}


def root(place: Group) -> Json:
    """Every plain message in a topic seems to reply to the topic's own beginning."""
    created = {"name": "PD-1001", "icon_color": 7322096}
    return {**reply_to(place.thread, place), "forum_topic_created": created}


def here(words: str | None, place: Group, sender: int = ENGINEER, **more: Any) -> Json:
    return in_group(words, sender, thread=place.thread, **{"reply_to_message": root(place), **more})


async def test_plain_words_are_a_note(reception: Reception, place: Group) -> None:
    assert await reception.did(here("Похоже на диск", place)) == "noted"
    assert await reception.relayed() == []


@pytest.mark.parametrize("target", ["copy", "card"])
async def test_a_reply_to_the_customers_words_or_to_the_card_leaves(
    reception: Reception, place: Group, target: str
) -> None:
    told = here("Смотрим", place, reply_to_message=reply_to(getattr(place, target), place))
    assert await reception.did(told) == "replied"
    assert [content["text"] for content in await reception.relayed()] == ["Смотрим"]


async def test_a_reply_to_a_colleague_is_a_note(reception: Reception, place: Group) -> None:
    note = here("Похоже на диск", place, number=500)
    await reception.did(note)
    assert await reception.did(here("Да", place, reply_to_message=note["message"])) == "noted"
    assert await reception.relayed() == []


@pytest.mark.parametrize(
    ("words", "disposition", "sent"),
    [
        ("/r Уже чиним", "replied", ["Уже чиним"]),
        ("/r@prodata_bot Уже чиним", "replied", ["Уже чиним"]),
        ("/r\nУже чиним", "replied", ["Уже чиним"]),
        ("/note Похоже на диск", "noted", []),
        ("/note", "refused:WrongInput", []),
        ("/r", "refused:WrongInput", []),
    ],
)
async def test_commands_say_where_words_go(
    reception: Reception, place: Group, words: str, disposition: str, sent: list[str]
) -> None:
    assert await reception.did(here(words, place)) == disposition
    assert [content["text"] for content in await reception.relayed()] == sent


async def test_a_note_in_reply_to_the_customer_stays_a_note(reception: Reception, place: Group) -> None:
    told = here("/note Не говорите ему", place, reply_to_message=reply_to(place.copy, place))
    assert await reception.did(told) == "noted"
    assert await reception.relayed() == []


@pytest.mark.parametrize("caption", ["/r", "/r вот"])
async def test_a_picture_goes_to_the_customer_by_its_caption(reception: Reception, place: Group, caption: str) -> None:
    command = [{"type": "bot_command", "offset": 0, "length": 2}]
    told = here(None, place, photo=photo(), caption=caption, caption_entities=command)
    assert await reception.did(told) == "replied"
    [content] = await reception.relayed()
    assert content["type"] == "photo"
    assert "/r" not in content.get("text", "")


async def test_the_rest_of_an_album_goes_with_its_first_part(reception: Reception, place: Group) -> None:
    first = here(None, place, photo=photo("a"), media_group_id="7", reply_to_message=reply_to(place.copy, place))
    second = here(None, place, photo=photo("b"), media_group_id="7")
    assert await reception.did(first) == "replied"
    assert await reception.did(second) == "replied"


async def test_an_edit_of_an_answer_travels(reception: Reception, place: Group) -> None:
    await reception.did(here("/r Чиним", place, number=600))
    edit = message("/r Починили", ENGINEER, forum(), number=600, thread=place.thread, edit_date=1)
    assert await reception.did(update(edited_message=edit)) == "edited"
    [content] = await reception.relayed()
    assert content["text"] == "Починили"


async def test_an_edit_keeps_words_that_only_begin_like_a_command(reception: Reception, place: Group) -> None:
    await reception.did(here("Чиним", place, number=600, reply_to_message=reply_to(place.copy, place)))
    edit = message("/root переполнен", ENGINEER, forum(), number=600, thread=place.thread, edit_date=1)
    assert await reception.did(update(edited_message=edit)) == "edited"
    assert [content["text"] for content in await reception.relayed()] == ["/root переполнен"]


async def test_an_answer_cannot_be_edited_to_nothing(reception: Reception, place: Group) -> None:
    await reception.did(here("/r Чиним", place, number=600))
    edit = message("/r", ENGINEER, forum(), number=600, thread=place.thread, edit_date=1)
    await reception.feed(update(edited_message=edit))
    [content] = await reception.relayed()
    assert content["text"] == "Чиним"


async def test_deleting_an_answer_takes_the_copy_back(reception: Reception, place: Group) -> None:
    told = here("/r Ой, не туда", place, number=600)
    await reception.did(told)
    assert await reception.did(here("/delete", place, reply_to_message=told["message"])) == "deleted"
    assert len(await reception.fetch("select 1 from outbox where kind = 'retract'")) == 1


@pytest.mark.parametrize(("role", "disposition"), [("agent", "refused:NotAllowed"), ("lead", "deleted")])
async def test_only_a_lead_deletes_a_colleagues_words(
    reception: Reception, place: Group, role: str, disposition: str
) -> None:
    await reception.agent(LEAD, role)
    told = here("/r Чиним", place, number=600)
    await reception.did(told)
    assert await reception.did(here("/delete", place, LEAD, reply_to_message=told["message"])) == disposition


async def test_the_customers_words_cannot_be_deleted(reception: Reception, place: Group) -> None:
    told = here("/delete", place, reply_to_message=reply_to(place.copy, place))
    assert await reception.did(told) == "refused:NotAllowed"
    assert await reception.fetch("select 1 from message where deleted_at is not null") == []


async def test_buttons_of_the_card_do_what_they_say(reception: Reception, place: Group) -> None:
    for action, status in (("take", "open"), ("ask", "pending"), ("reopen", "open"), ("resolve", "resolved")):
        data = f"work:{action}:{place.ticket.id}"
        assert await reception.did(pressed(data, ENGINEER, forum(), thread=place.thread)) == action
        assert [row.status for row in await reception.fetch("select status from ticket")] == [status]
    assert len(await reception.calls("answerCallbackQuery")) == 4


async def test_the_same_press_twice_has_one_effect(reception: Reception, place: Group) -> None:
    data = f"work:resolve:{place.ticket.id}"
    assert await reception.did(pressed(data, ENGINEER, forum(), thread=place.thread)) == "resolve"
    assert await reception.did(pressed(data, ENGINEER, forum(), thread=place.thread)) == "refused:WrongStatus"
    told = await reception.fetch("select 1 from outbox where payload ->> 'notice' = 'resolved'")
    assert len(told) == 1


async def test_declining_asks_for_the_reason_and_sends_it(reception: Reception, place: Group) -> None:
    press = pressed(f"work:decline:{place.ticket.id}", ENGINEER, forum(), thread=place.thread)
    assert await reception.did(press) == "asked_reason"
    assert await reception.did(here("Не по договору", place)) == "declined"
    [told] = await reception.fetch("select payload -> 'facts' as f from outbox where payload ->> 'notice' = 'declined'")
    assert told.f["reason"] == "Не по договору"


async def test_a_reason_that_comes_too_late_is_a_note_like_any_other(reception: Reception, place: Group) -> None:
    """And so is what follows it: nobody stays in a question that has lost its sense."""
    press = pressed(f"work:decline:{place.ticket.id}", ENGINEER, forum(), thread=place.thread)
    assert await reception.did(press) == "asked_reason"
    async with transaction(reception.sessions) as session:
        who = await customer(session)
        await service.withdraw(session, PROFILE, who, place.ticket.id, reception.clock())
    assert [await reception.did(here(words, place)) for words in ("Не по договору", "Уже закрыта")] == ["noted"] * 2


async def test_the_reason_is_awaited_from_whoever_pressed_and_in_that_topic(reception: Reception, place: Group) -> None:
    await reception.agent(LEAD, "lead")
    press = pressed(f"work:decline:{place.ticket.id}", ENGINEER, forum(), thread=place.thread)
    assert await reception.did(press) == "asked_reason"
    assert await reception.did(here("Погодите", place, LEAD)) == "noted"
    assert [row.status for row in await reception.fetch("select status from ticket")] == ["new"]


async def test_priority_and_type_are_chosen_with_buttons(reception: Reception, place: Group) -> None:
    for data, disposition in (
        (f"work:priority:{place.ticket.id}", "menu"),
        (f"prio:{place.ticket.id}:urgent", "priority"),
        (f"work:type:{place.ticket.id}", "menu"),
        (f"type:{place.ticket.id}:outage", "type"),
        (f"work:card:{place.ticket.id}", "menu"),
    ):
        assert await reception.did(pressed(data, ENGINEER, forum(), thread=place.thread)) == disposition
    [row] = await reception.fetch("select priority, request_type from ticket")
    assert tuple(row) == ("urgent", "outage")


async def test_service_messages_are_not_relayed(reception: Reception, place: Group) -> None:
    for more in ({"pinned_message": reply_to(place.card, place)}, {"new_chat_title": "x"}):
        assert await reception.did(here(None, place, **more)) == "service"
    assert len(await reception.fetch("select 1 from message")) == 1

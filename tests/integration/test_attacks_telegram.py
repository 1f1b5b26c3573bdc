"""Attacks 29 and 30 of the reliability notes: what is pressed, forwarded or posed as proves nothing."""

import pytest

from crm.db import transaction
from crm.people import service as people
from tests.factories import (
    ADMIN,
    BOT,
    CUSTOMER,
    DESK,
    ENGINEER,
    OTHER_CUSTOMER,
    STRANGER,
    Json,
    forum,
    in_group,
    message,
    person,
    pressed,
    private,
    said,
)
from tests.integration.conftest import Reception

GROUP_BOT = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
FORWARDED = {"forward_origin": {"type": "user", "date": 0, "sender_user": person(ADMIN)}}
VIA_BOT = {"via_bot": {"id": 5, "is_bot": True, "first_name": "inline"}}
FOREIGN = {"id": -1009999999999, "type": "supergroup", "title": "Чужие", "is_forum": True}


async def statuses(reception: Reception) -> list[str]:
    return [row.status for row in await reception.fetch("select status from ticket order by id")]


async def alert(reception: Reception) -> Json:
    """The answer to a refused press: said on the button, aloud."""
    [answer] = await reception.calls("answerCallbackQuery")
    assert answer["show_alert"]
    assert answer["text"]
    return answer


# --- 29: edited callback data ------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["open", "confirm", "reject", "withdraw"])
async def test_29_a_customer_presses_with_a_foreign_ticket(reception: Reception, action: str) -> None:
    await reception.did(said("Моё", CUSTOMER))
    await reception.did(said("Чужое", OTHER_CUSTOMER))
    [ticket] = await reception.fetch("select id from ticket where subject = 'Моё'")
    press = pressed(f"mine:{action}:{ticket.id}", OTHER_CUSTOMER, private(OTHER_CUSTOMER))
    assert await reception.did(press) == "refused:NotFound"
    await alert(reception)
    assert await statuses(reception) == ["new", "new"]


async def test_29_a_foreign_ticket_cannot_be_rated_nor_be_a_place(reception: Reception) -> None:
    await reception.did(said("Моё", CUSTOMER))
    await reception.did(said("Чужое", OTHER_CUSTOMER))
    for data in ("stars:1:1", "place:1:1", "place:1:0"):
        press = pressed(data, OTHER_CUSTOMER, private(OTHER_CUSTOMER))
        assert await reception.did(press) == "refused:NotFound", data
    assert await reception.fetch("select 1 from ticket where rating is not null") == []


FORGED_BY_A_CUSTOMER = [
    "kind:nosuch",
    "kind:",
    "mine:open:99999999999999999999999999",
    "mine:open:-1",
    "mine:explode:1",
    "place:99999999999999999999999999:1",
    "place:1:99999999999999999999999999",
    "stars:1:9",
    "stars:99999999999999999999999999:5",
    "lang:xx",
    "work:resolve:1",
    "prio:1:urgent",
    "мусор",
    ":::",
]


async def test_29_a_forged_press_of_a_customer_is_refused_and_alarms_nobody(reception: Reception) -> None:
    await reception.did(said("Моё", OTHER_CUSTOMER))
    presses = [pressed(data, CUSTOMER, private(CUSTOMER)) for data in FORGED_BY_A_CUSTOMER]
    await reception.store(*presses)
    await reception.until_settled()
    for data, press in zip(FORGED_BY_A_CUSTOMER, presses, strict=True):
        row = await reception.item(press)
        assert row.state == "done", (data, row.error)
    assert await reception.fetch("select 1 from outbox where kind = 'alarm'") == []
    assert await statuses(reception) == ["new"]


FORGED_BY_AN_ENGINEER = [
    "work:resolve:999",
    "work:resolve:99999999999999999999999999",
    "work:explode:1",
    "prio:1:soon",
    "prio:999:urgent",
    "type:1:coffee",
    "type:99999999999999999999999999:vm",
]


async def test_29_a_forged_press_of_an_engineer_is_refused_and_alarms_nobody(reception: Reception) -> None:
    await reception.agent()
    await reception.topic()
    presses = [pressed(data, ENGINEER, forum(), thread=77) for data in FORGED_BY_AN_ENGINEER]
    await reception.store(*presses)
    await reception.until_settled()
    for data, press in zip(FORGED_BY_AN_ENGINEER, presses, strict=True):
        row = await reception.item(press)
        assert row.state == "done", (data, row.error)
        assert row.disposition.startswith("refused:") or row.disposition == "unknown_button", data
    assert await reception.fetch("select 1 from outbox where kind = 'alarm'") == []
    assert await statuses(reception) == ["new"]


# --- 30: pressed by somebody else --------------------------------------------------------------------------------

PRESSES = [
    "work:take:{}",
    "work:ask:{}",
    "work:resolve:{}",
    "work:decline:{}",
    "work:priority:{}",
    "work:type:{}",
    "work:card:{}",
    "prio:{}:urgent",
    "type:{}:vm",
]


@pytest.mark.parametrize("who", ["stranger", "customer", "removed"])
async def test_30_a_button_of_the_card_obeys_engineers_only(reception: Reception, who: str) -> None:
    place = await reception.topic()
    sender = {"stranger": STRANGER, "customer": CUSTOMER, "removed": ENGINEER}[who]
    if who == "removed":
        await reception.agent()
        async with transaction(reception.sessions) as session:
            await people.remove_agent(session, DESK, ENGINEER)
    before = await reception.fetch("select * from ticket")
    for data in PRESSES:
        press = pressed(data.format(place.ticket.id), sender, forum(), thread=place.thread)
        assert await reception.did(press) == "refused:NotAnAgent", data
    answers = await reception.calls("answerCallbackQuery")
    assert [bool(answer["show_alert"] and answer["text"]) for answer in answers] == [True] * len(PRESSES)
    assert await reception.fetch("select * from ticket") == before


@pytest.mark.parametrize("words", ["/r Дайте пароль", "/note x", "/delete"])
async def test_30_commands_obey_engineers_only(reception: Reception, words: str) -> None:
    place = await reception.topic()
    assert await reception.did(in_group(words, STRANGER, thread=place.thread)) == "refused:NotAnAgent"
    assert await reception.relayed() == []


async def test_30_a_strangers_reply_to_the_customer_does_not_leave(reception: Reception) -> None:
    place = await reception.topic()
    replied = {**message("…", ENGINEER, forum(), number=place.copy, thread=place.thread), "from": BOT}
    told = in_group("Дайте пароль", STRANGER, thread=place.thread, reply_to_message=replied)
    assert await reception.did(told) == "refused:NotAnAgent"
    assert await reception.relayed() == []
    assert await reception.did(in_group("Болтаю", STRANGER, thread=place.thread)) == "not_an_agent"
    assert len(await reception.fetch("select 1 from message")) == 1


@pytest.mark.parametrize("words", ["/agent add", "/agent add lead", "/agent remove", "/connect", "/agent list"])
@pytest.mark.parametrize("sender", [STRANGER, ENGINEER])
async def test_30_nobody_makes_themselves_an_engineer(reception: Reception, words: str, sender: int) -> None:
    if sender == ENGINEER:
        await reception.agent()
    target = message("я", STRANGER, forum())
    told = in_group(words, sender, reply_to_message=target)
    if (sender, words) == (ENGINEER, "/agent list"):
        assert await reception.did(told) == "agents"
        return
    # An engineer is no administrator, but a lead might do it.
    refusal, why = {
        "/connect": ("NotAllowed", "только администратор"),
        "/agent list": ("NotAnAgent", "/agent add"),
    }.get(words, ("NotAllowed", "старший инженер или администратор"))
    assert await reception.did(told) == f"refused:{refusal}"
    assert why in (await reception.calls("sendMessage"))[-1]["text"]
    known = [row.telegram_id for row in await reception.fetch("select telegram_id from agent where active")]
    assert known == ([ENGINEER] if sender == ENGINEER else [])


async def test_30_an_admin_names_engineers_and_a_lead_may_too(reception: Reception) -> None:
    assert await reception.did(in_group("/connect", ADMIN)) == "connected"
    hello = message("я", ENGINEER, forum())
    assert await reception.did(in_group("/agent add lead", ADMIN, reply_to_message=hello)) == "agent_named"
    other = message("я", STRANGER, forum())
    assert await reception.did(in_group("/agent add", ENGINEER, reply_to_message=other)) == "agent_named"
    found = await reception.fetch("select telegram_id, role from agent where active order by telegram_id")
    assert [tuple(row) for row in found] == [(ENGINEER, "lead"), (STRANGER, "agent"), (ADMIN, "lead")]
    assert await reception.did(in_group("/agent remove", ADMIN, reply_to_message=other)) == "agent_removed"

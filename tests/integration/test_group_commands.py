"""`/why`, `/maintenance` and `/queue` in the group: who may, where, and what they answer."""

from typing import Any

import pytest

from bot import callbacks as press
from tests.factories import ENGINEER, LEAD, STRANGER, Group, forum, in_group, pressed
from tests.integration.conftest import Reception


async def answers(reception: Reception) -> list[str]:
    return [call["text"] for call in await reception.calls("sendMessage")]


@pytest.fixture
async def group(reception: Reception) -> Group:
    await reception.agent(ENGINEER)
    await reception.agent(LEAD, "lead")
    return await reception.topic()


def asked(words: str, group: Group, sender: int = ENGINEER, language: str = "ru") -> Any:
    made = in_group(words, sender, thread=group.thread)
    made["message"]["from"]["language_code"] = language
    return made


@pytest.mark.parametrize(
    ("language", "words"),
    [("kk", "мерзімдер қалай шықты"), ("ru", "откуда взялись сроки"), ("de", "откуда взялись сроки")],
)
async def test_why_answers_in_the_language_of_who_asks(
    reception: Reception, group: Group, language: str, words: str
) -> None:
    assert await reception.did(asked("/why", group, language=language)) == "why"
    [said] = await answers(reception)
    assert words in said
    # Both promises: ten minutes, and a day.
    assert said.count("⏱") == 2


async def test_strangers_are_refused_and_nothing_happens(reception: Reception, group: Group) -> None:
    for words in ("/why", "/queue", "/queue billing", "/maintenance", "/maintenance 2h диски"):
        assert await reception.did(asked(words, group, STRANGER)) == "refused:NotAnAgent"
    for key in ("billing", "nowhere"):
        data = press.Queue(ticket=group.ticket.id, key=key).pack()
        assert await reception.did(pressed(data, STRANGER, forum(), thread=group.thread)) == "refused:NotAnAgent"
    assert await reception.fetch("select 1 from maintenance") == []
    assert [row.queue for row in await reception.fetch("select queue from ticket")] == ["support"]


@pytest.mark.parametrize("words", ["/why", "/queue", "/queue billing", "/r Уже смотрим", "/note Диск"])
async def test_in_general_no_ticket_is_meant(reception: Reception, group: Group, words: str) -> None:
    assert await reception.did(in_group(words)) == "refused:WrongPlace"
    assert len(await answers(reception)) == 1


async def test_talk_in_general_is_left_alone(reception: Reception, group: Group) -> None:
    assert await reception.did(in_group("Уже смотрим")) == "ignored"
    assert await answers(reception) == []


async def test_a_lead_announces_lists_and_cancels(reception: Reception, group: Group) -> None:
    assert await reception.did(in_group("/maintenance 2h Замена дисков", LEAD)) == "maintenance_announced"
    assert await reception.did(in_group("/maintenance 2026-12-03 18:00-20:00 Сеть", LEAD)) == "maintenance_announced"
    assert await answers(reception) == []
    alarms = await reception.fetch("select payload ->> 'notice' as n from outbox where kind = 'alarm'")
    assert [row.n for row in alarms] == ["maintenance"] * 2
    assert await reception.did(in_group("/maintenance")) == "maintenance_listed"
    [listed] = await answers(reception)
    assert "14:00–16:00 · Замена дисков" in listed
    assert "3 дек., 18:00–20:00 · Сеть" in listed
    assert await reception.did(in_group("/maintenance cancel 2", LEAD)) == "maintenance_cancelled"
    assert await reception.did(asked("/maintenance 30m Ещё", group, LEAD)) == "maintenance_announced"
    # In a topic it is answered there as well.
    assert "Ещё" in (await answers(reception))[-1]


@pytest.mark.parametrize(
    ("words", "sender"),
    [
        ("/maintenance 2h диски", ENGINEER),
        ("/maintenance cancel 1", ENGINEER),
        ("/maintenance 2h", LEAD),
        ("/maintenance 2020-01-01 18:00-20:00 давно", LEAD),
        ("/maintenance cancel 999999999999999", LEAD),
        ("/maintenance cancel all", LEAD),
    ],
)
async def test_what_is_refused_is_said(reception: Reception, group: Group, words: str, sender: int) -> None:
    assert (await reception.did(in_group(words, sender))).startswith("refused:")
    assert len(await answers(reception)) == 1
    assert await reception.fetch("select 1 from maintenance") == []


async def test_the_queues_are_offered_and_a_press_gives_the_ticket_away(reception: Reception, group: Group) -> None:
    assert await reception.did(asked("/queue", group)) == "queues"
    [call] = await reception.calls("sendMessage")
    buttons = [button for row in call["reply_markup"]["inline_keyboard"] for button in row]
    assert [button["text"] for button in buttons] == ["Инфраструктура", "Договоры и счета"]
    pressing = pressed(buttons[0]["callback_data"], ENGINEER, forum(), thread=group.thread)
    assert await reception.did(pressing) == "transferred"
    [told] = await reception.fetch("select payload from outbox where payload ->> 'notice' = 'transferred'")
    assert told.payload["facts"]["queue"] == "infrastructure"
    assert await reception.did(asked("/queue billing", group)) == "transferred"
    assert await reception.did(asked("/queue Billing", group)) == "refused:WrongInput"
    assert [row.queue for row in await reception.fetch("select queue from ticket")] == ["billing"]

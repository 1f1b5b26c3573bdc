"""Trials in the bot: the customer's dialogue, the engineer's command and buttons."""

from dataclasses import replace
from typing import Any

import pytest

from bot.process import source_of
from crm.db import transaction
from crm.people.service import OpenTicket
from tests.factories import (
    CUSTOMER,
    DESK,
    ENGINEER,
    LEAD,
    NOW,
    OTHER_CUSTOMER,
    STRANGER,
    Json,
    forum,
    in_group,
    in_topic,
    opened,
    pressed,
    private,
    said,
)
from tests.integration.conftest import Reception
from tests.integration.trying import Trials

PAGE = 5


def shared(number: str, owner: int | None, sender: int = CUSTOMER, **more: Any) -> Json:
    """A card of that number, of which Telegram says whose it is."""
    card = {"phone_number": number, "first_name": "Айгүл", **({"user_id": owner} if owner else {})}
    return said(None, sender, contact=card, **more)


async def page(desk: Reception) -> Json:
    """The last that the customer sees."""
    found = await desk.fetch(
        """select payload -> 'params' as p from outbox
           where payload ->> 'method' in ('sendMessage', 'editMessageText') order by id desc limit 1"""
    )
    return dict(found[0].p)


async def word(desk: Reception) -> str:
    """What the last press was answered with."""
    return str((await desk.calls("answerCallbackQuery"))[-1].get("text", ""))


def buttons(shown: Json) -> list[str]:
    found = shown.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["callback_data"] for row in found for button in row]


async def press(desk: Reception, data: str, who: int = CUSTOMER) -> str:
    return await desk.did(pressed(data, who, private(who), number=PAGE))


async def asked(desk: Reception, who: int = CUSTOMER, number: str = "77011234567") -> int:
    """The whole dialogue; gives the ticket."""
    assert await press(desk, "kind:trial", who) == "kind"
    assert await desk.did(said("ТОО «Айгүл Trade»", who)) == "named"
    assert await desk.did(shared(number, who, who)) == "to_confirm"
    assert await press(desk, f"cab:{PAGE}:ask", who) == "trial_asked"
    [row] = await desk.fetch("select max(ticket_id) as id from trial")
    return int(row.id)


async def topic(desk: Reception, ticket: int, thread: int = 77) -> int:
    """The ticket stands in the group."""
    async with transaction(desk.sessions) as session:
        [row] = await session.rows("select id, reference, subject, status, group_id from ticket where id = $1", ticket)
        await in_topic(session, OpenTicket(**row), thread)
    return thread


async def judged(desk: Reception, action: str, ticket: int, who: int = LEAD) -> str:
    return await desk.did(pressed(f"judge:{action}:{ticket}", who, forum()))


async def test_a_customer_asks_for_a_trial(reception: Reception) -> None:
    assert await press(reception, "kind:trial") == "kind"
    first = await page(reception)
    for words in ("3 календарных дня", ": 2 ·", "8 ГБ", "прейскуранту"):
        assert words in first["text"]
    assert await reception.did(said("ТОО «Айгүл Trade»")) == "named"
    assert await reception.did(shared("77011234567", CUSTOMER)) == "to_confirm"
    assert "Айгүл Trade" in (await page(reception))["text"]
    assert f"cab:{PAGE}:ask" in buttons(await page(reception))
    assert await press(reception, f"cab:{PAGE}:ask") == "trial_asked"
    [trial] = await reception.fetch("select * from trial")
    assert (trial.organization, trial.phone, trial.phone_verified) == ("ТОО «Айгүл Trade»", "+77011234567", True)
    [ticket] = await reception.fetch("select * from ticket")
    assert (ticket.request_type, ticket.id) == ("trial", trial.ticket_id)
    [message] = await reception.fetch("select content from message")
    assert "Айгүл Trade" in message.content["text"]
    assert "+77011234567" in message.content["text"]
    # A second press finds no dialogue any more.
    assert await press(reception, f"cab:{PAGE}:ask") == "refused:WrongStatus"
    assert len(await reception.fetch("select 1 from trial")) == 1


@pytest.mark.parametrize("card", [{"owner": OTHER_CUSTOMER}, {"owner": None}])
async def test_somebody_elses_card_proves_nothing(reception: Reception, card: dict[str, int | None]) -> None:
    """Attack 36."""
    await press(reception, "kind:trial")
    await reception.did(said("Айгүл"))
    assert await reception.did(shared("77011234567", card["owner"])) == "to_confirm"
    await press(reception, f"cab:{PAGE}:ask")
    [trial] = await reception.fetch("select phone_verified from trial")
    assert not trial.phone_verified
    assert await reception.fetch("select 1 from identity where channel = 'phone'") == []


async def test_who_has_had_one_hears_it_before_the_first_question(reception: Reception) -> None:
    await asked(reception)
    assert await press(reception, "kind:trial") == "refused:HadTrial"
    assert "один раз" in await word(reception)


async def test_who_turns_out_to_have_had_one_hears_it_at_the_end(reception: Reception) -> None:
    """Attack 43: another account with the same number."""
    await asked(reception)
    await press(reception, "kind:trial", OTHER_CUSTOMER)
    await reception.did(said("Другая фирма", OTHER_CUSTOMER))
    await reception.did(shared("77011234567", OTHER_CUSTOMER, OTHER_CUSTOMER))
    assert await press(reception, f"cab:{PAGE}:ask", OTHER_CUSTOMER) == "refused:HadTrial"
    told = await word(reception)
    assert "номером" in told
    # Whose it was is nobody's business.
    assert "PD-" not in told
    assert len(await reception.fetch("select 1 from ticket")) == 1


async def test_it_can_be_left_at_any_page_and_a_request_in_the_middle_is_one(reception: Reception) -> None:
    await press(reception, "kind:trial")
    await reception.did(said("Айгүл"))
    assert await press(reception, f"dlg:{PAGE}:cancel") == "cancelled"
    assert await press(reception, f"cab:{PAGE}:ask") == "refused:WrongStatus"
    assert await reception.fetch("select 1 from ticket") == []
    await press(reception, "kind:trial")
    assert await reception.did(said("Не открывается кабинет\nи сайт тоже")) == "opened"


async def test_an_engineer_grants_it_by_a_button(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    ticket = await asked(reception)
    assert await judged(reception, "grant", ticket) == "trial_granted"
    shown = await page(reception)
    assert "Айгүл Trade" in shown["text"]
    assert buttons(shown) == []
    [action] = await reception.fetch("select * from cloud_action")
    assert (action.kind, action.state) == ("open", "approved")
    assert await judged(reception, "grant", ticket) == "refused:UnderWay"
    assert await judged(reception, "refuse", ticket) == "refused:UnderWay"


async def test_an_engineer_refuses_it_and_nobody_has_to_say_why(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    ticket = await asked(reception)
    assert await judged(reception, "refuse", ticket) == "trial_refused"
    assert await judged(reception, "grant", ticket) == "refused:WrongStatus"
    assert "/trial" in await word(reception)
    assert await reception.fetch("select 1 from cloud_action") == []


@pytest.mark.parametrize(
    ("who", "role", "refusal"),
    [
        (STRANGER, None, "refused:NotAnAgent"),
        (CUSTOMER, None, "refused:NotAnAgent"),
        (ENGINEER, "agent", "refused:NotAllowed"),
    ],
)
async def test_who_may_not_decide_decides_nothing(
    reception: Reception, who: int, role: str | None, refusal: str
) -> None:
    """Attack 30: asked anew at each press."""
    if role:
        await reception.agent(who, role)
    ticket = await asked(reception)
    for action in ("grant", "refuse"):
        assert await judged(reception, action, ticket, who) == refusal
    [trial] = await reception.fetch("select state from trial")
    assert trial.state == "asked"


async def test_a_lead_who_was_removed_decides_nothing_any_more(reception: Reception) -> None:
    agent = await reception.agent(LEAD, "lead")
    ticket = await asked(reception)
    async with transaction(reception.sessions) as session:
        await session.rows("update agent set active = false where id = $1", agent.id)
    assert await judged(reception, "grant", ticket) == "refused:NotAnAgent"


async def test_a_button_for_what_is_no_trial_does_nothing(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    async with transaction(reception.sessions) as session:
        other = await opened(session)
    assert await judged(reception, "grant", other.id) == "refused:NotFound"
    assert await judged(reception, "grant", 2**40) == "refused:NotFound"
    assert await judged(reception, "nonsense", other.id) == "unknown_button"


async def test_the_command_shows_how_it_stands_and_makes_one_of_a_mail(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    desk = Trials(reception.sessions)
    ticket = await desk.by_mail("director@firm.kz")
    thread = await topic(reception, ticket.id)
    assert await reception.did(in_group("/trial", LEAD, thread=thread)) == "trial_made"
    assert (await desk.ticket(ticket.id)).request_type == "trial"
    assert await desk.told(ticket.id, "topic") == ["trial_asked"]
    assert await reception.did(in_group("/trial", LEAD, thread=thread)) == "trial_shown"
    assert buttons(await page(reception)) == [f"judge:grant:{ticket.id}", f"judge:refuse:{ticket.id}"]
    assert await judged(reception, "grant", ticket.id) == "trial_granted"
    assert await reception.did(in_group("/trial", LEAD, thread=thread)) == "trial_shown"
    assert buttons(await page(reception)) == []
    # By a mail alone somebody of the same firm asks again.
    again = await desk.by_mail("sales@firm.kz")
    second = await topic(reception, again.id, 90)
    assert await reception.did(in_group("/trial", LEAD, thread=second)) == "trial_not_eligible"
    assert ticket.reference in (await page(reception))["text"]
    assert (await desk.ticket(again.id)).request_type == "other"


async def test_the_command_refuses_with_a_reason(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    ticket = await asked(reception)
    thread = await topic(reception, ticket)
    assert await reception.did(in_group("/trial refuse нет места в зоне", LEAD, thread=thread)) == "trial_refused"
    assert (await Trials(reception.sessions).facts("trial_refused"))["reason"] == "нет места в зоне"


async def test_the_command_is_only_for_engineers_and_topics(reception: Reception) -> None:
    ticket = await asked(reception)
    thread = await topic(reception, ticket)
    assert await reception.did(in_group("/trial", STRANGER, thread=thread)) == "refused:NotAnAgent"
    await reception.agent(LEAD, "lead")
    assert await reception.did(in_group("/trial", LEAD)) == "refused:WrongPlace"


async def test_from_the_first_tap_to_paid_use(reception: Reception) -> None:
    await reception.agent(LEAD, "lead")
    desk = Trials(reception.sessions)
    ticket = await asked(reception)
    await judged(reception, "grant", ticket)
    [project] = await desk.carried_out(NOW)
    await desk.launch(project, NOW)
    assert await desk.sweep(NOW) == 1
    end = (await desk.trial(ticket)).ends_at
    await desk.seen(end)
    await desk.sweep(end)
    assert (await desk.trial(ticket)).state == "paid"
    assert await desk.told(ticket) == ["trial_opened", "trial_begun", "trial_paid"]


async def test_without_pages_nobody_is_given_what_could_not_be_handed_over(reception: Reception) -> None:
    """The password of a cabinet has no other way."""
    await reception.agent(LEAD, "lead")
    ticket = await asked(reception)
    handlings = reception.processor._handlings
    old = handlings[source_of(DESK)]
    handlings[source_of(DESK)] = replace(old, served=replace(old.served, pages=False))
    assert await judged(reception, "grant", ticket) == "refused:NoCloud"
    assert await press(reception, "kind:trial", OTHER_CUSTOMER) == "kind"
    assert await reception.did(said("Хочу попробовать", OTHER_CUSTOMER)) == "opened"
    assert await reception.fetch("select 1 from cloud_action") == []
    assert await judged(reception, "refuse", ticket) == "trial_refused"

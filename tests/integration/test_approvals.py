"""The buttons of a planned action and of one whose outcome is unknown (attack 41): whoever presses, however often, and
whatever was changed behind our back, the cloud is called once or not at all.
"""

import asyncio

import pytest

from bot import callbacks as press
from crm import inbox
from crm.db import transaction
from tests.factories import ENGINEER, LEAD, STRANGER
from tests.integration.handled import OTHER_LEAD, Bench, bench

__all__ = ["bench"]


async def plan(bench: Bench, words: str = "/vm reboot web-1", sender: int = ENGINEER) -> None:
    assert await bench.says(words, sender) == "planned"


async def zero_calls(bench: Bench) -> None:
    await bench.carried_out()
    assert bench.cloud.acted == []


async def drawn(bench: Bench) -> str:
    """The pressed message, as it was drawn last."""
    return str((await bench.reception.calls("editMessageText"))[-1]["text"])


async def test_whoever_may_do_it_alone_plans_and_approves_with_one_press_each(bench: Bench) -> None:
    await plan(bench)
    assert await bench.presses("approve") == "approve"
    assert (await drawn(bench)).endswith("✅ Подтверждено: Инженер 900")
    await bench.carried_out()
    assert bench.cloud.acted == [("s1", "reboot")]
    assert (await bench.action()).state == "succeeded"
    assert await bench.notices("requester") == ["action_accepted", "action_running", "action_succeeded"]
    assert await bench.notices("topic") == ["action_planned", "action_succeeded"]
    [ticket] = await bench.reception.fetch("select status from ticket")
    assert ticket.status == "resolved"


async def test_two_presses_call_once(bench: Bench) -> None:
    await plan(bench)
    assert await bench.presses("approve") == "approve"
    assert await bench.presses("approve", LEAD) == "refused:WrongStatus"
    await bench.carried_out()
    assert await bench.presses("approve", LEAD) == "refused:WrongStatus"
    await bench.carried_out()
    assert bench.cloud.acted == [("s1", "reboot")]
    assert (await bench.alerts())[0] == "Решение уже принято (Инженер 900): подтверждено."


async def test_twenty_presses_at_once_call_once(bench: Bench) -> None:
    """Each on a worker of its own, all of them under way together."""
    await plan(bench)
    number = (await bench.action()).id
    agents = [ENGINEER, LEAD, OTHER_LEAD]
    updates = [bench.press(press.Act(action="approve", id=number), agents[n % 3]) for n in range(20)]
    await bench.reception.store(*updates)
    # Whatever order the lanes would keep: here nobody waits for anybody.
    await bench.run("update inbox set lane = lane || id::text where state = 'queued'")
    async with transaction(bench.reception.sessions) as session:
        items = await inbox.claim(session, ["telegram:prodata"], 20, bench.reception.clock())
    await asyncio.gather(*(bench.reception.processor.process(item) for item in items))
    became = [(await bench.reception.item(update)).disposition for update in updates]
    assert (became.count("approve"), became.count("refused:WrongStatus")) == (1, 19)
    await bench.carried_out()
    assert bench.cloud.acted == [("s1", "reboot")]


@pytest.mark.parametrize(
    ("words", "rights", "needed"),
    [
        ("/vm reboot web-1", "{request,money}", "«power»"),
        ("/quota vcpus+1", "{request,power}", "«money»"),
        ("/link almaty-a astana-b", "{request,power}", "«money»"),
        ("/password login-p1", "{request,money}", "«power»"),
    ],
)
async def test_an_approval_needs_its_right(bench: Bench, words: str, rights: str, needed: str) -> None:
    await plan(bench, words, LEAD)
    await bench.run(f"update agent set rights = '{rights}' where telegram_id = {ENGINEER}")
    for action in ("approve", "silent"):
        assert await bench.presses(action) == "refused:NotAllowed"
    assert (await bench.action()).state == "planned"
    assert needed in (await bench.alerts())[0]
    await zero_calls(bench)


async def test_a_right_that_was_taken_meanwhile_is_missed(bench: Bench) -> None:
    await plan(bench)
    await bench.run("update agent set rights = '{request}'")
    assert await bench.presses("approve") == "refused:NotAllowed"
    await zero_calls(bench)


async def test_strangers_and_former_engineers_decide_nothing(bench: Bench) -> None:
    await plan(bench)
    await bench.run(f"update agent set active = false where telegram_id = {ENGINEER}")
    for sender in (STRANGER, ENGINEER):
        for action in ("approve", "refuse", "silent", "back", "done", "notdone", "again"):
            assert await bench.presses(action, sender) == "refused:NotAnAgent"
    await zero_calls(bench)


@pytest.mark.parametrize("words", ["/quota vcpus+1", "/link almaty-a astana-b"])
async def test_where_two_persons_are_wanted_nobody_approves_ones_own(bench: Bench, words: str) -> None:
    await plan(bench, words, LEAD)
    assert await bench.presses("approve", LEAD) == "refused:NotAllowed"
    assert (await bench.alerts()) == ["Это запланировали вы сами; подтвердить должен другой человек."]
    assert (await bench.action()).state == "planned"
    assert await bench.presses("approve", OTHER_LEAD) == "approve"
    assert ((await bench.action()).state, (await bench.action()).approved_by_name) == ("approved", "Инженер 911")


async def test_an_expired_plan_is_void(bench: Bench) -> None:
    await plan(bench)
    bench.reception.clock.move(minutes=60)
    for action in ("approve", "silent", "refuse"):
        assert await bench.presses(action) == "refused:Expired"
    await zero_calls(bench)


@pytest.mark.parametrize("change", ["target = 's9'", "kind = 'stop'", "project_id = 'p9'", "parameters = '{\"x\": 1}'"])
async def test_what_was_changed_behind_our_back_is_not_approved(bench: Bench, change: str) -> None:
    await plan(bench)
    await bench.tampered(change)
    assert await bench.presses("approve") == "refused:WrongStatus"
    assert (await bench.alerts())[0].startswith("Это уже не то, что было запланировано")
    await zero_calls(bench)


@pytest.mark.parametrize("change", ["target = 's2'", "kind = 'stop'", "parameters = '{\"x\": 1}'"])
async def test_what_was_changed_after_its_approval_is_not_carried_out(bench: Bench, change: str) -> None:
    await plan(bench)
    assert await bench.presses("approve") == "approve"
    await bench.tampered(change)
    await zero_calls(bench)
    assert ((await bench.action()).state, (await bench.action()).reason) == ("failed", "changed")
    assert (await bench.notices("topic"))[-1] == "action_failed"
    assert (await bench.notices("requester"))[-1] == "action_failed"


@pytest.mark.parametrize("status", ["closed", "declined"])
async def test_nothing_is_approved_for_a_ticket_that_has_ended(bench: Bench, status: str) -> None:
    await plan(bench)
    await bench.run(f"update ticket set status = '{status}'")
    assert await bench.presses("approve") == "refused:WrongStatus"
    await zero_calls(bench)


@pytest.mark.parametrize("number", [0, 2**62])
async def test_an_action_that_there_is_not(bench: Bench, number: int) -> None:
    for action in ("approve", "refuse", "silent", "back", "done", "notdone", "again"):
        assert await bench.presses(action, number=number) == "refused:NotFound"


# --- refusals -----------------------------------------------------------------------------------------------------


async def test_a_refusal_with_a_reason(bench: Bench) -> None:
    await plan(bench, sender=LEAD)
    assert await bench.presses("refuse") == "refuse"
    assert (await bench.action()).state == "planned"
    assert await bench.says("Сначала сделаем копию") == "refused"
    row = await bench.action()
    assert (row.state, row.said) == ("refused", "Сначала сделаем копию")
    assert "⛔️ Отказано: Инженер 900" in await drawn(bench)
    assert (await drawn(bench)).endswith("Сначала сделаем копию")
    [told] = await bench.reception.fetch("select payload from outbox where payload ->> 'notice' = 'action_refused'")
    assert told.payload["facts"]["reason"] == "Сначала сделаем копию"
    # The next message is one like any other.
    assert await bench.says("Звонил клиенту") == "noted"
    await zero_calls(bench)


async def test_a_refusal_without_one(bench: Bench) -> None:
    await plan(bench, sender=LEAD)
    assert await bench.presses("refuse") == "refuse"
    assert await bench.presses("silent") == "refuse"
    assert (await bench.action()).state == "refused"
    assert (await bench.action()).said is None
    assert await bench.says("Звонил клиенту") == "noted"
    await zero_calls(bench)


async def test_thinking_better_of_it(bench: Bench) -> None:
    await plan(bench)
    assert await bench.presses("refuse") == "refuse"
    assert await bench.presses("back") == "back"
    buttons = (await bench.reception.calls("editMessageText"))[-1]["reply_markup"]["inline_keyboard"]
    assert [button["callback_data"].split(":")[1] for button in buttons[0]] == ["approve", "refuse"]
    assert await bench.says("Звонил клиенту") == "noted"
    assert (await bench.action()).state == "planned"


async def test_a_reason_that_comes_too_late_is_a_note_and_no_trap(bench: Bench) -> None:
    await plan(bench)
    assert await bench.presses("refuse") == "refuse"
    assert await bench.presses("approve", LEAD) == "approve"
    assert await bench.says("Не надо") == "noted"
    assert "Решение уже принято (Инженер 901)" in (await bench.hints())[-1]
    assert await bench.says("Ладно") == "noted"
    assert (await bench.action()).state == "approved"


async def test_a_picture_is_no_reason(bench: Bench) -> None:
    await plan(bench)
    assert await bench.presses("refuse") == "refuse"
    photo = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
    assert await bench.reception.did(bench.said(None, photo=photo)) == "refused:WrongInput"
    assert await bench.says("Нельзя") == "refused"


# --- unknown ones -------------------------------------------------------------------------------------------------


async def unknown(bench: Bench) -> None:
    """The cloud took the call and never answered; nothing can be read of it."""
    bench.cloud.mute = True
    await plan(bench)
    assert await bench.presses("approve") == "approve"
    await bench.carried_out()
    assert (await bench.action()).state == "unknown"
    assert bench.cloud.acted == [("s1", "reboot")]


@pytest.mark.parametrize(("word", "state"), [("done", "succeeded"), ("notdone", "failed")])
async def test_a_person_says_what_became_of_it(bench: Bench, word: str, state: str) -> None:
    await unknown(bench)
    assert (await bench.notices("topic"))[-1] == "action_unknown"
    assert await bench.presses(word, LEAD) == word
    row = await bench.action()
    assert (row.state, row.reason, row.decided_by_name) == (state, "decided", "Инженер 901")
    assert "Инженер 901" in await drawn(bench)
    for again in ("done", "notdone", "again"):
        assert await bench.presses(again) == "refused:WrongStatus"
    await bench.carried_out()
    assert bench.cloud.acted == [("s1", "reboot")]


async def test_it_is_run_again_once_and_only_by_a_persons_word(bench: Bench) -> None:
    await unknown(bench)
    bench.cloud.mute = False
    first = (await bench.action()).id
    became = [await bench.presses("again", number=first) for _ in range(20)]
    assert (became.count("again"), became.count("refused:WrongStatus")) == (1, 19)
    await bench.carried_out()
    assert bench.cloud.acted == [("s1", "reboot")] * 2
    assert [row.state for row in await bench.actions()] == ["failed", "succeeded"]
    # What was approved by that very word asks for no other.
    planned = await bench.reception.fetch(
        """select payload -> 'facts' ->> 'asks' as asks from outbox
           where payload ->> 'notice' = 'action_planned' order by id"""
    )
    assert [row.asks for row in planned] == ["true", "false"]


@pytest.mark.parametrize("word", ["done", "notdone", "again"])
async def test_a_word_on_an_unknown_one_needs_the_right(bench: Bench, word: str) -> None:
    await unknown(bench)
    await bench.run(f"update agent set rights = '{{request,money}}' where telegram_id = {ENGINEER}")
    assert await bench.presses(word) == "refused:NotAllowed"
    assert (await bench.action()).state == "unknown"

"""`/vm`, `/quota`, `/password`, `/link` in a ticket's topic: what they show and plan, and whose machines they never
touch (attack 42).
"""

import pytest

from crm.people import service as people
from tests.factories import ENGINEER, LEAD, STRANGER, in_group
from tests.integration.handled import Bench, bench

__all__ = ["bench"]


async def planned(bench: Bench) -> tuple[str, str, str]:
    row = await bench.action()
    assert row.state == "planned"
    return row.kind, row.target, row.asked_by_name


async def test_the_machines_of_the_customer_are_listed_and_nobody_elses(bench: Bench) -> None:
    assert await bench.says("/vm") == "machines"
    [call] = await bench.reception.calls("sendMessage")
    assert "web-1" in call["text"]
    assert "web-2 · выключена" in call["text"]
    assert "web-9" not in call["text"]
    buttons = [row[0]["text"] for row in call["reply_markup"]["inline_keyboard"]]
    assert buttons == ["web-1", "web-2"]


async def test_a_machine_is_shown_with_what_can_be_done(bench: Bench) -> None:
    assert await bench.says("/vm WEB-2") == "machine"
    assert await bench.wants("show", await bench.vm()) == "machine"
    [call] = await bench.reception.calls("sendMessage")
    assert [row[0]["text"] for row in call["reply_markup"]["inline_keyboard"]] == ["Включить"]
    [drawn] = await bench.reception.calls("editMessageText")
    assert drawn["text"].startswith("🖥 web-1 · работает · питание включено")
    assert await bench.actions() == []


@pytest.mark.parametrize("act", ["reboot", "unlock", "start", "stop"])
async def test_a_power_action_is_planned_by_a_command(bench: Bench, act: str) -> None:
    assert await bench.says(f"/vm {act} web-1") == "planned"
    assert await planned(bench) == (act, "s1", "Инженер 900")
    assert await bench.notices("topic") == ["action_planned"]
    assert bench.cloud.acted == []


async def test_and_by_a_button(bench: Bench) -> None:
    assert await bench.wants("reboot", await bench.vm()) == "planned"
    assert await planned(bench) == ("reboot", "s1", "Инженер 900")


async def test_the_same_message_plans_once(bench: Bench) -> None:
    said = bench.said("/vm reboot web-1")
    assert await bench.reception.did(said) == "planned"
    assert await bench.reception.did({**said, "update_id": said["update_id"] + 10_000}) == "planned"
    await bench.action()


async def test_twenty_presses_plan_once(bench: Bench) -> None:
    vm = await bench.vm()
    said = [await bench.wants("reboot", vm) for _ in range(20)]
    assert (said.count("planned"), said.count("refused:UnderWay")) == (1, 19)
    await bench.action()


@pytest.mark.parametrize("words", ["/vm reboot web-9", "/vm reboot s9", "/vm web-9", "/vm stop nothing"])
async def test_a_machine_of_somebody_else_is_not_found(bench: Bench, words: str) -> None:
    assert await bench.says(words) == "refused:NotFound"
    assert await bench.actions() == []


@pytest.mark.parametrize("act", ["show", "reboot", "stop"])
async def test_nor_by_a_button_that_was_never_drawn(bench: Bench, act: str) -> None:
    assert await bench.wants(act, bench.foreign) == "refused:NotFound"
    assert await bench.actions() == []


async def test_a_cabinet_of_somebody_else_is_not_found(bench: Bench) -> None:
    for words in ("/quota cabinet p9 vcpus+1", "/link almaty-a astana-b cabinet p9", "/password login-p9"):
        assert await bench.says(words) == "refused:NotFound"
    assert await bench.actions() == []


async def test_a_machine_that_changed_hands_after_it_was_shown(bench: Bench) -> None:
    vm = await bench.vm()
    await bench.run("update cloud_project set organization_id = (select max(id) from organization)")
    assert await bench.wants("reboot", vm) == "refused:NoCloud"
    assert await bench.actions() == []


async def test_a_ticket_of_nobody_known_has_no_machines(bench: Bench) -> None:
    vm = await bench.vm()
    await bench.run("update ticket set organization_id = null")
    for words in ("/vm", "/vm reboot web-1", "/quota", "/quota vcpus+1", "/password", "/link"):
        assert await bench.says(words) == "refused:NoCloud"
    assert await bench.wants("reboot", vm) == "refused:NoCloud"
    assert await bench.actions() == []


async def test_nothing_is_planned_for_a_ticket_that_has_ended(bench: Bench) -> None:
    await bench.run("update ticket set status = 'closed'")
    assert await bench.says("/vm reboot web-1") == "refused:WrongStatus"
    assert await bench.actions() == []


async def test_planning_needs_the_right(bench: Bench) -> None:
    await bench.run("update agent set rights = '{power,money}'")
    for words in ("/vm reboot web-1", "/quota vcpus+1", "/password login-p1", "/link almaty-a astana-b"):
        assert await bench.says(words) == "refused:NotAllowed"
    assert await bench.wants("reboot", await bench.vm()) == "refused:NotAllowed"
    assert await bench.actions() == []
    assert "«request»" in (await bench.hints())[0]


async def test_strangers_plan_nothing(bench: Bench) -> None:
    for words in ("/vm", "/vm reboot web-1", "/quota", "/quota vcpus+1", "/password", "/link", "/help"):
        assert await bench.says(words, STRANGER) == "refused:NotAnAgent"
    assert await bench.wants("reboot", await bench.vm(), STRANGER) == "refused:NotAnAgent"
    assert await bench.actions() == []


async def test_two_machines_of_one_name_are_offered_as_buttons(bench: Bench) -> None:
    await bench.run("update vm set name = 'web-1' where server_id = 's2'")
    assert await bench.says("/vm reboot web-1") == "machines"
    assert await bench.actions() == []


# --- quotas -------------------------------------------------------------------------------------------------------


async def test_quotas_are_shown_and_raised(bench: Bench) -> None:
    assert await bench.says("/quota") == "quotas"
    assert "Процессоры: 2 из 20" in (await bench.hints())[0]
    assert await bench.says("/quota vcpus+8 ram=64G") == "planned"
    row = await bench.action()
    assert (row.kind, row.project_id, row.parameters) == ("quota", "p1", {"limits": {"vcpus": 28, "ram": 65536}})
    [notice] = await bench.reception.fetch("select payload from outbox where payload ->> 'notice' = 'action_planned'")
    assert notice.payload["facts"]["present"]["vcpus"] == 20


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("vcpus=401", "OverCeiling"),
        # Of 128 processors 40 are taken and 12 stay free; 2 are ours.
        ("vcpus=78", "OverCeiling"),
        ("vcpus=20", "WrongInput"),
        ("vcpus=1", "WrongInput"),
        ("disk=5", "WrongInput"),
        ("vcpus", "NotFound"),
    ],
)
async def test_what_cannot_be_had_is_not_planned(bench: Bench, words: str, refusal: str) -> None:
    assert await bench.says(f"/quota {words}") == f"refused:{refusal}"
    assert await bench.actions() == []


async def test_the_most_that_can_be_had_is_said_and_can_be_had(bench: Bench) -> None:
    await bench.says("/quota vcpus=401")
    assert "Самое большее: Процессоры: 77" in (await bench.hints())[0]
    assert await bench.says("/quota vcpus=77") == "planned"


async def test_of_several_cabinets_one_has_to_be_named(bench: Bench) -> None:
    await bench.run("""insert into cloud_project (desk, project_id, name, organization_id)
                       select desk, 'p2', 'second', organization_id from cloud_project where project_id = 'p1'""")
    assert await bench.says("/quota vcpus+1") == "refused:WrongInput"
    assert "cabinet p1, second" in (await bench.hints())[0]
    assert await bench.says("/quota cabinet p1 vcpus+1") == "planned"
    assert (await bench.action()).project_id == "p1"


# --- passwords and links ------------------------------------------------------------------------------------------


async def test_a_password_is_for_an_authorised_contact(bench: Bench) -> None:
    assert await bench.says("/password") == "logins"
    assert "/password login-p1" in (await bench.hints())[0]
    assert await bench.says("/password LOGIN-p1") == "planned"
    row = await bench.action()
    assert (row.kind, row.target, row.title) == ("password", "u-p1", "login-p1")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("update contact set rights = '{request,money}'", "NotAllowed"),
        ("update contact set rights = '{}'", "NotAllowed"),
        ("update contact set active = false", "NotAllowed"),
        ("update contact set organization_id = (select max(id) from organization)", "NotAllowed"),
        # A mail that nobody has proven, and one that somebody has: a link goes to neither.
        ("update identity set channel = 'email', address = 'a@b.kz'", "WrongPlace"),
        ("update identity set channel = 'email', address = 'a@b.kz', verified_at = now()", "WrongPlace"),
    ],
)
async def test_and_for_nobody_else(bench: Bench, change: str, refusal: str) -> None:
    await bench.run(change)
    assert await bench.says("/password login-p1") == f"refused:{refusal}"
    assert await bench.actions() == []


async def test_a_link_is_planned_between_zones_that_there_are(bench: Bench) -> None:
    assert await bench.says("/link") == "zones"
    assert await bench.says("/link ASTANA-B almaty-a") == "planned"
    row = await bench.action()
    assert row.parameters == {"zones": ["almaty-a", "astana-b"], "name": "link-almaty-a-astana-b"}


@pytest.mark.parametrize(
    ("words", "refusal"),
    [("almaty-a", "WrongInput"), ("almaty-a almaty-a", "WrongInput"), ("almaty-a mars", "NotFound")],
)
async def test_and_between_no_others(bench: Bench, words: str, refusal: str) -> None:
    assert await bench.says(f"/link {words}") == f"refused:{refusal}"
    assert await bench.actions() == []


# --- help and rights ----------------------------------------------------------------------------------------------


async def test_help_lists_the_commands(bench: Bench) -> None:
    assert await bench.says("/help") == "help"
    assert await bench.reception.did(in_group("/help@prodata_bot", LEAD)) == "help"
    for said in await bench.hints():
        assert "/vm – " in said
        assert "/queue – " in said


async def rights(bench: Bench, telegram_id: int) -> list[str]:
    async with bench.reception.sessions() as session:
        return (await people.require_agent(session, "prodata", telegram_id)).rights


def in_reply_to(person: int) -> dict[str, object]:
    told = {"id": person, "is_bot": False, "first_name": "Кто-то"}
    chat = {"id": -1001000000001, "type": "supergroup", "title": "Инженеры"}
    return {"reply_to_message": {"message_id": 9, "date": 1, "chat": chat, "from": told, "text": "я"}}


async def test_a_lead_gives_and_takes_rights(bench: Bench) -> None:
    assert await bench.says("/agent rights", LEAD, **in_reply_to(ENGINEER)) == "rights"
    assert await bench.says("/agent rights +money -power", LEAD, **in_reply_to(ENGINEER)) == "rights_changed"
    assert await rights(bench, ENGINEER) == ["request", "money"]
    assert await bench.says("/agent list", LEAD) == "agents"
    shown, changed, listed = await bench.hints()
    assert "Инженер 900: планировать действия, подтверждать действия с машинами и паролями" in shown
    assert changed == "🔑 Инженер 900: планировать действия, подтверждать платное"
    assert "Инженер 900 · инженер · 🔑 планировать действия, подтверждать платное" in listed
    assert "Инженер 901 · старший инженер\n" in listed


async def test_a_lead_who_takes_their_own_can_have_them_back(bench: Bench) -> None:
    assert await bench.says("/agent rights -request -power -money", LEAD, **in_reply_to(LEAD)) == "rights_changed"
    assert await rights(bench, LEAD) == []
    assert "старший инженер вы можете" in (await bench.hints())[0]
    assert await bench.says("/agent rights +power", LEAD, **in_reply_to(LEAD)) == "rights_changed"
    assert await rights(bench, LEAD) == ["power"]


@pytest.mark.parametrize(
    ("words", "sender", "whose", "refusal"),
    [
        ("+money", ENGINEER, ENGINEER, "NotAllowed"),
        ("+money", STRANGER, STRANGER, "NotAllowed"),
        # An administrator who is no lead names one first.
        ("+money", 903, ENGINEER, "NotAllowed"),
        ("+money", LEAD, STRANGER, "NotFound"),
        ("+everything", LEAD, ENGINEER, "WrongInput"),
        ("money", LEAD, ENGINEER, "WrongInput"),
    ],
)
async def test_nobody_else_changes_rights(bench: Bench, words: str, sender: int, whose: int, refusal: str) -> None:
    before = await rights(bench, ENGINEER)
    assert await bench.says(f"/agent rights {words}", sender, **in_reply_to(whose)) == f"refused:{refusal}"
    assert await rights(bench, ENGINEER) == before

"""A customer's dialogues about the cloud, through the real dispatcher: page by page, and what comes of them."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from bot.process import Served, handlings, source_of
from crm import inbox
from crm.cloud.choices import mark
from crm.db import Session, transaction
from crm.people import organizations
from crm.people.models import Contact
from crm.wake import Waker
from crm.worker import Worker
from tests.factories import (
    CUSTOMER,
    DESK,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    STRANGER,
    Json,
    customer,
    pressed,
    private,
    rows,
    said,
)
from tests.integration.conftest import Reception

MINE = ("request", "power", "money")
# The message in which the dialogues of these tests begin.
PAGE = 4000


async def organization(session: Session, name: str, telegram_id: int, rights: tuple[str, ...] = MINE) -> Contact:
    made = await organizations.add(session, DESK, name, NOW)
    contact = await organizations.add_contact(session, made, f"Контакт {name}", NOW, telegram_id=telegram_id)
    contact.rights = list(rights)
    return contact


async def project(session: Session, contact: Contact, name: str) -> int:
    """With one login."""
    [row] = await session.rows(
        """insert into cloud_project (desk, project_id, name, organization_id, users, seen_at)
           values ($1, $2, $3, $4, jsonb_build_object($5::text, $6::text), $7) returning id""",
        *(DESK, f"p-{name}", name, contact.organization_id, f"u-{name}", f"{name}-admin", NOW),
    )
    return int(row["id"])


async def vm(session: Session, cabinet: str, name: str, status: str = "ACTIVE", **more: Any) -> int:
    facts = {"task": None, "locked": False, "power": "running", **more}
    [row] = await session.rows(
        """insert into vm (desk, server_id, project_id, name, zone, status, task, power, locked, vcpus, ram, created_at,
                           changed_at, seen_at)
           values ($1, $2, $3, $4, 'az-1', $5, $6, $7, $8, 2, 4096, $9, $9, $9) returning id""",
        *(DESK, f"s-{name}", f"p-{cabinet}", name, status, facts["task"], facts["power"], facts["locked"], NOW),
    )
    return int(row["id"])


@dataclass
class Cloudy:
    """The desk of the tests, where two organizations have a cabinet each."""

    desk: Reception
    cabinet: int
    web: int
    off: int
    foreign: int
    foreign_cabinet: int

    async def press(self, data: str, who: int = CUSTOMER, number: int = PAGE) -> str:
        return await self.desk.did(pressed(data, who, private(who), number=number))

    async def begin(self, kind: str, who: int = CUSTOMER, number: int = PAGE) -> Json:
        """A type was chosen; gives its first page."""
        assert await self.press(f"kind:{kind}", who, number) == "kind"
        return await self.page()

    async def page(self) -> Json:
        """The last that the customer sees."""
        found = await self.desk.fetch(
            """select payload -> 'params' as p from outbox
               where payload ->> 'method' in ('sendMessage', 'editMessageText') order by id desc limit 1"""
        )
        return dict(found[0].p)

    async def word(self) -> str:
        """What the last press was answered with."""
        return str((await self.desk.calls("answerCallbackQuery"))[-1].get("text", ""))

    async def actions(self) -> list[Any]:
        return await self.desk.fetch("select * from cloud_action order by id")

    async def tickets(self) -> list[Any]:
        return await self.desk.fetch("select * from ticket order by id")

    async def rights(self, *rights: str) -> None:
        async with transaction(self.desk.sessions) as session:
            await session.rows("update contact set rights = $2 where telegram_id = $1", CUSTOMER, list(rights))

    def restart(self) -> None:
        """Another process goes on, which has seen nothing of it."""
        worker, bot = self.desk.processor, self.desk.processor._handlings[source_of(DESK)].served.bot  # type: ignore[attr-defined]
        from bot.dispatcher import make_dispatcher

        served = {DESK: Served(PROFILE, bot, frozenset())}
        made = handlings(served, make_dispatcher())
        self.desk.processor = Worker(self.desk.sessions, made, Waker(worker._waker._engine), self.desk.clock)


@pytest.fixture
async def cloudy(reception: Reception) -> Cloudy:
    async with transaction(reception.sessions) as session:
        await customer(session, CUSTOMER)
        await customer(session, OTHER_CUSTOMER)
        mine = await organization(session, "Шаңырақ", CUSTOMER)
        other = await organization(session, "Өркен", OTHER_CUSTOMER)
        cabinet = await project(session, mine, "shanyrak")
        foreign_cabinet = await project(session, other, "orken")
        web, off = await vm(session, "shanyrak", "web-1"), await vm(session, "shanyrak", "base", "SHUTOFF")
        foreign = await vm(session, "orken", "secret-1")
        for resource, allowed, used in (("vcpus", 10, 8), ("ram", 20480, 4096), ("networks", 5, 1)):
            for name in ("shanyrak", "orken"):
                await session.rows(
                    """insert into cloud_quota (desk, project_id, resource, allowed, used, seen_at)
                       values ($1, $2, $3, $4, $5, $6)""",
                    *(DESK, f"p-{name}", resource, allowed, used, NOW),
                )
        await session.rows(
            """insert into cloud_state (desk, zones, capacity, swept_at) values ($1, '{"az-1": true, "az-2": true,
               "az-3": false}', '{"vcpus": [100, 40], "ram": [204800, 20480]}', $2)""",
            *(DESK, NOW),
        )
    return Cloudy(reception, cabinet, web, off, foreign, foreign_cabinet)


def buttons(page: Json) -> list[str]:
    """Data of its buttons, in order."""
    found = page.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["callback_data"] for row in found for button in row]


def labels(page: Json) -> str:
    found = page.get("reply_markup", {}).get("inline_keyboard", [])
    return " | ".join(button["text"] for row in found for button in row)


def leaves(page: Json) -> bool:
    """Whether there is a way back and a way out."""
    return "‹ Назад" in labels(page) and "Отмена" in labels(page)


# --- machines -------------------------------------------------------------------------------------------------


async def test_four_taps_reboot_a_machine(cloudy: Cloudy) -> None:
    desk = cloudy.desk
    assert await desk.did(said("Новая заявка", CUSTOMER)) == "new"
    kinds = await cloudy.page()
    assert "kind:vm" in buttons(kinds)
    assert await cloudy.press("kind:vm") == "kind"
    listed = await cloudy.page()
    assert f"own:{PAGE}:look:{cloudy.web}" in buttons(listed)
    assert "secret-1" not in labels(listed)
    assert leaves(listed)
    assert await cloudy.press(f"own:{PAGE}:look:{cloudy.web}") == "machine"
    page = await cloudy.page()
    assert "web-1" in page["text"]
    assert "теряется" in page["text"]
    assert f"own:{PAGE}:reboot:{cloudy.web}" in buttons(page)
    assert f"own:{PAGE}:start:{cloudy.web}" not in buttons(page)
    assert leaves(page)
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}") == "asked"
    [ticket], [action] = await cloudy.tickets(), await cloudy.actions()
    assert (ticket.request_type, action.ticket_id) == ("vm", ticket.id)
    assert (action.kind, action.target, action.project_id) == ("reboot", "s-web-1", "p-shanyrak")
    assert (action.state, action.approved_by_kind) == ("approved", "requester")
    assert ticket.organization_id is not None
    result = await cloudy.page()
    assert ticket.reference in result["text"]
    assert result["message_id"] == PAGE
    assert "14:10" in result["text"]


async def test_the_engineers_see_what_is_asked_and_by_whom(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}")
    [message] = await cloudy.desk.fetch("select content, author_kind from message")
    assert "web-1" in message.content["text"]
    notices = await cloudy.desk.fetch("select payload ->> 'notice' as n from outbox where kind = 'say' order by id")
    assert "action_planned" in [row.n for row in notices]
    # The page that was redrawn has said it already.
    assert not {"acknowledged", "action_accepted"} & {row.n for row in notices}
    topic = [row.kind for row in await cloudy.desk.fetch("select kind from outbox order by id")]
    assert topic.index("topic.open") < topic.index("relay") < topic.index("say")


async def test_twenty_presses_at_once_are_one_action_and_one_ticket(cloudy: Cloudy) -> None:
    """Not even the order within a chat is relied upon."""
    await cloudy.begin("vm")
    data = f"own:{PAGE}:reboot:{cloudy.web}"
    updates = [pressed(data, CUSTOMER, private(CUSTOMER), number=PAGE) for _ in range(20)]
    await cloudy.desk.store(*updates)
    async with transaction(cloudy.desk.sessions) as session:
        await session.rows("update inbox set lane = external_key where state = 'queued'")
        items = await inbox.claim(session, [source_of(DESK)], 20, cloudy.desk.clock())
    assert len(items) == 20
    await asyncio.gather(*(cloudy.desk.processor.process(item) for item in items))
    states = {(row.state, row.disposition) for row in await cloudy.desk.fetch("select state, disposition from inbox")}
    assert {state for state, _ in states} == {"done"}
    assert {word for _, word in states} <= {"kind", "asked", "asked_before"}
    assert (len(await cloudy.actions()), len(await cloudy.tickets())) == (1, 1)


async def test_the_same_press_again_only_says_so(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    data = f"own:{PAGE}:reboot:{cloudy.web}"
    assert await cloudy.press(data) == "asked"
    redrawn = len(await cloudy.desk.calls("editMessageText"))
    for _ in range(3):
        assert await cloudy.press(data) == "asked_before"
        assert (await cloudy.tickets())[0].reference in await cloudy.word()
    assert len(await cloudy.desk.calls("editMessageText")) == redrawn
    assert len(await cloudy.actions()) == 1


@pytest.mark.parametrize("action", ["look", "reboot", "stop", "stopping", "unlock"])
async def test_a_machine_of_somebody_else_is_not_there(cloudy: Cloudy, action: str) -> None:
    """Attack 42: its number in the data of a button."""
    before = await cloudy.begin("vm")
    assert await cloudy.press(f"own:{PAGE}:{action}:{cloudy.foreign}") == "refused:NotFound"
    assert await cloudy.press(f"own:{PAGE}:{action}:{2**63 - 1}") == "refused:NotFound"
    assert (await cloudy.actions(), await cloudy.tickets()) == ([], [])
    assert await cloudy.page() == before


async def test_rights_that_were_taken_away_between_pages_count_at_once(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    assert await cloudy.press(f"own:{PAGE}:look:{cloudy.web}") == "machine"
    await cloudy.rights("money")
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}") == "refused:NotAllowed"
    await cloudy.rights()
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}") == "refused:NoCloud"
    assert await cloudy.press(f"own:{PAGE}:list:0") == "refused:NoCloud"
    assert (await cloudy.actions(), await cloudy.tickets()) == ([], [])


async def test_a_restart_between_pages_forgets_nothing(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    cloudy.restart()
    assert await cloudy.press(f"own:{PAGE}:look:{cloudy.web}") == "machine"
    cloudy.restart()
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}") == "asked"


async def test_a_page_of_a_dialogue_that_is_over_does_nothing(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    assert await cloudy.press(f"dlg:{PAGE}:cancel") == "cancelled"
    assert "reply_markup" not in await cloudy.page()
    for data in (f"own:{PAGE}:look:{cloudy.web}", f"own:{PAGE}:reboot:{cloudy.web}", f"dlg:{PAGE}:words"):
        assert await cloudy.press(data) == "refused:WrongStatus"
        assert "Этот диалог" in await cloudy.word()
    # Another has begun meanwhile.
    await cloudy.begin("vm", number=PAGE + 1)
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}") == "refused:WrongStatus"
    assert await cloudy.press(f"own:{PAGE + 1}:reboot:{cloudy.web}", number=PAGE + 1) == "asked"
    assert len(await cloudy.actions()) == 1


async def test_back_leads_to_the_types_and_own_words_to_a_request_of_that_type(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    assert await cloudy.press(f"dlg:{PAGE}:kinds") == "back"
    assert "kind:quota" in buttons(await cloudy.page())
    await cloudy.begin("vm")
    assert await cloudy.press(f"dlg:{PAGE}:words") == "own_words"
    assert leaves(await cloudy.page())
    assert await cloudy.press(f"dlg:{PAGE}:first") == "back"
    assert "web-1" in labels(await cloudy.page())
    assert await cloudy.desk.did(said("web-1 не отвечает по ssh", CUSTOMER)) == "opened"
    [ticket] = await cloudy.tickets()
    assert (ticket.request_type, await cloudy.actions()) == ("vm", [])


async def test_even_the_types_can_be_left(cloudy: Cloudy) -> None:
    """Whatever is written then is no new request by force."""
    assert await cloudy.desk.did(said("Не работает почта", CUSTOMER)) == "opened"
    assert await cloudy.desk.did(said("Новая заявка", CUSTOMER)) == "new"
    assert "dlg:0:cancel" in buttons(await cloudy.page())
    assert await cloudy.press("dlg:0:cancel") == "cancelled"
    assert await cloudy.desk.did(said("И ещё сайт", CUSTOMER)) == "added"
    await cloudy.begin("vm")
    await cloudy.press(f"dlg:{PAGE}:kinds")
    assert await cloudy.press("dlg:0:cancel") == "refused:WrongStatus"
    assert await cloudy.press(f"dlg:{PAGE}:cancel") == "cancelled"


async def test_what_is_going_on_with_a_machine_is_said_instead_of_offered(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}")
    await cloudy.begin("vm", number=PAGE + 1)
    await cloudy.press(f"own:{PAGE + 1}:look:{cloudy.web}", number=PAGE + 1)
    page = await cloudy.page()
    assert (await cloudy.tickets())[0].reference in page["text"]
    assert "14:00" in page["text"]
    assert not [data for data in buttons(page) if data.endswith(f":{cloudy.web}")]
    # A press on the page as it was before.
    assert await cloudy.press(f"own:{PAGE + 1}:stop:{cloudy.web}", number=PAGE + 1) == "not_now"
    assert len(await cloudy.actions()) == 1


async def test_a_machine_that_is_off_is_switched_on_and_no_more(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:look:{cloudy.off}")
    offered = buttons(await cloudy.page())
    assert f"own:{PAGE}:start:{cloudy.off}" in offered
    assert not {f"own:{PAGE}:{act}:{cloudy.off}" for act in ("reboot", "stopping", "unlock")} & {*offered}
    assert await cloudy.press(f"own:{PAGE}:stop:{cloudy.off}") == "not_now"
    assert await cloudy.press(f"own:{PAGE}:start:{cloudy.off}") == "asked"
    assert [action.kind for action in await cloudy.actions()] == ["start"]


async def test_switching_off_is_asked_once_more(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:look:{cloudy.web}")
    assert f"own:{PAGE}:stopping:{cloudy.web}" in buttons(await cloudy.page())
    assert await cloudy.press(f"own:{PAGE}:stopping:{cloudy.web}") == "machine"
    assert f"own:{PAGE}:stop:{cloudy.web}" in buttons(await cloudy.page())
    assert leaves(await cloudy.page())
    assert await cloudy.press(f"own:{PAGE}:stop:{cloudy.web}") == "asked"


async def test_many_machines_come_in_pages(cloudy: Cloudy) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        for number in range(20):
            await vm(session, "shanyrak", f"node-{number:02}")
    first = await cloudy.begin("vm")
    assert len([data for data in buttons(first) if ":look:" in data]) == 8
    assert f"own:{PAGE}:list:8" in buttons(first)
    assert await cloudy.press(f"own:{PAGE}:list:16") == "machines"
    last = await cloudy.page()
    assert len([data for data in buttons(last) if ":look:" in data]) == 6
    assert [data for data in buttons(last) if ":list:" in data] == [f"own:{PAGE}:list:8"]
    assert await cloudy.press(f"own:{PAGE}:list:{2**63 - 1}") == "machines"


# --- who may --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["vm", "quota", "password", "link"])
async def test_whoever_has_nothing_in_the_cloud_writes_as_before(cloudy: Cloudy, kind: str) -> None:
    await cloudy.begin(kind, STRANGER)
    assert [data.split(":")[0] for data in buttons(await cloudy.page())] == ["dlg", "dlg"]
    assert await cloudy.desk.did(said("Сделайте, пожалуйста", STRANGER)) == "opened"
    assert [ticket.request_type for ticket in await cloudy.tickets()] == [kind]


@pytest.mark.parametrize("kind", ["vm", "quota", "password", "link"])
async def test_a_contact_without_the_right_is_told_whom_to_ask(cloudy: Cloudy, kind: str) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        [row] = await rows(session, "select organization_id as id from contact where telegram_id = :t", t=CUSTOMER)
        from crm.people.models import Organization

        place = await session.get_one(Organization, row.id)
        await organizations.add_contact(session, place, "Ерлан", NOW, telegram_id=STRANGER)
    page = await cloudy.begin(kind, STRANGER)
    assert "Контакт Шаңырақ" in page["text"]
    assert await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}", STRANGER) == "refused:NoCloud"
    assert await cloudy.desk.did(said("Сделайте, пожалуйста", STRANGER)) == "opened"
    assert ([ticket.request_type for ticket in await cloudy.tickets()], await cloudy.actions()) == ([kind], [])


# --- quotas ---------------------------------------------------------------------------------------------------


async def test_a_quota_is_raised_by_buttons_and_waits_for_an_engineer(cloudy: Cloudy) -> None:
    page = await cloudy.begin("quota")
    assert "10" in page["text"]
    assert leaves(page)
    assert await cloudy.press(f"q:{PAGE}:pick:{cloudy.cabinet}:vcpus:0") == "amounts"
    offered = buttons(await cloudy.page())
    assert {f"q:{PAGE}:check:{cloudy.cabinet}:vcpus:{n}" for n in (13, 15, 20)} <= {*offered}
    assert await cloudy.press(f"q:{PAGE}:check:{cloudy.cabinet}:vcpus:20") == "to_confirm"
    assert "10 → 20" in (await cloudy.page())["text"]
    assert leaves(await cloudy.page())
    ask = f"q:{PAGE}:ask:{cloudy.cabinet}:vcpus:20"
    assert await cloudy.press(ask) == "asked"
    assert await cloudy.press(ask) == "asked_before"
    [action], [ticket] = await cloudy.actions(), await cloudy.tickets()
    assert (action.state, action.parameters, action.approved_at) == ("planned", {"limits": {"vcpus": 20}}, None)
    assert (ticket.request_type, action.project_id) == ("quota", "p-shanyrak")
    assert "10 → 20" in ticket.subject
    assert ticket.reference in (await cloudy.page())["text"]
    assert "10 → 20" in (await cloudy.page())["text"]


@pytest.mark.parametrize(
    ("resource", "words", "limit"),
    [
        ("vcpus", "16", 16),
        ("vcpus", " 1\u202f6 ", None),
        ("vcpus", "1,5", None),
        ("vcpus", "-16", None),
        ("vcpus", "10", None),
        ("vcpus", "400000", None),
        ("ram", "64", 65536),
        ("ram", "64 ГБ", 65536),
        ("ram", "0,03 ТБ", None),
        ("ram", "24,5 GB", 25088),
        ("networks", "1 0", None),
        ("networks", "10", 10),
        ("networks", "1 000", None),
    ],
)
async def test_a_number_is_written(cloudy: Cloudy, resource: str, words: str, limit: int | None) -> None:
    await cloudy.begin("quota")
    assert await cloudy.press(f"q:{PAGE}:write:{cloudy.cabinet}:{resource}:0") == "asked_amount"
    cloudy.restart()
    done = await cloudy.desk.did(said(words, CUSTOMER))
    if limit is None:
        assert done == "wrong_amount"
        assert "❗️" in (await cloudy.page())["text"]
        assert await cloudy.desk.did(said("17 ГБ" if resource == "ram" else "17", CUSTOMER)) in (
            "to_confirm",
            "wrong_amount",
        )
        assert await cloudy.tickets() == []
    else:
        assert done == "to_confirm"
        ask = f"q:{PAGE}:ask:{cloudy.cabinet}:{resource}:{limit}"
        assert ask in buttons(await cloudy.page())
        # The page above has no buttons any more.
        assert (await cloudy.desk.calls("editMessageReplyMarkup"))[-1]["message_id"] == PAGE
        assert await cloudy.press(ask, number=PAGE + 9) == "asked"
        assert [action.parameters for action in await cloudy.actions()] == [{"limits": {resource: limit}}]


async def test_what_is_no_number_is_a_request(cloudy: Cloudy) -> None:
    await cloudy.begin("quota")
    await cloudy.press(f"q:{PAGE}:write:{cloudy.cabinet}:vcpus:0")
    assert await cloudy.desk.did(said("Нужно больше всего, у нас переезд", CUSTOMER)) == "opened"
    assert [ticket.request_type for ticket in await cloudy.tickets()] == ["quota"]


async def test_the_edit_of_an_answer_and_its_repeat_are_no_requests(cloudy: Cloudy) -> None:
    await cloudy.begin("quota")
    await cloudy.press(f"q:{PAGE}:write:{cloudy.cabinet}:vcpus:0")
    answer = said("16", CUSTOMER)
    assert await cloudy.desk.did(answer) == "to_confirm"
    await cloudy.press(f"q:{PAGE}:ask:{cloudy.cabinet}:vcpus:16")
    edited = {"update_id": 900_001, "edited_message": {**answer["message"], "text": "160", "edit_date": 1}}
    assert await cloudy.desk.did(edited) == "ignored"
    assert await cloudy.desk.did({**answer, "update_id": 900_002}) == "duplicate"
    assert len(await cloudy.tickets()) == 1


@pytest.mark.parametrize("step", ["check", "ask"])
async def test_more_than_there_is_is_answered_with_the_most(cloudy: Cloudy, step: str) -> None:
    """Of 100 processors 10 stay in reserve and 40 are taken: 50 are free, and 8 are in use here already."""
    await cloudy.begin("quota")
    done = await cloudy.press(f"q:{PAGE}:{step}:{cloudy.cabinet}:vcpus:59")
    assert done == ("amounts" if step == "check" else "not_now")
    assert "58" in (await cloudy.page())["text"]
    assert (await cloudy.actions(), await cloudy.tickets()) == ([], [])
    assert await cloudy.press(f"q:{PAGE}:{step}:{cloudy.cabinet}:vcpus:58") in ("to_confirm", "asked")


@pytest.mark.parametrize("step", ["look", "pick", "write", "check", "ask"])
async def test_the_cabinet_of_somebody_else_is_not_there(cloudy: Cloudy, step: str) -> None:
    await cloudy.begin("quota")
    assert await cloudy.press(f"q:{PAGE}:{step}:{cloudy.foreign_cabinet}:vcpus:20") == "refused:NotFound"
    assert await cloudy.press(f"q:{PAGE}:{step}:{cloudy.cabinet}:moon:20") in ("refused:NotFound", "resources")
    assert (await cloudy.actions(), await cloudy.tickets()) == ([], [])


async def test_of_several_cabinets_one_is_chosen_first(cloudy: Cloudy) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        [row] = await rows(session, "select id from contact where telegram_id = :t", t=CUSTOMER)
        second = await project(session, await session.get_one(Contact, row.id), "second")
    for kind, prefix in (("quota", "q"), ("link", "zone")):
        offered = [data for data in buttons(await cloudy.begin(kind)) if data.startswith(prefix)]
        assert [data.split(":")[3] for data in offered] == [str(second), str(cloudy.cabinet)]
    assert await cloudy.press(offered[1]) == "zones"
    assert f"dlg:{PAGE}:first" in buttons(await cloudy.page())


# --- passwords and links ----------------------------------------------------------------------------------------


async def test_a_password_is_made_at_the_contacts_word(cloudy: Cloudy) -> None:
    page = await cloudy.begin("password")
    ask = f"pw:{PAGE}:ask:{cloudy.cabinet}:{mark('u-shanyrak')}"
    assert "shanyrak-admin" in page["text"]
    assert ask in buttons(page)
    assert leaves(page)
    assert await cloudy.press(f"pw:{PAGE}:ask:{cloudy.foreign_cabinet}:{mark('u-orken')}") == "refused:NotFound"
    assert await cloudy.press(f"pw:{PAGE}:ask:{cloudy.cabinet}:{mark('u-orken')}") == "refused:NotFound"
    assert await cloudy.press(ask) == "asked"
    [action] = await cloudy.actions()
    assert (action.kind, action.target, action.title, action.state) == (
        "password",
        "u-shanyrak",
        "shanyrak-admin",
        "approved",
    )


async def test_the_right_to_money_makes_no_password(cloudy: Cloudy) -> None:
    await cloudy.begin("password")
    await cloudy.rights("money", "request")
    ask = f"pw:{PAGE}:ask:{cloudy.cabinet}:{mark('u-shanyrak')}"
    assert await cloudy.press(ask) == "refused:NotAllowed"
    assert await cloudy.actions() == []


async def test_of_several_logins_one_is_chosen(cloudy: Cloudy) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        await session.rows('update cloud_project set users = users || \'{"u-2": "bek"}\' where id = $1', cloudy.cabinet)
    offered = [data for data in buttons(await cloudy.begin("password")) if data.startswith("pw:")]
    assert offered == [f"pw:{PAGE}:look:{cloudy.cabinet}:{mark(user)}" for user in ("u-2", "u-shanyrak")]
    assert await cloudy.press(offered[0]) == "to_confirm"
    assert "bek" in (await cloudy.page())["text"]


async def test_two_zones_are_linked_once_an_engineer_agrees(cloudy: Cloudy) -> None:
    page = await cloudy.begin("link")
    marks = f"{mark('az-1')}:{mark('az-2')}"
    ask = f"zone:{PAGE}:ask:{cloudy.cabinet}:{marks}"
    assert ask in buttons(page)
    assert await cloudy.press(f"zone:{PAGE}:ask:{cloudy.cabinet}:{mark('az-1')}:{mark('az-1')}") == "refused:NotFound"
    assert await cloudy.press(f"zone:{PAGE}:ask:{cloudy.cabinet}:{mark('az-1')}:{mark('az-3')}") == "refused:NotFound"
    assert await cloudy.press(ask) == "asked"
    [action] = await cloudy.actions()
    assert (action.kind, action.state, action.parameters["zones"]) == ("link", "planned", ["az-1", "az-2"])


async def test_of_three_zones_two_are_chosen_one_by_one(cloudy: Cloudy) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        await session.rows('update cloud_state set zones = \'{"az-1": true, "az-2": true, "az-3": true}\'')
    first = [data for data in buttons(await cloudy.begin("link")) if data.startswith("zone:")]
    assert len(first) == 3
    assert await cloudy.press(first[2]) == "zones"
    page = await cloudy.page()
    assert "az-3" in page["text"]
    second = [data for data in buttons(page) if data.startswith("zone:")]
    assert await cloudy.press(second[0]) == "zones"
    page = await cloudy.page()
    assert f"zone:{PAGE}:ask:{cloudy.cabinet}:{mark('az-3')}:{mark('az-1')}" in buttons(page)
    assert leaves(page)


# --- a cabinet of one's own -------------------------------------------------------------------------------------


def shared(number: str, owner: int | None, sender: int = STRANGER, **more: Any) -> Json:
    card = {"phone_number": number, "first_name": "Айгүл", **({"user_id": owner} if owner else {})}
    return said(None, sender, contact=card, **more)


async def test_a_cabinet_is_asked_for_and_waits_for_an_engineer(cloudy: Cloudy) -> None:
    assert leaves(await cloudy.begin("cabinet", STRANGER))
    cloudy.restart()
    assert await cloudy.desk.did(said("ТОО «Айгүл Trade»", STRANGER)) == "named"
    asked = [call for call in await cloudy.desk.calls("sendMessage") if "keyboard" in call.get("reply_markup", {})]
    assert asked[-1]["reply_markup"]["keyboard"][0][0]["request_contact"] is True
    assert leaves(await cloudy.page())
    assert await cloudy.desk.did(shared("77011234567", STRANGER)) == "to_confirm"
    page = await cloudy.page()
    assert "Айгүл Trade" in page["text"]
    assert "+77011234567" in page["text"]
    assert "20" in page["text"]
    assert leaves(page)
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER) == "asked"
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER) == "asked_before"
    [action], [ticket] = await cloudy.actions(), await cloudy.tickets()
    number = ticket.reference.partition("-")[2]
    assert (action.kind, action.state, ticket.request_type) == ("open", "planned", "cabinet")
    assert action.parameters["account"] == f"pd-too-aigul-trade-{number}"
    assert PROFILE.cloud is not None
    assert action.parameters["limits"] == PROFILE.cloud.cabinet
    proven = await cloudy.desk.fetch("select address, verified_at from identity where channel = 'phone'")
    assert [(row.address, row.verified_at is not None) for row in proven] == [("+77011234567", True)]


@pytest.mark.parametrize(
    "answer",
    [
        shared("+77011234567", OTHER_CUSTOMER),
        shared("+77011234567", None),
        shared(
            "+77011234567",
            STRANGER,
            forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Кто-то"},
        ),
        said("8 701 123-45-67", STRANGER),
    ],
    ids=["somebody else's", "nobody's", "forwarded", "written"],
)
async def test_a_number_that_telegram_does_not_confirm_proves_nothing(cloudy: Cloudy, answer: Json) -> None:
    await cloudy.begin("cabinet", STRANGER)
    await cloudy.desk.did(said("Айгүл", STRANGER))
    assert await cloudy.desk.did(answer) == "to_confirm"
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER) == "asked"
    assert await cloudy.desk.fetch("select 1 from identity where channel = 'phone'") == []
    [message] = await cloudy.desk.fetch("select content from message")
    assert "+77011234567" in message.content["text"]


async def test_a_number_of_somebody_known_does_not_change_hands(cloudy: Cloudy) -> None:
    async with transaction(cloudy.desk.sessions) as session:
        other = await customer(session, OTHER_CUSTOMER)
        await session.rows(
            """insert into identity (person_id, desk, channel, address, verified_at, created_at)
               values ($1, $2, 'phone', '+77011234567', $3, $3)""",
            *(other.person_id, DESK, NOW),
        )
    await cloudy.begin("cabinet", STRANGER)
    await cloudy.desk.did(said("Айгүл", STRANGER))
    await cloudy.desk.did(shared("77011234567", STRANGER))
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER) == "asked"
    owners = await cloudy.desk.fetch("select person_id from identity where channel = 'phone'")
    assert [row.person_id for row in owners] == [other.person_id]


async def test_whose_number_is_a_contacts_has_a_cabinet_already(cloudy: Cloudy) -> None:
    """And becomes no owner of it by asking for another."""
    async with transaction(cloudy.desk.sessions) as session:
        await session.rows("update contact set phone = '+77011234567' where telegram_id = $1", OTHER_CUSTOMER)
    await cloudy.begin("cabinet", STRANGER)
    await cloudy.desk.did(said("Айгүл", STRANGER))
    await cloudy.desk.did(shared("77011234567", STRANGER))
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER) == "refused:NoCloud"
    assert (await cloudy.actions(), await cloudy.tickets()) == ([], [])


async def test_whoever_has_a_cabinet_describes_what_else_they_need(cloudy: Cloudy) -> None:
    await cloudy.begin("cabinet")
    assert await cloudy.desk.did(said("Ещё один кабинет для филиала", CUSTOMER)) == "opened"
    assert await cloudy.actions() == []


async def test_what_is_no_number_is_asked_for_again(cloudy: Cloudy) -> None:
    await cloudy.begin("cabinet", STRANGER)
    await cloudy.desk.did(said("Айгүл", STRANGER))
    assert await cloudy.desk.did(said("позвоните мне", STRANGER)) == "wrong_phone"
    assert await cloudy.desk.did(said("+7 701 123 45 67", STRANGER)) == "to_confirm"
    assert await cloudy.press(f"cab:{PAGE}:name", STRANGER, PAGE + 3) == "asked_name"
    assert await cloudy.press(f"cab:{PAGE}:ask", STRANGER, PAGE + 3) == "asked_name"
    long = said("У нас ничего не работает.\nПомогите, пожалуйста!", STRANGER)
    assert await cloudy.desk.did(long) == "opened"
    assert await cloudy.actions() == []


async def test_cancelling_brings_the_usual_buttons_back(cloudy: Cloudy) -> None:
    await cloudy.begin("cabinet", STRANGER)
    await cloudy.desk.did(said("Айгүл", STRANGER))
    assert await cloudy.press(f"dlg:{PAGE}:cancel", STRANGER, PAGE + 2) == "cancelled"
    last = (await cloudy.desk.calls("sendMessage"))[-1]
    assert "Новая заявка" in str(last["reply_markup"]["keyboard"])


# --- afterwards -------------------------------------------------------------------------------------------------


async def test_my_requests_tell_how_it_stands(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}")
    [ticket] = await cloudy.tickets()
    for change, words in (
        ("state = 'approved'", "принято"),
        ("state = 'running', phase = 'sent', started_at = planned_at", "с 14:00"),
        ("state = 'unknown', phase = null", "выясняет"),
        ("state = 'succeeded', phase = null, finished_at = planned_at", "14:00"),
    ):
        async with transaction(cloudy.desk.sessions) as session:
            await session.rows(f"update cloud_action set {change}")
        assert await cloudy.press(f"mine:open:{ticket.id}") == "opened_own"
        assert words in (await cloudy.page())["text"], change


async def test_a_request_that_is_withdrawn_takes_its_plan_along(cloudy: Cloudy) -> None:
    await cloudy.begin("quota")
    await cloudy.press(f"q:{PAGE}:ask:{cloudy.cabinet}:vcpus:20")
    [ticket] = await cloudy.tickets()
    assert await cloudy.press(f"mine:withdraw:{ticket.id}") == "withdrawn"
    assert [action.state for action in await cloudy.actions()] == ["cancelled"]
    assert len((await cloudy.page())["text"].splitlines()) == 1
    # Nothing is in the way of another.
    await cloudy.begin("quota", number=PAGE + 1)
    assert await cloudy.press(f"q:{PAGE + 1}:ask:{cloudy.cabinet}:vcpus:15", number=PAGE + 1) == "asked"


async def test_what_has_begun_is_not_stopped_by_withdrawing_and_that_is_said(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}")
    [ticket] = await cloudy.tickets()
    assert await cloudy.press(f"mine:withdraw:{ticket.id}") == "withdrawn"
    assert [action.state for action in await cloudy.actions()] == ["approved"]
    assert len((await cloudy.page())["text"].splitlines()) == 2


async def test_the_rules_come_along_once(cloudy: Cloudy) -> None:
    """Of a first request that nobody acknowledges otherwise."""
    for number, shown in ((PAGE, True), (PAGE + 1, False)):
        await cloudy.begin("vm", number=number)
        machine = cloudy.web if number == PAGE else cloudy.off
        act = "reboot" if number == PAGE else "start"
        assert await cloudy.press(f"own:{number}:{act}:{machine}", number=number) == "asked"
        assert ("rules" in buttons(await cloudy.page())) is shown


async def test_a_reply_to_the_page_belongs_to_its_ticket(cloudy: Cloudy) -> None:
    await cloudy.begin("vm")
    await cloudy.press(f"own:{PAGE}:reboot:{cloudy.web}")
    page = {
        "message_id": PAGE,
        "date": 1,
        "chat": private(CUSTOMER),
        "from": {"id": 1, "is_bot": True, "first_name": "b"},
    }
    assert await cloudy.desk.did(said("Когда будет готово?", CUSTOMER, reply_to_message=page)) == "added"

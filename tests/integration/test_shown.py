"""What a ticket's card shows of the cloud: its organization's cabinets, the machine it is about, its actions."""

from datetime import timedelta
from typing import Any

import pytest

from crm import journal
from crm.cloud import actions, wanted
from crm.cloud.wanted import Wanted
from crm.db import Session, Sessions, transaction
from crm.people.service import OpenTicket
from crm.tickets import queries
from crm.tickets.service import load
from provider.port import LogEntry, Quota
from tests.factories import NOW, OTHER_CUSTOMER, PROFILE, engineer, minutes, opened
from tests.integration.mirrored import Heaven, bound, server, swept

NEXT = NOW + timedelta(seconds=30)


async def known(sessions: Sessions) -> int:
    """One organization with two machines in a cabinet, another one with one; gives the first."""
    cloud = Heaven()
    cloud.add(server(1), server(10, locked=True, task="rebooting"), server(2, "p2"), server(3, deleted_at=NOW))
    cloud.add(server(4, name="Отчёты 2026"), server(5, name="db"))
    cloud.logs["s1"] = [LogEntry(f"r{n}", "reboot", NOW, NOW, True) for n in range(5)]
    cloud.limits["p1"] = {"instances": Quota(10, 4), "vcpus": Quota(-1, 8), "ram": Quota(51_200, 8192),
                          "routers": Quota(1, 0)}  # fmt: skip
    await swept(sessions, cloud)
    organization_id = await bound(sessions, "p1")
    await bound(sessions, "p2", name="АО Лютик")
    await swept(sessions, cloud, NEXT)
    return organization_id


async def asked(session: Session, words: str, organization_id: int | None, chat: int = OTHER_CUSTOMER) -> OpenTicket:
    ticket = await opened(session, chat, words)
    await session.rows("update ticket set organization_id = $1 where id = $2", organization_id, ticket.id)
    return ticket


async def shown(sessions: Sessions, words: str, organization_id: int | None) -> Any:
    async with transaction(sessions) as session:
        ticket = await asked(session, words, organization_id)
        return (await queries.card(session, ticket.id))["cloud"]


async def test_a_ticket_of_nobody_shows_nothing(sessions: Sessions) -> None:
    await known(sessions)
    assert await shown(sessions, "web-1 не отвечает", None) is None


async def test_an_organization_without_a_cabinet_shows_nothing(sessions: Sessions) -> None:
    await known(sessions)
    assert await shown(sessions, "web-1 не отвечает", await bound(sessions, name="АО Пион")) is None


async def test_cabinets_with_machines_and_quotas(sessions: Sessions) -> None:
    found = await shown(sessions, "Ничего не работает", await known(sessions))
    assert found["seen_at"] == NEXT
    assert (found["problem"], found["machine"], found["actions"], found["more"]) == (None, None, [], 0)
    [cabinet] = found["cabinets"]
    assert (cabinet["project_id"], cabinet["name"], cabinet["machines"]) == ("p1", "cabinet p1", 4)
    assert cabinet["quotas"] == {
        "instances": {"used": 4, "allowed": 10},
        "vcpus": {"used": 8, "allowed": -1},
        "ram": {"used": 8192, "allowed": 51_200},
    }


async def test_many_cabinets_are_counted(sessions: Sessions) -> None:
    organization_id = await known(sessions)
    async with transaction(sessions) as session:
        await session.rows(
            """insert into cloud_project (desk, project_id, name, organization_id)
               select 'prodata', 'q' || n, 'z' || n, $1 from generate_series(1, 7) n""",
            organization_id,
        )
    found = await shown(sessions, "Ничего не работает", organization_id)
    assert (len(found["cabinets"]), found["more"]) == (5, 3)


async def test_the_machine_that_is_named(sessions: Sessions) -> None:
    machine = (await shown(sessions, "Машина web-1 не отвечает", await known(sessions)))["machine"]
    assert (machine["id"], machine["status"], machine["power"], machine["locked"]) == ("s1", "ACTIVE", "running", False)
    assert (machine["zone"], machine["task"], machine["project_id"]) == ("almaty-a", None, "p1")
    assert [(line["id"], line["started_at"]) for line in machine["log"]] == [("r0", NOW), ("r1", NOW), ("r2", NOW)]


NAMED = [
    ("перезагрузите web-1.", "s1"),
    ("перезагрузите «WEB-1», пожалуйста", "s1"),
    ("web-10", "s10"),
    ("web-10/web-1", "s10"),
    ("my-web-1 и web-1.kz", None),
    ("web-2 чужая", None),
    ("web-3 удалена", None),
    ("где Отчёты 2026?", "s4"),
    ("отказ dbz", None),
    ("(db)", "s5"),
    ("%", None),
]


@pytest.mark.parametrize(("words", "server_id"), NAMED)
async def test_a_name_is_a_whole_word_of_an_own_machine(sessions: Sessions, words: str, server_id: str | None) -> None:
    machine = (await shown(sessions, words, await known(sessions)))["machine"]
    assert (machine and machine["id"]) == server_id


async def test_the_actions_machine_comes_before_a_named_one(sessions: Sessions) -> None:
    organization_id = await known(sessions)
    async with transaction(sessions) as session:
        ticket = await asked(session, "web-1 не отвечает", organization_id)
        row = await load(session, PROFILE.name, ticket.id)
        agent = await engineer(session)
        by = journal.Actor("agent", agent.id, agent.name)

        async def planned(what: Wanted) -> int:
            return (await actions.plan(session, PROFILE, by, row, what, f"k{what.target}{what.kind}", NOW)).id

        reboot = await planned(wanted.power("reboot", "p1", "s10", "web-10"))
        quota = await planned(wanted.quota("p1", "cabinet p1", {"vcpus": 40}))
        await actions.approve(session, PROFILE, actions.Approver(by, ["power"]), reboot, NOW + minutes(1))
        found = (await queries.card(session, ticket.id))["cloud"]
    assert (found["machine"]["id"], found["machine"]["task"], found["machine"]["locked"]) == ("s10", "rebooting", True)
    assert [(one["id"], one["kind"], one["state"], one["approver"]) for one in found["actions"]] == [
        (quota, "quota", "planned", None),
        (reboot, "reboot", "approved", agent.name),
    ]
    assert found["actions"][0]["parameters"] == {"limits": {"vcpus": 40}}
    assert (found["actions"][1]["planned_at"], found["actions"][1]["started_at"]) == (NOW, None)


async def test_an_action_shows_without_an_organization(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await asked(session, "Откройте кабинет", None)
        row = await load(session, PROFILE.name, ticket.id)
        by = journal.Actor("requester", 1, "Клиент")
        await actions.plan(session, PROFILE, by, row, wanted.cabinet(ticket.id, "romashka", {}, None, ""), "k", NOW)
        found = (await queries.card(session, ticket.id))["cloud"]
    assert (found["seen_at"], found["cabinets"], found["machine"]) == (None, [], None)
    assert [one["kind"] for one in found["actions"]] == ["open"]

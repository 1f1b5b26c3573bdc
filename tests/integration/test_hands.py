"""Every action × every fault: the cloud is called once or not at all, and everybody is told the truth."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.cloud import running
from crm.db import Sessions, transaction
from tests.factories import PROFILE, one, rows
from tests.integration.hands import Stage, staged

POWER = ("reboot", "unlock", "start", "stop")
KINDS = (*POWER, "quota", "password", "link", "open")
# The calls that change something, by kind.
CALLS = {**{kind: (kind,) for kind in POWER}, "quota": ("set_quotas",), "password": ("set_password",)}
CALLS |= {"link": ("link",), "open": ("open_account", "set_password")}
# What takes its time can get stuck or break on the way.
LASTING = ("reboot", "start", "stop", "link")
FINAL = ("action_succeeded", "action_failed", "action_unknown")


@pytest.fixture
async def stage(engine: AsyncEngine, sessions: Sessions) -> AsyncIterator[Stage]:
    async with staged(engine, sessions) as made:
        yield made


async def _outcome(stage: Stage, order: str, /, **fault: Any) -> tuple[str, str | None, int]:
    """State, reason, and how often the first call of that kind was really carried out."""
    if fault:
        await stage.sandbox.cloud.fault(what=CALLS[order][0], **fault)
    action = await stage.approved(order)
    await stage.drive()
    found, done = await stage.found(action), await stage.done()
    finals = [[notice for notice in await stage.told(to) if notice in FINAL] for to in ("requester", "topic")]
    assert finals == [[f"action_{found.state}"]] * 2, "customer and engineers hear the truth, once"
    assert all(count <= 1 for call, count in done.items()), done
    return found.state, found.reason, done[CALLS[order][0]]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_fault_it_is_done_and_verified(stage: Stage, kind: str) -> None:
    assert await _outcome(stage, kind) == ("succeeded", None, 1)
    async with stage.sessions() as session:
        assert (await one(session, "select status from ticket")).status == "resolved"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("code", "reason"), [(403, "forbidden"), (409, "conflict"), (400, "invalid")])
async def test_refused(stage: Stage, kind: str, code: int, reason: str) -> None:
    assert await _outcome(stage, kind, kind="refuse", code=code) == ("failed", reason, 0)
    async with stage.sessions() as session:
        assert (await one(session, "select status from ticket")).status == "new", "somebody still has to help"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["503", "429"])
async def test_a_busy_cloud_is_asked_again(stage: Stage, kind: str, fault: str) -> None:
    assert await _outcome(stage, kind, kind=fault, times=3, retry_after=2) == ("succeeded", None, 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cloud_that_stays_busy_is_given_up_and_was_never_called(stage: Stage, kind: str) -> None:
    assert await _outcome(stage, kind, kind="503", times=1000) == ("failed", "unreachable", 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["drop", "500"])
async def test_no_answer_and_nothing_done_reaches_a_person(stage: Stage, kind: str, fault: str) -> None:
    assert await _outcome(stage, kind, kind=fault, done=False) == ("unknown", "no_answer", 0)


@pytest.mark.parametrize("kind", [*POWER, "quota", "password", "link"])
@pytest.mark.parametrize("fault", ["drop", "hang", "500", "undecodable"])
async def test_no_answer_after_it_was_accepted_is_read_back(stage: Stage, kind: str, fault: str) -> None:
    """A password proves itself at once: only whoever has just made it knows it."""
    state, _, calls = await _outcome(stage, kind, kind=fault, done=True, seconds=2)
    assert (state, calls) == ("succeeded", 1)


@pytest.mark.parametrize("fault", ["drop", "hang", "500"])
async def test_a_cabinet_that_may_be_half_open_reaches_a_person(stage: Stage, fault: str) -> None:
    assert await _outcome(stage, "open", kind=fault, done=True, seconds=2) == ("unknown", "no_answer", 1)


@pytest.mark.parametrize("kind", LASTING)
async def test_stuck_it_ends_as_unknown_at_its_deadline(stage: Stage, kind: str) -> None:
    began = stage.clock()
    assert await _outcome(stage, kind, kind="stuck") == ("unknown", "deadline", 1)
    waited = (stage.clock() - began).total_seconds()
    patience = PROFILE.cloud.patient(kind).total_seconds()  # type: ignore[union-attr, arg-type]
    assert patience <= waited <= patience + 15


@pytest.mark.parametrize("kind", ["reboot", "start", "stop"])
async def test_what_breaks_on_the_way_has_failed(stage: Stage, kind: str) -> None:
    state, reason, calls = await _outcome(stage, kind, kind="fail")
    assert (state, reason, calls) == ("failed", "broke", 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cloud_that_cannot_be_read_is_not_called(stage: Stage, kind: str) -> None:
    await stage.sandbox.cloud.fault("503", what="any", times=100_000)
    action = await stage.approved(kind)
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason, found.attempts) == ("failed", "unreachable", 0)
    assert not await stage.done()


@pytest.mark.parametrize("kind", KINDS)
async def test_changed_behind_our_back_it_is_not_called(stage: Stage, kind: str) -> None:
    action = await stage.approved(kind)
    async with transaction(stage.sessions) as session:
        await session.rows("alter table cloud_action disable trigger keep_cloud_action")
        await session.rows("update cloud_action set parameters = parameters || '{\"more\": 1}'")
        await session.rows("alter table cloud_action enable trigger keep_cloud_action")
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "changed")
    assert not await stage.done()


@pytest.mark.parametrize("kind", POWER)
async def test_a_machine_of_somebody_else_is_not_touched(stage: Stage, kind: str) -> None:
    """It has another owner by now than when it was planned."""
    other = await stage.sandbox.cloud.add_project("Чужие")
    what = stage.wanted(kind)
    theirs = await stage.sandbox.cloud.add_server(other, "shop-1", "almaty-1")
    action = await stage.approved(kind, type(what)(what.kind, "shop-1", f"vm:{theirs}", what.project_id, theirs))
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "not_found")
    assert not await stage.done()


async def test_a_machine_that_is_gone(stage: Stage) -> None:
    action = await stage.approved("reboot")
    await stage.sandbox.cloud.act(stage.customer.running, "delete")
    stage.clock.move(seconds=30)
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "not_found")


async def test_twenty_workers_make_one_call(stage: Stage) -> None:
    action = await stage.approved("reboot")

    async def work() -> None:
        for step in await stage.hands.claim(8):
            await stage.hands.make(step)

    for _ in range(30):
        await asyncio.gather(*(work() for _ in range(20)))
        stage.clock.move(seconds=1)
    assert (await stage.found(action)).state == "succeeded"
    assert await stage.done() == {"reboot": 1}


async def test_a_worker_that_died_before_its_call_leaves_a_doubt_and_no_call(stage: Stage) -> None:
    """Its lease runs out in `sent`: whether the call was made, nobody can know."""
    action = await stage.approved("reboot")
    async with transaction(stage.sessions) as session:
        [step] = await running.claim(session, PROFILE.name, stage.clock(), 1)
        sent = running.Note("sent", stage.clock() + running.LEASE, True, {"log": []}, sent_at=stage.clock())
        assert await running.note(session, step, sent)
    await stage.drive(seconds=60)
    assert (await stage.found(action)).phase == "sent", "while the lease holds, nobody touches it"
    await stage.drive(seconds=120)
    found = await stage.found(action)
    assert (found.state, found.reason) == ("unknown", "no_answer")
    assert not await stage.done()


async def test_a_machine_in_the_state_that_was_wanted_is_said_to_be_so(stage: Stage) -> None:
    """To start what runs is refused by the cloud; nothing is pretended."""
    what = stage.wanted("reboot")
    action = await stage.approved("start", type(what)("start", "web-1", what.lane, what.project_id, what.target))
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "conflict")


async def test_a_password_reaches_one_reader_and_no_row(stage: Stage) -> None:
    await stage.approved("password")
    await stage.drive()
    async with stage.sessions() as session:
        told = await one(session, "select payload from outbox where payload ->> 'notice' = 'secret_ready'")
        page = await one(session, "select sealed, expires_at - created_at as life from secret_page")
        everything = await rows(session, "select to_jsonb(a)::text as a from cloud_action a")
        everything += await rows(session, "select to_jsonb(e)::text as a from ticket_event e")
    url = told.payload["facts"]["url"]
    from crm.cloud import pages

    async with transaction(stage.sessions) as session:
        opened = await pages.open_once(session, url.rpartition("/")[2], stage.clock())
        again = await pages.open_once(session, url.rpartition("/")[2], stage.clock())
    assert opened is not None
    login, password = opened.login, opened.password
    assert login == "shanyrak"
    assert await stage.cloud.can_log_in(stage.customer.user, password)
    assert again is None
    assert page.life.total_seconds() == 900
    assert password.encode() not in bytes(page.sealed)
    assert not any(password in row.a for row in everything)


async def test_an_opened_cabinet_belongs_to_whoever_asked(stage: Stage) -> None:
    await stage.approved("open")
    await stage.drive()
    async with stage.sessions() as session:
        project = await one(session, "select organization_id, name, users from cloud_project")
        contact = await one(session, "select organization_id, rights from contact")
        granted = await one(session, "select resource, granted from cloud_quota")
    assert project.organization_id == contact.organization_id
    assert (project.name, list(project.users.values())) == ("pd-new-1001", ["pd-new-1001"])
    assert contact.rights == ["request", "power", "money"]
    assert (granted.resource, granted.granted) == ("vcpus", 4)


async def test_a_cabinet_never_takes_a_name_that_somebody_has(stage: Stage) -> None:
    await stage.sandbox.cloud.add_project("pd-new-1001")
    action = await stage.approved("open")
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "conflict")
    assert not await stage.done()


async def test_the_machine_is_known_as_it_was_read_back(stage: Stage) -> None:
    """At once, not with the next sweep: its state, and the entry that the cloud's own log has of it."""
    mine = stage.customer
    async with transaction(stage.sessions) as session:
        await session.rows(
            """insert into vm (desk, server_id, project_id, name, status, power, locked, vcpus, ram, log, created_at,
                               changed_at, seen_at)
               values ($1, $2, $3, 'db-1', 'SHUTOFF', 'shutdown', false, 1, 512, '[{"id": "old", "action": "create"}]',
                       $4, $4, $4)""",
            PROFILE.name,
            mine.stopped,
            mine.project,
            stage.clock(),
        )
    await stage.approved("start")
    await stage.drive()
    async with stage.sessions() as session:
        machine = await one(session, "select status, power, log from vm")
    assert (machine.status, machine.power) == ("ACTIVE", "running")
    assert [(line["action"], line.get("succeeded")) for line in machine.log] == [("start", True), ("create", None)]

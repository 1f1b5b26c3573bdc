"""`kezekshi cloud action`: an engineer at the machine does something in the cloud, watches it, decides, looks back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from app import carrying_out, cloud_action
from crm.cloud import actions, wanted
from crm.cloud.actions import Approver
from crm.cloud.models import CloudAction
from crm.cloud.rules import RIGHTS, CloudRules
from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.journal import Actor
from crm.people.service import actor_of
from crm.tickets import service
from crm.time import utcnow
from crm.wake import Waker
from scheduler.hands import Hands, Place
from tests.conformance.sandbox_stage import SandboxStage, stage
from tests.factories import DESK, NOW, PROFILE, customer, engineer, one, opened, rows, variant
from tests.integration.conftest import Command


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SandboxStage]:
    """The desk's cloud is the sandbox's."""
    async with stage() as made:
        monkeypatch.setenv("PRODATA_CLOUD", made._side.address)
        monkeypatch.setattr(carrying_out, "configure", lambda level: None)
        yield made


async def done(cloud: SandboxStage, server: str) -> dict[str, int]:
    """What was really carried out there, and how often."""
    return dict(await cloud._side.done(server))


def agreed(monkeypatch: pytest.MonkeyPatch, **rules: Any) -> Profile:
    profile = variant(cloud=CloudRules(**rules))
    monkeypatch.setattr(cloud_action, "load_profile", lambda name: profile)
    return profile


async def mirrored(sessions: Sessions, *machines: tuple[str, str]) -> None:
    """Name and id, as a sweep would have it."""
    async with transaction(sessions) as session:
        for name, server in machines:
            await session.rows(
                """insert into vm (desk, server_id, project_id, name, status, power, locked, vcpus, ram, created_at,
                                   changed_at, seen_at)
                   values ($1, $2, 'p', $3, 'ACTIVE', 'running', false, 1, 1, $4, $4, $4)""",
                DESK,
                server,
                name,
                NOW,
            )


async def action_of(sessions: Sessions) -> Any:
    async with sessions() as session:
        return await one(session, "select * from cloud_action")


async def asked(sessions: Sessions, state: str = "unknown") -> CloudAction:
    """By a customer, in a request; approved by an engineer, and then left in that state."""
    now = utcnow()
    async with transaction(sessions) as session:
        made = await opened(session, request_type="vm", now=now)
        ticket, agent = await service.load(session, DESK, made.id), await engineer(session)
        asker = (await customer(session)).actor
        what = wanted.power("reboot", "p-1", "s-1", "web-1")
        action = await actions.plan(session, PROFILE, asker, ticket, what, "key", now)
        await actions.approve(session, PROFILE, Approver(actor_of(agent), agent.rights), action.id, now)
        await session.rows(
            "update cloud_action set state = $1, next_at = null, reason = 'deadline', attempts = 1 where id = $2",
            state,
            action.id,
        )
    return action


async def test_a_machine_is_rebooted_and_watched_until_it_runs(
    desk: Command, cloud: SandboxStage, sessions: Sessions
) -> None:
    server = cloud.anna.servers["web-1"]
    code, out, err = await desk("cloud", "action", "run", "reboot", server, "--yes")
    assert (code, err) == (0, "")
    assert f"reboot web-1 ({server}), ACTIVE" in out
    assert "accepted by the cloud" in out
    assert "Done: web-1 is ACTIVE." in out
    assert await done(cloud, server) == {"reboot": 1}
    action = await action_of(sessions)
    assert (action.state, action.ticket_id, action.attempts) == ("succeeded", None, 1)
    assert (action.asked_by_name, action.approved_by_name) == ("command line", "command line")
    assert action.project_id == cloud.anna.project
    code, out, _ = await desk("cloud", "action", "show", str(action.id))
    assert code == 0
    for words in (
        "reboot web-1: succeeded",
        server,
        action.digest.hex(),
        "by command line (system)",
        "state read back",
    ):
        assert words in out


async def test_nothing_is_done_before_a_person_says_yes(
    desk: Command, cloud: SandboxStage, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(typer, "confirm", said.append)
    code, out, _ = await desk("cloud", "action", "run", "stop", cloud.anna.servers["web-1"])
    assert (code, said) == (1, ["Do it?"])
    assert "Nothing was done" in out
    async with sessions() as session:
        assert await rows(session, "select 1 from cloud_action") == []
    monkeypatch.setattr(typer, "confirm", lambda question: True)
    assert (await desk("cloud", "action", "run", "stop", cloud.anna.servers["web-1"]))[0] == 0


async def test_a_machine_is_found_by_its_name_where_only_one_has_it(
    desk: Command, cloud: SandboxStage, sessions: Sessions
) -> None:
    server = cloud.boris.servers["shop-1"]
    await mirrored(sessions, ("shop-1", server), ("web-1", "a"), ("web-1", "b"), ("gone", "c"))
    assert (await desk("cloud", "action", "run", "reboot", "shop-1", "--yes"))[0] == 0
    assert await done(cloud, server) == {"reboot": 1}
    for name, words in (("web-1", "a (project p), b (project p)"), ("gone", "cloud servers"), ("x", "cloud servers")):
        code, _, err = await desk("cloud", "action", "run", "reboot", name, "--yes")
        assert (code, err.count("\n")) == (2, 1)
        assert words in err


async def test_what_the_cloud_refuses_is_not_done_and_said(
    desk: Command, cloud: SandboxStage, sessions: Sessions
) -> None:
    code, out, _ = await desk("cloud", "action", "run", "start", cloud.anna.servers["web-1"], "--yes")
    assert code == 1
    assert "Not done: conflict." in out
    assert (await action_of(sessions)).state == "failed"


async def test_an_answer_that_never_came_is_read_back_and_nothing_done_twice(
    desk: Command, cloud: SandboxStage, sessions: Sessions
) -> None:
    server = cloud.anna.servers["web-1"]
    await cloud._side.fault("drop", what="reboot", done=True, times=1)
    code, out, _ = await desk("cloud", "action", "run", "reboot", server, "--yes")
    assert (code, "the cloud did not say" in out) == (0, True)
    assert await done(cloud, server) == {"reboot": 1}
    assert (await action_of(sessions)).state == "succeeded"


async def test_an_outcome_that_nobody_knows_is_no_success_and_says_what_to_do(
    desk: Command, cloud: SandboxStage, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(monkeypatch, patience={"reboot": 1})
    async with cloud.dead_host(cloud.zones[0]):
        code, out, _ = await desk("cloud", "action", "run", "reboot", cloud.anna.servers["web-1"], "--yes")
    action = await action_of(sessions)
    assert (code, action.state) == (1, "unknown")
    assert f"kezekshi cloud action decide {action.id} --done|--not-done|--again" in out


async def test_a_cloud_that_is_away_is_one_clear_line(desk: Command, cloud: SandboxStage, sessions: Sessions) -> None:
    async with cloud.fault("down"):
        code, out, err = await desk("cloud", "action", "run", "reboot", cloud.anna.servers["web-1"], "--yes")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "kezekshi cloud check" in err


async def test_where_something_is_going_on_nothing_else_is_begun(
    desk: Command, cloud: SandboxStage, sessions: Sessions
) -> None:
    what = wanted.power("stop", cloud.anna.project, cloud.anna.servers["web-1"], "web-1")
    async with transaction(sessions) as session:
        asker = Actor("agent", 1, "Динара")
        plan = await actions.plan(session, PROFILE, asker, None, what, "key", utcnow())
    code, _, err = await desk("cloud", "action", "run", "reboot", cloud.anna.servers["web-1"], "--yes")
    assert (code, err.count("\n")) == (2, 1)
    assert f"stop web-1 is planned already: `kezekshi cloud action show {plan.id}`" in err


@pytest.mark.parametrize(("rules", "words"), [({"two_persons": ("reboot",)}, "two persons"), (None, "no [cloud]")])
async def test_what_the_agreement_forbids_nobody_does_from_here(
    desk: Command, cloud: SandboxStage, monkeypatch: pytest.MonkeyPatch, rules: Any, words: str
) -> None:
    profile = variant(cloud=CloudRules(**rules) if rules else None)
    monkeypatch.setattr(cloud_action, "load_profile", lambda name: profile)
    code, _, err = await desk("cloud", "action", "run", "reboot", cloud.anna.servers["web-1"], "--yes")
    assert (code, err.count("\n")) == (2, 1)
    assert words in err
    assert await done(cloud, cloud.anna.servers["web-1"]) == {}


async def test_somebody_elses_action_is_left_alone(desk: Command, cloud: SandboxStage, sessions: Sessions) -> None:
    """It is due as well, and of another machine."""
    other = cloud.boris.servers["shop-1"]
    async with transaction(sessions) as session:
        asker = Actor("agent", 1, "Динара")
        what = wanted.power("stop", cloud.boris.project, other, "shop-1")
        plan = await actions.plan(session, PROFILE, asker, None, what, "key", utcnow())
        await actions.approve(session, PROFILE, Approver(asker, RIGHTS), plan.id, utcnow())
    assert (await desk("cloud", "action", "run", "reboot", cloud.anna.servers["web-1"], "--yes"))[0] == 0
    assert await done(cloud, other) == {}


async def test_with_the_role_jobs_beside_it_each_step_is_made_once(
    desk: Command, cloud: SandboxStage, sessions: Sessions, engine: AsyncEngine
) -> None:
    server = cloud.anna.servers["web-1"]
    jobs = Hands(Place(PROFILE, cloud.cloud), sessions, Waker(engine), utcnow)
    async with asyncio.TaskGroup() as group:
        group.create_task(jobs.run())
        code, out, _ = await desk("cloud", "action", "run", "reboot", server, "--yes")
        jobs.stop()
    assert (code, "Done: web-1 is ACTIVE." in out) == (0, True)
    assert await done(cloud, server) == {"reboot": 1}


async def test_actions_are_listed_by_state_and_desk(desk: Command, sessions: Sessions) -> None:
    assert "Nothing there" in (await desk("cloud", "action", "list"))[1]
    action = await asked(sessions)
    async with sessions() as session:
        reference = (await one(session, "select reference from ticket")).reference
    code, out, _ = await desk("cloud", "action", "list")
    assert code == 0
    for words in (str(action.id), "reboot web-1", "unknown", reference, "Клиент 501", "deadline"):
        assert words in out
    assert "reboot web-1" in (await desk("cloud", "action", "list", "--state", "unknown", "--desk", DESK))[1]
    assert "Nothing there" in (await desk("cloud", "action", "list", "--state", "succeeded"))[1]
    assert "Nothing there" in (await desk("cloud", "action", "list", "--desk", "genesys"))[1]


async def test_one_is_shown_whole(desk: Command, sessions: Sessions) -> None:
    action = await asked(sessions)
    code, out, _ = await desk("cloud", "action", "show", str(action.id))
    assert code == 0
    for words in (
        "reboot web-1: unknown",
        "by Клиент 501 (requester)",
        "by Инженер 900 (agent)",
        action.digest.hex(),
        "action_planned",
        "action_approved",
        "deadline",
    ):
        assert words in out
    assert "not what was approved" not in out
    code, _, err = await desk("cloud", "action", "show", "77")
    assert (code, err.count("\n"), "no action 77" in err) == (2, 1, True)


@pytest.mark.parametrize(("word", "state"), [("--done", "succeeded"), ("--not-done", "failed"), ("--again", "failed")])
async def test_an_unknown_one_is_decided_by_who_has_looked(
    desk: Command, sessions: Sessions, word: str, state: str
) -> None:
    action = await asked(sessions)
    code, out, _ = await desk("cloud", "action", "decide", str(action.id), word)
    assert code == 0
    async with sessions() as session:
        former = await one(session, "select * from cloud_action where id = :id", id=action.id)
        anew = await rows(session, "select * from cloud_action where replaces_id = :id", id=action.id)
    assert (former.state, former.decided_by_name) == (state, "command line")
    assert [(one.state, one.approved_by_name, str(one.id) in out) for one in anew] == (
        [("approved", "command line", True)] if word == "--again" else []
    )
    code, _, err = await desk("cloud", "action", "decide", str(action.id), "--done")
    assert (code, err.count("\n"), f"it is {state}" in err) == (2, 1, True)


async def test_what_is_not_there_cannot_be_decided(desk: Command, sessions: Sessions) -> None:
    code, _, err = await desk("cloud", "action", "decide", "77", "--done")
    assert (code, err.count("\n"), "no action 77" in err) == (2, 1, True)

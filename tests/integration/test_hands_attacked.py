"""What a hostile reader tried against the hands on the cloud: rights that were lost meanwhile, one person with two
names, a cloud that fails half-way, hands that nobody moves.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.cloud import actions, ending, running, waiting, wanted
from crm.cloud.actions import Approver
from crm.cloud.ending import Ending
from crm.cloud.models import CloudAction
from crm.cloud.running import Step
from crm.cloud.wanted import Wanted
from crm.db import Session, Sessions, transaction
from crm.errors import DeskError, NotAllowed, NotFound
from crm.people import organizations
from crm.people.models import Contact, Organization
from crm.people.service import actor_of
from crm.tickets import service
from crm.tickets.models import Ticket
from provider.port import Cloud, Later, Refused
from scheduler import inventory
from tests.factories import CUSTOMER, DESK, LEAD, NOW, PROFILE, customer, engineer, minutes, one, opened, rows, undone
from tests.integration.hands import Stage, staged

PASSWORD = wanted.password("p-1", "u-1", "shanyrak")
QUOTA = wanted.quota("p-1", "Шанырак", {"vcpus": 16})


@pytest.fixture
async def stage(engine: AsyncEngine, sessions: Sessions) -> AsyncIterator[Stage]:
    async with staged(engine, sessions) as made:
        yield made


async def _firm(session: Session, name: str, project: str) -> Organization:
    made = await organizations.add(session, DESK, name, NOW)
    await session.rows(
        """insert into cloud_project (desk, project_id, name, organization_id, users, enabled)
           values ($1, $2, $2, $3, '{"u-1": "shanyrak"}', true)""",
        *(DESK, project, made.id),
    )
    return made


async def _planned(sessions: Sessions, what: Wanted, asked: str = "quota") -> tuple[int, int]:
    """By an authorised contact, in a ticket of their organization; gives action and ticket."""
    async with transaction(sessions) as session:
        firm = await _firm(session, "Шанырак", "p-1")
        await _firm(session, "Өркен", "p-2")
        who = await customer(session)
        contact = await organizations.bind(session, firm, who.person_id, NOW)
        contact.rights = ["request", "power", "money"]
        made = await opened(session, request_type=asked)
        ticket = await service.load(session, DESK, made.id)
        assert ticket.organization_id == firm.id
        action = await actions.plan(session, PROFILE, who.actor, ticket, what, "k", NOW)
        return action.id, ticket.id


async def _approve(session: Session, action_id: int) -> CloudAction:
    lead = await engineer(session, LEAD, "lead")
    return await actions.approve(session, PROFILE, Approver(actor_of(lead), lead.rights), action_id, NOW)


LOST = {
    "rights": ("update contact set rights = '{request}'", NotAllowed),
    "contact": ("update contact set active = false", NotAllowed),
    "organization": ("update organization set active = false where name = 'Шанырак'", NotAllowed),
    "cabinet": ("update cloud_project set organization_id = null where project_id = 'p-1'", NotFound),
    "rebound": ("update ticket set organization_id = (select id from organization where name = 'Өркен')", NotFound),
}


@pytest.mark.parametrize("what", [PASSWORD, QUOTA], ids=["password", "quota"])
@pytest.mark.parametrize(("change", "refusal"), LOST.values(), ids=LOST)
async def test_who_lost_it_after_the_plan_gets_nothing(
    sessions: Sessions, what: Wanted, change: str, refusal: type[DeskError]
) -> None:
    action_id, _ = await _planned(sessions, what)
    async with transaction(sessions) as session:
        await session.rows(change)
    with pytest.raises(refusal):
        async with undone(sessions) as session:
            await _approve(session, action_id)


@pytest.mark.parametrize("what", [PASSWORD, QUOTA], ids=["password", "quota"])
async def test_who_still_has_it_gets_it(sessions: Sessions, what: Wanted) -> None:
    action_id, _ = await _planned(sessions, what)
    async with transaction(sessions) as session:
        assert (await _approve(session, action_id)).state == "approved"


async def test_a_password_is_not_shown_to_whoever_lost_the_right_while_it_was_made(stage: Stage) -> None:
    mine = stage.customer
    what = wanted.password(mine.project, mine.user, "shanyrak")
    async with transaction(stage.sessions) as session:
        firm = await _firm(session, "Шанырак", mine.project)
        contact = await organizations.bind(session, firm, (await customer(session)).person_id, NOW)
        contact.rights = ["power"]
    await stage.approved("password", what)
    async with transaction(stage.sessions) as session:
        await session.rows("update contact set active = false")
    await stage.drive()
    async with stage.sessions() as session:
        assert await rows(session, "select 1 from secret_page") == []
        status = (await one(session, "select status from ticket")).status
    assert await stage.told("topic") == ["action_planned", "action_succeeded", "secret_undelivered"]
    assert status == "new", "somebody has to see to it"


async def test_four_eyes_are_not_those_of_one_person_with_two_names(sessions: Sessions) -> None:
    """An engineer who writes to the bot as a customer approves nothing of what they asked for there."""
    async with transaction(sessions) as session:
        both = await engineer(session, CUSTOMER, "lead")
        ticket = await service.load(session, DESK, (await opened(session, request_type="quota")).id)
        asker = (await customer(session)).actor
        action = await actions.plan(session, PROFILE, asker, ticket, QUOTA, "k", NOW)
    with pytest.raises(NotAllowed) as refused:
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, Approver(actor_of(both), both.rights), action.id, NOW)
    assert refused.value.facts["what"] == "own_plan"
    async with transaction(sessions) as session:
        assert (await _approve(session, action.id)).state == "approved"


async def test_rights_in_one_organization_are_none_in_another(sessions: Sessions) -> None:
    """`/organization` moves a contact."""
    await _planned(sessions, QUOTA)
    async with transaction(sessions) as session:
        other = await organizations.find(session, DESK, "Өркен")
        moved = await organizations.bind(session, other, (await customer(session)).person_id, NOW)
        assert list(moved.rights) == []


async def test_a_cabinet_more_makes_nobody_master_of_those_that_are_there(stage: Stage) -> None:
    """Asked for by somebody new, whose ticket a lead then put under an organization that has cabinets."""
    async with transaction(stage.sessions) as session:
        made = await opened(session, now=stage.clock(), request_type="cabinet")
        ticket = await service.load(session, DESK, made.id)
        firm = await _firm(session, "Өркен", "p-2")
        what = wanted.cabinet(ticket.id, "pd-new-1001", {"vcpus": 4}, None, "Новый клиент")
        action = await actions.plan(session, PROFILE, (await customer(session)).actor, ticket, what, "k", stage.clock())
        ticket.organization_id = firm.id
        await organizations.bind(session, firm, ticket.requester_id, stage.clock())
        await session.flush()
        await _approve(session, action.id)
    await stage.drive()
    assert (await stage.found(action)).state == "succeeded"
    async with stage.sessions() as session:
        assert list((await one(session, "select rights from contact")).rights) == []


# --- a cloud that fails half-way ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["password", "open"])
@pytest.mark.parametrize("error", [Later("busy"), Refused("forbidden", "no")], ids=["later", "refused"])
@pytest.mark.parametrize("call", ["set_password", "can_log_in"])
async def test_what_was_half_done_is_neither_undone_nor_done_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, call: str, error: Exception
) -> None:
    if (kind, call) == ("password", "set_password"):
        pytest.skip("nothing was done before that")

    async def fails(*_: Any) -> bool:
        raise error

    monkeypatch.setattr(stage.cloud, call, fails)
    action = await stage.approved(kind)
    await stage.drive()
    found, done = await stage.found(action), await stage.done()
    assert (found.state, found.reason) == ("unknown", "no_answer")
    assert all(count <= 1 for count in done.values()), done


async def test_a_cabinet_that_was_half_opened_is_gone_on_with(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> bool:
        raise Later("busy")

    with monkeypatch.context() as broken:
        broken.setattr(stage.cloud, "set_password", fails)
        action = await stage.approved("open")
        await stage.drive()
    async with transaction(stage.sessions) as session:
        lead = await engineer(session, LEAD, "lead")
        made = await ending.again(session, PROFILE, Approver(actor_of(lead), lead.rights), action.id, stage.clock())
    await stage.drive()
    assert (await stage.found(made)).state == "succeeded"
    assert "secret_ready" in await stage.told("requester")


@pytest.mark.parametrize("kind", ["reboot", "link", "password"])
@pytest.mark.parametrize("part", ["before", "call", "look"])
async def test_an_answer_that_nobody_foresaw_keeps_nothing_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str, part: str
) -> None:
    from dataclasses import replace

    from scheduler import carriers

    async def breaks(cloud: Cloud, step: Step) -> Any:
        raise KeyError("status")

    monkeypatch.setitem(carriers.CARRIERS, kind, replace(carriers.CARRIERS[kind], **{part: breaks}))
    action = await stage.approved(kind)
    await stage.drive(700)
    found = await stage.found(action)
    assert found.state in ("failed", "unknown") or (kind, part) == ("password", "look")
    assert all(count <= 1 for count in (await stage.done()).values())
    if part == "before":
        assert (found.state, found.reason, await stage.done()) == ("failed", "unreachable", {})


# --- hands that nobody moves ----------------------------------------------------------------------------------


async def test_what_was_approved_long_ago_is_not_done_out_of_the_blue(stage: Stage) -> None:
    action = await stage.approved("reboot")
    stage.clock.move(seconds=3601)
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason, await stage.done()) == ("failed", "late", {})
    assert "action_failed" in await stage.told("requester")


# --- what a person says of an unknown one ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["password", "open"])
async def test_a_password_that_nobody_has_is_never_said_to_be_done(sessions: Sessions, kind: str) -> None:
    what = PASSWORD if kind == "password" else wanted.cabinet(1, "pd-1", {"vcpus": 4}, None, "Новый")
    async with transaction(sessions) as session:
        ticket: Ticket = await service.load(session, DESK, (await opened(session, request_type="password")).id)
        action = await actions.plan(session, PROFILE, (await customer(session)).actor, ticket, what, "k", NOW)
        await _approve(session, action.id)
        [step] = await running.claim(session, DESK, NOW, 10)
        await ending.end(session, PROFILE, step, Ending("unknown", "no_answer"), NOW)
        lead = await engineer(session, LEAD, "lead")
    by = Approver(actor_of(lead), lead.rights)
    with pytest.raises(NotAllowed) as refused:
        async with undone(sessions) as session:
            await ending.decide(session, PROFILE, by, action.id, True, NOW + minutes(1))
    assert refused.value.facts["what"] == "nobody_has_it"


async def test_a_contact_is_what_it_was_when_bound_anew(sessions: Sessions) -> None:
    """The same organization once more takes nothing away."""
    await _planned(sessions, QUOTA)
    async with transaction(sessions) as session:
        same = await organizations.find(session, DESK, "Шанырак")
        contact: Contact = await organizations.bind(session, same, (await customer(session)).person_id, NOW)
        assert list(contact.rights) == ["request", "power", "money"]


async def test_the_engineers_hear_once_of_what_nobody_carries_out(stage: Stage) -> None:
    action = await stage.approved("reboot")
    without = PROFILE.model_copy(update={"cloud": None})

    async def sweep() -> int:
        async with transaction(stage.sessions) as session:
            return await waiting.sweep(session, without, stage.clock(), 100)

    assert await sweep() == 0
    stage.clock.move(seconds=301)
    assert [await sweep() for _ in range(2)] == [1, 0]
    assert await stage.told("topic") == ["action_planned", "action_waits"]
    assert (await stage.found(action)).state == "approved"


async def test_plans_expire_also_where_the_cloud_was_taken_away(sessions: Sessions) -> None:
    action_id, _ = await _planned(sessions, QUOTA)
    plans = next(job for job in inventory.WATCH if job.id == "plans")
    without = PROFILE.model_copy(update={"cloud": None})
    assert await plans.sweep(sessions, [without], NOW + minutes(61)) == 1
    async with sessions() as session:
        assert (await one(session, "select state from cloud_action where id = :id", id=action_id)).state == "expired"


@pytest.mark.parametrize("meanwhile", [100, -1])
async def test_a_raise_that_would_lower_what_somebody_allowed_meanwhile_is_not_made(
    stage: Stage, meanwhile: int
) -> None:
    action = await stage.approved("quota")
    await stage.cloud.set_quotas(stage.customer.project, {"vcpus": meanwhile})
    made = await stage.done()
    await stage.drive()
    found = await stage.found(action)
    assert (found.state, found.reason) == ("failed", "conflict")
    assert await stage.done() == made
    assert (await stage.cloud.quotas(stage.customer.project))["vcpus"].limit == meanwhile

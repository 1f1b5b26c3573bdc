"""Plan and approval, with the database itself: frozen, decided once, by whoever may."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from crm.cloud import actions, ending, running, wanted
from crm.cloud.actions import Approver
from crm.cloud.ending import Ending
from crm.cloud.models import CloudAction
from crm.db import Session, Sessions, transaction
from crm.errors import DeskError, Expired, NotAllowed, UnderWay, WrongStatus
from crm.journal import Actor
from crm.people.models import Agent
from crm.people.service import actor_of
from crm.tickets import service, work
from crm.tickets.models import Ticket
from tests.factories import ENGINEER, LEAD, NOW, PROFILE, customer, engineer, minutes, one, opened, rows, undone

REBOOT = wanted.power("reboot", "p-1", "s-1", "web-1")
QUOTA = wanted.quota("p-1", "Шанырак", {"vcpus": 16})


async def _ticket(session: Session, kind: str = "vm") -> Ticket:
    made = await opened(session, words="web-1 завис", request_type=kind)
    return await service.load(session, PROFILE.name, made.id)


async def _asker(session: Session) -> Actor:
    return (await customer(session)).actor


async def _plan(session: Session, what: wanted.Wanted = REBOOT, key: str = "k", kind: str = "vm") -> CloudAction:
    ticket = await _ticket(session, kind)
    return await actions.plan(session, PROFILE, await _asker(session), ticket, what, key, NOW)


def _approver(agent: Agent, *rights: str) -> Approver:
    return Approver(actor_of(agent), rights or agent.rights)


async def test_a_plan_is_written_down_with_its_hash_and_shown_to_the_engineers(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action = await _plan(session)
    async with sessions() as session:
        event = await one(session, "select actor_kind, data from ticket_event where kind = 'action_planned'")
        said = await one(session, "select payload from outbox where payload ->> 'notice' = 'action_planned'")
    assert (action.state, action.digest, action.expires_at) == ("planned", REBOOT.digest, NOW + minutes(60))
    assert (event.actor_kind, event.data["what"]["digest"]) == ("requester", REBOOT.digest.hex())
    assert said.payload["facts"]["action"] == action.id


async def test_the_same_key_is_the_same_action(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, asker = await _ticket(session), await _asker(session)
        made = [(await actions.plan(session, PROFILE, asker, ticket, REBOOT, "k", NOW)).id for _ in range(3)]
    assert len(set(made)) == 1


async def test_of_one_machine_only_one_thing_is_under_way(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, asker = await _ticket(session), await _asker(session)
        await actions.plan(session, PROFILE, asker, ticket, REBOOT, "k", NOW)
    stop = wanted.power("stop", "p-1", "s-1", "web-1")
    with pytest.raises(UnderWay) as refused:
        async with undone(sessions) as session:
            await actions.plan(session, PROFILE, asker, ticket, stop, "other", NOW)
    assert refused.value.facts["reference"] == ticket.reference


async def test_twenty_plans_at_once_are_one(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, asker = await _ticket(session), await _asker(session)

    async def press(number: int) -> int | None:
        try:
            async with transaction(sessions) as session:
                return (await actions.plan(session, PROFILE, asker, ticket, REBOOT, f"k{number}", NOW)).id
        except UnderWay:
            return None

    made = await asyncio.gather(*(press(number) for number in range(20)))
    assert len([one for one in made if one]) == 1


@pytest.mark.parametrize("column", ['parameters = \'{"limits": {"vcpus": 400}}\'', "target = 's-2'", "kind = 'stop'"])
async def test_what_is_planned_does_not_change(sessions: Sessions, column: str) -> None:
    async with transaction(sessions) as session:
        await _plan(session)
    with pytest.raises(DBAPIError, match="does not change"):
        async with transaction(sessions) as session:
            await rows(session, f"update cloud_action set {column} returning id")


async def test_nothing_that_was_done_is_removed(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await _plan(session)
    with pytest.raises(DBAPIError, match="keeps what was done"):
        async with transaction(sessions) as session:
            await rows(session, "delete from cloud_action returning id")


async def _tampered(sessions: Sessions, change: str) -> None:
    """By somebody who owns the database."""
    async with transaction(sessions) as session:
        await session.rows("alter table cloud_action disable trigger keep_cloud_action")
        await session.rows(f"update cloud_action set {change}")
        await session.rows("alter table cloud_action enable trigger keep_cloud_action")


async def test_a_plan_that_was_changed_cannot_be_approved(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
    await _tampered(sessions, "target = 's-2'")
    with pytest.raises(WrongStatus) as refused:
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, _approver(agent), action.id, NOW)
    assert refused.value.facts["state"] == "changed"


@pytest.mark.parametrize("change", ["target = 's-2'", "digest = '\\x00'", "parameters = '{\"a\": 1}'"])
async def test_what_was_changed_after_its_approval_is_not_what_was_approved(sessions: Sessions, change: str) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
        await actions.approve(session, PROFILE, _approver(agent), action.id, NOW)
    await _tampered(sessions, change)
    async with transaction(sessions) as session:
        [step] = await running.claim(session, PROFILE.name, NOW, 10)
    assert not step.unchanged


async def test_who_approves_needs_the_right(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session, QUOTA, kind="quota"), await engineer(session)
    with pytest.raises(NotAllowed) as refused:
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, _approver(agent), action.id, NOW)
    assert refused.value.facts["what"] == "money"


async def test_four_eyes(sessions: Sessions) -> None:
    """Whoever planned it does not approve it, whatever their rights; a colleague does."""
    async with transaction(sessions) as session:
        lead = await engineer(session, LEAD, "lead")
        other = await engineer(session, ENGINEER, "lead")
        ticket = await _ticket(session, "quota")
        action = await actions.plan(session, PROFILE, actor_of(lead), ticket, QUOTA, "k", NOW)
    with pytest.raises(NotAllowed) as refused:
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, _approver(lead), action.id, NOW)
    assert refused.value.facts["what"] == "own_plan"
    async with transaction(sessions) as session:
        approved = await actions.approve(session, PROFILE, _approver(other), action.id, NOW)
    assert (approved.state, approved.approved_by_id) == ("approved", other.id)


async def test_an_expired_plan_is_void(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
    late = NOW + minutes(60)
    with pytest.raises(Expired):
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, _approver(agent), action.id, late)
    async with transaction(sessions) as session:
        assert await actions.expire(session, PROFILE, late) == 1
        assert await actions.expire(session, PROFILE, late) == 0
    async with sessions() as session:
        found = await one(session, "select state from cloud_action")
        told = await rows(session, "select 1 from outbox where payload ->> 'notice' = 'action_expired'")
    assert (found.state, len(told)) == ("expired", 2)


async def test_twenty_approvals_at_once_are_one(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action = await _plan(session)
        agents = [await engineer(session, 950 + number) for number in range(4)]

    async def press(agent: Agent) -> str:
        try:
            async with transaction(sessions) as session:
                await actions.approve(session, PROFILE, _approver(agent), action.id, NOW)
                return "approved"
        except WrongStatus:
            return "late"

    said = await asyncio.gather(*(press(agent) for agent in agents * 5))
    assert sorted(said) == ["approved"] + ["late"] * 19


async def test_nobody_approves_what_its_ticket_does_not_ask_for_any_more(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
        await service.withdraw(session, PROFILE, await customer(session), action.ticket_id or 0, NOW)
    with pytest.raises(WrongStatus):
        async with undone(sessions) as session:
            await actions.approve(session, PROFILE, _approver(agent), action.id, NOW)


async def test_own_word_is_enough_only_where_the_agreement_says_so(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        asker = await _asker(session)
        own, dear = await _plan(session), await _plan(session, QUOTA, "q", "quota")
        await actions.approve_own(session, PROFILE, asker, own.id, NOW)
    with pytest.raises(NotAllowed):
        async with undone(sessions) as session:
            await actions.approve_own(session, PROFILE, asker, dear.id, NOW)
    stranger = Actor("requester", 999, "Чужой")
    async with transaction(sessions) as session:
        other = await actions.plan(
            session, PROFILE, asker, await _ticket(session), wanted.power("stop", "p", "s-9", "x"), "s", NOW
        )
    with pytest.raises(NotAllowed):
        async with undone(sessions) as session:
            await actions.approve_own(session, PROFILE, stranger, other.id, NOW)


async def test_a_refusal_is_told_with_its_reason(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
        refused = await actions.refuse(session, PROFILE, _approver(agent), action.id, NOW, "Идут работы")
    async with sessions() as session:
        told = await one(session, "select payload from outbox where payload ->> 'notice' = 'action_refused'")
    assert (refused.state, told.payload["facts"]["reason"]) == ("refused", "Идут работы")


async def _running(sessions: Sessions, what: wanted.Wanted = REBOOT, kind: str = "vm") -> running.Step:
    async with transaction(sessions) as session:
        action, lead = await _plan(session, what, kind=kind), await engineer(session, LEAD, "lead")
        await actions.approve(session, PROFILE, _approver(lead), action.id, NOW)
        [step] = await running.claim(session, PROFILE.name, NOW, 10)
    return step


async def _ended(sessions: Sessions, step: running.Step, how: Ending, now: Any = NOW) -> CloudAction | None:
    async with transaction(sessions) as session:
        return await ending.end(session, PROFILE, step, how, now)


async def test_a_verified_success_resolves_its_ticket_with_the_time_taken(sessions: Sessions) -> None:
    step = await _running(sessions)
    await _ended(sessions, step, Ending("succeeded", observed={"server": {}}), NOW + minutes(2))
    async with sessions() as session:
        ticket = await one(session, "select status from ticket")
        told = await one(
            session,
            """select payload from outbox
               where payload ->> 'notice' = 'action_succeeded' and payload ->> 'to' = 'requester'""",
        )
        unmet = await rows(session, "select metric from sla_target where met_at is null")
    facts = told.payload["facts"]
    assert (ticket.status, facts["seconds"], facts["promised"], facts["resolved"]) == ("resolved", 120, 600, True)
    assert unmet == []


@pytest.mark.parametrize("kind", ["outage", "quota"])
async def test_a_ticket_that_asked_for_more_than_that_is_not_resolved_by_it(sessions: Sessions, kind: str) -> None:
    step = await _running(sessions, kind=kind)
    await _ended(sessions, step, Ending("succeeded"))
    async with sessions() as session:
        assert (await one(session, "select status from ticket")).status == "new"


async def test_whoever_overslept_ends_nothing(sessions: Sessions) -> None:
    step = await _running(sessions)
    async with transaction(sessions) as session:
        [again] = await running.claim(session, PROFILE.name, NOW + running.LEASE, 10)
    assert await _ended(sessions, step, Ending("failed", "conflict")) is None
    assert await _ended(sessions, again, Ending("succeeded")) is not None


async def test_an_unknown_one_is_decided_by_a_person_once(sessions: Sessions) -> None:
    step = await _running(sessions)
    await _ended(sessions, step, Ending("unknown", "no_answer"))
    async with transaction(sessions) as session:
        lead = await engineer(session, LEAD, "lead")
        decided = await ending.decide(session, PROFILE, _approver(lead), step.id, True, NOW + minutes(1))
    assert (decided.state, decided.decided_by_id) == ("succeeded", lead.id)
    with pytest.raises(WrongStatus):
        async with undone(sessions) as session:
            await ending.decide(session, PROFILE, _approver(lead), step.id, False, NOW + minutes(1))


async def test_again_is_a_new_action_and_keeps_the_lane(sessions: Sessions) -> None:
    step = await _running(sessions)
    await _ended(sessions, step, Ending("unknown", "no_answer"))
    async with transaction(sessions) as session:
        lead = await engineer(session, LEAD, "lead")
        made = await ending.again(session, PROFILE, _approver(lead), step.id, NOW + minutes(1))
    async with sessions() as session:
        states = await rows(session, "select id, state, replaces_id, reason from cloud_action order by id")
    assert [(s.state, s.replaces_id) for s in states] == [("failed", None), ("approved", step.id)]
    assert made.id == states[1].id
    with pytest.raises(WrongStatus):
        async with undone(sessions) as session:
            await ending.again(session, PROFILE, _approver(lead), step.id, NOW + minutes(2))


@pytest.mark.parametrize("done", [True, False])
async def test_a_decision_needs_the_right_of_an_approval(sessions: Sessions, done: bool) -> None:
    step = await _running(sessions, QUOTA, "quota")
    await _ended(sessions, step, Ending("unknown", "no_answer"))
    async with transaction(sessions) as session:
        agent = await engineer(session, ENGINEER)
    with pytest.raises(DeskError):
        async with undone(sessions) as session:
            await ending.decide(session, PROFILE, _approver(agent), step.id, done, NOW)


async def test_a_customer_of_a_solved_ticket_may_still_say_that_it_is_not(sessions: Sessions) -> None:
    step = await _running(sessions)
    await _ended(sessions, step, Ending("succeeded"))
    async with transaction(sessions) as session:
        ticket = await service.reject(session, PROFILE, await customer(session), step.ticket_id or 0, NOW + minutes(5))
        assert ticket.status == "open"
        lead = await engineer(session, LEAD, "lead")
        await work.resolve(session, PROFILE, lead, ticket.id, NOW + minutes(6))


async def test_a_plan_of_a_ticket_that_has_ended_frees_its_place(sessions: Sessions) -> None:
    """Quietly: nobody waits for it. Whoever wants the same again need not wait until it has expired."""
    async with transaction(sessions) as session:
        action, agent = await _plan(session), await engineer(session)
        await work.decline(session, PROFILE, agent, action.ticket_id or 0, "Не нужно", NOW)
    async with transaction(sessions) as session:
        assert await actions.expire(session, PROFILE, NOW) == 1
        again = await _plan(session, key="again")
    async with sessions() as session:
        states = await rows(session, "select state from cloud_action order by id")
        told = await rows(session, "select 1 from outbox where payload ->> 'notice' ~ '^action_(expired|refused)'")
    assert ([row.state for row in states], told) == (["cancelled", "planned"], [])
    assert again.id != action.id

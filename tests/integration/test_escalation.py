"""What steps do: whom they tell and when, what they change, and that each is done once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.people import roster
from crm.people.models import Agent
from crm.people.shifts import Shift
from crm.sla.policy import Policy, Promise, Step
from crm.sla.spec import CalendarSpec
from crm.sla.sweep import sweep
from crm.tickets import queries, service, work
from tests.factories import (
    GROUP,
    LEAD,
    NOW,
    connected,
    customer,
    engineer,
    minutes,
    one,
    opened,
    rows,
    variant,
    written,
)

NIGHT_ENGINEER = 910
# NOW is a Sunday, 14:00 in Almaty.
DAYS, NIGHTS = [Shift(n, 540, 1200) for n in range(7)], [Shift(n, 1200, 1980) for n in range(7)]
OFFICE = CalendarSpec(timezone="Asia/Almaty", hours={"mon-sun": [["09:00", "18:00"]]})


def desk(*steps: Step, policies: tuple[Policy, ...] = (), **more: Any) -> Profile:
    """One promise: an answer, in ten minutes at any hour; the solution is far away."""
    far = Policy(first_response=Promise(minutes=10), resolution=Promise(minutes=100_000))
    only = tuple(step.model_copy(update={"metrics": step.metrics or ("first_response",)}) for step in steps)
    return variant(escalations=only, policies=(*policies, far), **more)


async def team(session: Session) -> tuple[Agent, Agent]:
    """The group, an engineer, and a lead who is not on duty."""
    await connected(session)
    agent, lead = await engineer(session), await engineer(session, LEAD, "lead")
    lead.on_duty = False
    return agent, lead


async def first_answer_given(session: Session) -> None:
    """Only the other promises are of interest."""
    await rows(
        session,
        "update sla_target set met_at = started_at, next_at = null where metric = 'first_response' returning id",
    )


async def swept(sessions: Sessions, profile: Profile, now: datetime) -> int:
    async with transaction(sessions) as session:
        return await sweep(session, profile, now)


async def told(sessions: Sessions) -> list[tuple[str, list[int]]]:
    """Notices of the clock in their order, and whom each calls."""
    async with sessions() as session:
        found = await rows(
            session,
            """select payload ->> 'notice' as n, payload -> 'facts' as f from outbox
               where payload ->> 'notice' in ('warned', 'breached', 'escalated') order by id""",
        )
    return [(row.n, [agent["id"] for agent in row.f["mention"]]) for row in found]


async def broken_at(sessions: Sessions, metric: str = "first_response") -> datetime:
    async with sessions() as session:
        found = await one(session, "select breached_at from sla_target where metric = :m", m=metric)
    moment: datetime = found.breached_at
    return moment


async def facts(sessions: Sessions) -> dict[str, Any]:
    async with sessions() as session:
        found = await rows(
            session,
            """select payload -> 'facts' as f from outbox
               where payload ->> 'notice' in ('warned', 'breached', 'escalated') order by id""",
        )
    return dict(found[-1].f)


# --- whom --------------------------------------------------------------------------------------------------------

LADDER = (Step(share=0.5), Step(share=1, tell=("assignee", "lead")), Step(after=30, tell=("lead",)))


async def test_first_whoever_has_it_then_the_lead_too_then_the_lead(sessions: Sessions) -> None:
    profile = desk(*LADDER)
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        await engineer(session, NIGHT_ENGINEER)
        ticket = await opened(session, profile=profile)
        await work.take(session, profile, agent, ticket.id, NOW)
    for minute in (5, 10, 39, 40, 41):
        await swept(sessions, profile, NOW + minutes(minute))
    assert await told(sessions) == [
        ("warned", [agent.telegram_id]),
        ("breached", [agent.telegram_id, lead.telegram_id]),
        ("escalated", [lead.telegram_id]),
    ]


async def test_whoever_sleeps_is_not_called_while_somebody_is_awake(sessions: Sessions) -> None:
    profile = desk(*LADDER)
    evening = NOW + minutes(6 * 60 - 6)  # 19:54
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        other = await engineer(session, NIGHT_ENGINEER)
        await roster.add_shifts(session, agent, DAYS)
        await roster.add_shifts(session, other, NIGHTS)
        ticket = await opened(session, now=evening, profile=profile)
        await work.take(session, profile, agent, ticket.id, evening)
    await swept(sessions, profile, evening + minutes(5))
    await swept(sessions, profile, evening + minutes(10))
    assert await told(sessions) == [("warned", [agent.telegram_id]), ("breached", [NIGHT_ENGINEER, LEAD])]


async def test_where_nobody_is_on_duty_the_leads_are_told(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, tell=("on_duty",)), Step(share=0.8), Step(share=1))
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        agent.on_duty = False
        ticket = await opened(session, profile=profile)
        await work.take(session, profile, agent, ticket.id, NOW)
    await swept(sessions, profile, NOW + minutes(5))
    await swept(sessions, profile, NOW + minutes(8))
    assert await told(sessions) == [("warned", [lead.telegram_id])] * 2


async def test_of_several_leads_the_one_on_duty_is_told(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, tell=("lead",)))
    async with transaction(sessions) as session:
        await team(session)
        await engineer(session, NIGHT_ENGINEER, "lead")
        await opened(session, profile=profile)
    await swept(sessions, profile, NOW + minutes(5))
    assert await told(sessions) == [("warned", [NIGHT_ENGINEER])]


async def test_after_a_sweep_that_was_down_everybody_whom_a_step_tells_is_told_once(sessions: Sessions) -> None:
    profile = desk(*LADDER)
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        ticket = await opened(session, profile=profile)
    await swept(sessions, profile, NOW + minutes(60))
    await swept(sessions, profile, NOW + minutes(61))
    assert await told(sessions) == [("escalated", [agent.telegram_id, lead.telegram_id])]
    async with sessions() as session:
        story = [event.kind for event in await journal.story(session, ticket.id)]
        assert (await one(session, "select breached_at from sla_target where metric = 'first_response'"))[
            0
        ] == NOW + minutes(10)
    assert story == ["opened", "breached", "escalated"]


async def test_an_answer_ends_it(sessions: Sessions) -> None:
    profile = desk(*LADDER)
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        ticket = await opened(session, profile=profile)
    await swept(sessions, profile, NOW + minutes(10))
    async with transaction(sessions) as session:
        await work.write(session, profile, agent, ticket.id, "public", written("Смотрим", GROUP), NOW + minutes(20))
    assert await swept(sessions, profile, NOW + minutes(60)) == 0


# --- when --------------------------------------------------------------------------------------------------------


async def test_what_waits_for_the_morning_is_not_lost_and_says_how_it_stands_by_then(sessions: Sessions) -> None:
    """Nobody is woken by the warning; the breach, which wakes the lead, does not swallow it."""
    steps = (Step(share=0.5, hours="office"), Step(share=1, tell=("lead",)))
    profile = desk(*steps, calendars={**variant().calendars, "office": OFFICE})
    midnight = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        ticket = await opened(session, now=midnight, profile=profile)
    for minute in (5, 6, 10, 11):
        await swept(sessions, profile, midnight + minutes(minute))
    assert await told(sessions) == [("breached", [lead.telegram_id])]
    morning = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    assert await swept(sessions, profile, morning - minutes(1)) == 0
    assert await swept(sessions, profile, morning) == 1
    assert await swept(sessions, profile, morning + timedelta(days=1)) == 0
    assert await told(sessions) == [("breached", [lead.telegram_id]), ("breached", [agent.telegram_id])]
    async with sessions() as session:
        story = [event.kind for event in await journal.story(session, ticket.id)]
    assert await broken_at(sessions) == midnight + minutes(10)
    assert story == ["opened", "breached", "warned"]


async def test_who_answers_in_the_night_is_not_called_in_the_morning(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, hours="office"), calendars={**variant().calendars, "office": OFFICE})
    midnight = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        ticket = await opened(session, now=midnight, profile=profile)
        await work.write(session, profile, agent, ticket.id, "public", written("Смотрим", GROUP), midnight + minutes(7))
    assert await swept(sessions, profile, midnight + timedelta(days=1)) == 0
    assert await told(sessions) == []


# --- reassigned --------------------------------------------------------------------------------------------------


async def test_it_goes_to_another_who_is_called_and_the_card_is_drawn_anew(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, reassign=True, tell=("lead",)))
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        other = await engineer(session, NIGHT_ENGINEER)
        ticket = await opened(session, profile=profile)
        await work.take(session, profile, agent, ticket.id, NOW)
        await rows(session, "delete from outbox where kind = 'card' returning id")
    await swept(sessions, profile, NOW + minutes(5))
    assert await told(sessions) == [("warned", [other.telegram_id, lead.telegram_id])]
    assert (await facts(sessions))["assigned"] == other.name
    async with sessions() as session:
        assert (await one(session, "select assignee_id from ticket")).assignee_id == other.id
        assert (await journal.story(session, ticket.id))[-1].data == {"agent": other.name}
        assert len(await rows(session, "select 1 from outbox where kind = 'card'")) == 1


async def test_the_new_assignee_is_called_once(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, reassign=True))
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        await opened(session, profile=profile)
    await swept(sessions, profile, NOW + minutes(5))
    assert await told(sessions) == [("warned", [agent.telegram_id])]


async def test_without_another_it_stays_where_it_is(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, reassign=True))
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        ticket = await opened(session, profile=profile)
        await work.take(session, profile, agent, ticket.id, NOW)
    await swept(sessions, profile, NOW + minutes(5))
    async with sessions() as session:
        assert (await one(session, "select assignee_id from ticket")).assignee_id == agent.id
    assert await told(sessions) == [("warned", [agent.telegram_id])]
    assert "assigned" not in await facts(sessions)


# --- the priority is raised --------------------------------------------------------------------------------------

BY_PRIORITY = (
    Policy(priorities=frozenset({"high"}), resolution=Promise(minutes=600)),
    Policy(priorities=frozenset({"urgent"}), resolution=Promise(minutes=60)),
    Policy(priorities=frozenset({"normal"}), resolution=Promise(minutes=1000)),
)
RAISED = Step(share=0.5, metrics=("resolution",), raise_priority=True)


async def retyped(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        found = await rows(
            session, "select payload -> 'facts' ->> 'due_at' as at from outbox where payload ->> 'notice' = 'retyped'"
        )
    return [row.at for row in found]


async def test_the_promise_moves_with_the_priority_and_the_customer_is_told(sessions: Sessions) -> None:
    profile = desk(RAISED, policies=BY_PRIORITY)
    async with transaction(sessions) as session:
        await team(session)
        ticket = await opened(session, profile=profile)
        await first_answer_given(session)
    assert await swept(sessions, profile, NOW + minutes(500)) == 1
    assert await retyped(sessions) == [(NOW + minutes(600)).isoformat()]
    assert (await facts(sessions))["raised"] == "high"
    async with sessions() as session:
        assert (await one(session, "select priority from ticket")).priority == "high"
        target = await one(session, "select * from sla_target where metric = 'resolution'")
        kinds = [event.kind for event in await journal.story(session, ticket.id)]
    assert (target.due_at, target.next_at, target.budget) == (NOW + minutes(600), NOW + minutes(600), 36_000)
    assert kinds == ["opened", "warned", "priority"]


async def test_a_shorter_promise_does_not_go_through_its_steps_again(sessions: Sessions) -> None:
    """Otherwise half of the shorter time would be over as well, and the priority raised once more."""
    profile = desk(RAISED, policies=BY_PRIORITY)
    async with transaction(sessions) as session:
        await team(session)
        await opened(session, profile=profile)
        await first_answer_given(session)
    await swept(sessions, profile, NOW + minutes(500))
    for minute in (501, 502, 599):
        assert await swept(sessions, profile, NOW + minutes(minute)) == 0
    await swept(sessions, profile, NOW + minutes(600))
    async with sessions() as session:
        assert (await one(session, "select priority from ticket")).priority == "high"
    assert [notice for notice, _ in await told(sessions)] == ["warned", "breached"]


async def test_the_customer_is_not_promised_a_time_that_is_over(sessions: Sessions) -> None:
    profile = desk(RAISED, policies=BY_PRIORITY)
    async with transaction(sessions) as session:
        await team(session)
        ticket = await opened(session, profile=profile)
        await work.set_priority(session, profile, await engineer(session), ticket.id, "high", NOW)
        await first_answer_given(session)
        await rows(session, "delete from outbox where payload ->> 'notice' = 'retyped' returning id")
    await swept(sessions, profile, NOW + minutes(300))
    assert await retyped(sessions) == []
    await swept(sessions, profile, NOW + minutes(301))
    async with sessions() as session:
        target = await one(session, "select * from sla_target where metric = 'resolution'")
    assert target.breached_at == target.due_at == NOW + minutes(60)


async def test_nothing_is_more_than_urgent(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, raise_priority=True), policies=BY_PRIORITY)
    async with transaction(sessions) as session:
        await team(session)
        await opened(session, profile=profile, request_type="outage")
    await swept(sessions, profile, NOW + minutes(5))
    assert "raised" not in await facts(sessions)
    async with sessions() as session:
        assert (await one(session, "select priority from ticket")).priority == "urgent"


async def test_a_promise_that_the_new_priority_does_not_make_says_nothing_more(sessions: Sessions) -> None:
    """Both are due in the same batch; the first step takes the second promise back."""
    inform = Policy(priorities=frozenset({"normal"}), inform=Promise(minutes=5))
    profile = desk(Step(share=0.5, raise_priority=True), Step(share=1, metrics=("inform",)), policies=(inform,))
    async with transaction(sessions) as session:
        await team(session)
        await opened(session, profile=profile)
    assert await swept(sessions, profile, NOW + minutes(5)) == 2
    assert [notice for notice, _ in await told(sessions)] == ["warned"]
    async with sessions() as session:
        left = await rows(session, "select metric from sla_target order by id")
    assert [row.metric for row in left] == ["first_response", "resolution"]


# --- rounds of word to the customer ------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["answered", "withdrawn"])
async def test_a_round_that_is_followed_by_another_does_not_go_on_escalating(sessions: Sessions, end: str) -> None:
    inform = Policy(inform=Promise(minutes=30))
    steps = (Step(share=1, metrics=("inform",)), Step(after=20, metrics=("inform",), tell=("lead",)))
    profile = desk(*steps, policies=(inform,))
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        ticket = await opened(session, profile=profile)
        await first_answer_given(session)
    await swept(sessions, profile, NOW + minutes(30))
    async with transaction(sessions) as session:
        if end == "answered":
            words = written("Ещё чиним", GROUP)
            await work.write(session, profile, agent, ticket.id, "public", words, NOW + minutes(40))
        else:
            await service.withdraw(session, profile, await customer(session), ticket.id, NOW + minutes(40))
    assert await swept(sessions, profile, NOW + minutes(60)) == 0
    assert [notice for notice, _ in await told(sessions)] == ["breached"]
    # Silence from the answer on is measured anew.
    assert await swept(sessions, profile, NOW + minutes(70)) == (end == "answered")


async def test_the_board_forgets_a_missed_round_once_the_customer_has_heard(sessions: Sessions) -> None:
    profile = desk(policies=(Policy(inform=Promise(minutes=30)),))
    async with transaction(sessions) as session:
        agent, _ = await team(session)
        ticket = await opened(session, profile=profile)
        await first_answer_given(session)
    await swept(sessions, profile, NOW + minutes(30))
    async with transaction(sessions) as session:
        words = written("Ещё чиним", GROUP)
        await work.write(session, profile, agent, ticket.id, "public", words, NOW + minutes(40))
        [[row], _] = await queries.board(session, profile.name, ticket.group_id or 0, 10)
    assert (row["breached"], row["due_at"]) == (False, NOW + minutes(70))


# --- several at once ---------------------------------------------------------------------------------------------


async def test_a_ticket_in_somebodys_hands_comes_with_the_next_sweep(sessions: Sessions) -> None:
    profile = desk(Step(share=0.5, raise_priority=True))
    async with transaction(sessions) as session:
        await team(session)
        ticket = await opened(session, profile=profile)
    async with transaction(sessions) as session, transaction(sessions) as other:
        await other.execute(text("set local lock_timeout = '2s'"))
        await service.load(session, profile.name, ticket.id)
        assert await sweep(other, profile, NOW + minutes(5)) == 0
    assert await swept(sessions, profile, NOW + minutes(5)) == 1


async def test_two_promises_of_one_ticket_are_not_swept_at_the_same_time(sessions: Sessions) -> None:
    """Each of them raises the priority, so one has to see what the other did."""
    steps = (Step(share=0.5, raise_priority=True), Step(share=0.5, metrics=("resolution",), raise_priority=True))
    same = Policy(resolution=Promise(minutes=10))
    profile = desk(*steps, policies=(same,))
    async with transaction(sessions) as session:
        await team(session)
        await opened(session, profile=profile)
    async with transaction(sessions) as first, transaction(sessions) as other:
        # A ticket is taken with all its promises, or not at all.
        assert await sweep(first, profile, NOW + minutes(5), limit=1) == 2
        assert await sweep(other, profile, NOW + minutes(5)) == 0
    assert await swept(sessions, profile, NOW + minutes(5)) == 0
    async with sessions() as session:
        assert (await one(session, "select priority from ticket")).priority == "urgent"


# --- the agreement itself ----------------------------------------------------------------------------------------


async def test_prodata_calls_the_lead_and_raises_the_priority_half_an_hour_after_the_breach(sessions: Sessions) -> None:
    profile = variant()
    async with transaction(sessions) as session:
        agent, lead = await team(session)
        ticket = await opened(session, profile=profile)
        await work.take(session, profile, agent, ticket.id, NOW)
    for minute in (5, 8, 10, 40):
        assert await swept(sessions, profile, NOW + minutes(minute)) == 1
    assert await told(sessions) == [
        ("warned", [agent.telegram_id]),
        ("warned", [agent.telegram_id]),
        ("breached", [agent.telegram_id, lead.telegram_id]),
        ("escalated", [lead.telegram_id]),
    ]
    async with sessions() as session:
        assert (await one(session, "select priority from ticket")).priority == "high"

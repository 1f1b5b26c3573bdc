"""Duty in the group, through the real dispatcher: who may say what, and what follows from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.db import transaction
from crm.people import duty, roster
from crm.people.models import Agent
from crm.people.shifts import Shift
from crm.tickets import work
from tests.factories import (
    BOT,
    DESK,
    ENGINEER,
    LEAD,
    NOW,
    PROFILE,
    STRANGER,
    Group,
    Json,
    forum,
    in_group,
    message,
    minutes,
    pressed,
)
from tests.integration.conftest import Reception

COLLEAGUE = 910
EVERY_DAY = [Shift(day, 540, 1080) for day in range(7)]  # 09:00-18:00; NOW is a Sunday, 14:00


def at(day: int, hour: int) -> datetime:
    """That time in Almaty, in November."""
    return datetime(2026, 11, day, hour, tzinfo=UTC) - timedelta(hours=5)


def to(person: int) -> Json:
    return {"reply_to_message": message("я", person, forum())}


async def on_duty(reception: Reception, now: datetime | None = None) -> list[int]:
    async with reception.sessions() as session:
        found = await duty.on_duty(session, PROFILE, now or reception.clock())
    return [agent.telegram_id for agent in found]


async def with_shifts(reception: Reception, telegram_id: int = ENGINEER, role: str = "agent") -> Agent:
    agent = await reception.agent(telegram_id, role)
    async with transaction(reception.sessions) as session:
        await roster.add_shifts(session, agent, EVERY_DAY)
    return agent


async def hints(reception: Reception) -> list[str]:
    return [call["text"] for call in await reception.calls("sendMessage")]


# --- without a roster --------------------------------------------------------------------------------------------


async def test_without_shifts_a_plain_word_counts(reception: Reception) -> None:
    await reception.agent()
    assert await reception.did(in_group("/duty off")) == "duty"
    assert await on_duty(reception) == []
    assert await reception.fetch("select 1 from duty_override") == []
    assert await reception.did(in_group("/duty on")) == "duty"
    assert await on_duty(reception) == [ENGINEER]


async def test_a_word_with_an_end_holds_until_then(reception: Reception) -> None:
    await reception.agent()
    await reception.did(in_group("/duty off until 16:00"))
    assert await on_duty(reception) == []
    assert await on_duty(reception, at(22, 16)) == [ENGINEER]
    assert "16:00" in (await hints(reception))[-1]


# --- shifts ------------------------------------------------------------------------------------------------------


async def test_shifts_are_added_and_cleared(reception: Reception) -> None:
    await reception.agent()
    assert await reception.did(in_group("/duty add mon-fri 09:00-18:00")) == "duty_shifts"
    assert await reception.did(in_group("/duty add пн-пт 09:00-18:00")) == "duty_shifts"
    assert len(await reception.fetch("select 1 from duty_shift")) == 5
    assert await on_duty(reception) == []
    assert await on_duty(reception, at(23, 9)) == [ENGINEER]
    assert await reception.did(in_group("/duty clear")) == "duty_shifts"
    assert await on_duty(reception) == [ENGINEER]


async def test_a_lead_sets_the_shifts_of_others_and_an_engineer_only_the_own(reception: Reception) -> None:
    await reception.agent()
    await reception.agent(LEAD, "lead")
    assert await reception.did(in_group("/duty add mon 09:00-18:00", ENGINEER, **to(LEAD))) == "refused:NotAllowed"
    assert await reception.did(in_group("/duty clear", ENGINEER, **to(LEAD))) == "refused:NotAllowed"
    assert await reception.did(in_group("/duty add mon 09:00-18:00", LEAD, **to(ENGINEER))) == "duty_shifts"
    [row] = await reception.fetch("select a.telegram_id from duty_shift s join agent a on a.id = s.agent_id")
    assert row.telegram_id == ENGINEER
    assert await reception.did(in_group("/duty add mon 09:00-18:00", LEAD, **to(STRANGER))) == "refused:NotFound"


@pytest.mark.parametrize("words", ["/duty", "/duty on", "/duty add mon 09:00-18:00", "/away", "/back"])
async def test_whoever_is_no_agent_changes_nothing(reception: Reception, words: str) -> None:
    await reception.agent()
    assert await reception.did(in_group(words, STRANGER)) == "refused:NotAnAgent"
    assert await reception.fetch("select 1 from duty_shift union all select 1 from duty_override") == []


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ("/duty maybe", "/duty week"),
        ("/duty add whenever", "/duty add"),
        ("/duty on until noon", "18:00"),
        ("/away for ever", "18:00"),
        ("/duty swap 25.12", "/duty swap"),
        ("/duty swap", "/duty swap"),
    ],
)
async def test_what_is_not_understood_is_answered_with_the_form(reception: Reception, words: str, form: str) -> None:
    await reception.agent()
    assert await reception.did(in_group(words)) == "refused:WrongInput"
    assert form in (await hints(reception))[-1]


async def test_a_word_against_the_shift_holds_until_the_shift_says_the_same(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.did(in_group("/duty off"))
    assert await on_duty(reception) == []
    assert await on_duty(reception, at(23, 9)) == [ENGINEER]
    reception.clock.now = at(22, 20)
    await reception.did(in_group("/duty on"))
    assert await on_duty(reception) == [ENGINEER]
    [row] = await reception.fetch("select ends_at from duty_override order by id desc limit 1")
    assert row.ends_at == at(23, 9)


async def test_the_word_that_the_shift_says_anyway_takes_the_one_before_back(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.did(in_group("/duty off until 25.11 10:00"))
    await reception.did(in_group("/duty on"))
    assert await on_duty(reception) == [ENGINEER]
    assert await on_duty(reception, at(24, 10)) == [ENGINEER]
    assert await on_duty(reception, at(24, 20)) == []


async def test_who_is_on_duty_until_when_and_who_comes_next(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.agent(COLLEAGUE)
    await reception.did(in_group("/duty add sun 20:00-08:00", COLLEAGUE))
    await reception.did(in_group("/duty"))
    [first, second] = (await hints(reception))[-1].splitlines()
    assert f"Инженер {ENGINEER}" in first
    assert "18:00" in first
    assert f"Инженер {COLLEAGUE}" not in first
    assert f"Инженер {COLLEAGUE}" in second
    assert "20:00" in second


async def test_the_week_shows_each_day_with_its_swaps(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.agent(COLLEAGUE)
    await reception.did(in_group("/duty off", COLLEAGUE))
    assert await reception.did(in_group("/duty swap tue", ENGINEER, **to(COLLEAGUE))) == "duty_swapped"
    assert await reception.did(in_group("/duty week")) == "duty_week"
    _, *days = (await hints(reception))[-1].splitlines()
    assert f"Инженер {ENGINEER} 14:00–18:00" in days[0]
    assert f"Инженер {ENGINEER} 09:00–18:00" in days[1]
    assert f"Инженер {COLLEAGUE} 09:00–18:00" in days[2]
    assert str(ENGINEER) not in days[2]


async def test_the_list_of_engineers_shows_who_rests(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.did(in_group("/agent list"))
    assert "💤" not in (await hints(reception))[-1]
    reception.clock.now = at(22, 20)
    await reception.did(in_group("/agent list"))
    assert "💤" in (await hints(reception))[-1]


# --- swaps -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def swapped(reception: Reception) -> Json:
    """The shift of Monday the 23rd went to a colleague, who is told so."""
    await with_shifts(reception)
    await reception.agent(COLLEAGUE)
    await reception.did(in_group("/duty off", COLLEAGUE))
    assert await reception.did(in_group("/duty swap 23.11", ENGINEER, **to(COLLEAGUE))) == "duty_swapped"
    return (await reception.calls("sendMessage"))[-1]


def button(told: Json) -> str:
    [[found]] = told["reply_markup"]["inline_keyboard"]
    return str(found["callback_data"])


async def test_a_shift_goes_to_a_colleague_who_is_called(reception: Reception, swapped: Json) -> None:
    assert [e["user"]["id"] for e in swapped["entities"] if e["type"] == "text_mention"] == [COLLEAGUE]
    assert await on_duty(reception, at(23, 10)) == [COLLEAGUE]
    assert await on_duty(reception, at(23, 19)) == []
    assert await on_duty(reception, at(24, 10)) == [ENGINEER]


async def test_a_shift_can_be_given_away_once(reception: Reception, swapped: Json) -> None:
    assert await reception.did(in_group("/duty swap 23.11", ENGINEER, **to(COLLEAGUE))) == "refused:WrongInput"
    assert await reception.did(in_group("/duty swap 24.11", ENGINEER, **to(ENGINEER))) == "refused:WrongInput"
    assert await reception.did(in_group("/duty swap 24.11", ENGINEER, **to(STRANGER))) == "refused:NotFound"
    assert await reception.did(in_group("/duty swap 24.11", ENGINEER)) == "refused:WrongInput"


async def test_the_colleague_may_refuse_and_nobody_else(reception: Reception, swapped: Json) -> None:
    data = button(swapped)
    assert await reception.did(pressed(data, STRANGER, forum())) == "refused:NotAnAgent"
    assert await reception.did(pressed(data, ENGINEER, forum())) == "refused:NotFound"
    assert await on_duty(reception, at(23, 10)) == [COLLEAGUE]
    assert await reception.did(pressed(data, COLLEAGUE, forum())) == "swap_refused"
    assert await on_duty(reception, at(23, 10)) == [ENGINEER]
    told = (await reception.calls("sendMessage"))[-1]
    assert [e["user"]["id"] for e in told["entities"] if e["type"] == "text_mention"] == [ENGINEER]
    assert await reception.did(pressed(data, COLLEAGUE, forum())) == "refused:NotFound"


async def test_what_is_left_of_a_shift_comes_back_when_it_is_refused_late(reception: Reception, swapped: Json) -> None:
    reception.clock.now = at(23, 12)
    assert await reception.did(pressed(button(swapped), COLLEAGUE, forum())) == "swap_refused"
    assert await on_duty(reception, at(23, 12)) == [ENGINEER]
    assert await on_duty(reception, at(23, 10)) == [COLLEAGUE]


async def test_a_shift_that_is_over_cannot_be_given_away_or_refused(reception: Reception, swapped: Json) -> None:
    reception.clock.now = at(23, 18)
    assert await reception.did(in_group("/duty swap today", ENGINEER, **to(COLLEAGUE))) == "refused:WrongInput"
    assert await reception.did(pressed(button(swapped), COLLEAGUE, forum())) == "refused:NotFound"


# --- away and back -----------------------------------------------------------------------------------------------


async def taken(reception: Reception, words: str, customer: int, agent: Agent) -> Group:
    group = await reception.topic(words, customer)
    async with transaction(reception.sessions) as session:
        await work.take(session, PROFILE, agent, group.ticket.id, reception.clock())
    return group


async def notices(reception: Reception) -> list[tuple[int, str, Any]]:
    found = await reception.fetch(
        """select ticket_id, payload ->> 'notice' as n, payload -> 'facts' as f from outbox
           where payload ->> 'notice' in ('assigned', 'released') order by id"""
    )
    return [(row.ticket_id, row.n, row.f) for row in found]


async def test_whoever_is_away_hands_everything_active_back(reception: Reception) -> None:
    agent = await with_shifts(reception)
    first = await taken(reception, "Первое", 501, agent)
    waiting = await taken(reception, "Второе", 502, agent)
    solved = await taken(reception, "Третье", 503, agent)
    async with transaction(reception.sessions) as session:
        await work.ask(session, PROFILE, agent, waiting.ticket.id, reception.clock())
        await work.resolve(session, PROFILE, agent, solved.ticket.id, reception.clock())
    assert await reception.did(in_group("/away until 25.11")) == "away"
    rows = await reception.fetch("select id, assignee_id from ticket order by id")
    assert [row.assignee_id for row in rows] == [None, None, agent.id]
    assert [(ticket, name) for ticket, name, _ in await notices(reception)] == [
        (first.ticket.id, "released"),
        (waiting.ticket.id, "released"),
    ]
    events = await reception.fetch("select ticket_id, actor_name from ticket_event where kind = 'released'")
    assert [(row.ticket_id, row.actor_name) for row in events] == [
        (first.ticket.id, agent.name),
        (waiting.ticket.id, agent.name),
    ]
    assert await on_duty(reception) == []
    assert await on_duty(reception, at(24, 10)) == []
    assert await on_duty(reception, at(25, 10)) == [ENGINEER]


async def test_an_open_absence_ends_with_back(reception: Reception) -> None:
    await with_shifts(reception)
    await reception.did(in_group("/away"))
    assert await on_duty(reception, NOW + timedelta(days=100)) == []
    reception.clock.move(hours=1)
    assert await reception.did(in_group("/back")) == "back"
    assert await on_duty(reception) == [ENGINEER]
    assert await on_duty(reception, at(22, 20)) == []


async def test_back_without_shifts_is_on_duty(reception: Reception) -> None:
    await reception.agent()
    await reception.did(in_group("/duty off"))
    await reception.did(in_group("/away"))
    await reception.did(in_group("/back"))
    assert await on_duty(reception) == [ENGINEER]


async def test_what_is_handed_back_goes_to_others_where_the_profile_assigns(reception: Reception) -> None:
    agent = await reception.agent()
    group = await taken(reception, "Первое", 501, agent)
    colleague = await reception.agent(COLLEAGUE)
    handlings = reception.processor._handlings
    profile = PROFILE.model_copy(update={"assignment": "round_robin"})
    [(source, old)] = handlings.items()
    handlings[source] = replace(old, served=replace(old.served, profile=profile))
    await reception.did(in_group("/away"))
    [row] = await reception.fetch("select assignee_id from ticket")
    assert row.assignee_id == colleague.id
    [released, assigned] = await notices(reception)
    assert (released[1], assigned[1]) == ("released", "assigned")
    assert assigned[2]["mention"] == [{"id": COLLEAGUE, "name": colleague.name}]
    kinds = await reception.fetch(
        "select kind from ticket_event where ticket_id = :id order by seq desc limit 2", id=group.ticket.id
    )
    assert [row.kind for row in kinds] == ["assigned", "released"]


async def test_commands_work_in_a_topic_where_every_message_seems_to_reply_to_its_root(reception: Reception) -> None:
    await reception.agent()
    place = await reception.topic()
    created = {"name": "PD-1001", "icon_color": 7322096}
    root = {**message("…", ENGINEER, forum(), number=place.thread), "from": BOT, "forum_topic_created": created}
    told = in_group("/duty add mon 09:00-18:00", ENGINEER, thread=place.thread, reply_to_message=root)
    assert await reception.did(told) == "duty_shifts"
    assert await reception.fetch("select 1 from message where author_kind = 'agent'") == []


async def test_another_desk_has_its_own_roster(reception: Reception) -> None:
    await with_shifts(reception)
    async with reception.sessions() as session:
        other = PROFILE.model_copy(update={"name": "other"})
        assert (await duty.team(session, other, NOW + minutes(1))).members == ()
    assert DESK != "other"

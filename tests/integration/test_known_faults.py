"""What other desks are known to get wrong, each by its name; and what a hostile reading of our own found."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.sla.targets import register_terms
from crm.tickets import holding, queries, service, work
from crm.tickets.models import Ticket
from scheduler import jobs
from tests.factories import CUSTOMER, GROUP, LEAD, NOW, connected, minutes, rows, undone, written
from tests.integration.promised import USUAL, Desk, agreement

MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 09:00 in Almaty
OFFICE_PROMISES = {"first_response": {"minutes": 60}, "resolution": {"minutes": 480}}


# --- peers -------------------------------------------------------------------------------------------------------


async def test_a_deadline_is_not_moved_by_a_later_calendar_edit(sessions: Sessions) -> None:
    before = Desk(sessions, agreement(OFFICE_PROMISES, calendar="office"))
    agent, ticket = await before.engineer(), await before.open(MONDAY)
    promised = (await before.target("resolution")).due_at
    assert promised == MONDAY + timedelta(hours=9)
    closed = {"timezone": "Asia/Almaty", "hours": {"tue": [["09:00", "10:00"]]}}
    after = Desk(sessions, agreement(OFFICE_PROMISES, calendar="office", calendars={"office": closed}))
    # Neither by the edit itself, nor when the ticket waits and goes on under the new profile.
    await after.step(work.ask, agent, ticket.id, MONDAY + minutes(10))
    await after.step(work.reopen, agent, ticket.id, MONDAY + minutes(20))
    assert (await after.target("resolution")).due_at == promised + timedelta(hours=15, minutes=10)
    await after.sweep(MONDAY + timedelta(hours=2))
    assert (await after.target("first_response")).breached_at == MONDAY + minutes(70)


async def test_pauses_are_not_forgotten_on_a_priority_change(sessions: Sessions) -> None:
    urgent = {"priorities": ["urgent"], "resolution": {"minutes": 30}}
    desk = Desk(sessions, agreement(urgent, USUAL))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(5))
    await desk.write(ticket.id, NOW + minutes(105))
    await desk.step(work.set_priority, agent, ticket.id, "urgent", NOW + minutes(106))
    assert (await desk.target("resolution")).due_at == NOW + minutes(130)
    # Nor on a second change, nor on one while it waits.
    await desk.step(work.hold, agent, ticket.id, NOW + minutes(110))
    await desk.step(work.set_priority, agent, ticket.id, "normal", NOW + minutes(120))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(150))
    assert (await desk.target("resolution")).due_at == NOW + minutes(60 + 100 + 40)


async def test_no_breach_while_waiting_whoever_ends_the_wait(sessions: Sessions) -> None:
    """A solution or an answer that comes while the ticket waits is in time, however long it waited."""
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(4))
    assert await desk.sweep(NOW + minutes(500)) == 0
    await desk.reply(agent, ticket.id, NOW + minutes(501))
    await desk.step(work.resolve, agent, ticket.id, NOW + minutes(502))
    for metric in ("first_response", "resolution"):
        found = await desk.target(metric)
        assert found.breached_at is None
        assert found.met_at < found.due_at
    assert await desk.events() == []


NIGHT = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 22:00 in Almaty
IN_HOURS = [{"share": 0.5, "hours": "office"}, {"share": 1.0, "hours": "office"}]
LONG = {"first_response": {"minutes": 60}, "resolution": {"minutes": 60 * 24}}


async def test_no_alerts_at_midnight(sessions: Sessions) -> None:
    """Who has hours is told in them; the breach itself is recorded at once."""
    desk = Desk(sessions, agreement(LONG, steps=IN_HOURS))
    await desk.engineer()
    await desk.open(NIGHT)
    await desk.sweep(NIGHT + minutes(30))
    assert await desk.notices() == []
    await desk.sweep(NIGHT + minutes(61))
    assert await desk.notices() == []
    assert await desk.events() == [("breached", "first_response")]
    assert (await desk.target("first_response")).breached_at == NIGHT + minutes(60)
    await desk.sweep(NIGHT + timedelta(hours=11))  # 09:00
    assert await desk.notices() == [("breached", "first_response")]
    assert (await desk.events()).count(("breached", "first_response")) == 1


async def test_no_alerts_at_midnight_after_the_clock_was_down_all_afternoon(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(USUAL, steps=IN_HOURS))
    await desk.engineer()
    await desk.open(MONDAY + timedelta(hours=6))
    await desk.sweep(NIGHT)
    assert await desk.notices() == []
    await desk.sweep(NIGHT + timedelta(hours=11))
    assert sorted(await desk.notices()) == [("breached", "first_response"), ("breached", "resolution")]


@pytest.mark.parametrize("how", ["resume", "restart"])
@pytest.mark.parametrize("ended", ["resolve", "withdraw", "decline", "confirm"])
async def test_a_reopened_ticket_has_a_deadline(sessions: Sessions, how: str, ended: str) -> None:
    desk = Desk(sessions, agreement(USUAL | {"inform": {"minutes": 15}, "reopening": how}))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.reply(agent, ticket.id, NOW + minutes(1))
    if ended == "withdraw":
        await desk.answer(service.withdraw, ticket.id, NOW + minutes(10))
    elif ended == "decline":
        await desk.step(work.decline, agent, ticket.id, "не наше", NOW + minutes(10))
    else:
        await desk.step(work.resolve, agent, ticket.id, NOW + minutes(10))
    if ended == "confirm":
        await desk.answer(service.confirm, ticket.id, NOW + minutes(11))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(100))
    found = await desk.target("resolution")
    assert (found.met_at, found.next_at is not None) == (None, True)
    anew = how == "restart" and ended != "withdraw"
    assert found.due_at == NOW + (minutes(160) if anew else minutes(150))
    assert (await desk.target("inform")).next_at is not None
    await desk.sweep(NOW + minutes(200))
    assert (await desk.target("resolution")).breached_at == found.due_at


async def test_a_lunch_break_can_be_expressed(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(OFFICE_PROMISES, calendar="office"))
    noon = MONDAY + timedelta(hours=3, minutes=30)  # 12:30
    await desk.open(noon)
    assert (await desk.target("first_response")).due_at == noon + timedelta(hours=2)  # 14:30
    await desk.open(MONDAY + timedelta(hours=4, minutes=15))  # 13:15, at lunch
    assert (await desk.target("first_response")).due_at == MONDAY + timedelta(hours=6)  # 15:00


# --- our own: steps ----------------------------------------------------------------------------------------------


async def test_a_late_answer_that_no_sweep_saw_is_logged_and_told_as_a_breach(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.reply(agent, ticket.id, NOW + minutes(20))
    await desk.sweep(NOW + minutes(21))
    assert await desk.events("breached") == [("breached", "first_response")]
    assert await desk.notices() == [("breached", "first_response")]
    assert (await desk.target("first_response")).breached_at == NOW + minutes(10)


async def test_a_sweep_that_was_down_across_breach_and_escalation_logs_both_and_calls_all(sessions: Sessions) -> None:
    steps = [{"share": 1.0, "tell": ["on_duty"]}, {"after": 5, "tell": ["lead"]}]
    desk = Desk(sessions, agreement(steps=steps))
    agent, lead = await desk.engineer(), await desk.engineer(LEAD, "lead", on_duty=False)
    await desk.open(NOW)
    await desk.sweep(NOW + minutes(16))
    assert await desk.events() == [("breached", "first_response"), ("escalated", "first_response")]
    assert await desk.notices() == [("escalated", "first_response")]
    assert await desk.called() == [[agent.telegram_id, lead.telegram_id]]


async def test_an_escalation_that_waits_for_morning_is_not_forgotten_for_a_later_one(sessions: Sessions) -> None:
    steps = [
        {"share": 1.0, "tell": ["on_duty"]},
        {"after": 10, "tell": ["lead"], "hours": "office"},
        {"after": 20, "tell": ["on_duty"]},
    ]
    desk = Desk(sessions, agreement({"first_response": {"minutes": 60}}, steps=steps))
    agent, lead = await desk.engineer(), await desk.engineer(LEAD, "lead", on_duty=False)
    await desk.open(NIGHT)
    for minute in (60, 70, 80):
        await desk.sweep(NIGHT + minutes(minute))
    assert await desk.called() == [[agent.telegram_id], [agent.telegram_id]]
    await desk.sweep(NIGHT + timedelta(hours=11))
    assert (await desk.called())[-1] == [lead.telegram_id]


async def test_a_raised_priority_does_not_raise_itself_to_the_top(sessions: Sessions) -> None:
    policies = [
        {"priorities": ["urgent"], "resolution": {"minutes": 20}},
        {"priorities": ["high"], "resolution": {"minutes": 40}},
        {"first_response": {"minutes": 500}, "resolution": {"minutes": 100}},
    ]
    steps = [{"share": 0.5, "raise_priority": True, "metrics": ["resolution"]}, {"share": 1.0}]
    desk = Desk(sessions, agreement(*policies, steps=steps))
    await desk.engineer()
    await desk.open(NOW)
    for second in range(5):
        await desk.sweep(NOW + minutes(50) + timedelta(seconds=second))
    [row] = await desk.fetch("select priority from ticket")
    assert row.priority == "high"
    assert (await desk.target("resolution")).breached_at == NOW + minutes(40)
    assert (await desk.events("breached", "warned")) == [("warned", "resolution"), ("breached", "resolution")]
    # A promised time that is over already is no news for the requester.
    assert await desk.fetch("select 1 from outbox where payload ->> 'notice' = 'retyped'") == []


async def test_a_batch_of_reassigned_tickets_is_spread(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(steps=[{"share": 1.0, "reassign": True, "metrics": ["first_response"]}]))
    agents = [await desk.engineer(number) for number in (1, 2, 3)]
    for _ in range(6):
        await desk.open(NOW)
    await desk.sweep(NOW + minutes(10))
    found = await desk.fetch("select assignee_id, count(*) as n from ticket group by 1 order by 1")
    assert [(row.assignee_id, row.n) for row in found] == [(agent.id, 2) for agent in agents]


async def test_terms_that_cannot_be_read_hold_up_no_other_promise(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    await desk.engineer()
    await desk.open(NOW)
    async with transaction(sessions) as session:
        await rows(session, "insert into sla_terms values ('odd', '{\"steps\": [{\"odd\": 1}]}') returning 1")
        await rows(session, "update sla_target set terms_hash = 'odd' returning 1")
    await desk.open(NOW)
    await desk.sweep(NOW + minutes(10))
    assert await desk.events("breached") == [("breached", "first_response")]
    assert await desk.sweep(NOW + minutes(10)) == 0


async def test_a_desk_that_fails_does_not_stop_the_others(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(sessions, agreement())
    await desk.engineer()
    await desk.open(NOW)
    swept = jobs.sweep

    async def failing(session: Session, profile: Profile, now: datetime, limit: int) -> int:
        if profile.name == "odd":
            raise RuntimeError("odd")
        return await swept(session, profile, now, limit)

    monkeypatch.setattr(jobs, "sweep", failing)
    with pytest.raises(RuntimeError):
        await jobs.promises(sessions, [agreement(name="odd"), desk.profile], NOW + minutes(10))
    assert await desk.events("breached") == [("breached", "first_response")]


# --- our own: the ledger and the rounds --------------------------------------------------------------------------


async def test_two_waits_that_begin_at_the_same_moment(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    for action in (work.ask, work.hold, work.ask, work.hold):
        await desk.step(action, agent, ticket.id, NOW + minutes(1))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(3))
    assert await desk.fetch("select 1 from sla_pause where ended_at is null") == []
    assert (await desk.target("resolution")).due_at == NOW + minutes(62)


async def test_a_clock_that_is_behind_does_not_make_the_ledger_overlap(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(1))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(5))
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(4))
    found = await desk.fetch("select started_at, ended_at from sla_pause order by id")
    assert found[1].started_at == found[0].ended_at


async def test_a_wait_that_stops_nothing_is_told_when_it_follows_one_that_did(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(USUAL | {"stops": ["pending"]}))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    async with transaction(sessions) as session:
        await connected(session)
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(1))
    await desk.step(work.hold, agent, ticket.id, NOW + minutes(31))
    [told] = await desk.fetch("select payload from outbox where payload ->> 'notice' = 'resumed'")
    assert told.payload["facts"]["due_at"] == (NOW + minutes(90)).isoformat()
    async with sessions() as session:
        # It runs, whatever the status: card, board and the requester's list say by when.
        card = await queries.card(session, ticket.id)
        assert [target["stands"] for target in card["targets"]] == [False, False]
        [own] = await queries.own(session, "tests", (await desk.requester(NOW)).person_id)
        assert own["due_at"] == NOW + minutes(40)
    await desk.sweep(NOW + minutes(90))
    assert (await desk.target("resolution")).breached_at == NOW + minutes(90)


INFORM = USUAL | {"first_response": {"minutes": 500}, "resolution": {"minutes": 500}, "inform": {"minutes": 30}}


async def test_word_to_the_customer_ends_the_silence_of_all_rounds(sessions: Sessions) -> None:
    """A broken round neither escalates after the customer has heard of us, nor keeps the board red."""
    desk = Desk(sessions, agreement(INFORM, steps=[{"share": 1.0}, {"after": 20}]))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    async with transaction(sessions) as session:
        group = await connected(session)
        await rows(session, "update ticket set group_id = :id returning 1", id=group.id)
    await desk.sweep(NOW + minutes(30))
    await desk.reply(agent, ticket.id, NOW + minutes(35))
    await desk.sweep(NOW + minutes(60))
    assert await desk.events() == [("breached", "inform")]
    async with sessions() as session:
        [shown], _ = await queries.board(session, "tests", group.id, 10)
    assert (shown["breached"], shown["due_at"]) == (False, NOW + minutes(65))
    found = await desk.fetch("select round, started_at, met_at from sla_target where metric = 'inform' order by round")
    assert [(row.round, row.started_at, row.met_at) for row in found] == [
        (1, NOW, NOW + minutes(35)),
        (2, NOW + minutes(30), NOW + minutes(35)),
        (3, NOW + minutes(35), None),
    ]


async def test_silence_that_nobody_breaks_is_told_of_at_ever_longer_distances(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(INFORM, steps=[{"share": 0.5}, {"share": 1.0}]))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    told = []
    for half in range(1, 41):
        before = len(await desk.notices())
        await desk.sweep(NOW + minutes(15 * half))
        told += [half] * ((await desk.notices())[before:].count(("breached", "inform")) if half % 2 == 0 else 0)
    # After half an hour, an hour, one and a half, two, four, eight.
    assert [half // 2 for half in told] == [1, 2, 3, 4, 8, 16]
    assert (await desk.events("breached")).count(("breached", "inform")) == 20
    # Whatever the customer hears begins it anew.
    await desk.reply(agent, ticket.id, NOW + minutes(601))
    before = len(await desk.notices())
    await desk.sweep(NOW + minutes(631))
    assert (await desk.notices())[before:].count(("breached", "inform")) == 1


async def test_a_promise_that_comes_back_with_the_type_begins_again(sessions: Sessions) -> None:
    outage = {"request_types": ["outage"], "inform": {"minutes": 30}}
    desk = Desk(sessions, agreement(outage, USUAL, types=("other", "outage")))
    agent, ticket = await desk.engineer(), await desk.open(NOW, "outage")
    await desk.reply(agent, ticket.id, NOW + minutes(1))
    await desk.step(work.set_type, agent, ticket.id, "other", NOW + minutes(2))
    assert (await desk.target("inform")).met_at is not None
    await desk.step(work.set_type, agent, ticket.id, "outage", NOW + minutes(50))
    found = await desk.target("inform")
    # Silence is measured from now: nobody promised to break it while it was something else.
    assert (found.round, found.met_at, found.due_at) == (2, None, NOW + minutes(80))


async def test_a_solution_that_waits_for_consent_is_measured_by_what_the_request_is_after_all(
    sessions: Sessions,
) -> None:
    quick = {"request_types": ["quick"], "resolution": {"minutes": 5}}
    desk = Desk(sessions, agreement(quick, USUAL, types=("other", "quick")))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.step(work.resolve, agent, ticket.id, NOW + minutes(7))
    await desk.step(work.set_type, agent, ticket.id, "quick", NOW + minutes(8))
    assert (await desk.target("resolution")).breached_at == NOW + minutes(5)
    await desk.step(work.set_type, agent, ticket.id, "other", NOW + minutes(9))
    found = await desk.target("resolution")
    assert (found.breached_at, found.met_at) == (None, NOW + minutes(7))
    await desk.answer(service.reject, ticket.id, NOW + minutes(20))
    assert (await desk.target("resolution")).due_at == NOW + minutes(73)


async def test_what_was_met_is_not_moved_by_later_waits(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.reply(agent, ticket.id, NOW + minutes(1))
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(2))
    await desk.write(ticket.id, NOW + minutes(100))
    assert (await desk.target("first_response")).due_at == NOW + minutes(10)


async def test_a_held_message_asks_for_an_answer_as_any_other(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement(USUAL | {"next_response": {"minutes": 20}}))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.reply(agent, ticket.id, NOW + minutes(1))
    for words, expected in (("Спасибо!", 0), ("А когда?", 1)):
        who = await desk.requester(NOW + minutes(5))
        async with transaction(sessions) as session:
            held = await holding.hold(session, desk.profile, who, written(words, CUSTOMER), NOW + minutes(5))
            await holding.place_held(session, desk.profile, who, held, ticket.id, NOW + minutes(6))
        assert len(await desk.fetch("select 1 from sla_target where metric = 'next_response'")) == expected


# --- our own: several at once ------------------------------------------------------------------------------------


async def test_a_sweep_leaves_alone_a_ticket_that_somebody_works_on(sessions: Sessions) -> None:
    """Both lock the ticket first, so neither can wait for what the other holds."""
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    async with transaction(sessions) as session:
        await work.write(session, desk.profile, agent, ticket.id, "public", written("Да", GROUP), NOW + minutes(4))
        assert await desk.sweep(NOW + minutes(30)) == 0
    assert await desk.sweep(NOW + minutes(9)) == 0
    assert await desk.events() == []


async def test_whoever_waited_for_a_ticket_sees_it_as_it_is(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    async with transaction(sessions) as session:
        assert (await service.load(session, "tests", ticket.id)).status == "new"
    async with sessions() as session:
        seen = await session.get_one(Ticket, ticket.id)
        await desk.step(work.resolve, agent, ticket.id, NOW + minutes(1))
        async with session.atomic():
            assert await service.load(session, "tests", ticket.id) is seen
            assert seen.status == "resolved"


async def test_terms_of_a_transaction_that_was_rolled_back_are_written_with_the_ticket(sessions: Sessions) -> None:
    desk = Desk(sessions, agreement())
    async with undone(sessions) as session:
        await register_terms(session, desk.profile, NOW)
    await desk.engineer()
    await desk.open(NOW)
    assert len(await desk.fetch("select 1 from sla_terms")) == 1


async def test_a_missed_word_is_watched_over_by_the_next_round_alone(sessions: Sessions) -> None:
    """Not by the steps of the old one as well, whatever becomes of the ticket meanwhile."""
    desk = Desk(sessions, agreement(INFORM, steps=[{"share": 1.0}, {"after": 20}]))
    agent, ticket = await desk.engineer(), await desk.open(NOW)
    await desk.sweep(NOW + minutes(30))
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(35))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(36))
    await desk.sweep(NOW + minutes(55))
    assert await desk.events() == [("breached", "inform")]
    # One that no sweep had noticed has a next round as well, and so has one of a ticket that comes back.
    await desk.step(work.ask, agent, ticket.id, NOW + minutes(70))
    assert (await desk.target("inform")).round == 3
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(80))
    await desk.answer(service.withdraw, ticket.id, NOW + minutes(120))
    await desk.step(work.reopen, agent, ticket.id, NOW + minutes(130))
    found = await desk.target("inform")
    assert (found.round, found.breached_at, found.due_at) == (4, None, NOW + minutes(160))

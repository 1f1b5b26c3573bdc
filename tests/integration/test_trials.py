"""A trial from the request to its end: who decides, what the clock does, and what is said of it."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from crm import journal
from crm.cloud import trial_sweep, trials
from crm.cloud.trials import Wish
from crm.db import Sessions, transaction
from crm.errors import HadTrial, NoCloud, NotAllowed, NotFound, UnderWay, WrongStatus
from crm.people import linking, organizations
from crm.people.models import Agent
from crm.tickets import service, work
from scheduler.trials import trials as job
from tests.factories import DESK, ENGINEER, NOW, PROFILE, customer, engineer, minutes, opened, undone, variant
from tests.integration.trying import Trials

DAYS = timedelta(days=3)
LAUNCHED = NOW + minutes(90)
ENDS = LAUNCHED + DAYS
JUST_BEFORE = timedelta(seconds=-1)


@pytest.fixture
def desk(sessions: Sessions) -> Trials:
    return Trials(sessions)


async def begun(desk: Trials) -> tuple[int, str, str]:
    """Ticket, project and machine of a trial that runs."""
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    server = await desk.launch(project, LAUNCHED)
    assert await desk.sweep(LAUNCHED + minutes(1)) == 1
    return ticket.id, project, server


# --- asked for and decided ---------------------------------------------------------------------------------------


async def test_a_granted_trial_opens_a_cabinet_within_its_limits(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask(phone="+77011234567", mail="aida@firm.kz")
    assert await desk.told(ticket.id, "topic") == ["trial_asked"]
    assert await desk.facts("trial_asked", "topic") == {
        "organization": "ТОО Шанырак",
        "phone": "+77011234567",
        "verified": True,
    }
    assert (await desk.ticket(ticket.id)).request_type == "trial"
    await desk.grant(agent, ticket.id)
    [action] = await desk.fetch("select * from cloud_action")
    assert (action.kind, action.state, action.ticket_id) == ("open", "approved", ticket.id)
    assert action.parameters["limits"] == dict(PROFILE.trial.limits)  # type: ignore[union-attr]
    assert action.parameters["email"] == "aida@firm.kz"
    assert (action.asked_by_kind, action.approved_by_kind) == ("requester", "agent")
    assert (await desk.trial(ticket.id)).state == "granted"
    assert (await desk.ticket(ticket.id)).assignee_id == agent.id
    [project] = await desk.carried_out(NOW + minutes(1))
    row = await desk.trial(ticket.id)
    assert (row.state, row.project_id, row.opened_at, row.launched_at) == ("opened", project, NOW + minutes(1), None)
    solved = await desk.ticket(ticket.id)
    assert solved.status == "resolved"
    assert await desk.told(ticket.id) == ["trial_opened"]
    [owner] = await desk.fetch(
        "select o.id, o.name, c.rights from organization o join contact c on c.organization_id = o.id"
    )
    assert owner.name.startswith("ТОО Шанырак (")
    assert (owner.id, owner.rights) == (row.organization_id, ["request", "power", "money"])
    [bound] = await desk.fetch("select organization_id from cloud_project")
    assert bound.organization_id == owner.id


async def test_a_plan_that_is_approved_in_the_same_breath_shows_no_buttons(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask()
    await desk.grant(agent, ticket.id)
    assert (await desk.facts("action_planned", "topic"))["asks"] is False


async def test_who_may_not_spend_money_decides_nothing(desk: Trials) -> None:
    await desk.begin()
    ticket = await desk.ask()
    async with transaction(desk.sessions) as session:
        junior = await engineer(session, ENGINEER)
    for decide in (trials.grant, trials.refuse):
        async with undone(desk.sessions) as session:
            with pytest.raises(NotAllowed) as refused:
                await decide(session, PROFILE, junior, ticket.id, NOW)
            assert refused.value.facts == {"what": "money"}
    assert (await desk.trial(ticket.id)).state == "asked"
    assert await desk.fetch("select 1 from cloud_action") == []


async def test_a_refusal_needs_no_reason_and_uses_nothing_up(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask(phone="+77011234567")
    await desk.refuse(agent, ticket.id)
    assert (await desk.trial(ticket.id)).state == "refused"
    assert (await desk.ticket(ticket.id)).status == "declined"
    assert await desk.told(ticket.id) == ["trial_refused"]
    assert await desk.facts("trial_refused") == {"reference": ticket.reference, "reason": ""}
    assert await desk.fetch("select 1 from cloud_action") == []
    again = await desk.ask(phone="+77011234567", now=NOW + DAYS)
    assert (await desk.trial(again.id)).state == "asked"
    # Its promises are settled.
    assert await desk.fetch(
        "select 1 from sla_target where ticket_id = :id and met_at is null", id=ticket.id
    ) == []  # fmt: skip


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
async def test_a_cabinet_that_could_not_be_opened_leaves_it_granted(desk: Trials, outcome: str) -> None:
    agent = await desk.begin()
    ticket = await desk.ask()
    await desk.grant(agent, ticket.id)
    await desk.carried_out(NOW, outcome)
    assert (await desk.trial(ticket.id)).state == "granted"
    assert (await desk.ticket(ticket.id)).status == "open"
    called = await desk.facts(f"action_{outcome}", "topic")
    assert [one["id"] for one in called["mention"]] == [agent.telegram_id]
    if outcome == "unknown":
        # Nobody may decide anew before somebody has looked.
        for decide in (trials.grant, trials.refuse):
            async with undone(desk.sessions) as session:
                with pytest.raises(UnderWay):
                    await decide(session, PROFILE, agent, ticket.id, NOW)
        return
    await desk.grant(agent, ticket.id, NOW + minutes(5))
    assert len(await desk.carried_out(NOW + minutes(6))) == 1
    assert (await desk.trial(ticket.id)).state == "opened"


async def test_a_cabinet_that_could_not_be_opened_may_be_refused_after_all(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask()
    await desk.grant(agent, ticket.id)
    await desk.carried_out(NOW, "failed")
    await desk.refuse(agent, ticket.id, NOW, "нет места")
    assert (await desk.ticket(ticket.id)).status == "declined"
    assert (await desk.facts("trial_refused"))["reason"] == "нет места"


async def test_what_is_decided_stays_decided(desk: Trials) -> None:
    agent = await desk.begin()
    ticket, _ = await desk.open(agent)
    for decide in (trials.grant, trials.refuse):
        async with undone(desk.sessions) as session:
            with pytest.raises(WrongStatus):
                await decide(session, PROFILE, agent, ticket.id, NOW)
    async with undone(desk.sessions) as session:
        other = await opened(session, 777)
        with pytest.raises(NotFound):
            await trials.grant(session, PROFILE, agent, other.id, NOW)


async def test_a_withdrawn_request_is_not_granted_and_claims_nothing(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask(phone="+77011234567")
    async with transaction(desk.sessions) as session:
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, NOW)
    async with undone(desk.sessions) as session:
        with pytest.raises(WrongStatus):
            await trials.grant(session, PROFILE, agent, ticket.id, NOW)
    again = await desk.ask(phone="+77011234567", now=NOW + minutes(1))
    assert (await desk.trial(ticket.id)).state == "refused"
    await desk.grant(agent, again.id, NOW + minutes(2))


async def test_an_engineer_makes_a_trial_of_a_mail(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.by_mail("director@firm.kz")
    await desk.make(agent, ticket.id)
    row = await desk.trial(ticket.id)
    assert (row.state, row.phone, row.phone_verified) == ("asked", None, False)
    assert (await desk.ticket(ticket.id)).request_type == "trial"
    claims = await desk.fetch("select kind, value from trial_claim order by kind")
    assert next(tuple(claim) for claim in claims) == ("domain", "firm.kz")
    await desk.grant(agent, ticket.id)
    assert len(await desk.carried_out()) == 1


async def test_a_refused_request_can_be_asked_anew_by_an_engineer(desk: Trials) -> None:
    agent = await desk.begin()
    ticket = await desk.ask()
    await desk.refuse(agent, ticket.id)
    async with undone(desk.sessions) as session:
        with pytest.raises(WrongStatus):
            await trials.make(session, PROFILE, agent, ticket.id, NOW)
    async with transaction(desk.sessions) as session:
        await work.reopen(session, PROFILE, agent, ticket.id, NOW)
    await desk.make(agent, ticket.id)
    row = await desk.trial(ticket.id)
    assert (row.state, row.decided_by_name, row.ended_at) == ("asked", None, None)
    await desk.grant(agent, ticket.id)


async def test_a_desk_without_trials_gives_none(desk: Trials) -> None:
    await desk.begin()
    async with undone(desk.sessions) as session:
        with pytest.raises(NoCloud):
            await trials.ask(session, variant(trial=None), await customer(session), Wish("Х"), NOW)


# --- the clock ---------------------------------------------------------------------------------------------------


async def test_the_clock_starts_at_the_first_launch_that_is_seen(desk: Trials) -> None:
    ticket, _, _ = await begun(desk)
    row = await desk.trial(ticket)
    assert (row.state, row.launched_at, row.ends_at) == ("running", LAUNCHED, ENDS)
    assert (await desk.facts("trial_begun")) == {
        "reference": (await desk.ticket(ticket)).reference,
        "launched_at": LAUNCHED.isoformat(),
        "ends_at": ENDS.isoformat(),
    }


async def test_before_anything_is_launched_the_clock_stands(desk: Trials) -> None:
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    for days in range(29):
        assert await desk.sweep(NOW + timedelta(days=days)) == 0
    reminded = NOW + timedelta(days=30)
    assert [await desk.sweep(reminded), await desk.sweep(reminded), await desk.sweep(reminded + DAYS)] == [1, 0, 0]
    assert await desk.told(ticket.id) == ["trial_opened", "trial_unused"]
    await desk.launch(project, reminded + DAYS)
    assert await desk.sweep(reminded + DAYS) == 1
    assert (await desk.trial(ticket.id)).launched_at == reminded + DAYS


async def test_the_earliest_launch_counts_also_of_a_machine_that_is_gone(desk: Trials) -> None:
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    first = await desk.launch(project, LAUNCHED)
    await desk.launch(project, LAUNCHED + minutes(30))
    await desk.delete(first, LAUNCHED + minutes(40))
    await desk.sweep(LAUNCHED + minutes(60))
    assert (await desk.trial(ticket.id)).launched_at == LAUNCHED


async def test_a_launch_in_the_cloud_s_future_or_before_the_opening_bends_nothing(desk: Trials) -> None:
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    server = await desk.launch(project, NOW + minutes(5))
    assert await desk.sweep(NOW + minutes(4)) == 0
    async with transaction(desk.sessions) as session:
        await session.rows("update vm set launched_at = $2 where server_id = $1", server, NOW - minutes(5))
    assert await desk.sweep(NOW + minutes(4)) == 1
    assert (await desk.trial(ticket.id)).launched_at == NOW


async def test_machines_of_others_start_no_clock(desk: Trials) -> None:
    agent = await desk.begin()
    await desk.open(agent)
    await desk.launch("p-of-somebody", LAUNCHED)
    assert await desk.sweep(LAUNCHED + minutes(1)) == 0


async def test_reminders_and_the_end_each_once(desk: Trials) -> None:
    ticket, _, _ = await begun(desk)
    half, day, hours = LAUNCHED + timedelta(hours=36), ENDS - timedelta(days=1), ENDS - timedelta(hours=3)
    await desk.seen(ENDS + minutes(1))
    for at, handled in (
        (half + JUST_BEFORE, 0),
        (half, 1),
        (half, 0),
        (day + JUST_BEFORE, 0),
        (day, 1),
        # The clock goes back two hours, and comes again.
        (day - timedelta(hours=2), 0),
        (day, 0),
        (hours, 1),
        (ENDS + JUST_BEFORE, 0),
        (ENDS + minutes(1), 1),
        (ENDS + DAYS, 0),
    ):
        assert await desk.sweep(at) == handled, at
    told = ["trial_opened", "trial_begun", "trial_half", "trial_day", "trial_hours", "trial_paid"]
    assert await desk.told(ticket) == told
    assert await desk.told(ticket, "topic") == ["trial_asked", "trial_begun", "trial_paid"]
    async with desk.sessions() as session:
        assert [e.kind for e in await journal.story(session, ticket) if e.kind.startswith("trial")] == [
            "trial_asked", "trial_granted", *told,
        ]  # fmt: skip
        assert await journal.broken_links(session, ticket) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (ENDS - timedelta(hours=30), "trial_half"),
        (ENDS - timedelta(hours=20), "trial_day"),
        (ENDS - timedelta(hours=1), "trial_hours"),
        (ENDS + minutes(1), "trial_paid"),
    ],
)
async def test_a_sweep_that_slept_says_only_the_latest(desk: Trials, at: datetime, expected: str) -> None:
    ticket, _, _ = await begun(desk)
    await desk.seen(at)
    assert [await desk.sweep(at), await desk.sweep(at)] == [1, 0]
    assert await desk.told(ticket) == ["trial_opened", "trial_begun", expected]


@pytest.mark.parametrize(
    ("late", "left"),
    [
        (timedelta(hours=40), ["trial_day", "trial_hours"]),
        (timedelta(hours=60), ["trial_hours"]),
        (timedelta(hours=70), []),
    ],
)
async def test_a_launch_that_is_seen_late_skips_what_lies_behind(
    desk: Trials, late: timedelta, left: list[str]
) -> None:
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    await desk.launch(project, LAUNCHED, seen=LAUNCHED + late)
    await desk.seen(ENDS)
    for hour in range(int(late.total_seconds() / 3600), 73):
        await desk.sweep(LAUNCHED + timedelta(hours=hour))
    assert await desk.told(ticket.id) == ["trial_opened", "trial_begun", *left, "trial_paid"]


# --- the end -------------------------------------------------------------------------------------------------------


async def test_what_is_deleted_by_the_end_is_closed(desk: Trials) -> None:
    ticket, _, server = await begun(desk)
    await desk.delete(server, ENDS - minutes(60))
    await desk.seen(ENDS)
    assert await desk.sweep(ENDS) == 1
    row = await desk.trial(ticket)
    assert (row.state, row.ended_at, row.next_at) == ("closed", ENDS, None)
    assert (await desk.told(ticket))[-1] == "trial_closed"
    assert await desk.fetch("select 1 from ticket where queue = 'billing'") == []


async def test_nothing_is_decided_before_the_cloud_is_seen_after_the_end(desk: Trials) -> None:
    ticket, _, server = await begun(desk)
    await desk.seen(ENDS + JUST_BEFORE)
    await desk.sweep(ENDS + JUST_BEFORE)
    assert [await desk.sweep(ENDS + minutes(n)) for n in (0, 10, 59)] == [0, 0, 0]
    assert [await desk.sweep(ENDS + minutes(n)) for n in (60, 61, 600)] == [1, 0, 0]
    [alarm] = await desk.fetch("select payload from outbox where payload ->> 'notice' = 'trials_unseen'")
    assert alarm.payload["facts"]["references"] == [(await desk.ticket(ticket)).reference]
    assert (await desk.trial(ticket)).state == "running"
    # By the time that somebody looks, it is gone.
    await desk.delete(server, ENDS + minutes(30))
    await desk.seen(ENDS + minutes(700))
    assert await desk.sweep(ENDS + minutes(701)) == 1
    assert (await desk.trial(ticket)).state == "closed"


async def test_those_who_wait_for_the_mirror_hold_up_nobody(desk: Trials) -> None:
    agent = await desk.begin()
    for chat in (501, 502, 503):
        _, project = await desk.open(agent, chat=chat)
        await desk.launch(project, LAUNCHED)
    _, late = await desk.open(agent, chat=504)
    await desk.launch(late, LAUNCHED + DAYS)
    while await desk.sweep(LAUNCHED + minutes(1), 2):
        pass
    while await desk.sweep(ENDS + minutes(60), 2):
        pass
    states = await desk.fetch("select state from trial order by id")
    assert [row.state for row in states] == ["running"] * 4
    assert len(await desk.fetch("select 1 from outbox where payload ->> 'notice' = 'trials_unseen'")) == 2
    assert await desk.sweep(ENDS + timedelta(hours=36), 2) == 1


async def test_who_writes_the_bills_gets_a_request_that_nobody_else_hears_of(desk: Trials) -> None:
    ticket, project, _ = await begun(desk)
    await desk.seen(ENDS)
    before = len(await desk.fetch("select 1 from outbox where payload ->> 'to' = 'requester'"))
    await desk.sweep(ENDS)
    [bill] = await desk.fetch("select * from ticket where queue = 'billing'")
    assert (bill.related_id, bill.status, bill.request_type) == (ticket, "new", "other")
    [said] = (await desk.fetch("select payload from outbox where payload ->> 'to' = 'requester' order by id"))[before:]
    assert said.payload["notice"] == "trial_paid"
    facts = await desk.facts("trial_billing", "topic")
    assert (facts["project"], facts["ends_at"]) == (project, ENDS.isoformat())
    assert (await desk.facts("trial_paid"))["billing"] == bill.reference
    async with desk.sessions() as session:
        [first, *_] = await journal.story(session, bill.id)
    assert (first.kind, first.actor_kind) == ("opened", "system")
    # It is no conversation of the customer's: what they write next is a request of its own.
    async with desk.sessions() as session:
        assert bill.id not in {known.id for known in (await customer(session)).tickets}
    # Nobody waits for a word, somebody has to do it.
    targets = await desk.fetch("select metric from sla_target where ticket_id = :id", id=bill.id)
    assert [row.metric for row in targets] == ["resolution"]


async def test_a_desk_without_such_a_queue_says_it_in_the_topic(sessions: Sessions) -> None:
    desk = Trials(sessions, variant(queues=PROFILE.queues[:1]))
    ticket, _, _ = await begun(desk)
    await desk.seen(ENDS)
    await desk.sweep(ENDS)
    assert len(await desk.fetch("select 1 from ticket")) == 1
    assert (await desk.told(ticket, "topic"))[-1] == "trial_paid"


async def test_who_cannot_be_reached_ends_all_the_same(desk: Trials) -> None:
    agent = await desk.begin()
    ticket, project = await desk.open(agent)
    async with transaction(desk.sessions) as session:
        await session.execute(text("update ticket set answers_to = null"))
        await session.execute(text("delete from identity"))
    await desk.launch(project, LAUNCHED)
    await desk.seen(ENDS)
    while await desk.sweep(ENDS):
        pass
    assert (await desk.trial(ticket.id)).state == "paid"
    assert await desk.told(ticket.id, "topic") == ["trial_asked", "trial_begun", "trial_paid"]


# --- several at once -------------------------------------------------------------------------------------------------


async def test_several_sweeps_at_once_do_it_once(desk: Trials) -> None:
    ticket, _, _ = await begun(desk)
    await desk.seen(ENDS)
    async with transaction(desk.sessions) as first, transaction(desk.sessions) as second:
        await second.execute(text("set local lock_timeout = '2s'"))
        assert await trial_sweep.sweep(first, PROFILE, ENDS) == 1
        assert await trial_sweep.sweep(second, PROFILE, ENDS) == 0
    assert await desk.sweep(ENDS) == 0
    assert (await desk.told(ticket)).count("trial_paid") == 1


async def test_a_sweep_that_waits_for_nobody_finds_it_at_the_next_tick(desk: Trials) -> None:
    ticket, _, _ = await begun(desk)
    await desk.seen(ENDS)
    async with transaction(desk.sessions) as busy:
        await busy.execute(text("select 1 from ticket where id = :id for update"), {"id": ticket})
        assert await desk.sweep(ENDS) == 0
    assert await desk.sweep(ENDS) == 1


async def test_a_sweep_is_bounded_and_keeps_to_its_desk(desk: Trials) -> None:
    agent = await desk.begin()
    for chat in (501, 502, 503):
        _, project = await desk.open(agent, chat=chat)
        await desk.launch(project, LAUNCHED)
    other = Trials(desk.sessions, PROFILE.model_copy(update={"name": "other"}))
    assert await other.sweep(LAUNCHED) == 0
    assert [await desk.sweep(LAUNCHED, 2), await desk.sweep(LAUNCHED, 2)] == [2, 1]


async def test_the_job_sweeps_every_desk_that_gives_trials(desk: Trials) -> None:
    await begun(desk)
    await desk.seen(ENDS)
    assert await job(desk.sessions, [variant(trial=None)], ENDS) == 0
    assert await job(desk.sessions, [variant(trial=None), PROFILE], ENDS) == 1


# --- attack 43: farming ---------------------------------------------------------------------------------------------


async def had(desk: Trials, what: str, **who: object) -> None:
    """That one is refused, and nothing is left of it."""
    before = await desk.fetch("select count(*) as n from ticket")
    with pytest.raises(HadTrial) as refused:
        await desk.ask(**who)  # type: ignore[arg-type]
    assert refused.value.facts == {"what": what}
    assert await desk.fetch("select count(*) as n from ticket") == before


async def test_once_for_a_person_a_phone_and_a_domain(desk: Trials) -> None:
    agent = await desk.begin()
    await desk.open(agent, chat=501, phone="+77011234567", mail="aida@firm.kz")
    # The cabinet makes them a customer.
    await had(desk, "customer", chat=501)
    await had(desk, "phone", chat=601, phone="+77011234567")
    # Whoever writes the number down says as well whose it is.
    await had(desk, "phone", chat=602, phone="+77011234567", verified=False)
    for number, mail in enumerate(("b@firm.kz", "aida+2@firm.kz", "A.I.D.A@Firm.KZ", "x@mail.firm.kz"), 610):
        await had(desk, "domain", chat=number, mail=mail)
    await desk.ask(chat=620, phone="+77019999999", mail="aida@other.kz")


async def test_a_public_mailbox_is_one_person_however_it_is_written(desk: Trials) -> None:
    await desk.begin()
    await desk.ask(chat=501, mail="ivan.petrov@gmail.com")
    for number, mail in enumerate(
        ("ivanpetrov@gmail.com", "Ivan.Petrov+x@gmail.com", "i.v.anpetrov@googlemail.com"), 1
    ):
        await had(desk, "domain", chat=600 + number, mail=mail)
    await desk.ask(chat=620, mail="ivan.petrov2@gmail.com")
    await desk.ask(chat=621, mail="ivan.petrov@mail.ru")


async def test_an_undecided_request_stands_for_its_person(desk: Trials) -> None:
    await desk.begin()
    await desk.ask(chat=501)
    await had(desk, "person", chat=501)


async def test_a_written_number_locks_nobody_out_before_it_is_granted(desk: Trials) -> None:
    """Somebody writes a stranger's number; the stranger, who proves it, still gets a trial."""
    agent = await desk.begin()
    liar = await desk.ask(chat=501, phone="+77011234567", verified=False)
    owner = await desk.ask(chat=502, phone="+77011234567")
    await desk.grant(agent, owner.id)
    with pytest.raises(HadTrial):
        await desk.grant(agent, liar.id)
    assert len(await desk.fetch("select 1 from cloud_action")) == 1


async def test_the_same_written_number_is_granted_once(desk: Trials) -> None:
    agent = await desk.begin()
    tickets = [await desk.ask(chat=chat, phone="+77011234567", verified=False) for chat in (501, 502, 503)]
    await desk.grant(agent, tickets[1].id)
    for ticket in (tickets[0], tickets[2]):
        with pytest.raises(HadTrial):
            await desk.grant(agent, ticket.id)


async def test_whoever_has_a_cabinet_is_no_new_customer(desk: Trials) -> None:
    """Neither as a contact nor with the organization's number or domain; nor if the cabinet is gone."""
    await desk.begin()
    async with transaction(desk.sessions) as session:
        old = await organizations.add(session, DESK, "Старый клиент", NOW)
        await organizations.add_contact(session, old, "Айгерим", NOW, email="office@old.kz", phone="+77010000001")
        await organizations.add_contact(session, old, "Бекзат", NOW, telegram_id=501)
        await organizations.add_contact(session, old, "Дана", NOW, email="dana@mail.old-too.kz")
        await session.rows(
            """insert into cloud_project (desk, project_id, name, organization_id, gone_at)
               values ($1, 'p-old', 'old', $2, $3)""",
            DESK, old.id, NOW - DAYS,
        )  # fmt: skip
    await had(desk, "customer", chat=501)
    await had(desk, "customer", chat=502, phone="+77010000001")
    await had(desk, "customer", chat=503, mail="somebody@old.kz")
    await had(desk, "customer", chat=504, mail="somebody@sub.old.kz")
    await had(desk, "customer", chat=506, mail="somebody@old-too.kz")
    await had(desk, "customer", chat=507, phone="+77010000001", verified=False)
    await desk.ask(chat=505, mail="somebody@bold.kz")


async def test_once_for_an_organization_whoever_of_it_asks(desk: Trials) -> None:
    await desk.begin()
    async with transaction(desk.sessions) as session:
        firm = await organizations.add(session, DESK, "Фирма", NOW)
        for chat in (501, 502):
            await organizations.add_contact(session, firm, str(chat), NOW, telegram_id=chat)
    await desk.ask(chat=501)
    await had(desk, "organization", chat=502)


async def test_what_is_learned_after_the_request_counts_at_the_decision(desk: Trials) -> None:
    """The person turned out to be somebody's contact, or linked an address, while the request waited."""
    agent = await desk.begin()
    await desk.open(agent, chat=501, mail="aida@firm.kz")
    second = await desk.ask(chat=502)
    async with transaction(desk.sessions) as session:
        who = await customer(session, 502)
        await session.rows(
            """insert into identity (person_id, desk, channel, address, verified_at, created_at)
               values ($1, $2, 'email', 'bota@firm.kz', $3, $3)""",
            who.person_id, DESK, NOW,
        )  # fmt: skip
    with pytest.raises(HadTrial):
        await desk.grant(agent, second.id)
    assert (await desk.trial(second.id)).state == "asked"


async def test_who_links_an_address_takes_its_trial_along(desk: Trials) -> None:
    """Two persons become one, and had a trial under either name."""
    agent = await desk.begin()
    async with transaction(desk.sessions) as session:
        made = await session.rows(
            """with p as (insert into person (name, language, created_at) values ('Аида', 'ru', $2) returning id)
               insert into identity (person_id, desk, channel, address, created_at)
               select id, $1, 'email', 'aida@gmail.com', $2 from p returning person_id""",
            DESK, NOW,
        )  # fmt: skip
        by_mail = made[0]["person_id"]
        ticket = await opened(session, 801)
        await session.rows("update ticket set requester_id = $1 where id = $2", by_mail, ticket.id)
    await desk.make(agent, ticket.id)
    async with transaction(desk.sessions) as session:
        who = await customer(session, 501)
        await linking._join(session, DESK, who.person_id, "aida@gmail.com", NOW)
    assert (await desk.trial(ticket.id)).person_id == who.person_id
    await had(desk, "domain", chat=501)
    async with transaction(desk.sessions) as session:
        await session.rows("delete from identity where channel = 'email'")
    await had(desk, "person", chat=501)


@pytest.mark.parametrize("what", ["phone", "domain", "person"])
async def test_of_two_requests_at_once_one_is_refused_clearly(desk: Trials, what: str) -> None:
    """The second waits for the first, and then hears why."""
    await desk.begin()
    who = {"phone": {"phone": "+77011234567"}, "domain": {"mail": "aida@firm.kz"}, "person": {}}[what]
    chats = (501, 501) if what == "person" else (501, 502)
    if what == "domain":
        async with transaction(desk.sessions) as session:
            for chat in chats:
                person = await customer(session, chat)
                await session.rows(
                    """insert into identity (person_id, desk, channel, address, created_at)
                       values ($1, $2, 'email', $3, $4)""",
                    person.person_id, DESK, f"u{chat}@firm.kz", NOW,
                )  # fmt: skip
        who = {}
    else:
        async with transaction(desk.sessions) as session:
            for chat in {*chats}:
                await customer(session, chat)
    results = await asyncio.gather(
        *(desk.ask(chat=chat, **who) for chat in chats), return_exceptions=True  # type: ignore[arg-type]
    )  # fmt: skip
    refused = [one for one in results if isinstance(one, BaseException)]
    assert [type(one) for one in refused] == [HadTrial], results
    assert refused[0].facts == {"what": what}  # type: ignore[attr-defined]
    assert len(await desk.fetch("select 1 from trial")) == 1
    assert len(await desk.fetch("select 1 from ticket")) == 1


async def test_twenty_decisions_at_once_open_one_cabinet(desk: Trials) -> None:
    agent: Agent = await desk.begin()
    ticket = await desk.ask()
    results = await asyncio.gather(*(desk.grant(agent, ticket.id) for _ in range(20)), return_exceptions=True)
    assert len([one for one in results if not isinstance(one, BaseException)]) == 1
    assert {type(one) for one in results if isinstance(one, BaseException)} == {UnderWay}
    assert len(await desk.fetch("select 1 from cloud_action")) == 1


async def test_a_profile_says_for_what_once_counts(sessions: Sessions) -> None:
    assert PROFILE.trial is not None
    desk = Trials(sessions, variant(trial=PROFILE.trial.model_copy(update={"once": ("person",)})))
    await desk.begin()
    await desk.ask(chat=501, phone="+77011234567", mail="aida@firm.kz")
    await desk.ask(chat=502, phone="+77011234567", mail="bota@firm.kz")
    await had(desk, "person", chat=502)

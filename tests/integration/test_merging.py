"""Merging: two tickets become one, for the customer, for the engineers, for the clock."""

import asyncio
from typing import Any

import pytest

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.errors import DeskError, NotAllowed, NotFound, WrongInput, WrongStatus
from crm.mail import service as mail
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.sla.sweep import sweep
from crm.tickets import ended, merging, queries, service, work
from tests.factories import (
    CUSTOMER,
    DESK,
    GROUP,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    connected,
    customer,
    engineer,
    in_group,
    in_topic,
    message,
    minutes,
    one,
    opened,
    pressed,
    private,
    rows,
    said,
    update,
    written,
)
from tests.integration.conftest import Reception
from tests.integration.promised import agreement
from tests.integration.test_mail_tickets import COLLEAGUE, Post, letter, organization
from tests.integration.test_mail_tickets import CUSTOMER as MAILER

LATER = NOW + minutes(5)


async def two(session: Session, **more: Any) -> tuple[OpenTicket, OpenTicket, Agent]:
    """A later ticket that will be merged into an earlier one."""
    await connected(session)
    into = await opened(session, words="Не открывается кабинет", **more)
    return await opened(session, words="Кабинет всё не открывается", **more), into, await engineer(session)


async def merged(session: Session, now: Any = LATER, profile: Any = PROFILE) -> tuple[OpenTicket, OpenTicket]:
    this, into, agent = await two(session, profile=profile)
    await merging.merge(session, profile, agent, this.id, into.reference.lower(), now)
    return this, into


async def status(session: Session, ticket: OpenTicket) -> tuple[str, int | None]:
    row = await one(session, "select status, merged_into_id from ticket where id = :id", id=ticket.id)
    return row.status, row.merged_into_id


async def test_both_sides_know(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        this, into, agent = await two(session)
        here, there = await in_topic(session, this, 70), await in_topic(session, into, 80)
        await merging.merge(session, PROFILE, agent, this.id, into.reference, LATER)
        assert await status(session, this) == ("closed", into.id)
        assert await status(session, into) == ("new", None)
        first, second = [await journal.story(session, t.id) for t in (this, into)]
        assert (first[-1].kind, first[-1].data["into"]) == ("merge", into.reference)
        assert (second[-1].kind, second[-1].data["merged"]) == ("merge", this.reference)
        notices = await rows(
            session,
            """select ticket_id, payload ->> 'notice' as n, payload -> 'facts' as f from outbox
               where payload ->> 'notice' like 'merged%' order by id""",
        )
        assert [(row.ticket_id, row.n, row.f["reference"]) for row in notices] == [
            (this.id, "merged_into", into.reference),
            (into.id, "merged_from", this.reference),
            (into.id, "merged", this.reference),
        ]
        assert [(row.f["chat"], row.f["thread"]) for row in notices[:2]] == [
            (GROUP, there.thread),
            (GROUP, here.thread),
        ]
        card = await queries.card(session, this.id)
        assert card["merged_into"] == into.reference
        # The customer has one request, also by an old button of the other.
        person = (await customer(session)).person_id
        assert [own["id"] for own in await queries.own(session, DESK, person)] == [into.id]
        shown = await queries.own_one(session, DESK, person, this.id)
        assert shown is not None
        assert shown["id"] == into.id


async def test_its_promises_end_and_the_others_keep_their_start(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        this, into = await merged(session)
        ours = await rows(session, "select * from sla_target where ticket_id = :id", id=this.id)
        theirs = await rows(session, "select * from sla_target where ticket_id = :id", id=into.id)
        assert {(row.met_at, row.next_at, row.breached_at) for row in ours} == {(LATER, None, None)}
        assert {(row.started_at, row.met_at) for row in theirs} == {(NOW, None)}
        await sweep(session, PROFILE, NOW + minutes(60 * 24 * 30))
        broken = await rows(session, "select distinct ticket_id from sla_target where breached_at is not null")
        assert [row.ticket_id for row in broken] == [into.id]


async def test_what_was_late_already_stays_late(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        this, _ = await merged(session, NOW + minutes(11))
        first = await one(
            session, "select * from sla_target where ticket_id = :id and metric = 'first_response'", id=this.id
        )
        assert first.breached_at == NOW + minutes(10)


@pytest.mark.parametrize("answered", [False, True])
async def test_the_other_owes_an_answer_to_what_nobody_had_answered(sessions: Sessions, answered: bool) -> None:
    promises = agreement(
        {"first_response": {"minutes": 10}, "resolution": {"minutes": 60}, "next_response": {"minutes": 20}}, name=DESK
    )
    async with transaction(sessions) as session:
        this, into, agent = await two(session, profile=promises)
        for ticket in (into, this) if answered else (into,):
            await work.write(session, promises, agent, ticket.id, "public", written("Смотрим", GROUP), NOW)
        await merging.merge(session, promises, agent, this.id, into.reference, LATER)
        owed = await rows(session, "select due_at from sla_target where metric = 'next_response' and met_at is null")
        assert [row.due_at for row in owed] == ([] if answered else [LATER + minutes(20)])


async def test_a_reply_to_the_merged_one_lands_in_the_other(reception: Reception) -> None:
    words = said("Не открывается кабинет")
    assert await reception.did(words) == "opened"
    async with transaction(reception.sessions) as session:
        agent = await engineer(session)
        this = (await customer(session)).tickets[-1]
        into = await opened(session, words="Другое")
        last = await opened(session, words="Третье")
        await merging.merge(session, PROFILE, agent, this.id, into.reference, NOW)
        # And on, as if it had been merged into that one at once.
        await merging.merge(session, PROFILE, agent, into.id, last.reference, NOW)
        assert await status(session, this) == ("closed", last.id)
        await opened(session, words="Четвёртое")
    quoted = {"reply_to_message": words["message"]}
    assert await reception.did(update(message=message("А теперь?", CUSTOMER, private(CUSTOMER), **quoted))) == "added"
    [stored] = await reception.fetch("select ticket_id, content from message where content ->> 'text' = 'А теперь?'")
    assert stored.ticket_id == last.id
    # Its copy would be a reply into another topic.
    assert "reply_to" not in stored.content


async def test_thanks_that_come_late_are_for_the_one_that_went_on(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        _, into = await merged(session)
        who = await customer(session)
        await service.withdraw(session, PROFILE, who, into.id, NOW)
        latest = await ended.latest(session, PROFILE, await customer(session), LATER)
        assert latest is not None
        assert latest.id == into.id


async def test_reopening_takes_it_back(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        this, into, agent = await two(session)
        await merging.merge(session, PROFILE, agent, this.id, into.reference, LATER)
        await work.reopen(session, PROFILE, agent, this.id, LATER + minutes(5))
        assert await status(session, this) == ("open", None)
        solution = await one(
            session, "select * from sla_target where ticket_id = :id and metric = 'resolution'", id=this.id
        )
        assert (solution.met_at, solution.due_at) == (None, NOW + minutes(24 * 60 + 5))


async def test_what_cannot_be_merged_is_refused(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        this, into, agent = await two(session)
        foreign = await opened(session, OTHER_CUSTOMER)
        who = await customer(session)

        async def refused(error: type[DeskError], ticket: OpenTicket, reference: str) -> None:
            with pytest.raises(error):
                await merging.merge(session, PROFILE, agent, ticket.id, reference, LATER)

        await refused(NotAllowed, this, foreign.reference)
        await refused(NotFound, this, "PD-1")
        await refused(WrongInput, this, this.reference)
        await work.resolve(session, PROFILE, agent, into.id, LATER)
        await refused(WrongStatus, this, into.reference)
        await service.withdraw(session, PROFILE, who, this.id, LATER)
        await work.reopen(session, PROFILE, agent, into.id, LATER)
        await refused(WrongStatus, this, into.reference)
        elsewhere = PROFILE.model_copy(update={"name": "genesys"})
        with pytest.raises(NotFound):
            await merging.merge(session, elsewhere, agent, this.id, into.reference, LATER)
        assert await rows(session, "select 1 from ticket where merged_into_id is not null") == []


async def test_two_that_are_merged_into_one_another_at_once_end_as_one(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await connected(session)
        agent, pairs = await engineer(session), [(await opened(session), await opened(session)) for _ in range(8)]

    async def merge(this: OpenTicket, into: OpenTicket) -> bool:
        try:
            async with transaction(sessions) as session:
                await merging.merge(session, PROFILE, agent, this.id, into.reference, LATER)
        except WrongStatus:
            return False
        return True

    done = await asyncio.gather(*(merge(*pair) for both in pairs for pair in (both, both[::-1])))
    assert sum(done) == len(pairs)
    found = await rows_of(sessions, "select count(*) as n from ticket where merged_into_id is not null")
    assert found[0].n == len(pairs)


async def rows_of(sessions: Sessions, query: str) -> list[Any]:
    async with sessions() as session:
        return await rows(session, query)


async def test_an_engineer_merges_in_the_topic(reception: Reception) -> None:
    here = await reception.topic()
    assert await reception.did(said("Другое", OTHER_CUSTOMER)) == "opened"
    async with transaction(reception.sessions) as session:
        into = await opened(session, words="И ещё")
        foreign = (await customer(session, OTHER_CUSTOMER)).tickets[0]
    place = {"thread": here.thread}
    assert await reception.did(in_group(f"/merge {into.reference}", **place)) == "refused:NotAnAgent"
    await reception.agent()
    refusals = {"/merge": "WrongInput", "/merge PD-1 PD-2": "WrongInput", "/merge PD-1": "NotFound"}
    refusals |= {f"/merge {foreign.reference}": "NotAllowed"}
    for words, refusal in refusals.items():
        assert await reception.did(in_group(words, **place)) == f"refused:{refusal}"
    assert await reception.did(in_group(f"/merge {into.reference}")) == "refused:WrongPlace"
    assert await reception.did(in_group(f"/merge {into.reference}", **place)) == "merged"
    # The old button leads to where it goes on.
    assert await reception.did(pressed(f"mine:open:{here.ticket.id}", CUSTOMER, private(CUSTOMER))) == "opened_own"
    assert into.reference in (await reception.calls("editMessageText"))[-1]["text"]


async def test_mails_of_the_merged_one_and_who_follows_it_come_along(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await connected(session)
        post = Post(sessions, await mail.mail_key(session))
    await organization(post)
    assert await post.take(letter(number="1")) == "opened"
    assert await post.take(letter("Ещё раз", number="2")) == "opened"
    async with transaction(sessions) as session:
        agent = await engineer(session)
        into, this = await rows(session, "select id, reference from ticket order by id")
        await rows(
            session,
            "insert into follower (ticket_id, address, name, added_at) values (:id, :a, '', now()) returning 1",
            id=this.id,
            a=COLLEAGUE,
        )
        await merging.merge(session, PROFILE, agent, this.id, into.reference, NOW)
    for sender, number in ((MAILER, "3"), (COLLEAGUE, "4")):
        assert await post.take(letter("А теперь?", sender, number, in_reply_to="2@firma.kz")) == "added"
    found = await post.fetch("select distinct ticket_id from message where content ->> 'text' = 'А теперь?'")
    assert [row.ticket_id for row in found] == [into.id]
    [told] = await post.fetch("select channel, payload from outbox where payload ->> 'notice' = 'merged'")
    assert (told.channel, told.payload["address"]) == ("email", MAILER)

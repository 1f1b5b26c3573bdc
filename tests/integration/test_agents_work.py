"""What agents do with tickets, and what the customer and the log get of it."""

from typing import Any

import pytest

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.errors import AlreadyTaken, NotAllowed, NotAnAgent, NotFound, WrongInput, WrongStatus
from crm.people import service as people
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.tickets import messages, opening, queries, service, work
from crm.tickets.models import Message, Ticket
from tests.factories import (
    DESK,
    ENGINEER,
    GROUP,
    LEAD,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    connected,
    customer,
    engineer,
    in_topic,
    minutes,
    one,
    opened,
    rows,
    written,
)

LATER = NOW + minutes(3)


async def begun(session: Session) -> tuple[OpenTicket, Agent]:
    await connected(session)
    return await opened(session), await engineer(session)


async def ticket_row(session: Session, ticket: OpenTicket) -> Any:
    return await one(session, "select * from ticket where id = :id", id=ticket.id)


async def notices(session: Session) -> list[str]:
    """What the customer is told, in order."""
    found = await rows(
        session, "select payload ->> 'notice' as n from outbox where payload ->> 'to' = 'requester' order by id"
    )
    return [row.n for row in found]


async def write(session: Session, agent: Agent, ticket: OpenTicket, kind: str, words: str = "Смотрим") -> int:
    return await work.write(session, PROFILE, agent, ticket.id, kind, written(words, GROUP), LATER)


async def test_a_reply_goes_to_the_customer_and_assigns(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        message = await write(session, agent, ticket, "public")
        row = await ticket_row(session, ticket)
        assert (row.status, row.assignee_id) == ("open", agent.id)
        out = await one(session, "select * from outbox where kind = 'relay' and message_id = :id", id=message)
        assert out.payload["to"] == "requester"
        assert out.payload["chat"] == 501
        assert out.lane == out.bucket == f"{DESK}:chat:501"


async def test_a_note_stays_inside(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        message = await write(session, agent, ticket, "note")
        assert await rows(session, "select 1 from outbox where message_id = :id", id=message) == []
        row = await ticket_row(session, ticket)
        assert (row.status, row.assignee_id) == ("new", None)
        assert [e.kind for e in await journal.story(session, ticket.id)] == ["opened", "noted"]
        assert len(await queries.last_messages(session, ticket.id, 9, public_only=True)) == 1


@pytest.mark.parametrize("status", ["closed", "declined"])
async def test_an_ended_ticket_takes_no_reply_but_a_note(sessions: Sessions, status: str) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        await rows(session, "update ticket set status = :s returning id", s=status)
        await write(session, agent, ticket, "note")
    with pytest.raises(WrongStatus):
        async with transaction(sessions) as session:
            await write(session, agent, ticket, "public")
    async with sessions() as session:
        assert len(await rows(session, "select 1 from message where kind = 'public'")) == 1


async def test_steps_from_new_to_closed_tell_the_customer(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        seen = []
        for step in (work.take, work.ask, work.reopen, work.resolve, work.reopen):
            await step(session, PROFILE, agent, ticket.id, LATER)
            seen.append((await ticket_row(session, ticket)).status)
        await work.decline(session, PROFILE, agent, ticket.id, " Не по договору ", LATER)
        assert seen == ["open", "pending", "open", "resolved", "open"]
        assert (await ticket_row(session, ticket)).status == "declined"
        told = await notices(session)
        assert told == ["acknowledged", "asked", "resumed", "resolved", "resumed", "declined"]
        declined = await one(session, "select payload from outbox where payload ->> 'notice' = 'declined'")
        assert declined.payload["facts"]["reason"] == "Не по договору"


async def test_taking_assigns_and_another_takes_over_only_on_purpose(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        other = await engineer(session, LEAD, name="Ерлан")
        await work.take(session, PROFILE, agent, ticket.id, LATER)
        with pytest.raises(AlreadyTaken) as refusal:
            await work.take(session, PROFILE, other, ticket.id, LATER)
        assert refusal.value.facts == {"name": agent.name}
        assert (await ticket_row(session, ticket)).assignee_id == agent.id
        await work.ask(session, PROFILE, agent, ticket.id, LATER)
        for _ in range(2):
            await work.take_over(session, PROFILE, other, ticket.id, LATER)
        row = await ticket_row(session, ticket)
        # It goes on waiting as it did.
        assert (row.assignee_id, row.status) == (other.id, "pending")
        taken = await rows(session, "select actor_name, data from ticket_event where kind = 'take' order by seq")
        assert [(e.actor_name, e.data.get("instead_of")) for e in taken] == [(agent.name, None), ("Ерлан", agent.name)]
        told = await one(
            session, "select payload -> 'facts' as f from outbox where payload ->> 'notice' = 'taken_over'"
        )
        assert told.f == {"name": "Ерлан", "mention": [{"id": agent.telegram_id, "name": agent.name}]}


async def test_what_nobody_has_taken_is_simply_taken(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        await work.take_over(session, PROFILE, agent, ticket.id, LATER)
        row = await ticket_row(session, ticket)
        assert (row.assignee_id, row.status) == (agent.id, "open")
        assert await rows(session, "select 1 from outbox where payload ->> 'notice' = 'taken_over'") == []


@pytest.mark.parametrize("step", [work.take, work.ask, work.resolve])
async def test_a_closed_ticket_takes_no_step_but_reopening(sessions: Sessions, step: Any) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, NOW)
    with pytest.raises(WrongStatus):
        async with transaction(sessions) as session:
            await step(session, PROFILE, agent, ticket.id, LATER)
    async with transaction(sessions) as session:
        row = await ticket_row(session, ticket)
        assert (row.status, row.assignee_id) == ("closed", None)
        targets = await rows(session, "select 1 from sla_target where met_at is not null")
        assert targets == []
        await work.reopen(session, PROFILE, agent, ticket.id, LATER)
        assert (await ticket_row(session, ticket)).closed_at is None


@pytest.mark.parametrize("reason", ["", "  \n"])
async def test_declining_needs_a_reason(sessions: Sessions, reason: str) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
    with pytest.raises(WrongInput):
        async with transaction(sessions) as session:
            await work.decline(session, PROFILE, agent, ticket.id, reason, LATER)


async def test_an_unknown_priority_or_type_is_refused(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        with pytest.raises(WrongInput):
            await work.set_priority(session, PROFILE, agent, ticket.id, "soon", LATER)
        with pytest.raises(WrongInput):
            await work.set_type(session, PROFILE, agent, ticket.id, "coffee", LATER)
        await work.set_priority(session, PROFILE, agent, ticket.id, "urgent", LATER)
        assert (await ticket_row(session, ticket)).priority == "urgent"


@pytest.mark.parametrize("status", ["closed", "declined"])
async def test_what_a_finished_ticket_is_cannot_be_changed_any_more(sessions: Sessions, status: str) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        await rows(session, "update ticket set status = :s returning id", s=status)
    with pytest.raises(WrongStatus):
        async with transaction(sessions) as session:
            await work.set_type(session, PROFILE, agent, ticket.id, "vm", LATER)
    async with sessions() as session:
        assert "retyped" not in await notices(session)


async def test_a_ticket_of_another_desk_is_not_there(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, _ = await begun(session)
        with pytest.raises(NotFound):
            await service.load(session, "other", ticket.id)


async def test_a_topic_belongs_to_one_ticket(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, _ = await begun(session)
        place = await in_topic(session, ticket)
        assert (await work.ticket_in_topic(session, DESK, GROUP, place.thread)).id == ticket.id
        for chat, thread in ((GROUP, 0), (GROUP, 5), (GROUP - 1, place.thread)):
            with pytest.raises(NotFound):
                await work.ticket_in_topic(session, DESK, chat, thread)


# --- edits and deletions -----------------------------------------------------------------------------------------


async def test_an_edit_follows_its_message_in_the_same_lane(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        message = await write(session, agent, ticket, "public")
        stored = await session.get_one(Message, message)
        actor = people.actor_of(agent)
        content = {"type": "text", "text": "Уже починили"}
        assert await messages.edit(session, PROFILE, stored, content, actor, LATER)
        assert not await messages.edit(session, PROFILE, stored, content, actor, LATER)
        relay = await one(session, "select lane from outbox where kind = 'relay' and message_id = :id", id=message)
        amend = await one(session, "select lane from outbox where kind = 'amend'")
        assert relay.lane == amend.lane
        last = (await journal.story(session, ticket.id))[-1]
        assert (last.kind, last.data["before"]) == ("edited", "Смотрим")


async def test_an_agent_deletes_own_words_but_not_the_customers(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, agent = await begun(session)
        mine = await session.get_one(Message, await write(session, agent, ticket, "public"))
        actor = people.actor_of(agent)
        await messages.delete(session, PROFILE, mine, actor, LATER, command=5)
        with pytest.raises(NotFound):
            await messages.delete(session, PROFILE, mine, actor, LATER, command=5)
        first = (await queries.last_messages(session, ticket.id, 9, True))[0]
        with pytest.raises(NotAllowed):
            await messages.delete(session, PROFILE, first, actor, LATER, command=5)
        assert [m.id for m in await queries.last_messages(session, ticket.id, 9, True)] == [first.id]


# --- people ------------------------------------------------------------------------------------------------------


async def test_a_stranger_becomes_one_person_in_the_language_of_the_client(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first = await people.recognise(session, PROFILE, 77, "Ая", "aya", "kk", NOW)
        again = await people.recognise(session, PROFILE, 77, "Другое имя", None, "en", NOW)
    assert (first.language, first.name) == (again.language, again.name) == ("kk", "Ая")
    assert first.person_id == again.person_id
    assert first.next_message_id != again.next_message_id


async def test_an_account_cannot_become_a_second_person(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await customer(session)
    async with sessions() as session:
        with pytest.raises(Exception, match="identity_desk_channel_address_key"):
            await people._register(session, PROFILE, 501, "Ая", None, "kk", NOW)


async def test_recognising_tells_of_reply_album_and_open_tickets(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        who = await customer(session)
        ticket = await opening.open_ticket(session, PROFILE, who, written("а", message=5, album="501:9"), NOW)
        seen = await customer(session, message_id=5, reply_to=5, album="501:9")
    assert [t.id for t in seen.tickets] == [ticket.id]
    assert (seen.replied_ticket_id, seen.replied_message_id) == (ticket.id, who.next_message_id)
    assert seen.known_message
    assert seen.album_ticket_id == ticket.id
    assert not seen.album_held


async def test_a_closed_ticket_cannot_be_written_to_any_more(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session)
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, NOW)
        assert (await customer(session)).tickets == []


async def test_only_news_about_reaching_someone_is_news(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        who = await customer(session)
        assert await people.mark_reachable(session, DESK, "telegram", "501", None) is None
        assert await people.mark_reachable(session, DESK, "telegram", "501", NOW) == who.person_id
        assert await people.mark_reachable(session, DESK, "telegram", "501", LATER) is None
        assert (await customer(session)).unreachable
        assert await people.mark_reachable(session, DESK, "telegram", "501", None) == who.person_id
        assert await people.mark_reachable(session, DESK, "telegram", str(OTHER_CUSTOMER), NOW) is None


async def test_rules_are_accepted_once(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        who = await customer(session)
        assert await people.accept_rules(session, who.person_id, NOW)
        assert not await people.accept_rules(session, who.person_id, NOW)
        await session.flush()
        assert (await customer(session)).rules_accepted


async def test_a_removed_agent_is_none_and_stays_in_the_log(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        agent = await engineer(session)
        assert (await people.require_agent(session, DESK, ENGINEER)).id == agent.id
        with pytest.raises(NotAnAgent):
            await people.require_agent(session, "other", ENGINEER)
        await people.remove_agent(session, DESK, ENGINEER)
        await session.flush()
        with pytest.raises(NotAnAgent):
            await people.require_agent(session, DESK, ENGINEER)
        assert await people.remove_agent(session, DESK, ENGINEER) is None
        assert await people.agents(session, DESK) == []
        assert await session.get(Agent, agent.id) is not None
        assert (await engineer(session, role="lead")).id == agent.id


async def test_a_reference_is_found_however_it_is_written(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        ticket, _ = await begun(session)
    async with sessions() as session:
        assert (await queries.by_reference(session, ticket.reference.lower())) is not None
        assert await queries.by_reference(session, "PD-1") is None
        assert (await session.get_one(Ticket, ticket.id)).reference == ticket.reference

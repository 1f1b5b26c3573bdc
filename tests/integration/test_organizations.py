"""Organizations: who is recognised as a contact, and what their contract does to promises."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from crm import journal
from crm.db import Session, Sessions, transaction
from crm.errors import NotAllowed, NotFound, Taken, WrongInput, WrongStatus
from crm.people import organizations
from crm.people.models import Organization
from crm.tickets import contracts, queries, service, work
from tests.factories import (
    CUSTOMER,
    DESK,
    LEAD,
    NOW,
    OTHER_CUSTOMER,
    PROFILE,
    add,
    connected,
    customer,
    engineer,
    in_group,
    minutes,
    one,
    opened,
    rows,
    written,
)
from tests.integration.conftest import Reception
from tests.integration.promised import agreement

LATER = NOW + minutes(5)
URGENT = {"organizations": ["ао РОМАШКА "], "first_response": {"minutes": 5}, "resolution": {"minutes": 30}}
USUAL = {"first_response": {"minutes": 10}, "resolution": {"minutes": 60}, "next_response": {"minutes": 20}}
PROMISES = agreement(URGENT, USUAL, name=DESK)


async def romashka(session: Session, name: str = "АО Ромашка", **more: Any) -> Organization:
    return await organizations.add(session, DESK, name, NOW, contract="№ 17", **more)


async def person(session: Session, chat: int = CUSTOMER) -> int:
    return (await customer(session, chat)).person_id


async def mailbox(session: Session, person_id: int, address: str, channel: str = "email") -> None:
    """The person is known by that address as well."""
    await session.execute(
        text("""insert into identity (person_id, desk, channel, address, created_at)
                values (:person, :desk, :channel, :address, :now)"""),
        {"person": person_id, "desk": DESK, "channel": channel, "address": address, "now": NOW},
    )


async def held_by(session: Session, ticket_id: int) -> str | None:
    return (await queries.card(session, ticket_id))["organization"]


async def due(session: Session, ticket_id: int, metric: str = "resolution") -> datetime:
    found = await one(
        session, "select due_at from sla_target where ticket_id = :id and metric = :m", id=ticket_id, m=metric
    )
    return found.due_at


@pytest.mark.parametrize("address", ["email", "phone", "telegram", "person"])
async def test_a_contact_is_recognised_by_any_address_of_the_person(sessions: Sessions, address: str) -> None:
    async with transaction(sessions) as session:
        who, one_ = await person(session), await romashka(session)
        await mailbox(session, who, "aigul@romashka.kz")
        await mailbox(session, who, "+77011234567", "phone")
        known: dict[str, Any] = {
            "email": {"email": " Aigul@Romashka.kz"},
            "phone": {"phone": "8 701 123 45 67"},
            "telegram": {"telegram_id": CUSTOMER},
            "person": {"person_id": who},
        }
        contact = await organizations.add_contact(session, one_, "Айгуль", NOW, **known[address])
        # As if it had been added before the person was known.
        await session.flush()
        if address != "person":
            assert contact.person_id == who
            contact.person_id = None
        ticket = await opened(session)
        assert await held_by(session, ticket.id) == "АО Ромашка"
        for channel, written_ in (
            ("email", "AIGUL@romashka.kz"),
            ("phone", "+77011234567"),
            ("telegram", str(CUSTOMER)),
        ):
            found = await organizations.organization_of(session, DESK, channel, written_)
            assert found is not None, channel
            assert (found.name, found.contract, found.contact) == ("АО Ромашка", "№ 17", "Айгуль")
        assert await organizations.organization_of(session, DESK, "telegram", str(OTHER_CUSTOMER)) is None
        assert await organizations.organization_of(session, "genesys", "email", "aigul@romashka.kz") is None


async def test_a_stranger_and_a_removed_contact_belong_to_nobody(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        one_ = await romashka(session)
        contact = await organizations.add_contact(session, one_, "Айгуль", NOW, telegram_id=CUSTOMER)
        stranger = await opened(session, OTHER_CUSTOMER)
        await organizations.remove_contact(session, DESK, contact.id)
        await session.flush()
        former = await opened(session)
        assert [await held_by(session, ticket.id) for ticket in (stranger, former)] == [None, None]
        again = await organizations.add_contact(session, one_, "Айгуль", NOW, telegram_id=CUSTOMER)
        await organizations.remove(session, one_)
        assert await organizations.organization_of(session, DESK, "telegram", str(CUSTOMER)) is None
        with pytest.raises(NotFound):
            await organizations.find(session, DESK, "АО Ромашка")
        assert (await romashka(session)).id != one_.id
        assert again.id != contact.id


async def test_an_address_is_one_contacts_of_a_desk(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        first, second = await romashka(session), await romashka(session, "ТОО Василёк")
        await organizations.add_contact(session, first, "Айгуль", NOW, email="a@b.kz", telegram_id=5)
        for more in ({"email": "A@B.kz"}, {"telegram_id": 5}):
            with pytest.raises(Taken):
                await organizations.add_contact(session, second, "Ерлан", NOW, **more)
        with pytest.raises(Taken):
            await romashka(session, "ао  РОМАШКА")
        elsewhere = await organizations.add(session, "genesys", "АО Ромашка", NOW)
        await organizations.add_contact(session, elsewhere, "Айгуль", NOW, email="a@b.kz")
        with pytest.raises(NotFound):
            await organizations.remove_contact(session, "genesys", 1)


@pytest.mark.parametrize(
    ("spoken", "number"),
    [
        ("+7 (701) 123-45-67", "+77011234567"),
        ("8 701 123 45 67", "+77011234567"),
        ("701 123 45 67", "+77011234567"),
        ("0049 30 901820", "+4930901820"),
    ],
)
def test_phone_numbers_are_compared_by_their_digits(spoken: str, number: str) -> None:
    assert organizations.phone_number(spoken) == number


@pytest.mark.parametrize("spoken", ["", "12", "123-45-67", "+7 701 123 45 67 89 00 11", "звоните", "+٧٠١١٢٣٤٥٦٧"])
def test_what_is_no_phone_number_is_refused(spoken: str) -> None:
    with pytest.raises(WrongInput):
        organizations.phone_number(spoken)


async def test_a_policy_may_name_organizations(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await organizations.add_contact(session, await romashka(session), "Айгуль", NOW, telegram_id=CUSTOMER)
        mine = await opened(session, profile=PROMISES)
        other = await opened(session, OTHER_CUSTOMER, profile=PROMISES)
        assert await due(session, mine.id) == NOW + minutes(30)
        assert await due(session, other.id) == NOW + minutes(60)


async def test_another_contract_counts_from_the_same_start_with_all_pauses(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await connected(session)
        lead, ticket = await engineer(session, LEAD, "lead"), await opened(session, profile=PROMISES)
        await work.ask(session, PROMISES, lead, ticket.id, NOW + minutes(2))
        await add(session, ticket, "Вот", NOW + minutes(12))
        await romashka(session)
        await contracts.bind(session, PROMISES, lead, ticket.id, "ао ромашка", NOW + minutes(15))
        assert await due(session, ticket.id) == NOW + minutes(40)
        assert await due(session, ticket.id, "first_response") == NOW + minutes(15)
        [told] = await rows(session, "select payload -> 'facts' as f from outbox where payload ->> 'notice' = 'moved'")
        assert told.f["reason"] == "contract"
        assert told.f["promises"] == [{"metric": "resolution", "due_at": (NOW + minutes(40)).isoformat()}]
        [said] = await rows(session, "select payload -> 'facts' as f from outbox where payload ->> 'notice' = 'bound'")
        assert said.f == {"name": lead.name, "organization": "АО Ромашка"}
        event = (await journal.story(session, ticket.id))[-1]
        assert (event.kind, event.data["before"], event.data["after"]) == ("organization", None, "АО Ромашка")
        # The same again changes nothing, and is not said again.
        await contracts.bind(session, PROMISES, lead, ticket.id, "АО Ромашка", NOW + minutes(16))
        assert (await journal.story(session, ticket.id))[-1].seq == event.seq
        # The next one is theirs from the beginning.
        assert await due(session, (await opened(session, profile=PROMISES)).id) == NOW + minutes(30)


async def test_a_later_answer_is_promised_by_the_contract_too(sessions: Sessions) -> None:
    promises = agreement(URGENT | {"next_response": {"minutes": 7}}, USUAL, name=DESK)
    async with transaction(sessions) as session:
        await organizations.add_contact(session, await romashka(session), "Айгуль", NOW, telegram_id=CUSTOMER)
        agent, ticket = await engineer(session), await opened(session, profile=promises)
        await work.write(session, promises, agent, ticket.id, "public", written("Смотрим"), LATER)
        who = await customer(session)
        await service.add_message(session, promises, who, who.tickets[0], written("И ещё"), LATER)
        assert await due(session, ticket.id, "next_response") == LATER + minutes(7)


async def test_who_is_bound_to_another_organization_leaves_the_first(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        lead, first = await engineer(session, LEAD, "lead"), await romashka(session)
        await organizations.add_contact(session, first, "Айгуль", NOW, telegram_id=CUSTOMER, email="a@b.kz")
        ticket = await opened(session, profile=PROMISES)
        await romashka(session, "ТОО Василёк")
        await contracts.bind(session, PROMISES, lead, ticket.id, "ТОО Василёк", LATER)
        assert await due(session, ticket.id) == NOW + minutes(60)
        [contact] = await rows(session, "select * from contact where active")
        assert (contact.name, contact.email) == ("Айгуль", "a@b.kz")
        found = await organizations.organization_of(session, DESK, "email", "a@b.kz")
        assert found is not None
        assert found.name == "ТОО Василёк"


async def test_only_a_lead_binds_and_only_what_lives(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        agent, ticket = await engineer(session), await opened(session)
        lead = await engineer(session, LEAD, "lead")
        await romashka(session)
        with pytest.raises(NotAllowed):
            await contracts.bind(session, PROFILE, agent, ticket.id, "АО Ромашка", LATER)
        with pytest.raises(NotFound):
            await contracts.bind(session, PROFILE, lead, ticket.id, "АО Ромашки", LATER)
        await service.withdraw(session, PROFILE, await customer(session), ticket.id, LATER)
        with pytest.raises(WrongStatus):
            await contracts.bind(session, PROFILE, lead, ticket.id, "АО Ромашка", LATER)
        assert await rows(session, "select 1 from contact") == []


async def test_a_lead_binds_in_the_topic(reception: Reception) -> None:
    here = await reception.topic()
    await reception.agent()
    await reception.agent(LEAD, "lead")
    async with transaction(reception.sessions) as session:
        await romashka(session)
    place = {"thread": here.thread}
    assert await reception.did(in_group("/organization АО Ромашка", **place)) == "refused:NotAllowed"
    assert await reception.did(in_group("/organization", LEAD, **place)) == "refused:WrongInput"
    assert await reception.did(in_group("/organization Никто", LEAD, **place)) == "refused:NotFound"
    assert await reception.did(in_group("/organization АО Ромашка", LEAD)) == "refused:WrongPlace"
    assert await reception.did(in_group("/organization АО Ромашка", LEAD, **place)) == "bound"
    hints = [call["text"] for call in await reception.calls("sendMessage")][-4:]
    assert len(set(hints)) == 4
    async with reception.sessions() as session:
        assert await held_by(session, here.ticket.id) == "АО Ромашка"

"""Builders that the tests share: a moment, a desk, people, tickets, and updates as Telegram writes them."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from crm.db import Session, Sessions
from crm.desks import Profile, load_profile
from crm.people import service as people
from crm.people.models import Agent
from crm.people.service import OpenTicket, Requester
from crm.tickets import groups, opening, service
from crm.tickets.models import DeskGroup
from crm.tickets.opening import Opening
from crm.tickets.written import Origin, Written

Json = dict[str, Any]

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROFILE = load_profile("prodata")
DESK = PROFILE.name
TOKEN = "700000001:token-of-the-tests-0000000000000001"
BOT = {"id": 700000001, "is_bot": True, "first_name": "ProData", "username": "prodata_bot"}
CUSTOMER, OTHER_CUSTOMER = 501, 502
ENGINEER, LEAD, STRANGER, ADMIN = 900, 901, 902, 903
GROUP = -1001000000001

_ids = itertools.count(1)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@dataclass
class Moment:
    """A clock that stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


async def rows(session: Session, query: str, **values: Any) -> list[Any]:
    return list((await session.execute(text(query), values)).all())


async def one(session: Session, query: str, **values: Any) -> Any:
    found = await rows(session, query, **values)
    assert len(found) == 1, found
    return found[0]


@asynccontextmanager
async def undone(sessions: Sessions) -> AsyncIterator[Session]:
    """A transaction that is rolled back, as after a refusal."""
    async with sessions() as session:
        begun = session.driver.transaction()
        await begun.start()
        try:
            yield session
        finally:
            await begun.rollback()


# --- the desk, without a transport ---------------------------------------------------------------------------


def variant(**changes: Any) -> Profile:
    """The agreement of the tests with something else in it."""
    made = PROFILE.model_copy(update=changes)
    # What was worked out from the original does not count here.
    made.__dict__.pop("promises", None)
    return made


async def customer(session: Session, chat: int = CUSTOMER, now: datetime = NOW, **more: Any) -> Requester:
    return await people.recognise(session, PROFILE, chat, f"Клиент {chat}", None, "ru", now, **more)


def written(
    words: str = "Не открывается кабинет",
    chat: int = CUSTOMER,
    message: int | None = None,
    album: str | None = None,
    now: datetime = NOW,
    **content: Any,
) -> Written:
    made = {"type": "text", "text": words, **content}
    return Written(made, now, Origin(chat, message or next(_ids) + 10_000), album)


async def opened(
    session: Session,
    chat: int = CUSTOMER,
    words: str = "Не открывается кабинет",
    now: datetime = NOW,
    profile: Profile = PROFILE,
    **more: Any,
) -> OpenTicket:
    who = await customer(session, chat, now)
    return await opening.open_ticket(session, profile, who, written(words, chat, now=now), now, Opening(**more))


async def add(session: Session, ticket: OpenTicket, words: str, now: datetime, chat: int = CUSTOMER) -> Requester:
    """The customer writes again in that ticket."""
    who = await customer(session, chat, now)
    current = next(t for t in who.tickets if t.id == ticket.id)
    await service.add_message(session, PROFILE, who, current, written(words, chat, now=now), now)
    return who


async def engineer(session: Session, telegram_id: int = ENGINEER, role: str = "agent", name: str = "") -> Agent:
    return await people.name_agent(session, DESK, telegram_id, name or f"Инженер {telegram_id}", role, NOW)


async def connected(session: Session, chat: int = GROUP, now: datetime = NOW) -> DeskGroup:
    group = await groups.seen(session, DESK, chat, "Инженеры", None)
    await groups.connect(session, DESK, group, now)
    return group


# --- updates ---------------------------------------------------------------------------------------------------


def person(telegram_id: int, language: str = "ru") -> Json:
    return {"id": telegram_id, "is_bot": False, "first_name": f"Человек {telegram_id}", "language_code": language}


def private(chat: int) -> Json:
    return {"id": chat, "type": "private", "first_name": f"Человек {chat}"}


def forum(chat: int = GROUP) -> Json:
    return {"id": chat, "type": "supergroup", "title": "Инженеры", "is_forum": True}


def update(**body: Any) -> Json:
    return {"update_id": next(_ids), **body}


def message(words: str | None, sender: int, chat: Json, *, number: int = 0, thread: int = 0, **more: Any) -> Json:
    """A message as it stands inside of an update."""
    made: Json = {
        "message_id": number or next(_ids) + 20_000,
        "date": int(NOW.timestamp()),
        "chat": chat,
        "from": person(sender),
        **more,
    }
    if words is not None:
        made["text"] = words
        if words.startswith("/"):
            length = len(words.split()[0])
            made["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    if thread:
        made |= {"message_thread_id": thread, "is_topic_message": True}
    return made


def said(words: str | None, sender: int = CUSTOMER, **more: Any) -> Json:
    """Someone writes to the bot in private."""
    return update(message=message(words, sender, private(sender), **more))


def in_group(words: str | None, sender: int = ENGINEER, *, chat: Json | None = None, **more: Any) -> Json:
    return update(message=message(words, sender, chat or forum(), **more))


def pressed(data: str, sender: int, chat: Json, *, number: int = 5, thread: int = 0) -> Json:
    place = message("карточка", sender, chat, number=number, thread=thread) | {"from": BOT}
    press = {"id": str(next(_ids)), "from": person(sender), "chat_instance": "1", "data": data, "message": place}
    return update(callback_query=press)


def photo(name: str = "p1") -> list[Json]:
    return [
        {"file_id": f"{name}-{size}", "file_unique_id": f"{name}{size}", "width": size, "height": size}
        for size in (90, 800)
    ]


@dataclass
class Group:
    """What stands in the group for one ticket."""

    ticket: OpenTicket
    thread: int
    card: int
    copy: int
    more: Json = field(default_factory=dict)


async def in_topic(session: Session, ticket: OpenTicket, thread: int = 77) -> Group:
    """As if the topic, the card and the first message's copy had been delivered."""
    made = Group(ticket, thread, thread + 1, thread + 2)
    await session.execute(
        text("update ticket set thread_id = :thread, card_message_id = :card where id = :id"),
        {"thread": thread, "card": made.card, "id": ticket.id},
    )
    await session.execute(
        text("""insert into telegram_message (desk, chat_id, message_id, ticket_id, message_ref, role)
                values (:desk, :chat, :card, :id, null, 'card'),
                       (:desk, :chat, :copy, :id, (select min(id) from message where ticket_id = :id), 'copy')"""),
        {"desk": DESK, "chat": GROUP, "card": made.card, "copy": made.copy, "id": ticket.id},
    )
    return made

"""A desk whose promises the test says itself, and what people do at it, each step a transaction of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.people import service as people
from crm.people.models import Agent
from crm.people.service import OpenTicket, Requester
from crm.sla.sweep import sweep
from crm.tickets import opening, service, work
from crm.tickets.opening import Opening
from tests.factories import CUSTOMER, ENGINEER, GROUP, NOW, rows, written

Json = dict[str, Any]

ALWAYS: Json = {"timezone": "Asia/Almaty", "hours": "24/7"}
OFFICE: Json = {"timezone": "Asia/Almaty", "hours": {"mon-fri": [["09:00", "13:00"], ["14:00", "18:00"]]}}
USUAL: Json = {"first_response": {"minutes": 10}, "resolution": {"minutes": 60}}


def agreement(
    *policies: Json,
    calendars: Json | None = None,
    calendar: str = "always",
    steps: Sequence[Json] | None = None,
    types: Sequence[str] = ("other",),
    name: str = "tests",
) -> Profile:
    """A checked profile; without policies it promises an answer in ten minutes and a solution in an hour."""
    plain: Json = {
        "name": name,
        "title": "Tests",
        "prefix": "TT",
        "timezone": "Asia/Almaty",
        "languages": ["kk", "ru", "en"],
        "team_language": "ru",
        "request_types": [{"key": key} for key in types],
        "default_type": types[0],
        "calendar": calendar,
        "calendars": {"always": ALWAYS, "office": OFFICE} | (calendars or {}),
        "policies": policies or [USUAL],
    }
    if steps is not None:
        plain["escalations"] = steps
    return Profile.model_validate(plain)


@dataclass
class Desk:
    """People at a desk. Whoever acts is looked up anew, as for every message."""

    sessions: Sessions
    profile: Profile

    async def requester(self, now: datetime, chat: int = CUSTOMER) -> Requester:
        async with transaction(self.sessions) as session:
            return await people.recognise(session, self.profile, chat, f"Клиент {chat}", None, "ru", now)

    async def engineer(self, telegram_id: int = ENGINEER, role: str = "agent", on_duty: bool = True) -> Agent:
        async with transaction(self.sessions) as session:
            agent = await people.name_agent(
                session, self.profile.name, telegram_id, f"Инженер {telegram_id}", role, NOW
            )
            agent.on_duty = on_duty
            return agent

    async def open(self, now: datetime, kind: str | None = None, chat: int = CUSTOMER) -> OpenTicket:
        who = await self.requester(now, chat)
        async with transaction(self.sessions) as session:
            return await opening.open_ticket(
                session, self.profile, who, written("Не идёт", chat, now=now), now, Opening(kind)
            )

    async def write(self, ticket_id: int, now: datetime, words: str = "Ну что там", chat: int = CUSTOMER) -> bool:
        """False if the ticket can no longer be written to."""
        who = await self.requester(now, chat)
        found = next((ticket for ticket in who.tickets if ticket.id == ticket_id), None)
        if found is None:
            return False
        async with transaction(self.sessions) as session:
            await service.add_message(session, self.profile, who, found, written(words, chat, now=now), now)
        return True

    async def answer(self, action: Any, ticket_id: int, now: datetime, chat: int = CUSTOMER) -> None:
        """What the requester presses: confirm, reject, withdraw."""
        who = await self.requester(now, chat)
        async with transaction(self.sessions) as session:
            await action(session, self.profile, who, ticket_id, now)

    async def reply(self, agent: Agent, ticket_id: int, now: datetime, kind: str = "public") -> None:
        async with transaction(self.sessions) as session:
            await work.write(session, self.profile, agent, ticket_id, kind, written("Смотрим", GROUP, now=now), now)

    async def step(self, action: Any, agent: Agent, ticket_id: int, *more: Any) -> None:
        """What an engineer does; the moment comes last."""
        async with transaction(self.sessions) as session:
            await action(session, self.profile, agent, ticket_id, *more)

    async def sweep(self, now: datetime) -> int:
        async with transaction(self.sessions) as session:
            return await sweep(session, self.profile, now)

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await rows(session, query, **values)

    async def target(self, metric: str) -> Any:
        """Its latest round."""
        found = await self.fetch("select * from sla_target where metric = :metric order by round", metric=metric)
        return found[-1]

    async def events(self, *kinds: str) -> list[tuple[str, str]]:
        """What the log holds of promises: kind and metric."""
        found = await self.fetch(
            """select kind, data ->> 'metric' as metric from ticket_event where kind = any(:kinds)
               order by ticket_id, seq""",
            kinds=list(kinds or ("warned", "breached", "escalated")),
        )
        return [(row.kind, row.metric) for row in found]

    async def notices(self) -> list[tuple[str, str]]:
        """What the topic was told of promises."""
        found = await self.fetch(
            """select payload ->> 'notice' as notice, payload -> 'facts' ->> 'metric' as metric from outbox
               where payload ->> 'notice' in ('warned', 'breached', 'escalated') order by id"""
        )
        return [(row.notice, row.metric) for row in found]

    async def called(self) -> list[list[int]]:
        """Who was called by each of these notices."""
        found = await self.fetch(
            """select payload -> 'facts' -> 'mention' as mention from outbox
               where payload ->> 'notice' in ('warned', 'breached', 'escalated') order by id"""
        )
        return [[agent["id"] for agent in row.mention] for row in found]

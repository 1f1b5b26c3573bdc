"""A desk that gives trials, and the cloud as its mirror shows it: what is launched and deleted is written there."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.cloud import ending, running, trial_sweep, trials
from crm.cloud.ending import Ending
from crm.cloud.models import Trial
from crm.cloud.running import Note
from crm.cloud.trials import Wish
from crm.db import Sessions, transaction
from crm.desks import Profile
from crm.people.models import Agent
from crm.people.service import OpenTicket
from tests.factories import LEAD, NOW, PROFILE, connected, customer, engineer, one, opened, rows

_MACHINE = """
    insert into vm (desk, server_id, project_id, name, status, power, locked, vcpus, ram, created_at, changed_at,
                    launched_at, seen_at)
    values ($1, $2, $3, $2, 'ACTIVE', 'on', false, 1, 1024, $4, $4, $4, $5)
"""


@dataclass
class Trials:
    sessions: Sessions
    profile: Profile = PROFILE
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def begin(self) -> Agent:
        """The group is there, and somebody who may decide."""
        async with transaction(self.sessions) as session:
            await connected(session)
            return await engineer(session, LEAD, "lead")

    async def ask(
        self,
        chat: int = 501,
        name: str = "ТОО Шанырак",
        phone: str | None = None,
        verified: bool = True,
        mail: str | None = None,
        now: datetime = NOW,
    ) -> OpenTicket:
        """Somebody with that chat, number and mail address asks for a trial."""
        async with transaction(self.sessions) as session:
            who = await customer(session, chat, now)
            if mail is not None:
                await session.rows(
                    """insert into identity (person_id, desk, channel, address, verified_at, created_at)
                       values ($1, $2, 'email', $3, $4, $4) on conflict do nothing""",
                    who.person_id, self.profile.name, mail, now,
                )  # fmt: skip
            wish = Wish(name, phone, verified and phone is not None)
            return await trials.ask(session, self.profile, who, wish, now)

    async def by_mail(self, address: str, words: str = "Хочу попробовать", now: datetime = NOW) -> OpenTicket:
        """A request that came otherwise, from somebody whose mail address is known."""
        chat = 700_000 + next(self.numbers)
        async with transaction(self.sessions) as session:
            ticket = await opened(session, chat, words, now)
            await session.rows(
                """insert into identity (person_id, desk, channel, address, created_at)
                   select requester_id, $2, 'email', $3, $4 from ticket where id = $1""",
                ticket.id, self.profile.name, address, now,
            )  # fmt: skip
        return ticket

    async def make(self, agent: Agent, ticket: int, now: datetime = NOW) -> Trial:
        async with transaction(self.sessions) as session:
            return await trials.make(session, self.profile, agent, ticket, now)

    async def grant(self, agent: Agent, ticket: int, now: datetime = NOW) -> Trial:
        async with transaction(self.sessions) as session:
            return await trials.grant(session, self.profile, agent, ticket, now)

    async def refuse(self, agent: Agent, ticket: int, now: datetime = NOW, reason: str = "") -> Trial:
        async with transaction(self.sessions) as session:
            return await trials.refuse(session, self.profile, agent, ticket, now, reason)

    async def carried_out(self, now: datetime = NOW, outcome: str = "succeeded") -> list[str]:
        """All that is approved, as if the cloud had answered so; gives the projects."""
        projects = []
        async with transaction(self.sessions) as session:
            for step in await running.claim(session, self.profile.name, now, 100):
                project = f"p-{step.id}"
                seen = {"project": project, "user": f"u-{step.id}", "login": step.parameters["account"]}
                assert await running.note(session, step, Note("accepted", now))
                done = outcome == "succeeded"
                end = Ending(outcome, None if done else "conflict", None, seen if done else None)  # type: ignore[arg-type]
                await ending.end(session, self.profile, step, end, now)
                projects.append(project)
        return projects

    async def open(self, agent: Agent, now: datetime = NOW, **who: Any) -> tuple[OpenTicket, str]:
        """Asked for, granted, and the cabinet is there: the ticket and the project."""
        ticket = await self.ask(now=now, **who)
        await self.grant(agent, ticket.id, now)
        [project] = await self.carried_out(now)
        return ticket, project

    # --- the mirror ---------------------------------------------------------------------------------------------

    async def launch(self, project: str, at: datetime, seen: datetime | None = None) -> str:
        server = f"s-{next(self.numbers)}"
        async with transaction(self.sessions) as session:
            await session.rows(_MACHINE, self.profile.name, server, project, at, seen or at)
        return server

    async def delete(self, server: str, at: datetime) -> None:
        async with transaction(self.sessions) as session:
            await session.rows("update vm set status = 'DELETED', deleted_at = $2 where server_id = $1", server, at)

    async def seen(self, at: datetime) -> None:
        """The mirror was refreshed."""
        async with transaction(self.sessions) as session:
            await session.rows(
                """insert into cloud_state (desk, swept_at) values ($1, $2)
                   on conflict (desk) do update set swept_at = $2""",
                self.profile.name, at,
            )  # fmt: skip

    async def sweep(self, now: datetime, limit: int = 100) -> int:
        async with transaction(self.sessions) as session:
            return await trial_sweep.sweep(session, self.profile, now, limit)

    # --- what is recorded -----------------------------------------------------------------------------------------

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await rows(session, query, **values)

    async def trial(self, ticket: int) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from trial where ticket_id = :id", id=ticket)

    async def ticket(self, ticket: int) -> Any:
        async with self.sessions() as session:
            return await one(session, "select * from ticket where id = :id", id=ticket)

    async def told(self, ticket: int, to: str = "requester") -> list[str]:
        """Notices of trials in their order, of one ticket."""
        found = await self.fetch(
            """select payload ->> 'notice' as notice from outbox where ticket_id = :id and payload ->> 'to' = :to
               and payload ->> 'notice' like 'trial%' order by id""",
            id=ticket, to=to,
        )  # fmt: skip
        return [row.notice for row in found]

    async def facts(self, notice: str, to: str = "requester") -> Any:
        found = await self.fetch(
            """select payload -> 'facts' as f from outbox where payload ->> 'notice' = :notice
               and payload ->> 'to' = :to order by id desc limit 1""",
            notice=notice, to=to,
        )  # fmt: skip
        facts = found[0].f
        return json.loads(facts) if isinstance(facts, str) else facts

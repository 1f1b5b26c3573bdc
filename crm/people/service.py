"""Recognising people: a requester by the chat account, an agent by Telegram id, asked anew each time."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, text

from crm.cloud.rules import RIGHTS
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAnAgent, WrongInput
from crm.journal import Actor
from crm.people.models import Agent, Person
from crm.people.reach import Reach
from crm.tickets.status import REACHABLE


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that its requester can still write to."""

    id: int
    reference: str
    subject: str
    status: str
    group_id: int | None
    # By which identity its requester wrote last.
    answers_to: int | None = None


@dataclass(slots=True)
class Requester:
    """Who wrote, by which identity, and what one glance at the database says about this message.

    By mail there is no chat, no dialogue, and nothing that is replied to in Telegram's way.
    """

    person_id: int
    name: str
    language: str
    identity_id: int
    channel: Literal["telegram", "email"]
    address: str
    unreachable: bool
    tickets: list[OpenTicket]
    next_message_id: int
    rules_shown: bool = True
    rules_accepted: bool = True
    replied_ticket_id: int | None = None
    replied_message_id: int | None = None
    known_message: bool = False
    album_ticket_id: int | None = None
    album_held: bool = False
    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def chat_id(self) -> int:
        """The private chat. Only for Telegram."""
        return int(self.address)

    @property
    def actor(self) -> Actor:
        return Actor("requester", self.person_id, self.name, self.channel)

    @property
    def reach(self) -> Reach:
        """Where they write from, and so where they are told what became of it."""
        return Reach(self.channel, self.address, self.language, self.name)


_RECOGNISE = """
    select p.id, p.name, p.language, i.id as identity, p.rules_accepted_at is not null as accepted,
           p.rules_shown_at is not null as shown,
           i.unreachable_at is not null as unreachable,
           (select coalesce(json_agg(json_build_object('id', t.id, 'reference', t.reference, 'subject', t.subject,
                                     'status', t.status, 'group_id', t.group_id,
                                     'answers_to', t.answers_to) order by t.id), '[]')
            from ticket t where t.requester_id = p.id and t.desk = $1 and t.status = any($3::text[])
            and t.channel <> 'clock') as tickets,
           coalesce(rt.merged_into_id, r.ticket_id) as replied_ticket,
           case when rt.merged_into_id is null then r.message_ref end as replied_message,
           o.message_id is not null as known, a.ticket_id as album_ticket,
           a.id is not null and a.ticket_id is null as album_held,
           nextval('message_id_seq') as next_message,
           d.state, d.data
    from (select 1) one
    left join identity i on i.desk = $1 and i.channel = 'telegram' and i.address = $2::bigint::text
    left join person p on p.id = i.person_id
    left join dialogue d on d.desk = $1 and d.chat_id = $2 and d.thread_id = 0 and d.telegram_id = $2
    left join telegram_message r on r.desk = $1 and r.chat_id = $2 and r.message_id = $4
    left join ticket rt on rt.id = r.ticket_id
    left join telegram_message o on o.desk = $1 and o.chat_id = $2 and o.message_id = $5
    left join lateral (select m.id, m.ticket_id from message m
                       where m.album_id = $6 and m.requester_id = p.id order by m.id limit 1) a on true
"""


async def recognise(
    session: Session,
    profile: Profile,
    chat_id: int,
    name: str,
    username: str | None,
    client_language: str | None,
    now: datetime,
    *,
    message_id: int = 0,
    reply_to: int = 0,
    album: str | None = None,
) -> Requester:
    """Whose private chat this is; a stranger becomes a person, in the language of the client."""
    reachable = sorted(REACHABLE)
    [row] = await session.rows(_RECOGNISE, profile.name, chat_id, reachable, reply_to, message_id, album)
    if row["id"] is None:
        person_id, identity_id, language = await _register(
            session, profile, chat_id, name, username, client_language, now
        )
    else:
        person_id, identity_id, language = row["id"], row["identity"], row["language"]
    return Requester(
        person_id=person_id,
        name=row["name"] or name,
        language=language,
        identity_id=identity_id,
        channel="telegram",
        address=str(chat_id),
        rules_shown=row["shown"],
        rules_accepted=row["accepted"],
        unreachable=row["unreachable"],
        tickets=[OpenTicket(**t) for t in row["tickets"]],
        replied_ticket_id=row["replied_ticket"],
        replied_message_id=row["replied_message"],
        known_message=row["known"],
        album_ticket_id=row["album_ticket"],
        album_held=row["album_held"],
        next_message_id=row["next_message"],
        state=row["state"],
        data=row["data"] or {},
    )


_REGISTER = """
    with p as (insert into person (name, language, created_at) values ($1, $2, $3) returning id)
    insert into identity (person_id, desk, channel, address, username, created_at)
    select id, $4, 'telegram', $5, $6, $3 from p returning person_id, id
"""


async def _register(
    session: Session,
    profile: Profile,
    chat_id: int,
    name: str,
    username: str | None,
    client_language: str | None,
    now: datetime,
) -> tuple[int, int, str]:
    """Ids of the new person and identity, and the language."""
    language = profile.language(client_language)
    values = (name, language, now, profile.name, str(chat_id), username)
    [row] = await session.rows(_REGISTER, *values)
    return row["person_id"], row["id"], language


async def set_language(session: Session, person_id: int, language: str) -> None:
    person = await session.get_one(Person, person_id)
    person.language = language


async def show_rules(session: Session, who: Requester, now: datetime) -> bool:
    """Whether the rules are to be shown now: once, until they are accepted."""
    if who.rules_shown or who.rules_accepted:
        return False
    await session.rows("update person set rules_shown_at = $2 where id = $1", who.person_id, now)
    return True


async def accept_rules(session: Session, person_id: int, now: datetime) -> bool:
    """Once; False if they were accepted before."""
    person = await session.get_one(Person, person_id)
    if person.rules_accepted_at is not None:
        return False
    person.rules_accepted_at = now
    return True


async def telegram_chat(session: Session, desk: str, person_id: int) -> int | None:
    """A person's private chat, None without a Telegram identity."""
    found = await session.rows(
        "select address from identity where person_id = $1 and desk = $2 and channel = 'telegram'", person_id, desk
    )
    return int(found[0]["address"]) if found else None


async def mark_reachable(
    session: Session, desk: str, channel: str, address: str, unreachable_at: datetime | None
) -> int | None:
    """Note that the address can or cannot be written to; gives the person if that is news."""
    found = await session.execute(
        text("""
            update identity set unreachable_at = :at
            where desk = :desk and channel = :channel and address = :address
              and (unreachable_at is null) <> (cast(:at as timestamptz) is null)
            returning person_id
        """),
        {"desk": desk, "channel": channel, "address": address, "at": unreachable_at},
    )
    person_id: int | None = found.scalar()
    return person_id


# --- agents ---------------------------------------------------------------------------------------------


async def agent_of(session: Session, desk: str, telegram_id: int) -> Agent | None:
    found = await session.scalars(
        select(Agent).where(Agent.desk == desk, Agent.telegram_id == telegram_id, Agent.active)
    )
    return found.one_or_none()


async def require_agent(session: Session, desk: str, telegram_id: int) -> Agent:
    """Raises NotAnAgent: being in the group is not authority."""
    agent = await agent_of(session, desk, telegram_id)
    if agent is None:
        raise NotAnAgent
    return agent


def actor_of(agent: Agent) -> Actor:
    return Actor("agent", agent.id, agent.name)


async def agents(session: Session, desk: str) -> list[Agent]:
    found = await session.scalars(select(Agent).where(Agent.desk == desk, Agent.active).order_by(Agent.id))
    return list(found)


# What each role may do in the cloud unless a lead says otherwise: plan, approve power, approve money.
RIGHTS_OF = {"agent": ["request", "power"], "lead": ["request", "power", "money"]}


async def name_agent(session: Session, desk: str, telegram_id: int, name: str, role: str, now: datetime) -> Agent:
    """Make someone an agent, or change the role of one."""
    found = await session.scalars(select(Agent).where(Agent.desk == desk, Agent.telegram_id == telegram_id))
    agent = found.one_or_none()
    if agent is None:
        agent = Agent(desk=desk, telegram_id=telegram_id, name=name, role=role, rights=RIGHTS_OF[role], created_at=now)
        session.add(agent)
    if agent.role != role or not agent.active:
        agent.rights = RIGHTS_OF[role]
    agent.name, agent.role, agent.active, agent.on_duty = name, role, True, True
    await session.flush()
    return agent


async def change_rights(session: Session, agent: Agent, given: Collection[str], taken: Collection[str]) -> None:
    """Raises WrongInput for a right that there is not."""
    if not {*given, *taken} <= {*RIGHTS}:
        raise WrongInput(what="rights")
    held = {*agent.rights} - {*taken} | {*given}
    agent.rights = [right for right in RIGHTS if right in held]
    await session.flush()


async def remove_agent(session: Session, desk: str, telegram_id: int) -> Agent | None:
    agent = await agent_of(session, desk, telegram_id)
    if agent is not None:
        agent.active = agent.on_duty = False
    return agent

"""Looking at tickets: plain facts for views, the board, the card, the whole story. Nothing is changed here."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from crm.cloud import shown
from crm.db import Session
from crm.people.service import OpenTicket
from crm.tickets.models import Message, Ticket
from crm.tickets.status import ACTIVE, REACHABLE

Facts = dict[str, Any]

_OWN = """
    select t.id, t.reference, t.subject, t.status, t.request_type as type, t.opened_at,
           (select min(s.due_at) from sla_target s where s.ticket_id = t.id and s.met_at is null
            and s.next_at is not null and s.breached_at is null and s.metric not in ('inform', 'transfer')) as due_at
    from ticket t where t.desk = :desk and t.requester_id = :person and t.merged_into_id is null
"""


async def own(session: Session, desk: str, person_id: int, limit: int = 8) -> list[Facts]:
    """A requester's tickets: the living ones first, then the latest."""
    found = await session.execute(
        text(_OWN + " order by t.status in ('closed', 'declined'), t.id desc limit :limit"),
        {"desk": desk, "person": person_id, "limit": limit},
    )
    return [dict(row._mapping) for row in found]


async def own_one(session: Session, desk: str, person_id: int, ticket_id: int) -> Facts | None:
    """One of them; of a merged one, the ticket in which it goes on."""
    meant = "(select coalesce(merged_into_id, id) from ticket where id = :id)"
    values = {"desk": desk, "person": person_id, "id": ticket_id}
    row = (await session.execute(text(f"{_OWN} and t.id = {meant}"), values)).first()
    return dict(row._mapping) if row else None


async def last_messages(session: Session, ticket_id: int, limit: int, public_only: bool) -> list[Message]:
    """The newest messages, oldest first, without deleted ones."""
    wanted = select(Message).where(Message.ticket_id == ticket_id, Message.deleted_at.is_(None))
    if public_only:
        wanted = wanted.where(Message.kind == "public")
    found = await session.scalars(wanted.order_by(Message.id.desc()).limit(limit))
    return list(reversed(found.all()))


def words_of(message: Message) -> str:
    """The text, or the kind of content in brackets."""
    text_part = message.content.get("text", "")
    kind = message.content["type"]
    return text_part if kind == "text" else f"[{kind}] {text_part}".strip()


async def last_requester_message(session: Session, ticket_id: int) -> int | None:
    """What an answer without a quote most likely answers."""
    found: int | None = await session.scalar(
        select(Message.id)
        .where(Message.ticket_id == ticket_id, Message.author_kind == "requester")
        .order_by(Message.id.desc())
        .limit(1)
    )
    return found


async def reachable_of(session: Session, desk: str, person_id: int) -> list[OpenTicket]:
    found = await session.scalars(
        select(Ticket).where(Ticket.desk == desk, Ticket.requester_id == person_id, Ticket.status.in_(REACHABLE))
    )
    return [OpenTicket(t.id, t.reference, t.subject, t.status, t.group_id) for t in found]


_CARD = f"""
    select t.id, t.desk, t.reference, t.subject, t.status, t.priority, t.request_type as type, t.queue, t.group_id,
           t.card_message_id, t.thread_id, g.chat_id, p.name as requester, p.language,
           cast(i.address as bigint) as telegram_id, i.unreachable_at is not null as unreachable,
           e.address as mail, e.unreachable_at is not null as mail_unreachable,
           a.name as assignee, r.reference as related, n.reference as merged_into, o.name as organization, o.contract,
           (select coalesce(json_agg(json_build_object('metric', s.metric, 'due_at', s.due_at,
                   'met_at', s.met_at, 'breached_at', s.breached_at, 'stands', s.next_at is null) order by s.id), '[]')
            from (select distinct on (x.metric) x.* from sla_target x where x.ticket_id = t.id
                  order by x.metric, x.round desc) s) as targets,
           {shown.COLUMN} as cloud
    from ticket t
    join person p on p.id = t.requester_id
    left join desk_group g on g.id = t.group_id
    left join identity i on i.person_id = p.id and i.desk = t.desk and i.channel = 'telegram'
    left join lateral (select x.address, x.unreachable_at from identity x
                       where x.person_id = p.id and x.desk = t.desk and x.channel = 'email'
                       order by x.id is distinct from t.answers_to, x.id desc limit 1) e on true
    left join agent a on a.id = t.assignee_id
    left join ticket r on r.id = t.related_id
    left join ticket n on n.id = t.merged_into_id
    left join organization o on o.id = t.organization_id
    where t.id = $1
"""  # noqa: S608


async def card(session: Session, ticket_id: int) -> Facts:
    """Everything that a ticket's card shows; `cloud` as `crm/cloud/shown.py` says."""
    [row] = await session.rows(_CARD, ticket_id)
    facts = dict(row)
    for target in facts["targets"]:
        for key in ("due_at", "met_at", "breached_at"):
            target[key] = datetime.fromisoformat(target[key]) if target[key] else None
    facts["cloud"] = shown.read(facts["cloud"])
    return facts


async def board(session: Session, desk: str, group_id: int, limit: int) -> tuple[list[Facts], int]:
    """The active tickets of a group, soonest deadline first (those whose clock stands come last), and their number.

    Of the rounds of word to the customer the last counts: one that was missed is over.
    """
    found = await session.execute(
        text("""
            select t.reference, t.subject, t.priority, t.status, a.name as assignee, s.due_at,
                   coalesce(s.breached, false) as breached, count(*) over () as total
            from ticket t
            left join agent a on a.id = t.assignee_id
            left join lateral (select min(x.due_at) filter (where x.next_at is not null or (
                                          x.breached_at is not null and t.status in ('new', 'open'))) as due_at,
                                      bool_or(x.breached_at is not null) as breached
                               from sla_target x where x.ticket_id = t.id and x.met_at is null
                               and (x.metric <> 'inform' or not exists (
                                   select from sla_target later where later.ticket_id = x.ticket_id
                                   and later.metric = x.metric and later.round > x.round))) s on true
            where t.desk = :desk and t.group_id = :group and t.status = any(:active)
            order by due_at nulls last, t.id limit :limit
        """),
        {"desk": desk, "group": group_id, "active": sorted(ACTIVE), "limit": limit},
    )
    rows = [dict(row._mapping) for row in found]
    return rows, rows[0]["total"] if rows else 0


async def by_reference(session: Session, reference: str) -> Ticket | None:
    found = await session.scalars(select(Ticket).where(Ticket.reference == reference.upper()))
    return found.one_or_none()

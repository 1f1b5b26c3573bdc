"""Taking rows of the outbox that go by mail, with all that a mail is made of but its files. Files are read one mail at
a time: ten of them at once would be too much to hold.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.db import Session
from crm.mail.letter import Address, File
from crm.outbox import FREE, TAKE
from mailbridge.smtp import SESSION

CHANNEL = "email"
# Longer than an attempt can take.
LEASE = timedelta(seconds=SESSION + 60)
EARLIER = 40


@dataclass(slots=True)
class Row:
    """A claimed row. `parts`: its message, or what of its album has not left before; `earlier`: the ticket's mails
    before it, the oldest first; `asked`: what the customer wrote last, or what the engineer replied to."""

    id: int
    kind: str
    payload: dict[str, Any]
    ticket_id: int | None
    message_id: int | None
    attempts: int
    repeats: int
    created_at: datetime
    lane: str
    group_id: int | None
    queue: str | None
    reference: str | None
    subject: str | None
    author: str | None
    parts: list[dict[str, Any]]
    earlier: list[dict[str, Any]]
    asked: dict[str, Any] | None
    origin_chat: int | None
    origin_message: int | None

    @property
    def to(self) -> Address:
        return Address(self.payload["address"], self.payload.get("name") or "")

    @property
    def cc(self) -> tuple[Address, ...]:
        """Who gets a copy; never whoever it goes to."""
        others = (Address(address, name) for address, name in self.payload.get("cc", ()))
        return tuple(one for one in others if one.address.lower() != self.to.address.lower())

    @property
    def taken_back(self) -> bool:
        """Nothing is left of what it should bring."""
        return self.kind == "relay" and not self.parts

    @property
    def told(self) -> dict[str, dict[str, str]]:
        """By address, what earlier attempts ended with for good."""
        found: dict[str, dict[str, str]] = self.payload.get("recipients", {})
        return found

    @property
    def pending(self) -> list[str]:
        return [one.address for one in (self.to, *self.cc) if one.address not in self.told]


_MAIL = f"o.channel = '{CHANNEL}' and {FREE}"
_TAKE_HEADS = f"""
    with head as (select o.id from outbox o where {_MAIL} and o.due_at <= $2
                  order by o.priority, o.id limit $3 for update of o skip locked),
    taken as ({TAKE.format(ids="array(select id from head)", lease="$4")})
    select t.id, t.kind, t.payload, t.ticket_id, t.message_id, t.attempts, t.repeats, t.created_at, t.lane,
           k.group_id, k.queue, k.reference, k.subject, m.author_name as author,
           coalesce((select json_agg(json_build_object('id', a.id, 'content', a.content) order by a.id)
                     from message a where a.deleted_at is null
                     and (a.id = m.id or (a.album_id = m.album_id and a.ticket_id = m.ticket_id
                                         and (a.relayed_at is null or t.payload -> 'recipients' <> '{{}}')))), '[]')
            as parts,
           coalesce((select json_agg(json_build_object('id', x.message_id, 'came', x.direction = 'in') order by x.id)
                     from (select e.id, e.message_id, e.direction from mail_message e
                           where e.ticket_id = t.ticket_id and e.nature in ('request', 'own') and e.message_id <> ''
                           and e.outbox_id is distinct from t.id order by e.id desc limit {EARLIER}) x),
                    '[]') as earlier,
           (select json_build_object('text', q.content ->> 'text', 'name', q.author_name, 'sent_at', q.sent_at,
                                     'address', q.content -> 'mail' ->> 'address')
            from message q where q.ticket_id = t.ticket_id and q.id < m.id and q.author_kind = 'requester'
            and q.kind = 'public' and q.deleted_at is null and q.content ->> 'text' <> ''
            order by q.id is distinct from cast(m.content ->> 'reply_to' as bigint), q.id desc limit 1) as asked,
           p.chat_id as origin_chat, p.message_id as origin_message
    from taken t
    left join ticket k on k.id = t.ticket_id
    left join message m on m.id = t.message_id
    left join telegram_message p on p.message_ref = m.id and p.role = 'origin'
    order by t.priority, t.id
"""  # noqa: S608 - fixed words only
_NEXT_DUE = f"select min(o.due_at) as due from outbox o where {_MAIL}"  # noqa: S608


async def claim(session: Session, desk: str, now: datetime, limit: int) -> list[Row]:
    """Up to `limit` rows, leased. By one statement: nothing may be sent before that is committed."""
    return [Row(**row) for row in await session.rows(_TAKE_HEADS, desk, now, limit, now + LEASE)]


async def next_due(session: Session, desk: str, now: datetime) -> float:
    """Seconds until something may leave, as far as it can be known; 1 at most."""
    [found] = await session.rows(_NEXT_DUE, desk)
    return min(max((found["due"] - now).total_seconds(), 0.03), 1.0) if found["due"] else 1.0


_FILES = """
    select filename, content_type, data, inline, content_id from attachment
    where message_ref = any($1::bigint[]) order by message_ref, id
"""


async def files(session: Session, row: Row) -> tuple[File, ...]:
    """What goes with the message, in its order."""
    refs = [part["id"] for part in row.parts]
    return tuple(File(**found) for found in await session.rows(_FILES, refs)) if refs else ()


_RECORD = """
    insert into mail_message (desk, direction, message_id, in_reply_to, address, subject, nature, ticket_id,
                              message_ref, outbox_id, at)
    select $1, 'out', $2, $3, $4, $5, 'own', $6, $7, $8, $9
    where not exists (select from mail_message where outbox_id = $8)
"""


async def record(
    session: Session, desk: str, row: Row, message_id: str, in_reply_to: str | None, subject: str, now: datetime
) -> None:
    """Before it leaves: its answer, or word that it came back, may be faster than what is written of the attempt."""
    place = (row.ticket_id, row.message_id, row.id)
    await session.rows(_RECORD, desk, message_id, in_reply_to, row.to.address, subject, *place, now)

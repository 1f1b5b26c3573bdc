"""What one look at the database says about a mail: whose it is, whether it is new, which tickets it refers to."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from crm.db import Session
from crm.mail import threads, tokens
from crm.mail.answering import PERIOD
from crm.mail.letter import Letter
from crm.mail.threads import Thread

_LOOK = """
    select $3 <> '' and exists (select from mail_message d where d.message_id = $3 and d.desk = $1
                   and d.direction = 'in' and d.digest = $4) as repeated,
           $3 <> '' and exists (select from mail_message d where d.message_id = $3 and d.desk = $1
                   and d.direction = 'out') as ours,
           i.id as identity_id, p.id as person_id, p.name, p.language, i.unreachable_at is not null as unreachable,
           i.verified_at is not null as verified_before,
           nextval('message_id_seq') as next_message_id,
           (select count(*) from automatic_mail a
            where a.desk = $1 and a.address = $2 and a.at > $5) as automatic,
           {threads} as threads
    from (select 1) one
    left join identity i on i.desk = $1 and i.channel = 'email' and i.address = $2
    left join person p on p.id = i.person_id
"""
# Whoever asked, whoever follows, and any other address of theirs takes part. Ticket by ticket: planned while the table
# is small, a join would read all of it for every mail until somebody analyses it.
_THREADS = """
    (select json_agg(json_build_object(
         'id', t.id, 'reference', t.reference, 'subject', t.subject, 'status', t.status,
         'group_id', t.group_id, 'answers_to', t.answers_to, 'requester_id', t.requester_id,
         'closed_at', t.closed_at, 'ids', m.ids,
         'takes_part', t.requester_id = p.id or exists (
             select from follower f
            join contact c on c.organization_id = t.organization_id and c.email = f.address and c.active
            where f.ticket_id = t.id and f.address = $2)))
     from (select r.ticket_id, array_agg(r.message_id) as ids from mail_message r
           where r.message_id = any($6::text[]) and r.desk = $1 and r.ticket_id is not null
           group by r.ticket_id
           union all
           select k.id, null from unnest($7::text[]) as proven(reference)
           cross join lateral (select id from ticket where reference = proven.reference and desk = $1 limit 1) k) m
     cross join lateral (select t.* from ticket meant join ticket t on t.id = coalesce(meant.merged_into_id, meant.id)
                         where meant.id = m.ticket_id limit 1) t)
"""
BESIDE = _LOOK.format(threads=_THREADS)
ALONE = _LOOK.format(threads="null::json")


@dataclass(frozen=True, slots=True)
class Glance:
    """`repeated`: the same mail has come before; `ours`: it is one that we sent. `person_id` None: a stranger.
    `automatic`: how many automatic mails the address got lately."""

    repeated: bool
    ours: bool
    identity_id: int | None
    person_id: int | None
    name: str | None
    language: str | None
    unreachable: bool
    verified_before: bool
    next_message_id: int
    automatic: int
    threads: list[Thread]
    digest: bytes


def digest(letter: Letter) -> bytes:
    """Of what was written: a mail that comes again by another way has the same, whatever its trace headers say."""
    made = sha256("\0".join((letter.subject, letter.text)).encode())
    for file in letter.files:
        made.update(f"\0{file.filename}\0{file.size}\0".encode())
        made.update(file.data)
    return made.digest()


async def glance(session: Session, desk: str, key: bytes, letter: Letter, address: str, now: datetime) -> Glance:
    places = [letter.subject, *letter.delivered_to, *(to.address for to in (*letter.to, *letter.cc))]
    ids = threads.referred(letter)
    proven = tokens.proven(key, *places, *ids)
    made = digest(letter)
    values = (desk, address, letter.message_id or "", made, now - PERIOD)
    [row] = await (session.rows(BESIDE, *values, ids, proven) if ids or proven else session.rows(ALONE, *values))
    found = dict(row)
    found["threads"] = [Thread.from_plain(plain) for plain in found["threads"] or ()]
    return Glance(digest=made, **found)

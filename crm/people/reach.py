"""Where a requester reads what the desk writes: a private chat or a mail address."""

from dataclasses import dataclass, replace
from typing import Literal

from crm.db import Session


@dataclass(frozen=True, slots=True)
class Reach:
    """An address of a channel, whose it is, and in which language they read.

    `copies`: addresses and names of those who follow the ticket and still belong to its organization; they get answers
    by mail as well.
    """

    channel: Literal["telegram", "email"]
    address: str
    language: str
    name: str = ""
    copies: tuple[tuple[str, str], ...] = ()

    @property
    def chat_id(self) -> int:
        """The private chat. Only for Telegram."""
        return int(self.address)


def readers(where: Reach) -> tuple[Reach, ...]:
    """Who gets an answer: whoever asked; and by a mail of their own those who follow, if the other goes to a chat."""
    if where.channel == "email" or not where.copies:
        return (where,)
    (address, name), *others = where.copies
    return (where, replace(where, channel="email", address=address, name=name, copies=tuple(others)))


# What its owner has chosen; then where they wrote last. An address that refused the last delivery for good comes after
# one that did not.
_REACH = """
    select i.channel, i.address, p.language, p.name,
           (select json_agg(json_build_array(f.address, f.name) order by f.added_at)
            from follower f where f.ticket_id = t.id and exists (
                select from contact c where c.organization_id = t.organization_id and c.email = f.address
                and c.active)) as copies
    from ticket t
    join person p on p.id = t.requester_id
    join identity i on i.person_id = p.id and i.desk = t.desk and i.channel in ('telegram', 'email')
    where t.id = $1
    order by i.unreachable_at is not null, i.channel is distinct from p.answers_by,
             i.id is distinct from t.answers_to, i.channel <> 'telegram', i.id desc
    limit 1
"""


async def reach(session: Session, ticket_id: int) -> Reach | None:
    """Where the answers of a ticket go; None if its requester can be reached by no channel."""
    found = await session.rows(_REACH, ticket_id)
    if not found:
        return None
    row = found[0]
    copies = tuple((address, name) for address, name in row["copies"] or ())
    return Reach(row["channel"], row["address"], row["language"], row["name"], copies)

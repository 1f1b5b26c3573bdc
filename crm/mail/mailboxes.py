"""What is known of the mail in a mailbox: what was taken out of it before, and what of that still lies there.

A mail is known by its bytes, since a UID may be given again: in a mailbox that was restored, or made anew. UIDs are
remembered only of what cannot leave the mailbox, and forgotten as soon as their UIDVALIDITY is another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from crm import inbox
from crm.db import Session
from crm.inbox import Received


@dataclass(frozen=True, slots=True)
class Place:
    """A folder as its server counts it. `source` is the inbox's, `account` tells the folder from any other."""

    source: str
    account: str
    uidvalidity: int


@dataclass(frozen=True, slots=True)
class Known:
    """Of some UIDs those never taken, and those taken that should have left and could not."""

    new: list[int]
    unmoved: list[int]


_ENTER = """
    insert into mailbox (source, account, uidvalidity, entered_at) values ($1, $2, $3, $5)
    on conflict (source, account) do update set
        uidvalidity = excluded.uidvalidity, entered_at = excluded.entered_at,
        unmoved = case when mailbox.uidvalidity = $3 and upper(mailbox.unmoved + mailbox.staying) <= $4
                       then mailbox.unmoved else '{}' end,
        staying = case when mailbox.uidvalidity = $3 and upper(mailbox.unmoved + mailbox.staying) <= $4
                       then mailbox.staying else '{}' end
"""

_KNOWN = """
    select u.uid, m.unmoved @> u.uid as unmoved
    from unnest($4::bigint[]) as u(uid), mailbox m
    where m.source = $1 and m.account = $2 and m.uidvalidity = $3 and not m.staying @> u.uid
    order by u.uid
"""

_RANGES = "(select coalesce(range_agg(int8range(u, u, '[]')), '{}') from unnest($4::bigint[]) u)"


async def enter(session: Session, place: Place, next_uid: int, now: datetime) -> None:
    """A folder is looked into. With another UIDVALIDITY, or with UIDs gone back, nothing is known of it any more."""
    await session.rows(_ENTER, place.source, place.account, place.uidvalidity, next_uid, now)


async def known(session: Session, place: Place, uids: Sequence[int]) -> Known:
    found = await session.rows(_KNOWN, place.source, place.account, place.uidvalidity, uids)
    return Known([r["uid"] for r in found if not r["unmoved"]], [r["uid"] for r in found if r["unmoved"]])


async def store(session: Session, source: str, items: Sequence[Received], now: datetime) -> int:
    """Into the inbox what was never there before, however long ago; says how much that was. In one transaction."""
    digests = {_digest(source, item): item for item in items}
    fresh = await session.rows(
        "insert into mail_seen select unnest($1::uuid[]) on conflict do nothing returning digest", list(digests)
    )
    new = {row["digest"] for row in fresh}
    return await inbox.store(session, source, [item for key, item in digests.items() if key in new], now)


def _digest(source: str, item: Received) -> UUID:
    return UUID(bytes=sha256(f"{source}\n{item.external_key}".encode()).digest()[:16])


async def leave_there(session: Session, place: Place, uids: Sequence[int]) -> None:
    """These stay in the mailbox for good."""
    await _write(session, place, uids, f"staying = staying + {_RANGES}, unmoved = unmoved - {_RANGES}")


async def not_moved(session: Session, place: Place, uids: Sequence[int]) -> None:
    """These are stored and could not leave yet."""
    await _write(session, place, uids, f"unmoved = unmoved + {_RANGES}")


async def moved(session: Session, place: Place, uids: Sequence[int]) -> None:
    """These could not leave before, and now have."""
    await _write(session, place, uids, f"unmoved = unmoved - {_RANGES}")


async def _write(session: Session, place: Place, uids: Sequence[int], change: str) -> None:
    await session.rows(
        f"update mailbox set {change} where source = $1 and account = $2 and uidvalidity = $3",  # noqa: S608
        place.source,
        place.account,
        place.uidvalidity,
        uids,
    )

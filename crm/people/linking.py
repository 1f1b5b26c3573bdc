"""One person, two channels: a chat and a mail address belong together once both are proven.

The chat is proven by writing from it; the address by a code that is sent there. Nothing else links anybody: equal names
and addresses prove nothing.
"""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotFound, WrongInput
from crm.people.reach import Reach
from crm.people.service import Requester
from crm.tickets import outward

LIFE = timedelta(minutes=15)
MOST_TRIES = 5
# So many codes a day for one person, and to one address: the desk is no means to fill a stranger's mailbox.
MOST_CODES = 3
_ADDRESS = re.compile(r"[^\s@<>\"',;]{1,64}@[^\s@<>\"',;]+\.[^\s@<>\"',;.]{2,}")

_BEGIN = """
    insert into link_code (desk, person_id, address, digest, created_at)
    select $1, $2, $3, $4, $5::timestamptz
    where (select count(*) from link_code
           where desk = $1 and (person_id = $2 or address = $3)
             and created_at > $5::timestamptz - interval '1 day') < $6
    returning id
"""
_TRY = """
    update link_code set tries = tries + 1
    where id = (select max(id) from link_code where desk = $1 and person_id = $2 and used_at is null)
      and created_at > $3 and tries < $4
    returning id, address, digest
"""


async def begin(session: Session, profile: Profile, who: Requester, written: str, now: datetime) -> str:
    """Send a code to the address; gives it as it is known from now on.

    The answer is the same whether anybody is known by that address or not. Raises WrongInput for what is no address,
    and when too many codes were asked for.
    """
    address = written.strip().lower()
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise WrongInput(what="email")
    code = f"{secrets.randbelow(10**8):08}"
    made = await session.rows(
        _BEGIN, profile.name, who.person_id, address, _digest(who.person_id, code), now, MOST_CODES
    )
    if not made:
        raise WrongInput(what="codes")
    there = Reach("email", address, who.language, who.name)
    sent = outward.say_to_requester(profile.name, there, None, "link_code", code=code)
    await Changes(outgoing=[sent]).write(session, profile.name, now)
    return address


async def finish(session: Session, profile: Profile, who: Requester, written: str, now: datetime) -> str | None:
    """The code that came by mail; gives the address, which is the person's from now on, None for a wrong code.

    Raises NotFound if there is none to compare with (any more).
    """
    found = await session.rows(_TRY, profile.name, who.person_id, now - LIFE, MOST_TRIES)
    if not found:
        raise NotFound(what="code")
    row = found[0]
    code = re.sub(r"\D", "", written)
    if not hmac.compare_digest(bytes(row["digest"]), _digest(who.person_id, code)):
        return None
    await session.rows("update link_code set used_at = $2 where id = $1", row["id"], now)
    await _join(session, profile.name, who.person_id, row["address"], now)
    return str(row["address"])


def _digest(person_id: int, code: str) -> bytes:
    return sha256(f"{person_id}:{code}".encode()).digest()


_OTHER = """
    select i.person_id, (select count(*) from identity o where o.person_id = i.person_id) as identities
    from identity i where i.desk = $1 and i.channel = 'email' and i.address = $2 for update of i
"""
_MOVE = (
    "update ticket set requester_id = $1 where requester_id = $2",
    "update message set requester_id = $1 where requester_id = $2",
    """update message set author_id = $1 where author_kind = 'requester' and author_id = $2""",
    """update contact set person_id = $1 where person_id = $2 and not exists (
           select from contact c where c.desk = contact.desk and c.person_id = $1 and c.active)""",
    "update trial set person_id = $1 where person_id = $2",
    # Whoever had a trial under both names had it as well.
    """update trial_claim set value = $1::bigint::text
       where kind = 'person' and value = $2::bigint::text and not exists (
           select from trial_claim c
           where c.desk = trial_claim.desk and c.kind = 'person' and c.value = $1::bigint::text)""",
)


async def _join(session: Session, desk: str, person_id: int, address: str, now: datetime) -> None:
    """Whoever was known by the address alone is the same person; of somebody with other accounts only the address
    changes hands."""
    known = await session.rows(_OTHER, desk, address)
    if not known:
        await session.rows(
            """insert into identity (person_id, desk, channel, address, verified_at, created_at)
               values ($1, $2, 'email', $3, $4, $4)""",
            person_id,
            desk,
            address,
            now,
        )
        return
    other = known[0]["person_id"]
    if other != person_id and known[0]["identities"] == 1:
        for statement in _MOVE:
            await session.rows(statement, person_id, other)
    await session.rows(
        """update identity set person_id = $1, verified_at = coalesce(verified_at, $4)
           where desk = $2 and channel = 'email' and address = $3""",
        person_id,
        desk,
        address,
        now,
    )


async def mail_addresses(session: Session, desk: str, person_id: int) -> list[str]:
    """Those by which a person can be written to."""
    found = await session.rows(
        "select address from identity where person_id = $1 and desk = $2 and channel = 'email' order by id",
        person_id,
        desk,
    )
    return [row["address"] for row in found]


async def answer_by(session: Session, person_id: int, channel: str | None) -> None:
    """Where answers go from now on; None: wherever the person wrote last."""
    await session.rows("update person set answers_by = $2 where id = $1", person_id, channel)

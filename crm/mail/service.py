"""What a mail becomes: a request, a message of one, a word to the engineers, or a line in the record.

Every mail ends in one disposition, in one transaction; nothing is answered here but by rows of the outbox.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from crm.changes import Changes
from crm.db import Session
from crm.desks import QUEUE, Profile
from crm.errors import NotYet
from crm.mail import answering, contract, recording, returned, threads
from crm.mail.glance import Glance, glance
from crm.mail.letter import Address, Letter
from crm.mail.threads import Thread
from crm.people.languages import language_of
from crm.people.service import OpenTicket, Requester
from crm.tickets import outward, service, status
from crm.tickets.opening import Opening, open_ticket
from crm.tickets.thanks import only_thanks
from crm.tickets.written import Written, shortened

Choice = Literal["confirm", "reject"]
# Characters that tell in which language somebody writes.
LOOKED_AT = 4000


@dataclass(frozen=True, slots=True)
class Door:
    """By which of the desk's mailboxes it came. `key` makes the tokens; `own`: the desk's addresses, in small letters;
    `border_proves`: the desk knows the border that says who is proven."""

    profile: Profile
    key: bytes
    queue: str = QUEUE
    own: frozenset[str] = frozenset()
    border_proves: bool = False


async def mail_key(session: Session) -> bytes:
    """The same for every process of a database."""
    [row] = await session.rows("select key from mail_key")
    return bytes(row["key"])


async def take(
    session: Session,
    door: Door,
    letter: Letter,
    choice: Choice | None,
    item: int,
    now: datetime,
    wanted: bool = False,
) -> str:
    """The disposition of a mail, after all its effects. `item`: the inbox row, which engineers are told of.

    `wanted`: an engineer has seen it held and says that it is a request.
    """
    profile, sender = door.profile, letter.sender
    address = sender.address.lower() if sender else ""
    seen = await glance(session, profile.name, door.key, letter, address, now)
    if wanted:
        letter = replace(letter, nature="request")
    elif seen.repeated:
        return "duplicate"
    if _plain(address) in door.own or seen.ours:
        return await _noted(session, door, letter, seen, "own", now)
    if letter.nature == "bounce":
        return await returned.came_back(session, profile, letter, seen, now)
    if letter.nature != "request" or sender is None:
        return await _no_request(session, door, letter, seen, item, now)
    who = await _who(session, door, letter, sender, seen, now)
    if who.unreachable:
        await service.reachable(session, profile, who.channel, who.address, True, now)
    thread = threads.choose(seen.threads, threads.referred(letter))
    if thread is not None and thread.takes_part and _goes_on(profile, thread, letter, now):
        own = thread.requester_id == who.person_id and not letter.authentication.failed
        return await _add(session, door, letter, who, thread.ticket, choice if own else None, seen, now)
    return await _open(session, door, letter, who, thread, seen, now)


def _plain(address: str) -> str:
    """Without what an answer carries behind a plus sign."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _goes_on(profile: Profile, thread: Thread, letter: Letter, now: datetime) -> bool:
    """As with a reply in the chat: what was closed lately is opened again, thanks are always welcome."""
    if thread.ticket.status not in status.ENDED or only_thanks(recording.content_of(letter, False)):
        return True
    return thread.closed_at is not None and (
        thread.ticket.status == "closed" and thread.closed_at >= now - profile.closing.reopens_for
    )


# --- who -----------------------------------------------------------------------------------------------------------

_REGISTER = """
    with p as (insert into person (name, language, created_at) values ($1, $2, $3) returning id)
    insert into identity (person_id, desk, channel, address, verified_at, created_at)
    select id, $4, 'email', $5, $6, $3 from p on conflict do nothing returning person_id, id
"""


async def _who(session: Session, door: Door, letter: Letter, sender: Address, seen: Glance, now: datetime) -> Requester:
    """Whose address this is; a stranger becomes a person, in the language that they write in.

    Raises NotYet if another mail of theirs makes them one at this moment.
    """
    profile, address = door.profile, sender.address.lower()
    name = seen.name or shortened(sender.name) or address
    language = seen.language or profile.language(language_of((letter.reply_text or letter.subject)[:LOOKED_AT]))
    person_id, identity_id = seen.person_id, seen.identity_id
    proven_at = now if letter.authentication.verified else None
    if person_id is None or identity_id is None:
        values = (name, language, now, profile.name, address, proven_at)
        made = await session.rows(_REGISTER, *values)
        if not made:
            raise NotYet
        person_id, identity_id = made[0]["person_id"], made[0]["id"]
    elif proven_at is not None and not seen.verified_before:
        await session.rows("update identity set verified_at = $2 where id = $1", identity_id, now)
    return Requester(
        person_id=person_id,
        name=name,
        language=language,
        identity_id=identity_id,
        channel="email",
        address=address,
        unreachable=seen.unreachable,
        tickets=[],
        next_message_id=seen.next_message_id,
    )


# --- what it becomes -------------------------------------------------------------------------------------------------


def _written(door: Door, letter: Letter, seen: Glance, now: datetime) -> Written:
    """Dated by its arrival: what a mail says of its own time proves nothing."""
    record = recording.row(door.profile.name, letter, seen.digest, now, shown=True)
    return Written(recording.content_of(letter, door.border_proves), now, None, mail=record)


async def _open(
    session: Session,
    door: Door,
    letter: Letter,
    who: Requester,
    thread: Thread | None,
    seen: Glance,
    now: datetime,
) -> str:
    """A new ticket. One that its sender took part in is continued by it; what a stranger refers to stays apart."""
    profile = door.profile
    related = thread.ticket.id if thread is not None and thread.takes_part else None
    most = answering.allowance(letter, door.border_proves)
    may_write = seen.automatic < most and await _counted(session, profile.name, who.address, most, now)
    missing = await contract.lacking(session, profile, door.queue, who, letter)
    opening = Opening(
        related_id=related,
        queue=door.queue,
        subject=shortened(letter.subject) or None,
        acknowledge=may_write and not missing,
    )
    ticket = await open_ticket(session, profile, who, _written(door, letter, seen, now), now, opening)
    await recording.attach(session, who.next_message_id, letter.files)
    if missing:
        await contract.ask(session, profile, who, ticket, missing, may_write, now)
    if thread is None or thread.takes_part:
        await contract.follow(session, ticket.id, who, letter, now)
        return "opened"
    await _stranger(session, profile, ticket, thread, now)
    return "separate"


async def _stranger(session: Session, profile: Profile, ticket: OpenTicket, thread: Thread, now: datetime) -> None:
    """The engineers see that somebody refers to what is not theirs; the stranger learns nothing."""
    row = outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "stranger", reference=thread.ticket.reference)
    await Changes(outgoing=[row]).write(session, profile.name, now)


async def _add(
    session: Session,
    door: Door,
    letter: Letter,
    who: Requester,
    ticket: OpenTicket,
    choice: Choice | None,
    seen: Glance,
    now: datetime,
) -> str:
    """A message of its ticket; the choice that a solution offers its requester is taken at its word."""
    profile = door.profile
    confirms = choice == "confirm" and ticket.status == "resolved"
    await service.add_message(session, profile, who, ticket, _written(door, letter, seen, now), now, asks=not confirms)
    await recording.attach(session, who.next_message_id, letter.files)
    await contract.follow(session, ticket.id, who, letter, now)
    if confirms:
        await service.confirm(session, profile, who, ticket.id, now)
        return "confirmed"
    return "added"


async def _no_request(session: Session, door: Door, letter: Letter, seen: Glance, item: int, now: datetime) -> str:
    """Recorded, never answered; the engineers see what belongs to a ticket, and what a program wants of a person."""
    thread = threads.choose(seen.threads, threads.referred(letter))
    if thread is not None and letter.nature in ("auto_reply", "machine"):
        return await returned.automatic(session, door.profile, letter, thread.ticket, seen, now)
    if letter.nature == "machine":
        await returned.held(session, door.profile, letter, item, now)
        return await _noted(session, door, letter, seen, "held", now)
    return await _noted(session, door, letter, seen, letter.nature, now)


async def _noted(session: Session, door: Door, letter: Letter, seen: Glance, disposition: str, now: datetime) -> str:
    await recording.record(session, door.profile.name, letter, seen.digest, now)
    return disposition


_COUNT = """
    insert into automatic_mail (desk, address, at) select $1, $2, $3
    where (select count(*) from automatic_mail where desk = $1 and address = $2 and at > $4) < $5 returning 1
"""


async def _counted(session: Session, desk: str, address: str, most: int, now: datetime) -> bool:
    """Whether one more automatic mail to the address is within bounds; it is counted then. Mails of one sender that
    come at once take turns here."""
    await session.rows("select pg_advisory_xact_lock(hashtext($1))", f"automatic:{desk}:{address}")
    return bool(await session.rows(_COUNT, desk, address, now, now - answering.PERIOD, most))

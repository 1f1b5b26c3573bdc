"""Mail that asks for nothing but matters to a ticket: what came back, what a program answered, what is held."""

import json
from datetime import datetime, timedelta
from typing import Any

from crm import journal
from crm.changes import Changes
from crm.db import Session
from crm.desks import Profile
from crm.mail import recording
from crm.mail.glance import Glance
from crm.mail.letter import Letter
from crm.outbox import Outgoing, Priority, group_bucket
from crm.people.service import OpenTicket
from crm.tickets import groups, outward, service

SHOWN = 600
# Several programs that write at once are told of together.
HELD_PACE = timedelta(seconds=60)

# Only what names a mail that we really sent counts: its id cannot be guessed.
_SENT = """
    select m.ticket_id, m.message_ref, m.address, t.group_id, t.reference from mail_message m
    join ticket t on t.id = m.ticket_id
    where m.desk = $1 and m.direction = 'out' and m.message_id = any($2::text[])
    order by m.id desc limit 1
"""


async def came_back(session: Session, profile: Profile, letter: Letter, seen: Glance, now: datetime) -> str:
    """The ticket learns that its mail came back, and the address is marked if it is for good."""
    bounce = letter.bounce
    ids = [one for one in (bounce.original_id if bounce else None, letter.in_reply_to, *letter.references) if one]
    found = await session.rows(_SENT, profile.name, ids)
    if bounce is None or not found:
        await recording.record(session, profile.name, letter, seen.digest, now)
        return "bounce"
    sent = found[0]
    await recording.record(session, profile.name, letter, seen.digest, now, sent["ticket_id"])
    addresses = [one.lower() for one in bounce.recipients] or [sent["address"]]
    facts: dict[str, Any] = {
        "address": ", ".join(addresses),
        "reason": " ".join((bounce.status or "", bounce.reason)).strip()[:SHOWN],
        "permanent": bounce.permanent,
        "message": sent["message_ref"],
    }
    changes = Changes()
    changes.events.append(journal.event(sent["ticket_id"], journal.SYSTEM, "returned", now, **facts))
    changes.outgoing.append(
        outward.say_in_topic(profile.name, sent["group_id"], sent["ticket_id"], "returned", Priority.TOPIC, **facts)
    )
    await changes.write(session, profile.name, now)
    if bounce.permanent and sent["address"] in addresses:
        await service.reachable(session, profile, "email", sent["address"], False, now)
    return "bounced"


async def automatic(
    session: Session, profile: Profile, letter: Letter, ticket: OpenTicket, seen: Glance, now: datetime
) -> str:
    """An absence note and the like: the engineers see it, no clock starts, nothing is opened again."""
    await recording.record(session, profile.name, letter, seen.digest, now, ticket.id)
    sender = letter.sender
    facts = {"address": sender.address if sender else "", "text": letter.reply_text[:SHOWN]}
    changes = Changes()
    changes.events.append(journal.event(ticket.id, journal.SYSTEM, "auto_reply", now, **facts))
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "auto_reply", Priority.CARD, **facts)
    )
    await changes.write(session, profile.name, now)
    return "auto_reply"


# Joins what is about to be told; one transaction at a time, so that none is left out.
_JOIN = """
    with alone as (select pg_advisory_xact_lock(hashtext($1 || ':mails')))
    select count(*) from alone
"""
_TELL_TOO = """
    update outbox set payload = jsonb_set(payload, '{facts,mails}', payload #> '{facts,mails}' || $2::text::jsonb)
    where dedupe_key = $1 and state = 'queued' returning id
"""


async def held(session: Session, profile: Profile, letter: Letter, item: int, now: datetime) -> None:
    """A program wrote to us, as one does that wants an address confirmed: no requester ever sees it."""
    group_id = await groups.current(session, profile.name)
    sender, key = letter.sender, f"held:{profile.name}"
    mail = {"id": item, "address": sender.address if sender else "", "subject": letter.subject[:200]}
    await session.rows(_JOIN, key)
    if await session.rows(_TELL_TOO, key, json.dumps([mail])):
        return
    row = Outgoing(
        bucket=group_bucket(profile.name, group_id),
        lane=f"alarm:{profile.name}",
        kind="alarm",
        payload={"notice": "held", "facts": {"mails": [mail]}},
        dedupe_key=key,
        priority=Priority.BOARD,
        due_at=now + HELD_PACE,
    )
    await Changes(outgoing=[row]).write(session, profile.name, now)

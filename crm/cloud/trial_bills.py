"""A trial that became paid use: those who write bills get a request of their own, where the desk has such a queue."""

from datetime import datetime

from crm import journal
from crm.changes import Changes
from crm.cloud.models import Trial
from crm.db import Session
from crm.desks import Profile
from crm.outbox import Priority
from crm.people.service import Requester
from crm.texts import texts
from crm.tickets import outward
from crm.tickets.models import Ticket
from crm.tickets.opening import Opening, begin

QUEUE = "billing"
_WHO = """
    select p.id, p.name, p.language, i.id as identity, i.channel, i.address
    from ticket k join person p on p.id = k.requester_id
    join identity i on i.person_id = p.id and i.desk = k.desk and i.channel in ('telegram', 'email')
    where k.id = $1 order by i.id is distinct from k.answers_to, i.id limit 1
"""


async def opened(
    session: Session, profile: Profile, trial: Trial, ticket: Ticket, now: datetime, changes: Changes
) -> str | None:
    """Its reference; None where nobody is to be told. The customer, who asked for nothing, is told nothing of it."""
    found = await session.rows(_WHO, ticket.id) if profile.queue(QUEUE) is not None else []
    if not found:
        return None
    row = found[0]
    who = Requester(
        row["id"], row["name"], row["language"], row["identity"], row["channel"], row["address"], False, [], 0
    )
    t = texts(profile.team_language)
    subject = t("Paid use after a trial: {organization}", organization=trial.organization or row["name"])
    opening = Opening(None, ticket.id, QUEUE, subject, acknowledge=False, by=journal.SYSTEM)
    made = await begin(session, profile, who, {"type": "text", "text": subject}, now, changes, opening)
    # Nobody waits for an answer; it is to be done.
    changes.targets = [row for row in changes.targets if row["ticket_id"] != made.id or row["metric"] == "resolution"]
    facts = {
        "reference": ticket.reference,
        "organization": trial.organization,
        "project": trial.project_id,
        "launched_at": trial.launched_at,
        "ends_at": trial.ends_at,
    }
    changes.outgoing.append(
        outward.say_in_topic(profile.name, made.group_id, made.id, "trial_billing", Priority.TOPIC, **facts)
    )
    return made.reference

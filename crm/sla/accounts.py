"""The promises of a stored ticket, ready to be explained."""

from datetime import datetime

from crm.db import Session
from crm.sla import explain, targets
from crm.sla.explain import Account, Promise
from crm.sla.models import SlaTarget
from crm.sla.policy import Terms


async def of_ticket(session: Session, ticket_id: int, now: datetime) -> list[Account]:
    """The latest round of each metric, in the order in which they were made."""
    pauses = await targets.pauses_of(session, ticket_id)
    found = await targets.of_ticket(session, ticket_id)
    return [
        explain.account(_promise(target.row, target.terms), pauses, now)
        for target in sorted(found.values(), key=lambda target: target.row.id)
    ]


def _promise(row: SlaTarget, terms: Terms) -> Promise:
    return Promise(row.metric, terms, row.started_at, row.budget, row.due_at, row.met_at, row.breached_at)

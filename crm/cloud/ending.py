"""How an action ends: succeeded, failed, or unknown until a person has looked; what follows for its ticket.

The ticket of a request that was carried out resolves itself, once the wanted state was read back (prodata 5.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crm import journal
from crm.changes import Changes
from crm.cloud import access, actions, effects, pages
from crm.cloud.actions import Approver, locked, rules_of
from crm.cloud.models import CloudAction
from crm.cloud.pages import Secret
from crm.cloud.rules import HANDED_OVER, types_of
from crm.cloud.running import Step
from crm.cloud.telling import drawn, to_requester, to_topic, told
from crm.cloud.wanted import Wanted
from crm.db import Session
from crm.desks import Profile
from crm.errors import DeskError, NotAllowed, WrongStatus
from crm.journal import Actor
from crm.outbox import Outgoing
from crm.people import duty
from crm.people.models import Person
from crm.people.reach import Reach, reach
from crm.people.service import telegram_chat
from crm.sla import keeping
from crm.sla.policy import METRICS
from crm.sla.targets import of_ticket
from crm.tickets import assignment, outward, status
from crm.tickets.models import Ticket
from crm.tickets.service import change_status

Outcome = Literal["succeeded", "failed", "unknown"]
# An engineer has to do something about these.
CALLS_PEOPLE = ("failed", "unknown")


@dataclass(frozen=True, slots=True)
class Ending:
    """`reason`: a word of the views (not_found, conflict, deadline, no_answer …); `said`: the cloud's own words;
    `observed`: the state that was read back."""

    outcome: Outcome
    reason: str | None = None
    said: str | None = None
    observed: dict[str, Any] | None = None


async def end(
    session: Session, profile: Profile, step: Step, ending: Ending, now: datetime, secret: Secret | None = None
) -> CloudAction | None:
    """Written once, by whoever holds the step; None if that is somebody else. A `secret` goes to its one reader."""
    action, ticket = await locked(session, profile, step.id)
    if (action.state, action.fence) != ("running", step.fence):
        return None
    lost = await _lost(session, profile, action, ticket) if secret is not None and ticket is not None else None
    await _write(session, profile, action, ticket, ending, journal.SYSTEM, now, lost)
    if secret is not None and ticket is not None:
        await _hand_over(session, profile, action, ticket, secret, now, lost)
    return action


async def _lost(session: Session, profile: Profile, action: CloudAction, ticket: Ticket) -> str | None:
    """Why its reader must not or cannot have a password any more, as a word of the views."""
    try:
        await access.still(session, profile, ticket, action.kind, action.project_id, action.asked_by_kind)
    except DeskError as error:
        return str(error.facts["what"])
    chat = await telegram_chat(session, profile.name, ticket.requester_id)
    return "chat" if chat is None else None


async def _hand_over(
    session: Session,
    profile: Profile,
    action: CloudAction,
    ticket: Ticket,
    secret: Secret,
    now: datetime,
    lost: str | None,
) -> None:
    """A link, to the private chat of whoever asked and nowhere else: a mail is anybody's."""
    person = await session.get_one(Person, ticket.requester_id)
    chat = await telegram_chat(session, profile.name, person.id)
    changes = Changes()
    if lost is not None:
        changes.outgoing.append(to_topic(profile, ticket, action, "secret_undelivered", lost=lost))
    else:
        url, expires_at = pages.make(session, profile.name, secret, person.language, ticket.id, now)
        where = Reach("telegram", str(chat), person.language, person.name)
        facts = {"reference": ticket.reference, "title": action.title, "url": url, "expires_at": expires_at}
        changes.outgoing.append(outward.say_to_requester(profile.name, where, ticket.id, "secret_ready", **facts))
    await changes.write(session, profile.name, now)


async def announce(session: Session, profile: Profile, step: Step, now: datetime) -> None:
    """The customer hears that it is running, as soon as the cloud has accepted it."""
    action, ticket = await locked(session, profile, step.id)
    if ticket is None or action.fence != step.fence:
        return
    changes = Changes(outgoing=drawn(profile, ticket, now))
    changes.events.append(told(action, journal.SYSTEM, "action_running", now, request=action.request_id))
    changes.outgoing += await to_requester(session, profile, ticket, action, "action_running")
    await changes.write(session, profile.name, now)


async def decide(
    session: Session, profile: Profile, by: Approver, action_id: int, done: bool, now: datetime
) -> CloudAction:
    """A person has looked at one whose outcome is unknown, and says whether it was done."""
    action, ticket = await locked(session, profile, action_id)
    _may_decide(profile, by, action)
    if done and action.kind in HANDED_OVER:
        # A password that reached nobody is not done: it is set once more, and then shown.
        raise NotAllowed(what="nobody_has_it")
    action.decided_by_id, action.decided_by_name = by.actor.id, by.actor.name
    ending = Ending("succeeded" if done else "failed", "decided", action.said, action.observed)
    await _write(session, profile, action, ticket, ending, by.actor, now)
    return action


async def again(session: Session, profile: Profile, by: Approver, action_id: int, now: datetime) -> CloudAction:
    """A person has looked at an unknown one and wants it tried once more: a new action, approved by that word.

    Whoever wants that needs what an approval needs, four eyes included. The former one is over.
    """
    action, ticket = await locked(session, profile, action_id)
    _may_decide(profile, by, action)
    action.state, action.reason, action.finished_at, action.next_at = "failed", "again", now, None
    action.decided_by_id, action.decided_by_name = by.actor.id, by.actor.name
    await session.flush()
    asker = Actor(action.asked_by_kind, action.asked_by_id, action.asked_by_name)
    same = Wanted(action.kind, action.title, action.lane, action.project_id, action.target, action.parameters)
    made = await actions.plan(session, profile, asker, ticket, same, f"again:{action.id}", now, asks=False)
    made.replaces_id = action.id
    return await actions.approve(session, profile, by, made.id, now)


def _may_decide(profile: Profile, by: Approver, action: CloudAction) -> None:
    if action.state != "unknown":
        raise WrongStatus(what="action", state=action.state, name=action.decided_by_name)
    right = rules_of(profile).right(action.kind)
    if right not in by.rights:
        raise NotAllowed(what=right)


async def _write(
    session: Session,
    profile: Profile,
    action: CloudAction,
    ticket: Ticket | None,
    ending: Ending,
    by: Actor,
    now: datetime,
    lost: str | None = None,
) -> None:
    action.state, action.phase, action.next_at, action.lease_until = ending.outcome, None, None, None
    action.reason, action.said = ending.reason, ending.said or action.said
    action.observed = ending.observed or action.observed
    action.finished_at = None if ending.outcome == "unknown" else now
    if ending.outcome == "succeeded":
        await effects.apply(session, action, ticket, now)
    if ticket is None:
        return
    changes = Changes(outgoing=drawn(profile, ticket, now))
    facts = {"reason": ending.reason, "said": ending.said, "observed": ending.observed}
    changes.events.append(told(action, by, f"action_{ending.outcome}", now, **facts))
    if ending.outcome == "succeeded":
        changes.outgoing += await _done(session, profile, action, ticket, now, changes, lost)
    else:
        changes.outgoing += await to_requester(session, profile, ticket, action, f"action_{ending.outcome}")
    if ending.outcome in CALLS_PEOPLE:
        changes.outgoing.append(await call(session, profile, action, ticket, f"action_{action.state}", now))
    await changes.write(session, profile.name, now)


async def call(
    session: Session, profile: Profile, action: CloudAction, ticket: Ticket, notice: str, now: datetime
) -> Outgoing:
    """Who answers for the ticket, to its topic: they have to do something about it."""
    team = await duty.team(session, profile, now)
    called = team.recipients(ticket.assignee_id, ("assignee",), now)
    mention = [assignment.named(agent) for agent in called]
    return to_topic(profile, ticket, action, notice, mention=mention, observed=action.observed)


async def _done(
    session: Session,
    profile: Profile,
    action: CloudAction,
    ticket: Ticket,
    now: datetime,
    changes: Changes,
    lost: str | None,
) -> list[Outgoing]:
    """What is said of a success; where the ticket asked for just that, and nothing else is open, it is resolved."""
    seconds = (now - action.planned_at).total_seconds()
    facts: dict[str, Any] = {"seconds": seconds, "observed": action.observed, "at": now}
    if lost is not None:
        facts["lost"] = lost
    elif await _fulfils(session, action, ticket):
        promise = (await of_ticket(session, ticket.id)).get("resolution")
        await keeping.meet(session, profile, ticket.id, METRICS, now)
        if promise is not None:
            facts |= {"promised": promise.row.budget, "seconds": (now - ticket.opened_at).total_seconds()}
        where = await reach(session, ticket.id)
        await change_status(session, profile, ticket.id, "resolve", journal.SYSTEM, where, now, changes)
        facts["resolved"] = True
    said = await to_requester(session, profile, ticket, action, "action_succeeded", **facts)
    return [to_topic(profile, ticket, action, "action_succeeded", **facts), *said]


async def _fulfils(session: Session, action: CloudAction, ticket: Ticket) -> bool:
    if ticket.request_type not in types_of(action.kind) or not status.possible("resolve", ticket.status):
        return False
    others: Sequence[Any] = await session.rows(
        "select 1 from cloud_action where ticket_id = $1 and id <> $2 and state = any($3::text[]) limit 1",
        ticket.id,
        action.id,
        list(actions.ALIVE),
    )
    return not others

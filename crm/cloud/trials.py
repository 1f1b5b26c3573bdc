"""Trials: asked for, judged by an engineer, opened; the rest is the clock's (`trial_sweep.py`).

    asked → granted → opened → running → paid | closed
      ↘ refused ↙

Whoever changes one locks its ticket first. Nothing reaches the cloud for somebody who may have none.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm import journal
from crm.changes import Changes
from crm.cloud import actions, asked, eligibility, naming, requests
from crm.cloud import wanted as wants
from crm.cloud.actions import ALIVE, Approver
from crm.cloud.eligibility import Applicant, Obstacle, rules_of
from crm.cloud.models import CloudAction, Trial
from crm.cloud.rules import TRIAL
from crm.cloud.trial_steps import UNUSED_AFTER
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotAllowed, NotFound, UnderWay, WrongStatus
from crm.journal import Actor
from crm.outbox import Priority
from crm.people.models import Agent, Organization, Person
from crm.people.reach import reach
from crm.people.service import OpenTicket, Requester, actor_of, telegram_chat
from crm.sla import keeping
from crm.sla.policy import METRICS
from crm.texts import texts
from crm.tickets import outward, status, work
from crm.tickets.models import Ticket
from crm.tickets.opening import Opening, open_ticket
from crm.tickets.service import change_status, load
from crm.tickets.written import Written


@dataclass(frozen=True, slots=True)
class Wish:
    """What who asks says of themselves. `verified`: Telegram itself gave the number as theirs."""

    organization: str
    phone: str | None = None
    verified: bool = False


async def known(session: Session, profile: Profile, person_id: int, wish: Wish | None = None) -> Applicant:
    """Who asks, if they may. Raises NoCloud for a desk without trials, HadTrial for whoever may have none."""
    rules_of(profile)
    phone, verified = (wish.phone, wish.verified) if wish else (None, False)
    who = await eligibility.applicant(session, profile.name, person_id, phone, verified)
    await eligibility.require(session, profile, who)
    return who


async def ask(session: Session, profile: Profile, who: Requester, wish: Wish, now: datetime) -> OpenTicket:
    """A request for a trial. Raises HadTrial, also for the second of two at once."""
    if wish.verified and wish.phone is not None:
        await requests.prove(session, profile.name, who.person_id, wish.phone, now)
    applicant = await known(session, profile, who.person_id, wish)
    sentence = asked.trial(texts(who.language), wish.organization, wish.phone or "–", wish.verified)
    written = Written({"type": "text", "text": sentence}, now, None)
    opened = await open_ticket(session, profile, who, written, now, Opening(TRIAL))
    ticket = await load(session, profile.name, opened.id)
    await _asked(session, profile, ticket, applicant, wish, who.actor, now)
    return opened


async def make(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Trial:
    """An engineer sees that a request is one for a trial; so it comes from mail. One that was refused is asked anew.

    Raises HadTrial, WrongStatus for a request that has ended.
    """
    ticket = await work.living(session, profile, ticket_id)
    applicant = await known(session, profile, ticket.requester_id)
    name = await _organization(session, ticket) or (await session.get_one(Person, ticket.requester_id)).name
    if ticket.request_type != TRIAL:
        await work.set_type(session, profile, agent, ticket_id, TRIAL, now)
    phone = next(iter(applicant.phones), None)
    wish = Wish(name.strip() or ticket.reference, phone, phone is not None)
    return await _asked(session, profile, ticket, applicant, wish, actor_of(agent), now)


async def _organization(session: Session, ticket: Ticket) -> str | None:
    if ticket.organization_id is None:
        return None
    return (await session.get_one(Organization, ticket.organization_id)).name


async def _asked(
    session: Session, profile: Profile, ticket: Ticket, applicant: Applicant, wish: Wish, by: Actor, now: datetime
) -> Trial:
    trial = await of_ticket(session, profile, ticket.id)
    if trial is None:
        trial = Trial(desk=profile.name, ticket_id=ticket.id, person_id=ticket.requester_id)
        session.add(trial)
    trial.organization_id, trial.organization = applicant.organization_id, wish.organization
    trial.phone, trial.phone_verified = wish.phone, wish.verified
    trial.state, trial.days, trial.asked_at = "asked", rules_of(profile).days, now
    trial.decided_by_name = trial.decided_at = trial.ended_at = None
    await session.flush()
    await eligibility.claim(session, profile, applicant.claims(rules_of(profile), written=False), trial.id, now)
    changes = Changes()
    changes.events.append(journal.event(ticket.id, by, "trial_asked", now, organization=wish.organization))
    said = {"organization": wish.organization, "phone": wish.phone, "verified": wish.verified}
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "trial_asked", Priority.TOPIC, **said)
    )
    await changes.write(session, profile.name, now)
    return trial


async def of_ticket(session: Session, profile: Profile, ticket_id: int) -> Trial | None:
    found = await session.scalars(
        select(Trial)
        .where(Trial.ticket_id == ticket_id, Trial.desk == profile.name)
        .execution_options(populate_existing=True)
    )
    return found.one_or_none()


def facts(trial: Trial) -> dict[str, Any]:
    """What a view shows of it."""
    return {
        "state": trial.state,
        "organization": trial.organization,
        "phone": trial.phone,
        "verified": trial.phone_verified,
        "decided_by_name": trial.decided_by_name,
        "launched_at": trial.launched_at,
        "ends_at": trial.ends_at,
    }


async def examined(session: Session, profile: Profile, trial: Trial) -> list[Obstacle]:
    """What speaks against it by now; only of one that nobody has decided."""
    if trial.state != "asked":
        return []
    who = await eligibility.applicant(session, profile.name, trial.person_id, trial.phone, trial.phone_verified)
    return await eligibility.obstacles(session, profile, who, trial.id)


async def opening_of(session: Session, trial: Trial) -> CloudAction | None:
    """The last attempt to open its cabinet."""
    found = await session.scalars(
        select(CloudAction)
        .where(CloudAction.ticket_id == trial.ticket_id, CloudAction.kind == "open")
        .order_by(CloudAction.id.desc())
        .limit(1)
    )
    return found.one_or_none()


async def decidable(session: Session, trial: Trial) -> bool:
    """Whether an engineer may still say yes or no: nobody has, or the cabinet could not be opened."""
    if trial.state != "granted":
        return trial.state == "asked"
    action = await opening_of(session, trial)
    return action is None or action.state not in ALIVE


# --- what an engineer decides --------------------------------------------------------------------------------------


async def grant(session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime) -> Trial:
    """The cabinet is opened at once, within the trial's limits; once more, if it could not be opened before.

    The plan is the customer's and the approval the agent's, so four eyes have seen it. Raises NotAllowed without the
    right, HadTrial if something speaks against it by now, UnderWay, WrongStatus.
    """
    ticket, trial = await _undecided(session, profile, agent, ticket_id)
    who = await eligibility.applicant(session, profile.name, trial.person_id, trial.phone, trial.phone_verified)
    await eligibility.require(session, profile, who, trial.id)
    await eligibility.claim(session, profile, who.claims(rules_of(profile), written=True), trial.id, now)
    before = await opening_of(session, trial)
    trial.state, trial.decided_by_name, trial.decided_at = "granted", agent.name, now
    trial.organization_id = who.organization_id
    await _taken(session, profile, agent, ticket, now)
    person = await session.get_one(Person, trial.person_id)
    wanted = wants.cabinet(
        ticket.id,
        naming.account(ticket.reference, trial.organization or ""),
        {str(resource): limit for resource, limit in rules_of(profile).limits.items()},
        next(iter(who.mails), None),
        f"{trial.organization} · {ticket.reference}",
    )
    asker = Actor("requester", person.id, person.name, ticket.channel)
    key = f"trial:{trial.id}:{before.id if before else 0}"
    action = await actions.plan(session, profile, asker, ticket, wanted, key, now, asks=False)
    if before is not None and before.attempts:
        # What that attempt has begun is gone on with, not taken for somebody else's.
        action.replaces_id = before.id
    await actions.approve(session, profile, Approver(actor_of(agent), agent.rights), action.id, now)
    return trial


async def _taken(session: Session, profile: Profile, agent: Agent, ticket: Ticket, now: datetime) -> None:
    """Whoever decides answers for it, if nobody does."""
    ticket.assignee_id = ticket.assignee_id or agent.id
    changes = Changes()
    changes.events.append(journal.event(ticket.id, actor_of(agent), "trial_granted", now))
    if ticket.status == "new":
        await change_status(session, profile, ticket.id, "take", actor_of(agent), None, now, changes)
    await changes.write(session, profile.name, now)


async def refuse(
    session: Session, profile: Profile, agent: Agent, ticket_id: int, now: datetime, reason: str = ""
) -> Trial:
    """No, and nobody has to say why (prodata 5.4); the request is declined. They may ask again.

    Raises NotAllowed without the right, UnderWay while the cabinet is being opened, WrongStatus.
    """
    ticket, trial = await _undecided(session, profile, agent, ticket_id)
    trial.state, trial.decided_by_name, trial.decided_at, trial.ended_at = "refused", agent.name, now, now
    await session.flush()
    await eligibility.release(session, trial.id)
    where, changes = await reach(session, ticket.id), Changes()
    changes.events.append(journal.event(ticket.id, actor_of(agent), "trial_refused", now, reason=reason))
    if status.possible("decline", ticket.status):
        ticket.assignee_id = ticket.assignee_id or agent.id
        await keeping.meet(session, profile, ticket.id, METRICS, now)
        await change_status(session, profile, ticket.id, "decline", actor_of(agent), None, now, changes)
    said = {"reason": reason.strip(), "reference": ticket.reference}
    in_topic = {"name": agent.name, **said}
    changes.outgoing.append(
        outward.say_in_topic(profile.name, ticket.group_id, ticket.id, "trial_refused", Priority.TOPIC, **in_topic)
    )
    if where is not None:
        changes.outgoing.append(outward.say_to_requester(profile.name, where, ticket.id, "trial_refused", **said))
    await changes.write(session, profile.name, now)
    return trial


async def _undecided(session: Session, profile: Profile, agent: Agent, ticket_id: int) -> tuple[Ticket, Trial]:
    """Its ticket, locked, and the trial. One whose cabinet could not be opened may be decided anew."""
    ticket = await load(session, profile.name, ticket_id)
    trial = await of_ticket(session, profile, ticket.id)
    if trial is None:
        raise NotFound(what="trial")
    right = actions.rules_of(profile).right("open")
    if right not in agent.rights:
        raise NotAllowed(what=right)
    if trial.state not in ("asked", "granted"):
        raise WrongStatus(what="trial", state=trial.state, name=trial.decided_by_name)
    action = await opening_of(session, trial)
    if action is not None and action.state in ALIVE:
        going_on = {"action": action.id, "kind": action.kind, "state": action.state}
        raise UnderWay(title=action.title, reference=ticket.reference, **going_on)
    return ticket, trial


# --- what became of it in the cloud ---------------------------------------------------------------------------------


async def called(session: Session, ticket_id: int) -> str | None:
    """How the organization of a granted trial calls itself."""
    found: str | None = await session.scalar(
        select(Trial.organization).where(Trial.ticket_id == ticket_id, Trial.state == "granted")
    )
    return found


async def opened(session: Session, action: CloudAction, ticket: Ticket, project_id: str, now: datetime) -> None:
    """The cabinet of a granted trial is there; its clock stands until a service is launched."""
    found = await session.scalars(select(Trial).where(Trial.ticket_id == ticket.id, Trial.state == "granted"))
    trial = found.one_or_none()
    if trial is None:
        return
    trial.state, trial.project_id, trial.opened_at = "opened", project_id, now
    trial.next_at, trial.organization_id = now + UNUSED_AFTER, ticket.organization_id
    changes = Changes()
    changes.events.append(journal.event(ticket.id, journal.SYSTEM, "trial_opened", now, project=project_id))
    where = await reach(session, ticket.id)
    if where is not None:
        said = {"reference": ticket.reference, "days": trial.days, "limits": action.parameters["limits"]}
        # The password goes by the bot only, so not to whoever wrote a mail.
        said["page"] = await telegram_chat(session, action.desk, ticket.requester_id) is not None
        changes.outgoing.append(outward.say_to_requester(action.desk, where, ticket.id, "trial_opened", **said))
    await changes.write(session, action.desk, now)

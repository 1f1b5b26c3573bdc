"""Plan → approval: what is wanted is written down, frozen, and let go by whoever may say so.

Every action is a row and stays one. Whoever changes it locks its ticket first. What happens to an approved one is in
`running.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from crm import journal
from crm.changes import Changes
from crm.cloud import access, quotas
from crm.cloud import wanted as wants
from crm.cloud.models import CloudAction
from crm.cloud.rules import CloudRules, Right
from crm.cloud.telling import drawn, to_requester, to_topic, told
from crm.cloud.wanted import Wanted
from crm.db import Session
from crm.desks import Profile
from crm.errors import Expired, NoCloud, NotAllowed, NotFound, UnderWay, WrongStatus
from crm.journal import Actor
from crm.tickets.models import Ticket
from crm.tickets.service import load
from crm.tickets.status import ENDED as ENDINGS
from crm.wake import CLOUD, wake_at_commit

ALIVE = ("planned", "approved", "running", "unknown")
ENDED = ("succeeded", "failed", "refused", "cancelled", "expired")


@dataclass(frozen=True, slots=True)
class Approver:
    """Who lets an action go, and which rights they have this moment."""

    actor: Actor
    rights: Sequence[str]


def rules_of(profile: Profile) -> CloudRules:
    """Raises NoCloud for a desk without hands on a cloud."""
    if profile.cloud is None:
        raise NoCloud(what="desk")
    return profile.cloud


async def plan(
    session: Session,
    profile: Profile,
    asker: Actor,
    ticket: Ticket | None,
    wanted: Wanted,
    key: str,
    now: datetime,
    asks: bool = True,
) -> CloudAction:
    """Write down what is wanted; nothing is done before it is approved. The same `key` gives the same action.

    `asks` False: whoever approves it does so in the same breath, and the topic shows no buttons for it. Raises UnderWay
    if something is going on there already.
    """
    rules = rules_of(profile)
    if (same := await _by_key(session, key)) is not None:
        return same
    row = _row(profile, asker, ticket, wanted, key, now) | {"expires_at": now + rules.plan_life}
    row |= {"next_at": row["expires_at"]}
    await session.flush()
    made = insert(CloudAction).values(**row).on_conflict_do_nothing().returning(CloudAction.id)
    action_id = await session.scalar(made)
    if action_id is None:
        if (same := await _by_key(session, key)) is not None:
            return same
        raise UnderWay(title=wanted.title, **await _going_on(session, profile.name, wanted.lane))
    action = await session.get_one(CloudAction, action_id)
    if ticket is not None:
        changes = Changes(outgoing=drawn(profile, ticket, now))
        changes.events.append(told(action, asker, "action_planned", now, parameters=action.parameters))
        # Who may let it go alone does so.
        open_ = asks and not (asker.kind == "requester" and action.kind in rules.self_service)
        present = await quotas.allowed(session, profile.name, action.project_id) if action.kind == "quota" else {}
        facts = {"asker": asker.name, "asks": open_, "present": present}
        changes.outgoing.append(to_topic(profile, ticket, action, "action_planned", **facts))
        await changes.write(session, profile.name, now)
    return action


def _row(
    profile: Profile, asker: Actor, ticket: Ticket | None, wanted: Wanted, key: str, now: datetime
) -> dict[str, Any]:
    return {
        "desk": profile.name,
        "ticket_id": ticket.id if ticket else None,
        "kind": wanted.kind,
        "project_id": wanted.project_id,
        "target": wanted.target,
        "title": wanted.title,
        "parameters": wanted.parameters,
        "digest": wanted.digest,
        "lane": wanted.lane,
        "key": key,
        "state": "planned",
        "asked_by_kind": asker.kind,
        "asked_by_id": asker.id,
        "asked_by_name": asker.name,
        "planned_at": now,
    }


async def _by_key(session: Session, key: str) -> CloudAction | None:
    found = await session.scalars(select(CloudAction).where(CloudAction.key == key))
    return found.one_or_none()


_GOING_ON = """
    select a.id as action, a.kind, a.state, t.reference
    from cloud_action a left join ticket t on t.id = a.ticket_id
    where a.desk = $1 and a.lane = $2 and a.state = any($3::text[]) limit 1
"""


async def _going_on(session: Session, desk: str, lane: str) -> dict[str, Any]:
    """What keeps the lane, for whoever is refused."""
    found = await session.rows(_GOING_ON, desk, lane, list(ALIVE))
    return dict(found[0]) if found else {"action": None, "kind": None, "state": None, "reference": None}


async def approve(session: Session, profile: Profile, by: Approver, action_id: int, now: datetime) -> CloudAction:
    """Let it go: it is carried out at once, exactly as it was planned.

    Raises NotAllowed without the right, or for one's own plan where two persons are wanted; Expired; WrongStatus once
    somebody has decided; and what `access.still` raises.
    """
    action, ticket = await locked(session, profile, action_id)
    planned(action, ticket, now)
    await _may_approve(session, rules_of(profile), by, action)
    return await _let_go(session, profile, by.actor, action, ticket, now, tell=True)


async def approve_own(session: Session, profile: Profile, asker: Actor, action_id: int, now: datetime) -> CloudAction:
    """An authorised contact's own word is enough where the profile says so. Raises NotAllowed elsewhere."""
    action, ticket = await locked(session, profile, action_id)
    planned(action, ticket, now)
    if action.kind not in rules_of(profile).self_service or not _same(action, asker):
        raise NotAllowed(what="approve")
    return await _let_go(session, profile, asker, action, ticket, now, tell=False)


def planned(action: CloudAction, ticket: Ticket | None, now: datetime) -> None:
    """Raises WrongStatus for one that somebody has decided or whose ticket has ended, Expired for one that nobody
    decided in time."""
    if ticket is not None and ticket.status in ENDINGS:
        raise WrongStatus(status=ticket.status)
    if action.state != "planned":
        raise WrongStatus(what="action", state=action.state, name=action.approved_by_name)
    if now >= action.expires_at:
        raise Expired(title=action.title)


async def _may_approve(session: Session, rules: CloudRules, by: Approver, action: CloudAction) -> None:
    right: Right = rules.right(action.kind)
    if right not in by.rights:
        raise NotAllowed(what=right)
    if action.kind in rules.two_persons and (_same(action, by.actor) or await _one_person(session, action, by.actor)):
        raise NotAllowed(what="own_plan")


# An engineer who writes to the bot is a customer like any other.
_ONE_PERSON = """
    select 1 from agent a join identity i on i.desk = a.desk and i.channel = 'telegram'
    and i.address = a.telegram_id::text
    where a.id = $1 and (i.person_id = $2 or i.person_id = (select requester_id from ticket where id = $3))
"""


async def _one_person(session: Session, action: CloudAction, by: Actor) -> bool:
    if (action.asked_by_kind, by.kind) != ("requester", "agent"):
        return False
    return bool(await session.rows(_ONE_PERSON, by.id, action.asked_by_id, action.ticket_id))


def _same(action: CloudAction, actor: Actor) -> bool:
    return (action.asked_by_kind, action.asked_by_id) == (actor.kind, actor.id)


async def _let_go(
    session: Session, profile: Profile, by: Actor, action: CloudAction, ticket: Ticket | None, now: datetime, tell: bool
) -> CloudAction:
    action.state, action.next_at, action.approved_at = "approved", now, now
    action.approved_by_kind, action.approved_by_id, action.approved_by_name = by.kind, by.id, by.name
    # Of what stands in the row this moment: whatever is changed behind our back is not what was approved.
    action.approved_digest = wants.digest(action.kind, action.project_id, action.target, action.parameters)
    if action.approved_digest != action.digest:
        raise WrongStatus(what="action", state="changed", name=None)
    if ticket is not None:
        await access.still(session, profile, ticket, action.kind, action.project_id, action.asked_by_kind)
    changes = Changes()
    if ticket is not None:
        changes.events.append(told(action, by, "action_approved", now))
        changes.outgoing += drawn(profile, ticket, now)
        if tell:
            changes.outgoing += await to_requester(session, profile, ticket, action, "action_accepted")
    await changes.write(session, profile.name, now)
    await wake_at_commit(session, CLOUD)
    return action


async def refuse(
    session: Session, profile: Profile, by: Approver, action_id: int, now: datetime, reason: str = ""
) -> CloudAction:
    """An engineer says no; whoever may approve it may also refuse it, and so may who asked."""
    action, ticket = await locked(session, profile, action_id)
    planned(action, ticket, now)
    own = _same(action, by.actor)
    if not own and rules_of(profile).right(action.kind) not in by.rights:
        raise NotAllowed(what=rules_of(profile).right(action.kind))
    changes = _given_up(profile, by.actor, action, ticket, now, "cancelled" if own else "refused", reason)
    if ticket is not None and by.actor.kind != "requester":
        changes.outgoing += await to_requester(session, profile, ticket, action, "action_refused", reason=reason)
    await changes.write(session, profile.name, now)
    return action


async def withdraw(session: Session, profile: Profile, by: Actor, ticket_id: int, now: datetime) -> list[CloudAction]:
    """What was only planned for a ticket goes with it, whoever planned it; gives what cannot be stopped any more."""
    found = await session.rows(
        "select id from cloud_action where ticket_id = $1 and state = any($2::text[]) order by id",
        ticket_id,
        list(ALIVE),
    )
    going = []
    for row in found:
        action, ticket = await locked(session, profile, row["id"])
        if action.state == "planned":
            await _given_up(profile, by, action, ticket, now, "cancelled").write(session, profile.name, now)
        elif action.state in ALIVE:
            going.append(action)
    return going


def _given_up(
    profile: Profile,
    by: Actor,
    action: CloudAction,
    ticket: Ticket | None,
    now: datetime,
    state: Literal["cancelled", "refused"],
    reason: str = "",
) -> Changes:
    """A plan that comes to nothing."""
    action.state, action.finished_at, action.next_at = state, now, None
    action.reason, action.said = state, reason or None
    changes = Changes()
    if ticket is not None:
        changes.events.append(told(action, by, f"action_{state}", now, reason=reason))
        changes.outgoing += drawn(profile, ticket, now)
    return changes


_OVER = """
    select a.id from cloud_action a left join ticket t on t.id = a.ticket_id
    where a.desk = $1 and a.state = 'planned' and (a.next_at <= $2 or t.status in ('closed', 'declined'))
    order by a.next_at limit $3
"""


async def expire(session: Session, profile: Profile, now: datetime, limit: int = 50) -> int:
    """Plans that nobody approved in time, which is told; and those whose ticket has ended. One bounded batch."""
    found = await session.rows(_OVER, profile.name, now, limit)
    for row in found:
        action, ticket = await locked(session, profile, row["id"])
        if action.state != "planned":
            continue
        if ticket is not None and ticket.status in ENDINGS:
            await _given_up(profile, journal.SYSTEM, action, ticket, now, "cancelled").write(session, profile.name, now)
        else:
            await _expired(session, profile, action, ticket, now)
    return len(found)


async def _expired(
    session: Session, profile: Profile, action: CloudAction, ticket: Ticket | None, now: datetime
) -> None:
    action.state, action.finished_at, action.next_at, action.reason = "expired", now, None, "expired"
    if ticket is None:
        return
    changes = Changes(outgoing=drawn(profile, ticket, now))
    changes.events.append(told(action, journal.SYSTEM, "action_expired", now))
    changes.outgoing.append(to_topic(profile, ticket, action, "action_expired"))
    changes.outgoing += await to_requester(session, profile, ticket, action, "action_expired")
    await changes.write(session, profile.name, now)


# --- what all of them share -----------------------------------------------------------------------------------


async def locked(session: Session, profile: Profile, action_id: int) -> tuple[CloudAction, Ticket | None]:
    """The action and its ticket, both locked, as they are now. Raises NotFound."""
    found = await session.rows(
        "select ticket_id from cloud_action where id = $1 and desk = $2", action_id, profile.name
    )
    if not found:
        raise NotFound(what="action")
    ticket = await load(session, profile.name, found[0]["ticket_id"]) if found[0]["ticket_id"] is not None else None
    again = select(CloudAction).where(CloudAction.id == action_id).with_for_update()
    action = (await session.scalars(again.execution_options(populate_existing=True))).one()
    return action, ticket

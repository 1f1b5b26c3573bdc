"""What a contact chooses from in a dialogue: machines, limits, logins and zones of their own cabinets, as last seen.

Nothing here asks the cloud, and nothing of anybody else's is found, whatever number comes from a button.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from crm.cloud import limits, quotas
from crm.cloud.access import Access, Cabinet
from crm.cloud.actions import ALIVE, rules_of
from crm.cloud.rules import RESOURCES, Power, Resource
from crm.db import Session
from crm.desks import Profile
from crm.errors import NotFound

# What the cloud reboots by force; one that is off is switched on instead.
_REBOOTABLE = frozenset({"ACTIVE", "ERROR", "PAUSED", "SUSPENDED", "REBOOT", "HARD_REBOOT"})


def sensible(status: str, task: str | None, locked: bool) -> tuple[Power, ...]:
    """What makes sense of a machine in that state."""
    makes: dict[Power, bool] = {
        "reboot": status in _REBOOTABLE,
        "unlock": locked,
        "start": status == "SHUTOFF" and task is None,
        "stop": status == "ACTIVE" and task is None,
    }
    return tuple(act for act, makes_sense in makes.items() if makes_sense)


@dataclass(frozen=True, slots=True)
class Going:
    """What is being done there already, since when, and in which ticket."""

    kind: str
    state: str
    since: datetime
    reference: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """`id` is ours, `server_id` the cloud's; `status` in the cloud's capitals; `going`: the desk's own action."""

    id: int
    server_id: str
    project_id: str
    name: str
    zone: str | None
    status: str
    task: str | None
    locked: bool
    going: Going | None = None

    @property
    def offers(self) -> tuple[Power, ...]:
        """What makes sense in its state; nothing while something is being done."""
        if self.going is not None:
            return ()
        return sensible(self.status, self.task, self.locked)


_COLUMNS = "id, server_id, project_id, name, zone, status, task, locked"
_MACHINES = f"""
    select {_COLUMNS} from vm where desk = $1 and project_id = any($2::text[]) and deleted_at is null
    order by lower(name), id offset $3 limit $4
"""  # noqa: S608
_MACHINE = f"""
    select {_COLUMNS} from vm where desk = $1 and project_id = any($2::text[]) and deleted_at is null and id = $3
"""  # noqa: S608
_GOING = """
    select a.kind, a.state, coalesce(a.started_at, a.approved_at, a.planned_at) as since, t.reference
    from cloud_action a left join ticket t on t.id = a.ticket_id
    where a.desk = $1 and a.lane = $2 and a.state = any($3::text[]) limit 1
"""


def _projects(access: Access) -> list[str]:
    return [cabinet.project_id for cabinet in access.cabinets]


async def machines(
    session: Session, profile: Profile, access: Access, offset: int, limit: int
) -> tuple[list[Machine], bool]:
    """A page of them by name, and whether there are more after it."""
    found = await session.rows(_MACHINES, profile.name, _projects(access), offset, limit + 1)
    return [Machine(**row) for row in found[:limit]], len(found) > limit


async def machine(session: Session, profile: Profile, access: Access, vm_id: int) -> Machine:
    """Raises NotFound for one of somebody else, as for none at all."""
    found = await session.rows(_MACHINE, profile.name, _projects(access), vm_id)
    if not found:
        raise NotFound(what="choice")
    return Machine(**found[0], going=await going_on(session, profile, f"vm:{found[0]['server_id']}"))


async def going_on(session: Session, profile: Profile, lane: str) -> Going | None:
    """What keeps that lane busy."""
    found = await session.rows(_GOING, profile.name, lane, list(ALIVE))
    return Going(**found[0]) if found else None


def cabinet(access: Access, cabinet_id: int) -> Cabinet:
    """Raises NotFound for somebody else's."""
    for own in access.cabinets:
        if own.id == cabinet_id:
            return own
    raise NotFound(what="choice")


# --- limits ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """What a cabinet may have of a resource, has, and could have at most (None: nothing bounds it)."""

    allowed: int
    used: int
    most: int | None


async def limits_of(session: Session, profile: Profile, own: Cabinet) -> dict[Resource, Limit]:
    """Those that can be raised; none of a cabinet that was not looked at yet."""
    present = await quotas.of_project(session, profile.name, own.project_id)
    whole = await quotas.capacity(session, profile.name)
    found: dict[Resource, Limit] = {}
    for resource in RESOURCES:
        allowed, used = present.get(resource, (-1, 0))
        if allowed >= 0:
            found[resource] = Limit(allowed, used, limits.most(rules_of(profile), present, whole, resource))
    return found


# --- logins and zones -----------------------------------------------------------------------------------------


def mark(name: str) -> str:
    """A name that may be long, short enough for a button."""
    return sha256(name.encode()).hexdigest()[:10]


def login(own: Cabinet, marked: str) -> tuple[str, str]:
    """Id and login name. Raises NotFound."""
    for user_id, name in own.users.items():
        if mark(user_id) == marked:
            return user_id, name
    raise NotFound(what="choice")


async def zones(session: Session, profile: Profile) -> list[str]:
    """Those that can be linked now, by name."""
    found = await session.rows("select zones from cloud_state where desk = $1", profile.name)
    return sorted(name for name, available in found[0]["zones"].items() if available) if found else []


def zone(available: Sequence[str], marked: str) -> str:
    """Raises NotFound."""
    for name in available:
        if mark(name) == marked:
            return name
    raise NotFound(what="choice")

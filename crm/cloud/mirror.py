"""The mirror of a cloud, written by a sweep (`scheduler/inventory.py`): set-based, so that ten thousand machines are
one statement, and what has not changed is read and nothing more.

Each row keeps since when it is known to be like that (`seen_at`). Whoever stores says when the looking began: what was
seen later, by an action that read its machine back, stays. A moment of more than an hour later is no observation but
a clock that jumped.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.db import Session

Row = Mapping[str, Any]

_NEWER = "({0}.seen_at > $2 and {0}.seen_at < $2 + interval '1 hour')"


def _plain(rows: Any) -> str:
    return json.dumps(rows, default=str, ensure_ascii=False)


# --- machines -----------------------------------------------------------------------------------------------------

MACHINE = {
    "server_id": "text",
    "project_id": "text",
    "name": "text",
    "zone": "text",
    "status": "text",
    "task": "text",
    "power": "text",
    "locked": "boolean",
    "vcpus": "int",
    "ram": "int",
    "created_at": "timestamptz",
    "changed_at": "timestamptz",
    "launched_at": "timestamptz",
    "deleted_at": "timestamptz",
}
_NAMES = ", ".join(MACHINE)
_TYPED = ", ".join(f"{name} {kind}" for name, kind in MACHINE.items())
_ALL = ", ".join("{0}." + name for name in MACHINE)
_DIFFERS = f"({_ALL.format('vm')}) is distinct from ({_ALL.format('seen')})"
_SET = ", ".join(f"{name} = excluded.{name}" for name in MACHINE)

# What changed is looked for first: a conflict that updates nothing would lock, and so write, each of the rows.
# A machine that changed has its log read anew, and its cabinet its quotas.
_MACHINES = f"""
    with seen as materialized (select * from jsonb_to_recordset($3::text::jsonb) as r({_TYPED})),
    changed as (
        insert into vm (desk, seen_at, {_NAMES})
        select $1, $2, {_ALL.format("seen")} from seen left join vm on vm.desk = $1 and vm.server_id = seen.server_id
        where vm.id is null or {_DIFFERS} and not {_NEWER.format("vm")}
        on conflict (desk, server_id) do update set {_SET}, seen_at = excluded.seen_at, logged_at = null
        where not {_NEWER.format("vm")}
        returning project_id),
    touched as (
        update cloud_project p set quotas_at = null where p.desk = $1 and p.quotas_at is not null
        and p.project_id in (select project_id from changed))
    select count(*) as number from changed
"""  # noqa: S608


async def store_servers(session: Session, desk: str, servers: Iterable[Row], began: datetime) -> int:
    """Rows with the columns of `MACHINE`, deleted ones too; gives how many are new or have changed."""
    # A list that is read in pages may give a machine twice.
    rows = {row["server_id"]: row for row in servers}
    if not rows:
        return 0
    [found] = await session.rows(_MACHINES, desk, began, _plain(list(rows.values())))
    return int(found["number"])


async def missing(session: Session, desk: str, there: Collection[str], began: datetime, limit: int) -> list[str]:
    """Machines that are not in a listing of everything which began then, although nobody saw them go."""
    found = await session.rows(
        f"""select server_id from vm where desk = $1 and deleted_at is null and not {_NEWER.format("vm")}
            and server_id not in (select jsonb_array_elements_text($3::text::jsonb)) order by id limit $4""",  # noqa: S608
        desk,
        began,
        _plain(list(there)),
        limit,
    )
    return [row["server_id"] for row in found]


_GONE = f"""
    with gone as (
        update vm set status = 'DELETED', task = null, deleted_at = $2, seen_at = $2
        where desk = $1 and server_id = any($3::text[]) and deleted_at is null and not {_NEWER.format("vm")}
        returning project_id),
    touched as (
        update cloud_project p set quotas_at = null where p.desk = $1 and p.quotas_at is not null
        and p.project_id in (select project_id from gone))
    select count(*) as number from gone
"""  # noqa: S608


async def mark_deleted(session: Session, desk: str, server_ids: Collection[str], began: datetime) -> int:
    """The cloud has them no more, and does not say since when."""
    [found] = await session.rows(_GONE, desk, began, list(server_ids))
    return int(found["number"])


async def unread(session: Session, desk: str, limit: int) -> list[str]:
    """Living machines of customers that changed since their log was read, the latest first."""
    found = await session.rows(
        """select vm.server_id from vm
           join cloud_project p on p.desk = vm.desk and p.project_id = vm.project_id and p.organization_id is not null
           where vm.desk = $1 and vm.logged_at is null and vm.deleted_at is null
           order by vm.changed_at desc, vm.id limit $2""",
        desk,
        limit,
    )
    return [row["server_id"] for row in found]


async def store_log(
    session: Session, desk: str, server_id: str, entries: Sequence[Row] | None, read_at: datetime | None
) -> None:
    """Newest first; None leaves the former ones. `read_at` None: something is under way, so it is read again."""
    await session.rows(
        """update vm set log = coalesce($3::text::jsonb, log), logged_at = $4 where desk = $1 and server_id = $2""",
        desk,
        server_id,
        None if entries is None else _plain(entries),
        read_at,
    )


# --- cabinets -----------------------------------------------------------------------------------------------------

_PROJECTS = f"""
    with seen as materialized (
        select * from jsonb_to_recordset($3::text::jsonb) as r(project_id text, name text, enabled boolean)),
    changed as (
        insert into cloud_project (desk, seen_at, project_id, name, enabled)
        select $1, $2, seen.project_id, seen.name, seen.enabled
        from seen left join cloud_project p on p.desk = $1 and p.project_id = seen.project_id
        where p.id is null or p.seen_at is null or not {_NEWER.format("p")}
              and (p.name, p.enabled, p.gone_at) is distinct from (seen.name, seen.enabled, null::timestamptz)
        on conflict (desk, project_id) do update
        set name = excluded.name, enabled = excluded.enabled, seen_at = excluded.seen_at, gone_at = null
        returning 1),
    gone as (
        update cloud_project p set gone_at = $2, seen_at = $2
        where p.desk = $1 and p.gone_at is null and p.seen_at is not null and not {_NEWER.format("p")}
        and p.project_id not in (select project_id from seen)
        returning 1)
    select (select count(*) from changed) + (select count(*) from gone) as number
"""  # noqa: S608


async def store_projects(session: Session, desk: str, projects: Iterable[Row], began: datetime) -> int:
    """All of them, as {project_id, name, enabled}: what is missing is gone. Gives how many changed.

    One that somebody bound before it was seen is waited for.
    """
    rows = {row["project_id"]: row for row in projects}
    [found] = await session.rows(_PROJECTS, desk, began, _plain(list(rows.values())))
    return int(found["number"])


async def due_cabinets(session: Session, desk: str, before: datetime, most: int, in_turn: int) -> list[str]:
    """Of customers: those where something has changed, and of the others some that were not looked at since then."""
    found = await session.rows(
        """with ours as (select project_id, quotas_at from cloud_project where desk = $1 and gone_at is null
                         and organization_id is not null and seen_at is not null)
           (select project_id from ours where quotas_at is null limit $3) union all
           (select project_id from ours where quotas_at <= $2 order by quotas_at limit $4)""",
        desk,
        before,
        most,
        in_turn,
    )
    return [row["project_id"] for row in found]


_QUOTAS = f"""
    with seen as materialized (
        select * from jsonb_to_recordset($4::text::jsonb) as r(resource text, allowed bigint, used bigint)),
    looked as (
        update cloud_project set quotas_at = $2, users = coalesce($5::text::jsonb, users)
        where desk = $1 and project_id = $3),
    changed as (
        insert into cloud_quota (desk, project_id, seen_at, resource, allowed, used)
        select $1, $3, $2, seen.resource, seen.allowed, seen.used
        from seen left join cloud_quota q on q.desk = $1 and q.project_id = $3 and q.resource = seen.resource
        where q.desk is null or (q.allowed, q.used) is distinct from (seen.allowed, seen.used)
              and not {_NEWER.format("q")}
        on conflict (desk, project_id, resource) do update
        set allowed = excluded.allowed, used = excluded.used, seen_at = excluded.seen_at
        where not {_NEWER.format("cloud_quota")}
        returning 1)
    select count(*) as number from changed
"""  # noqa: S608


async def store_quotas(
    session: Session,
    desk: str,
    project_id: str,
    quotas: Mapping[str, tuple[int, int]],
    began: datetime,
    users: Mapping[str, str] | None = None,
) -> int:
    """By resource: allowed and used. `users`: id → login; None leaves those that are known. Gives how many changed."""
    rows = [{"resource": name, "allowed": allowed, "used": used} for name, (allowed, used) in quotas.items()]
    [found] = await session.rows(
        _QUOTAS, desk, began, project_id, _plain(rows), None if users is None else _plain(dict(users))
    )
    return int(found["number"])


# --- the cloud as a whole -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """How well the cloud is known: `CloudState` says what the moments mean."""

    swept_at: datetime | None = None
    full_at: datetime | None = None
    tried_at: datetime | None = None
    projects_at: datetime | None = None
    looked_at: datetime | None = None


async def state(session: Session, desk: str) -> State:
    found = await session.rows(
        "select swept_at, full_at, tried_at, projects_at, looked_at from cloud_state where desk = $1", desk
    )
    return State(**found[0]) if found else State()


async def store_state(
    session: Session,
    desk: str,
    *,
    zones: Mapping[str, bool] | None = None,
    capacity: Mapping[str, tuple[int, int]] | None = None,
    **moments: datetime | None,
) -> None:
    """What is given; the rest stays. `zones`: name → available; `capacity`: resource → total and used."""
    given: dict[str, Any] = {name: at for name, at in moments.items() if at is not None}
    given |= {name: _plain(value) for name, value in (("zones", zones), ("capacity", capacity)) if value is not None}
    # Columns by name, from this program only.
    marks = [f"${n}::text::jsonb" if name in ("zones", "capacity") else f"${n}" for n, name in enumerate(given, 2)]
    names, values = "".join(f", {name}" for name in given), "".join(f", {mark}" for mark in marks)
    update = ", ".join(f"{name} = excluded.{name}" for name in given)
    await session.rows(
        f"""insert into cloud_state (desk{names}) values ($1{values})
            on conflict (desk) do {f"update set {update}" if given else "nothing"}""",  # noqa: S608
        desk,
        *given.values(),
    )

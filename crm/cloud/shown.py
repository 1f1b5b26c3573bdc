"""What a ticket's card shows of the cloud. Part of the card's one statement: nothing of it is looked at for a ticket
without an organization and without an action.

`read` gives None, or:

    seen_at, problem   how old all of this is (None: never seen), and why it is not newer
    cabinets           of the ticket's organization, by name, at most five:
                       {project_id, name, machines, quotas: {instances | vcpus | ram: {used, allowed}}}; allowed -1: no
                       limit; {} before the first look
    more               how many cabinets are left out
    machine            the one that the ticket's latest power action is about, or else that its subject or first message
                       names as a whole word; None, or
                       {id, project_id, name, status, power, task, locked, zone, deleted_at, log}; log: the newest three
                       {id, action, started_at, finished_at, succeeded, text}
    actions            of the ticket, newest first, at most five: {id, kind, title, parameters, state, phase, reason,
                       asker, approver, planned_at, expires_at, started_at, finished_at}

Moments are aware datetimes. Machines and cabinets of others are never in it.
"""

from datetime import datetime
from typing import Any

# What may stand around a name in a sentence; dots and dashes inside of it belong to it.
_WORDS = r"""regexp_replace({}, '[\s,;:!?"''`«»„“”<>()\[\]{{}}/\\|]+|[.-]+(?=[\s,;:!?)]|$)', ' ', 'g')"""
_TEXT = """left(lower(t.subject || ' ' || coalesce((
    select m.content ->> 'text' from message m where m.ticket_id = t.id order by m.id limit 1), '')), 4000)"""
_FACTS = ("id", "project_id", "name", "status", "power", "task", "locked", "zone", "deleted_at")
_MACHINE_FACTS = ", ".join(f"'{name}', v.{'server_id' if name == 'id' else name}" for name in _FACTS)

_MACHINE = f"""
    select json_build_object({_MACHINE_FACTS}, 'log', jsonb_path_query_array(coalesce(v.log, '[]'), '$[0 to 2]'))
    from (
        (select x.*, 1 as rank, 0 as place from vm x where x.desk = t.desk and x.server_id = (
            select a.target from cloud_action a where a.ticket_id = t.id
            and a.kind in ('reboot', 'unlock', 'start', 'stop') order by a.id desc limit 1))
        union all
        (select x.*, 2, strpos(words.said, ' ' || lower(x.name) || ' ') as place
         from (select ' ' || {_WORDS.format(_TEXT)} || ' ' as said) words
         join vm x on x.desk = t.desk and x.deleted_at is null and x.project_id in (
             select p.project_id from cloud_project p
             where p.organization_id = t.organization_id and p.desk = t.desk and p.gone_at is null)
         where x.name <> '' and strpos(words.said, ' ' || lower(x.name) || ' ') > 0)
    ) v order by v.rank, v.place, length(v.name) desc, v.id limit 1
"""  # noqa: S608
_CABINETS = """
    select coalesce(json_agg(c order by c.name), '[]') from (
        select p.project_id, p.name,
               (select count(*) from vm x where x.desk = p.desk and x.project_id = p.project_id
                and x.deleted_at is null) as machines,
               (select coalesce(
                    json_object_agg(q.resource, json_build_object('used', q.used, 'allowed', q.allowed)), '{}')
                from cloud_quota q where q.desk = p.desk and q.project_id = p.project_id
                and q.resource in ('instances', 'vcpus', 'ram')) as quotas
        from cloud_project p where p.organization_id = t.organization_id and p.desk = t.desk and p.gone_at is null
        order by p.name, p.id limit 5) c
"""
_ACTIONS = """
    select coalesce(json_agg(c order by c.id desc), '[]') from (
        select a.id, a.kind, a.title, a.parameters, a.state, a.phase, a.reason, a.asked_by_name as asker,
               a.approved_by_name as approver, a.planned_at, a.expires_at, a.started_at, a.finished_at
        from cloud_action a where a.ticket_id = t.id order by a.id desc limit 5) c
"""
_OWNED = "from cloud_project p where p.organization_id = t.organization_id and p.desk = t.desk and p.gone_at is null"
# An expression of the card's statement, `t` being its ticket.
COLUMN = f"""
    case when exists (select {_OWNED}) or exists (select from cloud_action a where a.ticket_id = t.id) then
        (select json_build_object(
            'seen_at', (select s.swept_at from cloud_state s where s.desk = t.desk),
            'problem', (select s.problem from cloud_state s where s.desk = t.desk),
            'cabinets', ({_CABINETS}),
            'more', (select greatest(count(*) - 5, 0) {_OWNED}),
            'machine', ({_MACHINE}),
            'actions', ({_ACTIONS})))
    end
"""  # noqa: S608
_MOMENTS = ("seen_at", "deleted_at", "planned_at", "expires_at", "started_at", "finished_at")


def read(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """The column as it is given on: JSON has no moments."""
    if found is None:
        return None
    machine = found["machine"]
    for facts in (found, *found["actions"], *((machine, *machine["log"]) if machine else ())):
        for key in _MOMENTS:
            if facts.get(key):
                facts[key] = datetime.fromisoformat(facts[key])
    return found

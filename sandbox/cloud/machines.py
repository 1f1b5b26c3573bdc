"""The life of servers: what may be done to one in which state, how long it takes, and how it ends.

The rules are Nova's. A forced reboot is taken in nearly every state, and a second time while the first is under way;
start is taken from SHUTOFF only, stop from ACTIVE only; everything else that is under way gets a conflict.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.cloud.cloud import Cloud, new_id
from sandbox.cloud.model import Entry, Fate, Host, Machine, No, Project, Run


@dataclass(frozen=True, slots=True)
class Rule:
    """`frm`: statuses it is taken in; `over`: tasks it may follow; None is all. `shown`: the status meanwhile."""

    frm: frozenset[str] | None
    over: frozenset[str] | None
    task: str
    shown: str | None
    status: str
    power: str


_NOTHING: Final[frozenset[str]] = frozenset()
_REBOOTING: Final = "rebooting_hard"
_HARD: Final = frozenset({"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR", "HARD_REBOOT"})
RULES: Final = {
    "reboot": Rule(_HARD, frozenset({_REBOOTING}), _REBOOTING, "HARD_REBOOT", "ACTIVE", "running"),
    "start": Rule(frozenset({"SHUTOFF"}), _NOTHING, "powering-on", None, "ACTIVE", "running"),
    "stop": Rule(frozenset({"ACTIVE"}), _NOTHING, "powering-off", None, "SHUTOFF", "shutdown"),
    "create": Rule(None, _NOTHING, "spawning", "BUILD", "ACTIVE", "running"),
    "delete": Rule(None, None, "deleting", None, "DELETED", "shutdown"),
}
# What each state looks like from below, for one that is put into it by hand.
POWER: Final = {
    "ACTIVE": "running",
    "SHUTOFF": "shutdown",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "ERROR": "crashed",
}


def add(cloud: Cloud, project: Project, name: str, zone: object, vcpus: int, ram: int) -> Machine:
    """One that has always been running, without quota and waiting."""
    machine = _new(cloud, project, name, cloud.check_zone(zone), vcpus, ram)
    entry = cloud.note(machine, "create")
    entry.finished_at, entry.result = entry.started_at, "success"
    machine.launched_at = machine.created_at
    cloud.tell(project)
    return machine


def launch(cloud: Cloud, project: Project, name: str, zone: object, vcpus: int, ram: int, fate: Fate) -> Machine:
    """As a customer does it. Without room on any host it is taken all the same, and ends in ERROR."""
    where = cloud.check_zone(zone)
    project.spend(instances=1, vcpus=vcpus, ram=ram)
    machine = _new(cloud, project, name, where, vcpus, ram)
    machine.power = "unknown"
    _begin(cloud, machine, "create", fate if machine.host else "fail")
    return machine


def _new(cloud: Cloud, project: Project, name: str, zone: str, vcpus: int, ram: int) -> Machine:
    now = cloud.now()
    machine = Machine(new_id(), name, project, zone, cloud.place(zone, vcpus, ram), vcpus, ram, now, now)
    cloud.machines[machine.id] = project.servers[machine.id] = machine
    return machine


def act(cloud: Cloud, machine: Machine, action: str, fate: Fate = "done") -> Entry:
    """Take an order. Raises No(conflict) in a state that does not allow it."""
    if action == "unlock":
        return _lock(cloud, machine, locked=False)
    rule = RULES[action]
    if machine.task is not None and rule.over is not None and machine.task not in rule.over:
        raise No("conflict", f"cannot {action} server {machine.id} while it is in task {machine.task}")
    if rule.frm is not None and machine.status not in rule.frm:
        raise No("conflict", f"cannot {action} server {machine.id} while it is in status {machine.status}")
    return _begin(cloud, machine, action, fate)


def lock(cloud: Cloud, machine: Machine) -> None:
    _lock(cloud, machine, locked=True)


def _lock(cloud: Cloud, machine: Machine, *, locked: bool) -> Entry:
    """At once, in any state, and as often as one likes."""
    entry = cloud.note(machine, "lock" if locked else "unlock")
    entry.finished_at, entry.result = entry.started_at, "success"
    machine.locked = locked
    _touched(cloud, machine, cloud.now())
    return entry


def put(cloud: Cloud, machine: Machine, status: str) -> None:
    """Into a state, by an unseen hand."""
    if status not in POWER:
        raise No("invalid", f"status: one of {', '.join(POWER)}")
    _rest(cloud, machine)
    machine.status, machine.power = status, POWER[status]
    _touched(cloud, machine, cloud.now())


def _begin(cloud: Cloud, machine: Machine, action: str, fate: Fate) -> Entry:
    rule, entry = RULES[action], cloud.note(machine, action)
    machine.task = rule.task
    machine.status = rule.shown or machine.status
    machine.run = Run(action, fate, cloud.due(fate))
    cloud.running[machine.id] = machine
    _touched(cloud, machine, cloud.now())
    return entry


def settle(cloud: Cloud) -> None:
    """Finish what is due; what a dead host should do waits."""
    if not cloud.running:
        return
    now = cloud.now()
    for machine in list(cloud.running.values()):
        run = machine.run
        if run is None or run.due_at is None or run.due_at > now:
            continue
        if machine.host is None or machine.host.died_at is None:
            _finish(cloud, machine, run, run.due_at)


def _finish(cloud: Cloud, machine: Machine, run: Run, at: datetime) -> None:
    failed, rule = run.fate == "fail", RULES[run.action]
    for entry in machine.log:
        if entry.finished_at is None:
            entry.finished_at, entry.result = at, "error" if failed else "success"
            entry.text = _why(machine, run.action) if failed else None
    _rest(cloud, machine)
    machine.status, machine.power = ("ERROR", "crashed") if failed else (rule.status, rule.power)
    if run.action == "create" and not failed:
        machine.launched_at = at
    if machine.status == "DELETED":
        machine.deleted_at = at
        cloud.free(machine)
    _touched(cloud, machine, at)


def _why(machine: Machine, action: str) -> str:
    no_room = action == "create" and machine.host is None
    return f"No valid host was found in {machine.zone}" if no_room else f"{action}: the hypervisor gave up"


def _rest(cloud: Cloud, machine: Machine) -> None:
    machine.task = machine.run = None
    cloud.running.pop(machine.id, None)


def _touched(cloud: Cloud, machine: Machine, at: datetime) -> None:
    machine.updated_at = at
    cloud.tell(machine.project)


def heal(cloud: Cloud, machine: Machine) -> None:
    """What was stuck goes on and ends well; what had failed runs again."""
    if machine.run is not None:
        machine.run.fate, machine.run.due_at = "done", cloud.due("done")
    elif machine.status == "ERROR":
        put(cloud, machine, "ACTIVE")


def kill(cloud: Cloud, host: Host) -> None:
    host.died_at = host.died_at or cloud.now()


def revive(cloud: Cloud, host: Host) -> None:
    """It carries out what has been waiting for it."""
    host.died_at = None
    for machine in cloud.running.values():
        run = machine.run
        if machine.host is host and run is not None and run.due_at is not None:
            run.due_at = max(run.due_at, cloud.now() + timedelta(seconds=cloud.delay))

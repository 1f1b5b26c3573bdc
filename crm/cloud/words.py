"""How things of the cloud are called by people, in their language: actions, machines, resources, reasons. Pure.

`named(t, kind, title)` names an action; a label stands in a sentence as it is, so that no language has to bend it.
"""

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal
from babel.units import format_unit

from crm.texts import Texts

MIB_OF_GIB = 1024
NO_LIMIT = -1


def kind_labels(t: Texts) -> dict[str, str]:
    """What an action is."""
    return {
        "reboot": t("Forced reboot"),
        "unlock": t("Unlocking"),
        "start": t("Start"),
        "stop": t("Stop"),
        "quota": t("Quotas"),
        "password": t("A new password"),
        "link": t("Link between zones"),
        "open": t("New cabinet"),
    }


def verb_labels(t: Texts) -> dict[str, str]:
    """What a button offers to do with a machine."""
    return {"reboot": t("Reboot"), "unlock": t("Unlock"), "start": t("Switch on"), "stop": t("Switch off")}


def named(t: Texts, kind: str, title: str) -> str:
    """`Forced reboot: web-1`."""
    return f"{kind_labels(t).get(kind, kind)}: {title}"


def state_labels(t: Texts) -> dict[str, str]:
    """How an action stands."""
    return {
        "planned": t("waits for approval"),
        "approved": t("approved"),
        "running": t("is running"),
        "succeeded": t("done"),
        "failed": t("not done"),
        "unknown": t("outcome unknown"),
        "refused": t("refused"),
        "cancelled": t("withdrawn"),
        "expired": t("expired"),
    }


def machine_labels(t: Texts) -> dict[str, str]:
    """By status, in the cloud's capitals; what is not here is shown as the cloud says it."""
    return {
        "ACTIVE": t("runs"),
        "SHUTOFF": t("is off"),
        "REBOOT": t("is being rebooted"),
        "HARD_REBOOT": t("is being rebooted"),
        "BUILD": t("is being made"),
        "REBUILD": t("is being made anew"),
        "ERROR": t("is broken"),
        "PAUSED": t("is paused"),
        "SUSPENDED": t("is suspended"),
        "SHELVED": t("is put away"),
        "SHELVED_OFFLOADED": t("is put away"),
        "RESCUE": t("is in rescue mode"),
        "RESIZE": t("is being resized"),
        "VERIFY_RESIZE": t("waits for its new size to be confirmed"),
        "MIGRATING": t("moves to another host"),
        "SOFT_DELETED": t("is deleted"),
        "DELETED": t("is deleted"),
        "UNKNOWN": t("state unknown"),
    }


def power_labels(t: Texts) -> dict[str, str]:
    """Whether it has current, as the host sees it."""
    return {
        "running": t("power on"),
        "shutdown": t("power off"),
        "paused": t("is paused"),
        "suspended": t("is suspended"),
        "crashed": t("crashed"),
        "unknown": t("power unknown"),
    }


def machine(t: Texts, seen: Mapping[str, Any]) -> str:
    """State, and what it is locked or busy with: `runs · locked`. `seen` has status, and perhaps task and locked."""
    labels = machine_labels(t)
    said = [labels.get(seen["status"], seen["status"])]
    if seen.get("task"):
        said.append(_task(t, seen["task"]))
    if seen.get("locked"):
        said.append("🔒 " + t("locked"))
    return " · ".join(dict.fromkeys(said))


def _task(t: Texts, task: str) -> str:
    """The cloud has a word for each small step; three of them matter here."""
    if "reboot" in task:
        return t("is being rebooted")
    known = {"powering-on": t("is being switched on"), "powering-off": t("is being switched off")}
    return known.get(task, task)


def resource_labels(t: Texts) -> dict[str, str]:
    return {
        "instances": t("Machines"),
        "vcpus": t("Processors"),
        "ram": t("Memory"),
        "networks": t("Networks"),
        "routers": t("Routers"),
        "floating_ips": t("Public addresses"),
    }


def amount(t: Texts, resource: str, value: int) -> str:
    """`16`, of memory (kept in MiB) `32 GB`; no limit in words."""
    if value == NO_LIMIT:
        return t("no limit")
    if resource != "ram":
        return format_decimal(value, locale=t.language)
    return format_unit(value / MIB_OF_GIB, "digital-gigabyte", "short", format="#,##0.#", locale=t.language)


def reasons(t: Texts) -> dict[str, str]:
    """Why an action ended as it did, as both sides may read it."""
    return {
        "changed": t("the plan is not what was approved any more, so nothing was done"),
        "unreachable": t("the cloud did not answer, so nothing was done"),
        "deadline": t("the cloud accepted it and did not finish in time"),
        "no_answer": t("the cloud did not say whether it was done"),
        "broke": t("the cloud began it and failed"),
        "decided": t("an engineer has looked"),
        "read_back": t("the state was read back from the cloud"),
        "again": t("an engineer has it tried once more"),
        "no_pages": t("there is no page yet that could show the password, so nothing was done"),
        "late": t("there was nobody to carry it out in time, so nothing was done"),
        "expired": t("nobody approved it in time"),
        "refused": t("an engineer refused it"),
        "cancelled": t("it was withdrawn"),
        "not_found": t("it is no longer there"),
        "conflict": t("its present state does not allow that"),
        "forbidden": t("the cloud does not allow us to do that"),
        "unauthorized": t("the cloud did not let us in"),
        "over_quota": t("the quota does not suffice"),
        "no_capacity": t("the cloud has no room for it now"),
        "invalid": t("the cloud does not take such values"),
    }


def details(t: Texts, kind: str, parameters: Mapping[str, Any], present: Mapping[str, int] | None = None) -> list[str]:
    """The parameters of an action, a line each: `Processors: 10 → 16` where it is known what there is at `present`."""
    labels = resource_labels(t)
    lines = []
    if kind == "open":
        lines += [t("Account: {name}", name=parameters["account"])]
        lines += [t("Mail: {address}", address=parameters["email"])] if parameters.get("email") else []
    if kind == "link":
        lines.append(t("Zones: {zones}", zones=" – ".join(parameters["zones"])))
    for resource, value in parameters.get("limits", {}).items():
        was = f"{amount(t, resource, present[resource])} → " if present and resource in present else ""
        lines.append(f"{labels.get(resource, resource)}: {was}{amount(t, resource, value)}")
    return lines

"""What engineers read of their hands on the cloud: a ticket's machines, quotas, logins, zones; rights. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiogram.utils.formatting import Bold, Code, Text, as_list

from bot import cloud_buttons
from bot.cloud_notices import Lines, entry, usage
from bot.rendered import Rendered, render
from crm.cloud import words
from crm.cloud.rules import RESOURCES, RIGHTS
from crm.look import Look
from crm.texts import Texts

LOG_LINES = 3
MOST_LINES = 40


def machines(look: Look, ticket_id: int, found: Sequence[Mapping[str, Any]]) -> Rendered:
    """All that the ticket's organization has, each a button."""
    t = look.t
    if not found:
        return render(t("There is no machine in the customer's cabinets."))
    several = len({vm["project_id"] for vm in found}) > 1
    lines: Lines = [Bold(t("Machines of the customer: {n}", n=len(found)))]
    for vm in found[: cloud_buttons.MOST_MACHINES]:
        place = f" · {vm['cabinet']}" if several else ""
        lines.append(Text(Bold(short(vm["name"])), f" · {words.machine(t, vm)}{short(place)}"))
    if len(found) > cloud_buttons.MOST_MACHINES:
        more = len(found) - cloud_buttons.MOST_MACHINES
        lines.append(t("… and {n} more", n=more) + " · " + t("/vm name shows one"))
    return render(as_list(*lines), cloud_buttons.machines(ticket_id, found))


def machine(look: Look, ticket_id: int, vm: Mapping[str, Any]) -> Rendered:
    """One of them: state, size, last entries of the cloud's log, and what can be done."""
    t = look.t
    size = f"{words.resource_labels(t)['vcpus']}: {vm['vcpus']} · {words.amount(t, 'ram', vm['ram'])}"
    lines: Lines = [
        state(t, vm),
        " · ".join(part for part in (short(vm["cabinet"]), vm["zone"], size) if part),
        *log(look, vm["log"]),
    ]
    if vm["swept_at"]:
        lines.append(t("As of {time}", time=look.local(vm["swept_at"])))
    return render(as_list(*lines), cloud_buttons.powers(t, ticket_id, vm))


def state(t: Texts, vm: Mapping[str, Any]) -> Text:
    """`web-1 · runs · power on`."""
    power = words.power_labels(t).get(vm["power"], vm["power"])
    return Text("🖥 ", Bold(short(vm["name"])), f" · {words.machine(t, vm)} · {power}")


def log(look: Look, entries: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """The newest entries of the cloud's own log of a machine."""
    return ["🗒 " + entry(look, line) for line in (entries or ())[:LOG_LINES]]


def short(name: str) -> str:
    """Names are chosen by people, and may be a page long."""
    return name if len(name) <= 48 else name[:47] + "…"


def quotas(look: Look, cabinets: Sequence[tuple[str, Mapping[str, tuple[int, int]]]]) -> Rendered:
    """What each cabinet uses of what it may have."""
    t = look.t
    lines: Lines = []
    for name, there in cabinets[: MOST_LINES // len(RESOURCES)]:
        lines.append(Bold(short(name)))
        lines += [usage(look, resource, *there[resource]) for resource in RESOURCES if resource in there]
        if not there:
            lines.append(t("Its quotas are not known yet."))
    several = f" {cabinets[0][0]}" if len(cabinets) > 1 else ""
    lines.append(Text(t("To raise:"), " ", Code(f"/quota{several} vcpus=16 ram+8G")))
    return render(as_list(*lines))


def logins(look: Look, names: Sequence[str]) -> Rendered:
    t = look.t
    if not names:
        return render(t("Nobody logs in to the customer's cabinets, as far as is known."))
    lines: Lines = [Bold(t("Whose password? The link goes to the customer's chat with the bot only."))]
    return render(as_list(*lines, *(Code(f"/password {short(name)}") for name in names[:MOST_LINES])))


def zones(look: Look, known: Mapping[str, bool], cabinets: Sequence[str]) -> Rendered:
    t = look.t
    lines: Lines = [Bold(t("Zones of the cloud"))]
    lines += [f"{'🟢' if works else '🔴'} {name}" for name, works in list(known.items())[:MOST_LINES]]
    several = f" {cabinets[0]}" if len(cabinets) > 1 else ""
    first, second = (*list(known)[:2], "zone-a", "zone-b")[:2]
    lines.append(Text(t("To link two:"), " ", Code(f"/link {first} {second}{several}")))
    return render(as_list(*lines))


def planned(look: Look, kind: str, title: str) -> str:
    """On the pressed button; the notice with all of it follows."""
    return look.t("Planned: {what}", what=words.named(look.t, kind, title))


# --- rights -----------------------------------------------------------------------------------------------------


def right_labels(t: Texts) -> dict[str, str]:
    return {
        "request": t("plan actions"),
        "power": t("approve machines and passwords"),
        "money": t("approve what costs money"),
    }


def _named(t: Texts, held: Sequence[str]) -> str:
    labels = right_labels(t)
    return ", ".join(labels[right] for right in RIGHTS if right in held) or t("none")


def rights(look: Look, name: str, held: Sequence[str]) -> Rendered:
    """Of an engineer, and how they are changed."""
    t = look.t
    lines: Lines = [Text(Bold(name), ": ", _named(t, held))]
    lines.append(Text(t("To change, in reply:"), " ", Code("/agent rights +money -power")))
    return render(as_list(*lines))


def rights_changed(look: Look, name: str, held: Sequence[str], own: bool) -> Rendered:
    t = look.t
    told = t("You have changed your own rights; as a lead you can change them back.") if own else ""
    return render(as_list(Text("🔑 ", Bold(name), ": ", _named(t, held)), *([told] if told else [])))


def unusual(t: Texts, held: Sequence[str]) -> str:
    """In the list of engineers, where the rights are not those of the role."""
    return " · 🔑 " + _named(t, held)

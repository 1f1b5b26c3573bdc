"""Pages of customers' dialogues about the cloud, as `test_views` looks at them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import cabinet_views, cloud_views, quota_views, views
from bot.rendered import Rendered
from bot.views import Look
from crm.cloud.access import Cabinet
from crm.cloud.choices import Going, Limit, Machine
from crm.cloud.requests import Asked, Lacking
from crm.cloud.rules import RESOURCES, Resource
from tests.factories import NOW

WILD = "🔥<b>*_`[a](tg://user?id=1) {reference} %s қайта"
CABINET = Cabinet(2**62, "p-1", WILD, {"u-1": WILD})
IDLE = Machine(2**62, "s-1", "p-1", WILD, "az-1", "ACTIVE", None, True)
BUSY = replace(IDLE, going=Going("reboot", "running", NOW, "PD-1042"))
STUCK = replace(IDLE, status="BUILD", locked=False, task="spawning")
LIMIT = Limit(10240, 8192, 58368)
DIALOGUE = 2**31 - 1
TICKET = {"id": 2**62, "reference": "PD-1042", "subject": WILD, "status": "open", "type": "vm", "opened_at": NOW}
STATES = ("planned", "approved", "running", "succeeded", "failed", "unknown", "refused", "cancelled", "expired")


def doing(kind: str = "quota", state: str = "planned", **more: Any) -> dict[str, Any]:
    """An action as a customer's pages have it."""
    facts: dict[str, Any] = dict.fromkeys(("expires_at", "started_at", "finished_at"), NOW)
    facts["parameters"] = {"limits": {"vcpus": 16, "ram": 65536}} if kind == "quota" else {}
    return {"kind": kind, "title": WILD, "state": state, "reason": None, "present": {"vcpus": 10}, **facts, **more}


def cloud_pages() -> Iterator[tuple[str, Callable[[Look], Rendered]]]:
    yield "cloud ended", cloud_views.ended
    yield "cancelled", views.cancelled
    for names in ((), (WILD, "Ерлан")):
        yield f"lacking {len(names)}", lambda look, n=names: cloud_views.lacking(look, "vm", Lacking(WILD, n), DIALOGUE)
    yield "machines", lambda look: cloud_views.machines(look, [IDLE] * 8, 8, True, DIALOGUE)
    for name, one in (("idle", IDLE), ("busy", BUSY), ("stuck", STUCK)):
        yield f"machine {name}", lambda look, m=one: cloud_views.machine(look, m, NOW, DIALOGUE)
    yield "stopping", lambda look: cloud_views.stopping(look, IDLE, DIALOGUE)
    for kind, state in (("quota", "planned"), ("reboot", "approved"), ("password", "approved")):
        made = Asked(2**62, "PD-1042", NOW + timedelta(minutes=10), doing(kind, state))
        yield f"asked {kind}", lambda look, a=made: cloud_views.asked(look, a, rules=True)
    for state in (
        "planned",
        "approved",
        "running",
        "succeeded",
        "failed",
        "unknown",
        "refused",
        "cancelled",
        "expired",
    ):
        action = doing("reboot", state, reason="conflict")
        yield f"own with {state}", lambda look, a=action: views.own_ticket(look, TICKET, [], [a] * 3)
    yield "withdrawn all the same", lambda look: views.withdrawn(look, "PD-1", True)
    yield "quota cabinets", lambda look: quota_views.cabinets(look, [CABINET] * 3, DIALOGUE)
    limits: dict[Resource, Limit] = dict.fromkeys(RESOURCES, LIMIT)
    yield "resources", lambda look: quota_views.resources(look, CABINET, limits, DIALOGUE, several=True)
    for resource in RESOURCES:
        yield f"how much {resource}", lambda look, r=resource: quota_views.how_much(look, CABINET, r, LIMIT, DIALOGUE)
        yield f"write {resource}", lambda look, r=resource: quota_views.write(look, CABINET, r, LIMIT, DIALOGUE)
        yield f"check {resource}", lambda look, r=resource: quota_views.check(look, CABINET, r, LIMIT, 20480, DIALOGUE)
        note = lambda look, r=resource: quota_views.too_much(look.t, r, 10**7)  # noqa: E731
        yield (
            f"too much {resource}",
            lambda look, r=resource, n=note: quota_views.write(look, CABINET, r, LIMIT, DIALOGUE, n(look)),
        )
    yield "full", lambda look: quota_views.how_much(look, CABINET, "vcpus", Limit(10, 8, 10), DIALOGUE)
    yield "logins", lambda look: cabinet_views.logins(look, [(CABINET, "u-1", WILD)] * 3, DIALOGUE)
    yield "password", lambda look: cabinet_views.new_password(look, CABINET, "u-1", WILD, DIALOGUE, several=True)
    yield "link cabinets", lambda look: cabinet_views.where(look, [CABINET] * 3, DIALOGUE)
    for first in ("", "az-1"):
        yield (
            f"zones {first}",
            lambda look, f=first: cabinet_views.zones(look, CABINET, ["az-1", "az-2", WILD], f, DIALOGUE, several=True),
        )
    yield "link", lambda look: cabinet_views.new_link(look, CABINET, "az-1", WILD, DIALOGUE, None)
    yield "cabinet name", lambda look: cabinet_views.name(look, DIALOGUE)
    yield "cabinet named", lambda look: cabinet_views.named(look, WILD)
    yield "cabinet phone", lambda look: cabinet_views.phone(look, DIALOGUE, cabinet_views.no_phone(look))
    yield "cabinet phoned", lambda look: cabinet_views.phoned(look, "+77011234567")
    yield "cabinet", lambda look: cabinet_views.new_cabinet(look, WILD, "+77011234567", DIALOGUE)

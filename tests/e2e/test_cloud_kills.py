"""kill -9 at each place of an action's way: the cloud is called once or not at all, and somebody hears of it."""

import pytest

from crm.cloud import actions, wanted
from crm.cloud.actions import Approver
from crm.cloud.rules import REQUEST_TYPES
from crm.cloud.wanted import Wanted
from crm.db import Sessions, make_engine, transaction
from crm.people.service import actor_of
from crm.tickets import service
from crm.time import utcnow
from tests.e2e.world import World
from tests.factories import LEAD, PROFILE, customer, engineer, opened

PLACES = ("cloud.before_call", "cloud.after_call", "cloud.accepted", "cloud.before_end", "cloud.ended")
KINDS = ("reboot", "quota", "password", "link", "open")
# What may be carried out for each, once.
CALLS = {"reboot": "reboot", "quota": "set_quotas", "password": "set_password", "link": "link", "open": "open_account"}
# Kinds that end with their call never reach it; what they made nobody knows after a death.
SECRET = ("password", "open")

_RUN_OUT = "update cloud_action set next_at = now(), lease_until = now() where state = 'running'"
# What was sent long enough ago is not waited for any more.
_SETTLED = "update cloud_action set sent_at = sent_at - interval '1 minute' where state = 'running' and phase = 'doubt'"


async def _wanted(world: World, kind: str) -> Wanted:
    cloud = world.sandbox.cloud
    project = await cloud.add_project("Шанырак", limits={"vcpus": 20, "ram": 32768, "instances": 10})
    if kind == "reboot":
        zone = next(iter((await cloud.state())["zones"]))
        return wanted.power("reboot", project, await cloud.add_server(project, "web-1", zone), "web-1")
    if kind == "quota":
        return wanted.quota(project, "Шанырак", {"vcpus": 40})
    if kind == "password":
        return wanted.password(project, await cloud.add_user(project, "shanyrak"), "shanyrak")
    if kind == "link":
        zones = list((await cloud.state())["zones"])
        return wanted.link(project, "Шанырак", (zones[0], zones[1]), "kezekshi-1")
    return wanted.cabinet(1, "pd-new-1", {"vcpus": 4}, None, "Новый клиент")


async def _approved(world: World, kind: str) -> int:
    what, engine = await _wanted(world, kind), make_engine(world.database, size=1)
    try:
        async with transaction(Sessions(engine)) as session:
            made = await opened(session, now=utcnow(), request_type=REQUEST_TYPES[kind])  # type: ignore[index]
            ticket = await service.load(session, PROFILE.name, made.id)
            who, lead = await customer(session), await engineer(session, LEAD, "lead")
            action = await actions.plan(session, PROFILE, who.actor, ticket, what, "kill", utcnow())
            by = Approver(actor_of(lead), lead.rights)
            return (await actions.approve(session, PROFILE, by, action.id, utcnow())).id
    finally:
        await engine.dispose()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_death_at_that_place(world: World, kind: str, place: str) -> None:
    world.env |= {"PRODATA_CLOUD": world.sandbox.cloud.address, "PAGES_URL": "http://127.0.0.1:1"}
    await world.sandbox.cloud.pace(delay=0)
    action = await _approved(world, kind)
    desk = await world.start_desk("jobs", ready=False, KEZEKSHI_FAILPOINT=place)
    if place == "cloud.accepted" and kind in SECRET:
        # It is done with its call; there is no such place on its way.
        await _ended(world, action)
    else:
        await desk.ended()
        await world.fetch(_RUN_OUT)
        await world.start_desk("jobs")
    state, reason = await _ended(world, action)
    calls = await world.sandbox.cloud.done()
    assert max(calls.values(), default=0) <= 1, calls
    if place == "cloud.before_call":
        assert (state, reason, calls[CALLS[kind]]) == ("unknown", "no_answer", 0)
    elif kind in SECRET and place in ("cloud.after_call", "cloud.before_end"):
        assert (state, reason, calls[CALLS[kind]]) == ("unknown", "no_answer", 1)
    else:
        assert (state, calls[CALLS[kind]]) == ("succeeded", 1)
    told = await world.fetch(
        """select payload ->> 'to' as who from outbox
           where payload ->> 'notice' in ('action_succeeded', 'action_failed', 'action_unknown')"""
    )
    assert sorted(row["who"] for row in told) == ["requester", "topic"]


async def _ended(world: World, action: int) -> tuple[str, str | None]:
    async def look() -> tuple[str, str | None] | None:
        await world.fetch(_SETTLED)
        [row] = await world.fetch("select state, reason from cloud_action where id = $1", action)
        return (row["state"], row["reason"]) if row["state"] not in ("approved", "running") else None

    found: tuple[str, str | None] = await world.until(look, "the action to end")
    return found

"""One action in the cloud, carried out by this process while somebody watches."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.boxes import console
from app.clouds import cloud_of
from app.logs import configure
from app.run import database
from app.settings import Settings, WrongSettings
from crm import time
from crm.cloud import actions, past, wanted
from crm.cloud.actions import ALIVE, Approver
from crm.cloud.models import CloudAction
from crm.cloud.rules import Power
from crm.db import Session, Sessions, transaction
from crm.desks import Profile
from crm.wake import Waker
from provider.port import Cloud, CloudError, Refused, Server
from scheduler.hands import Hands, Place

# Between two looks at how it stands, in seconds.
PAUSE = 0.25
_PHASES = {
    "reading": "reading the state before",
    "sent": "asking the cloud",
    "doubt": "the cloud did not say whether it was done; its state and its log are read",
    "accepted": "accepted by the cloud",
}


async def carried_out(
    settings: Settings, profile: Profile, by: Approver, act: Power, target: str, sure: Callable[[str], bool] | None
) -> bool:
    """Plan it, approve it, do it; whether it succeeded. Asked first if it is `sure`.

    Raises WrongSettings for a machine that is not there or a cloud that does not answer, and what a plan raises.
    """
    actions.rules_of(profile)
    configure("warning")
    cloud = cloud_of(settings, profile.name)
    engine = await database(settings)
    sessions = Sessions(engine)
    try:
        server = await _server(cloud, sessions, profile, target)
        console.print(f"{act} {server.name} ({server.id}), {_resting(server)}, project {server.project_id}")
        if sure is not None and not sure("Do it?"):
            console.print("Nothing was done.")
            return False
        async with transaction(sessions) as session:
            action_id = await _approved(session, profile, by, act, server, time.utcnow())
        console.print(f"Action {action_id} is approved. If you leave, the role jobs goes on with it.")
        hands = Hands(Place(profile, cloud, settings.pages_url), sessions, Waker(engine), time.utcnow)
        ended = await _watched(hands, sessions, action_id)
    finally:
        await cloud.close()
        await engine.dispose()
    _tell(ended)
    return ended.state == "succeeded"


async def _server(cloud: Cloud, sessions: Sessions, profile: Profile, target: str) -> Server:
    try:
        return await cloud.server(target)
    except Refused as refused:
        if refused.reason not in ("not_found", "invalid"):
            raise WrongSettings(f"the cloud refuses: {refused.text}") from None
    except CloudError as error:
        raise WrongSettings(f"the cloud does not answer: {error.text}; `kezekshi cloud check` looks why") from None
    async with sessions() as session:
        named = await past.machines(session, profile.name, target)
    if len(named) > 1:
        several = ", ".join(f"{one.server_id} (project {one.project_id})" for one in named)
        raise WrongSettings(f"{len(named)} machines are called {target!r}; give the id: {several}")
    if not named or named[0].server_id == target:
        raise WrongSettings(f"no machine {target!r}; `kezekshi cloud servers` lists them with their ids")
    return await _server(cloud, sessions, profile, named[0].server_id)


async def _approved(session: Session, profile: Profile, by: Approver, act: Power, server: Server, now: datetime) -> int:
    what = wanted.power(act, server.project_id, server.id, server.name)
    plan = await actions.plan(session, profile, by.actor, None, what, f"command line:{uuid.uuid4()}", now)
    return (await actions.approve(session, profile, by, plan.id, now)).id


async def _watched(hands: Hands, sessions: Sessions, action_id: int) -> CloudAction:
    """Step by step, whoever makes them: a process with the role jobs may be faster. Says what changes."""
    began, shown = time.utcnow(), ""
    while True:
        for step in await hands.claim(1, only=action_id):
            await hands.make(step)
        async with sessions() as session:
            one = await session.get_one(CloudAction, action_id)
        now = time.utcnow()
        if (line := _line(one)) != shown:
            console.print(f"  +{(now - began).total_seconds():.1f} s  {line}")
            shown = line
        if one.state not in ALIVE or one.state == "unknown":
            return one
        await asyncio.sleep(PAUSE)


def _line(one: CloudAction) -> str:
    seen = _machine(one)
    state = _PHASES.get(one.phase or "", one.state)
    return " · ".join(part for part in (state, seen, one.said) if part)


def _machine(one: CloudAction) -> str:
    seen: dict[str, Any] = (one.observed or {}).get("server") or {}
    return ", ".join(str(seen[name]) for name in ("status", "task") if seen.get(name))


def _resting(server: Server) -> str:
    return ", ".join(word for word in (server.status, server.task, "locked" if server.locked else "") if word)


def _tell(one: CloudAction) -> None:
    if one.state == "succeeded":
        console.print(f"Done: {one.title} is {_machine(one)}.", style="bold")
        return
    console.print(f"Not known to be done: {one.reason}." if one.state == "unknown" else f"Not done: {one.reason}.")
    if one.state == "unknown":
        console.print(f"Look at the machine, then say: kezekshi cloud action decide {one.id} --done|--not-done|--again")
    else:
        console.print(f"Everything of it: kezekshi cloud action show {one.id}")

"""`kezekshi cloud action …`: what was asked, approved and done in the cloud; doing it from here, and deciding."""

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any, get_args

import typer
from rich.table import Table

from app.boxes import MOST, Id, Limit, console, with_session
from app.carrying_out import carried_out
from app.organizations import Desk, chosen
from app.settings import WrongSettings, load
from crm import time
from crm.cloud import ending, past
from crm.cloud.actions import ALIVE, ENDED, Approver
from crm.cloud.models import CloudAction
from crm.cloud.rules import RIGHTS, Power
from crm.db import Session
from crm.desks import load_profile
from crm.errors import DeskError
from crm.journal import Actor

STATES = (*ALIVE, *ENDED)
# Whoever has the database at hand has every right.
OPERATOR = Approver(Actor("system", None, "command line", "command line"), RIGHTS)
action = typer.Typer(
    help="Actions in the cloud: what was asked, who approved it, what came of it.", no_args_is_help=True
)


@action.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STATES)}; repeatable.")] = None,
    desk: Desk = None,
    limit: Limit = 50,
) -> None:
    """Actions that are not over yet, or those in a state, newest first."""
    for wanted in state or ():
        if wanted not in STATES:
            raise WrongSettings(f"no state {wanted!r}; there are: {', '.join(STATES)}")
    found = with_session(lambda session: past.listing(session, state or ALIVE, desk, limit))
    table = Table("id", "desk", "what", "state", "request", "asked by", "planned", "why")
    for one, reference in found:
        why = one.said or one.reason or ""
        planned = time.stamp(one.planned_at, "UTC")
        what = f"{one.kind} {one.title}"
        table.add_row(str(one.id), one.desk, what, _state(one), reference or "–", one.asked_by_name, planned, why[:80])
    console.print(table if found else "Nothing there.")


def _state(one: CloudAction) -> str:
    return f"{one.state} ({one.phase})" if one.phase else one.state


@action.command("show")
def show(item: Id) -> None:
    """One action, whole: who asked and approved what, what the cloud said, the state before and read back."""

    async def work(session: Session) -> tuple[CloudAction, str | None, list[Any]] | None:
        found = await past.find(session, min(item, MOST))
        return (*found, await past.story(session, found[0])) if found else None

    found = with_session(work)
    if found is None:
        raise _absent(item)
    _print(*found)


def _print(one: CloudAction, reference: str | None, events: list[Any]) -> None:
    zone = load_profile(one.desk).timezone

    def at(instant: datetime | None) -> str:
        return time.stamp(instant, zone) if instant else "–"

    console.print(f"{one.id} · {one.kind} {one.title}: {_state(one)}", style="bold")
    changed = one.approved_digest is not None and one.approved_digest != one.digest
    facts = {
        "desk, request": f"{one.desk}, {reference or 'none'}",
        "project": one.project_id,
        "target": one.target,
        "parameters": _plain(one.parameters),
        "hash": one.digest.hex() + (" – not what was approved" if changed else ""),
        "asked": f"{at(one.planned_at)} by {one.asked_by_name} ({one.asked_by_kind}); expires {at(one.expires_at)}",
        "approved": f"{at(one.approved_at)} by {one.approved_by_name} ({one.approved_by_kind})"
        if one.approved_by_name
        else None,
        "calls": f"{one.attempts}, the last {at(one.sent_at)}" if one.attempts else "none",
        "in the cloud's log": one.request_id,
        "deadline": at(one.deadline_at) if one.deadline_at else None,
        "ended": at(one.finished_at) if one.finished_at else None,
        "why": one.reason,
        "the cloud said": one.said,
        "decided by": one.decided_by_name,
        "in place of": str(one.replaces_id) if one.replaces_id else None,
        "state before": _plain(one.before),
        "state read back": _plain(one.observed),
    }
    table = Table(show_header=False)
    for name, value in facts.items():
        if value:
            table.add_row(name, value)
    console.print(table)
    if events:
        log = Table("#", "when", "who", "what", "", title="In the request's log", title_justify="left")
        for event in events:
            said = {name: value for name, value in event.data.items() if name != "what" and value}
            who = f"{event.actor_name} ({event.actor_kind})"
            log.add_row(str(event.seq), at(event.at), who, event.kind, _plain(said))
        console.print(log)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if value else ""


@action.command("run")
def run(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(get_args(Power))}.")],
    server: Annotated[str, typer.Argument(help="Its id, or its name where only one machine has it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to do it.")] = False,
    desk: Desk = None,
) -> None:
    """Do it now from here, and watch until it has ended. The exit code is 0 only if it succeeded."""
    act = next((act for act in get_args(Power) if act == kind), None)
    if act is None:
        raise WrongSettings(f"no action {kind!r}; there are: {', '.join(get_args(Power))}")
    profile = load_profile(chosen(desk))
    try:
        good = asyncio.run(carried_out(load(), profile, OPERATOR, act, server, None if yes else _sure))
    except DeskError as error:
        raise _refused(error) from None
    raise typer.Exit(0 if good else 1)


def _sure(question: str) -> bool:
    return typer.confirm(question)


@action.command("decide")
def decide(
    item: Id,
    done: Annotated[bool, typer.Option("--done", help="You have looked: it was done.")] = False,
    not_done: Annotated[bool, typer.Option("--not-done", help="You have looked: it was not, and will not be.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="You have looked: it was not, and is to be tried anew.")
    ] = False,
) -> None:
    """Say what became of one whose outcome is unknown, after you have looked at the cloud itself."""
    if done + not_done + again != 1:
        raise WrongSettings("one of --done, --not-done, --again is needed")

    async def work(session: Session) -> CloudAction:
        found = await session.get(CloudAction, min(item, MOST))
        if found is None:
            raise _absent(item)
        profile, now = load_profile(found.desk), time.utcnow()
        if again:
            return await ending.again(session, profile, OPERATOR, item, now)
        return await ending.decide(session, profile, OPERATOR, item, done, now)

    try:
        one = with_session(work)
    except DeskError as error:
        raise _refused(error) from None
    if again:
        console.print(f"Action {one.id} is approved in its place; a process with the role jobs carries it out.")
    else:
        console.print(f"Action {one.id} is {one.state}.")


def _absent(item: int) -> WrongSettings:
    return WrongSettings(f"no action {item}; `kezekshi cloud action list` shows those that are not over")


def _refused(error: DeskError) -> WrongSettings:
    """The same refusal as in the bot, and how to mend it from here."""
    facts = error.facts
    under_way = "something is being done there already"
    if facts.get("action"):
        doing = f"{facts['kind']} {facts['title']} is {facts['state']} already"
        under_way = f"{doing}: `kezekshi cloud action show {facts['action']}`"
    two = "two persons are wanted for that here: ask for it in the bot, and another engineer approves it there"
    words = {
        ("UnderWay", ""): under_way,
        ("NoCloud", "desk"): "the profile of this desk has no [cloud]",
        ("NotAllowed", "own_plan"): two,
        (
            "NotAllowed",
            "nobody_has_it",
        ): "nobody has that password, so it is not done: --again sets and shows a new one",
        ("WrongStatus", "action"): f"it is {facts.get('state')}; only one whose outcome is unknown is decided",
        ("WrongStatus", ""): f"its request is {facts.get('status')}: reopen it first",
    }
    return WrongSettings(words.get((type(error).__name__, str(facts.get("what", ""))), repr(error)))

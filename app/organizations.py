"""`kezekshi organization …` and `kezekshi contact …`: who holds a contract, and whom we know there."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.table import Table

from app.boxes import MOST, Id, console, with_session
from app.settings import WrongSettings, load
from crm import time
from crm.cloud import cabinets
from crm.cloud.rules import RIGHTS
from crm.db import Session
from crm.errors import DeskError
from crm.people import organizations as service
from crm.people.models import Contact, Organization

T = TypeVar("T")
organization = typer.Typer(help="Organizations that hold a contract.", no_args_is_help=True)
contact = typer.Typer(help="Contacts: the named persons of organizations.", no_args_is_help=True)

Desk = Annotated[str | None, typer.Option(help="Which desk; not needed where there is only one (DESKS).")]
Name = Annotated[str, typer.Argument(help="The organization's name.")]
Followers = Literal["contacts", "none"]
Rights = Annotated[
    list[str] | None,
    typer.Option(help=f"In the cloud, may be repeated: {', '.join(RIGHTS)}."),
]


def chosen(wanted: str | None) -> str:
    desks = load().desks
    if wanted is None and len(desks) > 1:
        raise WrongSettings(f"--desk is needed, there are: {', '.join(desks)}")
    if wanted is not None and wanted not in desks:
        raise WrongSettings(f"no desk {wanted!r} in DESKS; there are: {', '.join(desks)}")
    return wanted or desks[0]


def _refused(error: DeskError) -> WrongSettings:
    what, written = error.facts.get("what"), error.facts.get("written") or error.facts.get("name")
    words = {
        ("NotFound", "organization"): f"no organization {written!r}",
        ("NotFound", "contact"): f"no contact {written}",
        ("Taken", "organization"): f"there is an organization {written!r} already",
        ("Taken", "contact"): f"one of these addresses is another contact's already; {written!r} is not added",
        ("WrongInput", "email"): f"--email is like name@example.kz, not {written!r}",
        ("WrongInput", "phone"): f"--phone is like +77011234567, not {written!r}",
        ("WrongInput", "address"): f"{written!r} needs an address: --email, --phone or --telegram",
        ("WrongInput", "name"): "a name is needed",
        ("WrongInput", "rights"): f"no right {written!r}; there are: {', '.join(RIGHTS)}",
        ("WrongInput", "project"): "a project's id is needed",
        ("WrongInput", "cabinet"): f"several projects are called {written!r}; please give the id",
        ("NotFound", "cabinet"): f"{written} is no cabinet of this organization",
        (
            "Taken",
            "cabinet",
        ): f"{written} is a cabinet of {error.facts.get('organization')!r}; first --none there",
    }
    return WrongSettings(words.get((type(error).__name__, str(what)), repr(error)))


def with_errors(work: Callable[[Session], Awaitable[T]]) -> T:
    try:
        return with_session(work)
    except DeskError as error:
        raise _refused(error) from None


@organization.command("add")
def add(
    name: Name,
    contract: Annotated[str | None, typer.Option(help="Number of the contract, as people write it.")] = None,
    followers: Annotated[
        Followers, typer.Option(help="Who follows a ticket when a mail has them in copy: its contacts, or nobody.")
    ] = "contacts",
    named_only: Annotated[bool, typer.Option("--named-only", help="Nobody but its contacts may ask.")] = False,
    desk: Desk = None,
) -> None:
    """An organization that holds a contract of a desk."""
    place, now = chosen(desk), time.utcnow()
    rule = {"contract": contract, "followers": followers, "named_only": named_only}
    made = with_errors(lambda session: service.add(session, place, name, now, **rule))  # type: ignore[arg-type]
    console.print(f"{made.name} is an organization of {place}.")


@organization.command("list")
def list_(desk: Desk = None) -> None:
    """Organizations with the number of their contacts and cabinets."""
    place = chosen(desk)

    async def work(session: Session) -> tuple[list[tuple[Organization, int]], dict[int, int]]:
        return await service.listing(session, place), await cabinets.numbers(session, place)

    found, owned = with_errors(work)
    table = Table("name", "contract", "contacts", "cabinets", "followers", "who may ask")
    for one, number in found:
        counts = (str(number), str(owned.get(one.id, 0)))
        table.add_row(one.name, one.contract or "–", *counts, one.followers, _who(one))
    console.print(table if found else "Nothing there.")


def _who(one: Organization) -> str:
    return "contacts" if one.named_only else "anybody"


@organization.command("show")
def show(name: Name, desk: Desk = None) -> None:
    """An organization with its contacts and cabinets."""
    place = chosen(desk)
    one, people, owned = with_errors(lambda session: _whole(session, place, name))
    console.print(one.name, style="bold")
    console.print(f"contract {one.contract or 'unknown'}; may ask: {_who(one)}; followers: {one.followers}")
    _print(people)
    if owned:
        table = Table("cabinet", "project", "machines", "")
        for row in owned:
            table.add_row(row["name"], row["project_id"], str(row["machines"]), _seen(row))
        console.print(table)


def _seen(row: Any) -> str:
    if row["gone_at"] is not None:
        return "gone from the cloud"
    return "" if row["seen_at"] is not None else "not seen yet"


async def _whole(session: Session, desk: str, name: str) -> tuple[Organization, list[Contact], Sequence[Any]]:
    one = await service.find(session, desk, name)
    return one, await service.contacts(session, one), await cabinets.of_organization(session, one)


@organization.command("cabinet")
def cabinet(
    name: Name,
    project: Annotated[str, typer.Argument(help="The project in the cloud: its id, or its name once it was seen.")],
    none: Annotated[bool, typer.Option("--none", help="It is theirs no longer.")] = False,
    desk: Desk = None,
) -> None:
    """This project of the cloud is the organization's cabinet."""
    place = chosen(desk)

    async def work(session: Session) -> str:
        one = await service.find(session, place, name)
        if none:
            return f"{await cabinets.unbind(session, one, project)} is no longer a cabinet of {one.name}."
        called, seen_at = await cabinets.bind(session, one, project)
        remark = "" if seen_at else " The cloud has not shown it yet."
        return f"{called} is a cabinet of {one.name}.{remark}"

    console.print(with_errors(work))


@organization.command("remove")
def remove(name: Name, desk: Desk = None) -> None:
    """With its contacts; tickets keep what they were promised."""
    place = chosen(desk)

    async def work(session: Session) -> str:
        one = await service.find(session, place, name)
        await service.remove(session, one)
        return one.name

    console.print(f"{with_errors(work)} is no longer an organization of {place}.")


@contact.command("add")
def add_contact(
    of: Name,
    name: Annotated[str, typer.Argument(help="The person's name.")],
    email: Annotated[str | None, typer.Option(help="Mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Like +77011234567.")] = None,
    telegram: Annotated[int | None, typer.Option(min=1, max=MOST, help="Telegram id, a number.")] = None,
    rights: Rights = None,
    desk: Desk = None,
) -> None:
    """A named person of an organization, by at least one address."""
    place, now = chosen(desk), time.utcnow()

    async def work(session: Session) -> tuple[Contact, str]:
        one = await service.find(session, place, of)
        made = await service.add_contact(session, one, name, now, email=email, phone=phone, telegram_id=telegram)
        return await cabinets.allow(session, place, made.id, rights or ()), one.name

    made, organized = with_errors(work)
    console.print(f"{made.name} is contact {made.id}, of {organized}.")


@contact.command("list")
def list_contacts(of: Name, desk: Desk = None) -> None:
    """The contacts of an organization."""
    place = chosen(desk)
    _print(with_errors(lambda session: _whole(session, place, of))[1])


def _print(people: list[Contact]) -> None:
    table = Table("id", "name", "email", "phone", "telegram", "rights")
    for one in people:
        facts = (one.email, one.phone, str(one.telegram_id or ""), ", ".join(one.rights))
        table.add_row(str(one.id), one.name, *(fact or "–" for fact in facts))
    console.print(table if people else "No contacts.")


@contact.command("rights")
def rights_of(
    item: Id,
    rights: Annotated[list[str] | None, typer.Argument(help=f"These and no others, of: {', '.join(RIGHTS)}.")] = None,
    none: Annotated[bool, typer.Option("--none", help="No rights at all.")] = False,
    desk: Desk = None,
) -> None:
    """What a contact may have done in their organization's cabinets."""
    place = chosen(desk)
    if bool(rights) == none:
        raise WrongSettings(f"rights are needed, of: {', '.join(RIGHTS)}; or --none")
    made = with_errors(lambda session: cabinets.allow(session, place, min(item, MOST), rights or ()))
    console.print(f"{made.name} may: {', '.join(made.rights) or 'nothing in the cloud'}.")


@contact.command("remove")
def remove_contact(item: Id, desk: Desk = None) -> None:
    """This person speaks for the organization no longer."""
    place = chosen(desk)
    gone = with_errors(lambda session: service.remove_contact(session, place, min(item, MOST)))
    console.print(f"{gone.name} is no longer a contact.")

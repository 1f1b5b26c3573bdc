"""The command line: `kezekshi --help` is enough."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from app import boxes, cloud, mail, organizations, sla, story
from app.logs import configure
from app.settings import Settings, WrongSettings, load

cli = typer.Typer(
    name="kezekshi",
    help="Kezekshi, the one on duty: a support desk in Telegram. Settings come from the environment and .env.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli.add_typer(boxes.inbox, name="inbox")
cli.add_typer(boxes.outbox, name="outbox")
cli.add_typer(story.ticket, name="ticket")
cli.add_typer(organizations.organization, name="organization")
cli.add_typer(organizations.contact, name="contact")
cli.add_typer(mail.mail, name="mail")
cli.add_typer(cloud.cloud, name="cloud")
cli.add_typer(sla.sla, name="sla")
cli.add_typer(sla.calendar, name="calendar")
console = Console()


@cli.command()
def run(
    roles: Annotated[
        list[str] | None, typer.Argument(help="Roles of this process: bot, mail, jobs, web. All of them when left out.")
    ] = None,
) -> None:
    """Serve: receive, answer, keep the clock. Stops cleanly on Ctrl-C."""
    from app.run import ROLES
    from app.run import run as serve

    chosen = tuple(roles or ROLES)
    unknown = [role for role in chosen if role not in ROLES]
    if unknown:
        raise WrongSettings(f"no role {unknown[0]!r}; there are: {', '.join(ROLES)}")
    settings = _settings()
    settings.profiles()
    if "bot" in chosen:
        for desk in settings.desks:
            settings.token(desk)
    _serve(serve(settings, chosen))


@cli.command()
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")] = 8090,
    fresh: Annotated[bool, typer.Option(help="Begin with an empty database.")] = True,
) -> None:
    """Play both sides in the browser: the real desk, and a stand-in for Telegram."""
    from app.demo import demo as play

    settings = _settings()
    configure("warning")
    _serve(play(settings, port, fresh, console))


@cli.command()
def check() -> None:
    """Look at settings, database, token and group rights: what is wrong, and how to mend it."""
    from app.check import check as run_checks

    if not asyncio.run(run_checks(load, console)):
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from app.run import database

    async def work() -> None:
        engine = await database(_settings())
        await engine.dispose()

    asyncio.run(work())
    console.print("The database is up to date.")


def _settings() -> Settings:
    settings = load()
    configure(settings.log_level)
    return settings


def _serve(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    uvloop.run(work)


def main() -> NoReturn:
    """Wrong input gets one clear line and exit code 2."""
    try:
        code = cli(prog_name="kezekshi", standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except WrongSettings as error:
        _refuse(str(error))
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
            sys.exit(2)
        if hasattr(error, "format_message"):
            _refuse(error.format_message())
        if isinstance(error, OSError):
            _refuse(str(error))
        raise
    sys.exit(code or 0)


def _refuse(line: str) -> NoReturn:
    print(f"kezekshi: {line}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()

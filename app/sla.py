"""`kezekshi sla due`: deadlines without a database; `sla explain`: those of a ticket; `calendar show`: a month."""

import re
import sys
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO
from zoneinfo import ZoneInfo

import typer
from babel.dates import format_date
from rich.table import Table

from app.boxes import console, with_session
from app.pipes import quiet_when_nobody_reads
from app.settings import WrongSettings
from crm import time
from crm.desks import Language, load_profile
from crm.errors import ProfileError
from crm.sla.calendar import Calendar
from crm.sla.hours import plain_windows
from crm.sla.spec import CalendarSpec
from crm.sla.whatif import answer

sla = typer.Typer(help="Promises.", no_args_is_help=True)
calendar = typer.Typer(help="Working hours of the desks.", no_args_is_help=True)


@sla.callback()
def promises() -> None:
    """Promises."""


@calendar.callback()
def calendars() -> None:
    """Working hours of the desks."""


@sla.command("due")
def due(
    files: Annotated[list[Path] | None, typer.Argument(help="Questions; standard input when left out.")] = None,
) -> None:
    """When is it due? One JSON object a line in, one a line out; no database is asked.

    In: {"calendar": {"timezone": …, "hours": …, "holidays": […], "overrides": {…}}, "start": …, "minutes": …,
    "pauses": [[from, until or null], …]}. Out: {"due": …} or {"error": …}.
    """
    paths: list[Path | None] = [*files] if files else [None]
    with quiet_when_nobody_reads():
        for path in paths:
            with _opened(path) as lines:
                for line in lines:
                    if not line.isspace():
                        # Who asks line by line waits for each answer.
                        print(answer(line), flush=path is None)
        sys.stdout.flush()


@sla.command("explain")
def explain(
    reference: Annotated[str, typer.Argument(help="Reference, like PD-1042.")],
    language: Annotated[Language, typer.Option(help="Of the explanation.")] = "en",
) -> None:
    """Why is it due then? Each stretch of a ticket's time with its kind, and the sum that gives the deadline."""
    # It brings the words of the bot along, which `sla due` can do without.
    from app import explain as explaining

    found = with_session(lambda session: explaining.gather(session, reference, language, time.utcnow()))
    if found is None:
        raise WrongSettings(f"no ticket {reference}")
    look, accounts = found
    for account in accounts:
        explaining.show(look, account)


def _opened(path: Path | None) -> TextIO:
    """A file, or standard input. Bytes that are no text become marks, so that their line is an error of its own."""
    closes = path is not None
    return open(0 if path is None else path, encoding="utf-8-sig", errors="replace", newline="\n", closefd=closes)


@calendar.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A desk, for all of its calendars, or one of them: desk/calendar.")],
    month: Annotated[str | None, typer.Option(help="Like 2026-03; this month when left out.")] = None,
    language: Annotated[Language, typer.Option(help="Of weekdays and holidays.")] = "en",
) -> None:
    """Each day of a month with its hours, its holiday and its working time."""
    desk, _, wanted = name.partition("/")
    try:
        found = load_profile(desk).calendars
    except ProfileError as error:
        raise WrongSettings(str(error)) from None
    chosen = [key for key in found if wanted in ("", key)]
    if not chosen:
        raise WrongSettings(f"no calendar {wanted!r} of {desk}; there are: {', '.join(found) or 'none'}")
    for key in chosen:
        spec = found[key]
        console.print(_month(f"{desk}/{key}", spec, _first(month, spec.timezone), language))


def _first(month: str | None, timezone: str) -> date:
    """The month's first day; without a month that of today, as it is there."""
    if month is None:
        return time.utcnow().astimezone(ZoneInfo(timezone)).date().replace(day=1)
    if not re.fullmatch(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])", month):
        raise WrongSettings(f"--month is like 2026-03, not {month!r}")
    return date.fromisoformat(f"{month}-01")


def _month(name: str, spec: CalendarSpec, first: date, language: Language) -> Table:
    # A night shift of the year before reaches into January.
    frozen = spec.frozen(first.year - 1, first.year)
    names = spec.public_holidays(first.year, first.year, language)
    days = [first + timedelta(days=n) for n in range(monthrange(first.year, first.month)[1])]
    title = f"{name} · {format_date(first, 'LLLL y', language)} · {spec.timezone}"
    table = Table("day", "", "hours", "working", "note", title=title, title_justify="left", show_footer=True)
    for day in days:
        table.add_row(
            day.isoformat(),
            format_date(day, "EEE", language),
            ", ".join(f"{start}–{end}" for start, end in plain_windows(frozen.windows(day))) or "–",
            _worked(frozen, day, day + timedelta(days=1)),
            _remark(spec, frozen, day, names),
        )
    table.columns[3].footer = _worked(frozen, first, days[-1] + timedelta(days=1))
    return table


def _worked(frozen: Calendar, first: date, end: date) -> str:
    """Working time from one local midnight to another, as hours and minutes."""
    zone = ZoneInfo(frozen.timezone)
    # A midnight that the zone skipped is the moment of the change.
    start, until = (datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in (first, end))
    minutes = frozen.measure(start, until) // timedelta(minutes=1)
    return f"{minutes // 60}:{minutes % 60:02}" if minutes else "–"


def _remark(spec: CalendarSpec, frozen: Calendar, day: date, names: dict[date, str]) -> str:
    """The public holiday, and why the day is not as its weekday."""
    said = [names[day]] if day in names else []
    if day in dict(spec.special):
        said.append("special hours")
    elif day in spec.closed:
        said.append("closed")
    elif day in spec.working or day in spec.exchanged(day.year, day.year):
        said.append("working day")
    return ", ".join(said)

"""What engineers read about duty, assignment and swaps. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiogram.utils.formatting import Bold, Text, as_list
from babel.dates import format_date, get_day_names

from bot import callbacks as press
from bot import keyboards
from bot.rendered import Rendered, mention, render
from bot.views import Look
from crm.people.models import Agent
from crm.people.shifts import Duty, Stretch
from crm.sla.hours import MIDNIGHT

Members = Sequence[tuple[Agent, Duty]]


def on_duty(look: Look, members: Members) -> Rendered:
    """Who is on duty, until when, and who comes next."""
    t = look.t
    here = [_until(look, agent.name, duty.changes_at(look.now)) for agent, duty in members if duty.on(look.now)]
    coming = [
        (at, agent.name) for agent, duty in members if not duty.on(look.now) and (at := duty.changes_at(look.now))
    ]
    lines: list[Text | str] = [Text(Bold(t("On duty:")), " ", ", ".join(here) or t("nobody"))]
    if coming:
        first = min(at for at, _ in coming)
        names = ", ".join(name for at, name in coming if at == first)
        lines.append(t("Next: {names}, from {time}", names=names, time=look.local(first)))
    return render(as_list(*lines))


def _until(look: Look, name: str, at: datetime | None) -> str:
    return look.t("{name} until {time}", name=name, time=look.local(at)) if at else name


def week(look: Look, days: Sequence[date], members: Members, stretches: dict[int, list[Stretch]]) -> Rendered:
    """A line for each day: who begins to be on duty on it, and when; by agent id, what is to be shown of each."""
    t = look.t
    lines: list[Text | str] = [Bold(t("On duty, {place} time:", place=look.place))]
    zone = ZoneInfo(look.profile.timezone)
    for day in days:
        parts = [
            f"{agent.name} {_span(stretch, zone)}"
            for agent, _ in members
            for stretch in stretches.get(agent.id, ())
            if stretch[0].astimezone(zone).date() == day
        ]
        head = format_date(day, "EEE, d MMM", locale=look.language)
        lines.append(Text(Bold(head), " · ", "; ".join(parts) or t("nobody")))
    plain = [agent.name for agent, duty in members if duty.plain and duty.on(look.now)]
    if plain:
        lines.append(t("Without shifts, on duty until they say otherwise: {names}", names=", ".join(plain)))
    return render(as_list(*lines))


def _span(stretch: Stretch, zone: ZoneInfo) -> str:
    """`20:00–08:00`; longer than a day it names its last day."""
    begin, end = (at.astimezone(zone) for at in stretch)
    last = f"{end:%d.%m} " if (end.date() - begin.date()).days > 1 else ""
    return f"{begin:%H:%M}–{last}{end:%H:%M}"


def shifts(look: Look, name: str, duty: Duty) -> Rendered:
    """The shifts of every week of one person."""
    t = look.t
    if duty.shifts is None:
        return render(t("{name} has no shifts: /duty on and /duty off count.", name=name))
    days = get_day_names("abbreviated", locale=look.language)
    lines = [
        f"{days[number]} {', '.join(_clock(start) + '–' + _clock(end) for start, end in windows)}"
        for number, windows in enumerate(duty.shifts.hours)
        if windows
    ]
    return render(as_list(Bold(t("Shifts of {name}:", name=name)), *lines))


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes if minutes <= MIDNIGHT else minutes - MIDNIGHT, 60)
    return f"{hour:02}:{minute:02}"


def swapped(look: Look, giver: Agent, taker: Agent, stretches: Iterable[Stretch], swap_id: int) -> Rendered:
    """The colleague is called, and may refuse."""
    t = look.t
    spans = ", ".join(f"{look.local(begin)} – {look.local(end)}" for begin, end in stretches)
    words = t("{giver} gives you a shift: {spans}", giver=giver.name, spans=spans)
    refuse = keyboards.button(t("Refuse"), press.Swap(id=swap_id), "danger")
    return render(Text("🔄 ", mention(taker.telegram_id, taker.name), ", ", words), keyboards.inline([[refuse]]))


def refused(look: Look, giver: Agent, taker: Agent) -> Rendered:
    t = look.t
    words = t("{name} cannot take the shift, it is yours again.", name=taker.name)
    return render(Text("🔄 ", mention(giver.telegram_id, giver.name), ", ", words))


def left(look: Look, name: str, until: datetime | None, tickets: int) -> Rendered:
    t = look.t
    first = t("{name} is away until {time}.", name=name, time=look.local(until)) if until else None
    lines = [first or t("{name} is away; /back ends it.", name=name)]
    if tickets:
        lines.append(t.n("One request is free again.", "{n} requests are free again.", tickets))
    return render(as_list(*lines))


def back(look: Look, name: str, duty: Duty) -> Rendered:
    t = look.t
    if duty.on(look.now):
        return render(t("Welcome back, {name}! You are on duty.", name=name))
    at = duty.changes_at(look.now)
    if at is None:
        return render(t("Welcome back, {name}!", name=name))
    return render(t("Welcome back, {name}! Your shift begins {time}.", name=name, time=look.local(at)))


# --- notices in a ticket's topic -------------------------------------------------------------------------


def _assigned(look: Look, facts: dict[str, Any]) -> Rendered:
    parts = [mention(agent["id"], agent["name"]) for agent in facts["mention"]]
    return render(Text("👤 ", look.t("Assigned to:"), " ", *parts))


def _released(look: Look, facts: dict[str, Any]) -> Rendered:
    return render("👤 " + look.t("{name} is away: the request is free again", name=facts["name"]))


def _taken_over(look: Look, facts: dict[str, Any]) -> Rendered:
    before = [mention(agent["id"], agent["name"]) for agent in facts["mention"]]
    return render(Text("🤝 ", *before, ": ", look.t("{name} takes the request over", name=facts["name"])))


NOTICES: dict[str, Callable[[Look, dict[str, Any]], Rendered]] = {
    "assigned": _assigned,
    "released": _released,
    "taken_over": _taken_over,
}

"""How the times of a ticket come about, for those who ask `/why` and for the command line. Pure.

The topic reads days put together and cut to one message; the command line reads every interval.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from aiogram.utils.formatting import Bold, ExpandableBlockQuote, Text, as_list
from babel.dates import format_interval, format_skeleton, get_day_names

from bot.content import utf16
from bot.rendered import TEXT_LIMIT, Rendered, render
from bot.team_views import metric_labels
from bot.views import Look
from crm import time
from crm.sla.calendar import Calendar
from crm.sla.clock import Interval
from crm.sla.explain import ENDED, MIDNIGHT, RUNNING, Account, Days, Piece, in_days
from crm.sla.hours import WHOLE_DAY, Windows, plain_windows
from crm.texts import Texts

# So many intervals are still read one by one; of longer accounts less and less is shown until the message holds them.
FEW = 10
LINES = (40, 24, 16, 10, 6, 4)
CLOSED = "closed"


def kind_labels(t: Texts) -> dict[str, str]:
    return {
        RUNNING: t("running"),
        CLOSED: t("closed hours"),
        "holiday": t("holiday"),
        "pending": t("waiting for the customer"),
        "on_hold": t("waiting for a third party"),
        "maintenance": t("maintenance"),
        "resolved": t("resolved, waiting for confirmation"),
        ENDED: t("the request was closed"),
    }


def heading(look: Look, account: Account) -> str:
    """What was promised, by which hours, and since when."""
    return look.t(
        "{metric}: {budget}, {hours}; since {time}",
        metric=metric_labels(look.t)[account.promise.metric],
        budget=_span(look, account.budget),
        hours=_hours(look, account.calendar),
        time=look.local(account.promise.started_at),
    )


def summing(look: Look, account: Account) -> str:
    """What has run, what is due, and why it stands if it does."""
    t, promise = look.t, account.promise
    done = t("running {ran} of {budget}", ran=_span(look, account.ran), budget=_span(look, account.budget))
    if promise.met_at is not None:
        words = t("kept late, {time}") if account.late else t("kept, {time}")
        return f"{done}; " + words.format(time=look.local(promise.met_at))
    if account.due_at is None:
        return f"{done}; {_stands(look, account)} " + t("The due time moves until it runs again.")
    words = t("was due {time}") if account.late else t("due {time}")
    due = f"{done}; " + words.format(time=look.local(account.due_at))
    if account.stands is None:
        return due
    counted = t("It ends {time} and is counted already.", time=look.local(account.stands.end))
    return f"{due}; {_stands(look, account)} {counted}"


def _stands(look: Look, account: Account) -> str:
    since = account.stands
    if since is None:
        return ""
    kind = kind_labels(look.t)[since.kind]
    return look.t("the clock stands since {time}: {kind}.", time=look.local(since.start), kind=kind)


def row(look: Look, interval: Interval) -> tuple[str, str, str]:
    """When, what, how long."""
    kind = kind_labels(look.t)[interval.kind]
    if interval.kind == "holiday":
        kind = f"{kind}, {_date(look, interval.start.astimezone(ZoneInfo(look.profile.timezone)).date())}"
    when = time.stretch(interval.start, interval.end, look.profile.timezone, look.language, look.now)
    return when, kind, _span(look, interval.end - interval.start)


def explanation(look: Look, reference: str, accounts: Sequence[Account]) -> Rendered:
    """One message, however long it took: lines in the middle give way."""
    if not accounts:
        return render(look.t("Nothing is promised for {reference}.", reference=reference))
    for most in LINES:
        made = _explanation(look, reference, accounts, most)
        if utf16(made.as_kwargs()["text"]) <= TEXT_LIMIT:
            break
    return render(made)


def _explanation(look: Look, reference: str, accounts: Sequence[Account], most: int) -> Text:
    parts: list[Text | str] = [Bold(look.t("{reference}: how the times come about", reference=reference))]
    cut = False
    for account in accounts:
        lines = _lines(look, account)
        cut |= len(lines) > most
        shown = as_list(*_middle_out(look, lines, most))
        parts.append(as_list(Bold(heading(look, account)), "⏱ " + summing(look, account), ExpandableBlockQuote(shown)))
    if cut:
        parts.append(look.t("Every line: kezekshi sla explain {reference}", reference=reference))
    return as_list(*parts, sep="\n\n")


def _middle_out(look: Look, lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], look.t("… and {n} more", n=len(lines) - 2 * half), *lines[-half:]]


def _lines(look: Look, account: Account) -> list[str]:
    now = [look.t("– now –")] if account.ahead else []
    if len(account.past) + len(account.ahead) <= FEW:
        past, ahead = ([" · ".join(row(look, one)) for one in part] for part in (account.past, account.ahead))
        return past + now + ahead
    past, ahead = (
        [_days(look, days) for days in in_days(part, look.profile.timezone)] for part in (account.past, account.ahead)
    )
    return past + now + ahead


def _days(look: Look, days: Days) -> str:
    """`30 мар. – 3 апр.: идёт 09:00–18:00 (45 ч); закрыто (75 ч)`."""
    labels, parts = kind_labels(look.t), []
    for kind, length in sorted(days.lengths, key=lambda pair: pair[0] == CLOSED):
        held = ", ".join(_piece(piece) for piece in days.pieces if piece.kind == kind != CLOSED)
        parts.append(f"{labels[kind]} {held}".strip() + f" ({_span(look, length)})")
    when = _date(look, days.first)
    if days.first != days.last:
        when = format_interval(days.first, days.last, "MMMd", locale=look.language)
    return f"{when}: " + "; ".join(parts)


def _piece(piece: Piece) -> str:
    end = f"{piece.end:%H:%M}" if piece.end != MIDNIGHT else "24:00"
    return f"{piece.begin:%H:%M}–{end}"


def _date(look: Look, day: date) -> str:
    return str(format_skeleton("MMMd", day, locale=look.language))


def _span(look: Look, length: timedelta) -> str:
    return time.span(length, look.language)


def _hours(look: Look, calendar: Calendar) -> str:
    """`пн–пт 09:00–18:00 (время Алматы)`: days in a row with the same hours are one."""
    if all(windows == WHOLE_DAY for windows in calendar.hours):
        return look.t("around the clock")
    names = get_day_names("abbreviated", locale=look.language)
    runs: list[tuple[int, int, Windows]] = []
    for day, windows in enumerate(calendar.hours):
        if runs and runs[-1][2] == windows:
            runs[-1] = runs[-1][0], day, windows
        else:
            runs.append((day, day, windows))
    said = [
        (names[first] if first == last else f"{names[first]}–{names[last]}")
        + " "
        + ", ".join(f"{begin}–{end}" for begin, end in plain_windows(windows))
        for first, last, windows in runs
        if windows
    ]
    place = time.city(calendar.timezone, look.language)
    return look.t("{hours} ({place} time)", hours="; ".join(said), place=place)

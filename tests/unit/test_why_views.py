"""What `/why` says: every kind by its name, sums that read like the promise, one message however long it took."""

from datetime import UTC, datetime, timedelta

import pytest

from bot import why_views
from bot.content import utf16
from bot.rendered import TEXT_LIMIT
from bot.views import Look
from crm.sla.calendar import ALWAYS, WEEKDAYS, Calendar
from crm.sla.clock import Interval, Pause
from crm.sla.explain import ENDED, Account, Promise, account
from crm.sla.policy import ENDINGS, USUAL_STEPS, Terms
from tests.factories import PROFILE

STOPS = frozenset({"pending", "on_hold", "maintenance"}) | ENDINGS
WEEK = {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in WEEKDAYS[:5]}
OFFICE = Calendar.from_plain({"timezone": "Asia/Almaty", "hours": WEEK, "holidays": ["2026-03-23"]})
NOON = datetime(2026, 3, 20, 7, 0, tzinfo=UTC)  # Friday, 12:00 in Almaty
LANGUAGES = PROFILE.languages


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def look(language: str = "en", now: datetime = NOON) -> Look:
    return Look(PROFILE, language, now)


def explained(
    budget: float,
    *pauses: Pause,
    calendar: Calendar = ALWAYS,
    now: datetime = NOON,
    met: datetime | None = None,
    breached: datetime | None = None,
) -> Account:
    terms = Terms(calendar, STOPS, "resume", USUAL_STEPS)
    return account(Promise("resolution", terms, NOON, int(budget * 3600), NOON, met, breached), pauses, now)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (explained(4, now=NOON + hours(10 / 3)), "running 3 hr 20 min of 4 hr; due 16:00"),
        (explained(4, now=NOON + hours(5)), "running 5 hr of 4 hr; was due 16:00"),
        (explained(4, now=NOON + hours(9), met=NOON + hours(1)), "running 1 hr of 4 hr; kept, 13:00"),
        (
            explained(4, met=NOON + hours(5), breached=NOON + hours(4)),
            "running 5 hr of 4 hr; kept late, 17:00",
        ),
        (
            explained(4, Pause(NOON + hours(1), None), now=NOON + hours(2)),
            "running 1 hr of 4 hr; the clock stands since 13:00: waiting for the customer. "
            "The due time moves until it runs again.",
        ),
        (
            explained(4, Pause(NOON, NOON + hours(1), "maintenance")),
            "running 0 min of 4 hr; due 17:00; the clock stands since 12:00: maintenance. "
            "It ends 13:00 and is counted already.",
        ),
    ],
)
def test_the_sum(found: Account, words: str) -> None:
    now = found.past[-1].end if found.past and found.promise.met_at is None else NOON
    assert why_views.summing(look(now=now), found) == words


def test_the_sum_in_every_language() -> None:
    found = explained(4, now=NOON + hours(10 / 3))
    assert why_views.summing(look("ru"), found) == "прошло 3 ч 20 мин из 4 ч; срок до 16:00"
    assert why_views.summing(look("kk"), found) == "4 сағ ішінен 3 сағ 20 мин өтті; мерзімі 16:00"


def test_the_heading_names_the_hours() -> None:
    assert why_views.heading(look(), explained(4)) == "Resolution: 4 hr, around the clock; since 12:00"
    assert why_views.heading(look("ru"), explained(4, calendar=OFFICE)) == (
        "Решение: 4 ч, пн–пт 09:00–13:00, 14:00–18:00 (время: Алматы); с 12:00"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_name(language: str) -> None:
    names = why_views.kind_labels(look(language).t)
    assert set(names) == {"running", "closed", "holiday", ENDED} | (STOPS - {"closed", "declined"})
    assert len(set(names.values())) == len(names)


def test_a_few_intervals_are_read_one_by_one_and_now_stands_between() -> None:
    found = explained(6, calendar=OFFICE, now=NOON + hours(0.5))
    shown = why_views.explanation(look(now=NOON + hours(0.5)), "PD-1042", [found]).text
    lines = shown.split("\n\n")[1].splitlines()[2:]
    assert lines == [
        "12:00–12:30 · running · 30 min",
        "– now –",
        "12:30–13:00 · running · 30 min",
        "13:00–14:00 · closed hours · 1 hr",
        "14:00–18:00 · running · 4 hr",
        "18:00 – Mar 23, 09:00 · closed hours · 63 hr",
        "Mar 23, 09:00–13:00 · holiday, Mar 23 · 4 hr",
        "Mar 23, 13:00–14:00 · closed hours · 1 hr",
        "Mar 23, 14:00–18:00 · holiday, Mar 23 · 4 hr",
        "Mar 23, 18:00 – Mar 24, 09:00 · closed hours · 15 hr",
        "Mar 24, 09:00–10:00 · running · 1 hr",
    ]


def test_many_intervals_are_put_together_by_days() -> None:
    shown = why_views.explanation(look(), "PD-1042", [explained(8 * 20, calendar=OFFICE)]).text
    shown = shown.replace("\u2009", " ")
    assert "Mar 24 – 27: running 09:00–13:00, 14:00–18:00 (32 hr); closed hours (64 hr)" in shown
    assert "Mar 28 – 29: closed hours (48 hr)" in shown
    assert "Mar 23: holiday 09:00–13:00, 14:00–18:00 (8 hr); closed hours (16 hr)" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_years_of_five_promises_fit_into_one_message(language: str) -> None:
    waits = [Pause(NOON + hours(7 * n), NOON + hours(7 * n + 1), "on_hold") for n in range(900)]
    found = [explained(8 * 250 * 2, *waits, calendar=OFFICE)] * 5
    shown = why_views.explanation(look(language), "PD-1042", found)
    assert utf16(shown.text) <= TEXT_LIMIT
    assert shown.text.count(why_views.summing(look(language), found[0])) == 5
    assert "kezekshi sla explain PD-1042" in shown.text
    # Nothing is torn in the middle: the last line says where the rest is.
    assert shown.text.endswith("kezekshi sla explain PD-1042")


def test_nothing_promised_is_said() -> None:
    assert why_views.explanation(look(), "PD-1", []).text == "Nothing is promised for PD-1."


def test_a_row_of_the_command_line() -> None:
    interval = Interval(NOON + hours(69), NOON + hours(73), "holiday")
    assert why_views.row(look("ru"), interval) == ("23 мар., 09:00–13:00", "праздник, 23 мар.", "4 ч")

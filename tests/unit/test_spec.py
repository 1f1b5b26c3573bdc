"""Calendars of desk profiles: public holidays as explicit dates, and single dates that say otherwise."""

import tomllib
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app import sla
from app.settings import WrongSettings
from crm.sla.calendar import Calendar
from crm.sla.spec import CalendarSpec

NINE_TO_SIX = ((540, 1080),)
GENESYS = """
timezone = "Asia/Almaty"
country = "KZ"
[hours]
mon-fri = [["09:00", "18:00"]]
"""


def spec(words: str = "", **more: Any) -> CalendarSpec:
    return CalendarSpec.model_validate(tomllib.loads(GENESYS + words) | more)


def windows(calendar: Calendar, day: str) -> tuple[tuple[int, int], ...]:
    return calendar.windows(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-05-04", True),  # a Saturday, worked for the 8th
        ("2024-05-08", False),
        ("2025-01-05", True),  # a Sunday, worked for the 3rd
        ("2025-01-03", False),
        ("2025-09-01", False),  # Constitution Day was a Saturday
        ("2026-08-31", True),  # and is none since July 2026
        ("2026-03-16", True),
        ("2027-03-15", False),  # from 2027 it is in March
        ("2027-08-30", True),
        ("2028-03-15", False),
        ("2026-03-24", False),  # two of the days of Nauryz were on a weekend
        ("2026-03-25", False),
        ("2026-05-27", False),  # Kurban Ait, estimated
        ("2028-01-04", False),
        ("2026-03-26", True),
    ],
)
def test_the_library_knows_what_kazakhstan_works(day: str, works: bool) -> None:
    assert windows(spec().frozen(2024, 2028), day) == (NINE_TO_SIX if works else ())


def test_an_exchange_is_known_though_its_day_off_is_in_the_next_year() -> None:
    assert windows(spec().frozen(2013, 2013), "2013-12-28") == NINE_TO_SIX
    assert windows(spec().frozen(2014, 2014), "2013-12-28") == ()


def test_only_the_wanted_years_are_in_it() -> None:
    frozen = spec().frozen(2026, 2026)
    assert {day.year for day in frozen.holidays} == {2026}
    assert windows(frozen, "2027-01-01") == NINE_TO_SIX


def test_the_same_years_are_frozen_once() -> None:
    assert spec().frozen(2024, 2028) is spec().frozen(2024, 2028)
    assert spec().frozen(2024, 2028) is not spec().frozen(2024, 2029)


def test_single_dates_override_the_library_and_the_strongest_wins() -> None:
    frozen = spec(
        """
        [special]
        2026-12-31 = [["09:00", "13:00"]]
        2026-05-29 = [["10:00", "11:00"]]
        """,
        working=["2026-05-27", date(2026, 6, 6), "2026-12-31"],
        closed=["2026-05-28", "2026-05-29"],
    ).frozen(2026, 2026)
    assert windows(frozen, "2026-05-27") == NINE_TO_SIX  # a holiday that is none after all
    assert windows(frozen, "2026-05-28") == ()
    assert windows(frozen, "2026-05-29") == ((600, 660),)
    assert windows(frozen, "2026-06-06") == NINE_TO_SIX  # a Saturday
    assert windows(frozen, "2026-12-31") == ((540, 780),)


def test_a_working_day_has_the_hours_of_its_weekday_or_else_of_the_first() -> None:
    hours = {"tue-thu": [["09:00", "18:00"]], "fri": [["09:00", "16:00"]]}
    frozen = spec(hours=hours, working=["2026-05-01", "2026-05-11"]).frozen(2024, 2026)
    assert windows(frozen, "2026-05-01") == ((540, 960),)
    assert windows(frozen, "2026-05-11") == NINE_TO_SIX
    assert windows(frozen, "2024-05-04") == NINE_TO_SIX


def test_runs_of_weekdays_may_pass_sunday() -> None:
    week = spec(hours={"sat-mon": [["22:00", "06:00"]], "wed": []}).hours
    assert week == (((1320, 1800),), (), (), (), (), ((1320, 1800),), ((1320, 1800),))


def test_without_a_country_there_are_no_holidays() -> None:
    plain = CalendarSpec(timezone="UTC", hours="24/7")  # type: ignore[arg-type]
    assert plain.frozen(2026, 2026) == Calendar.from_plain({"timezone": "UTC", "hours": "24/7"})
    assert plain.public_holidays(2026, 2026) == {}


def test_a_subdivision_has_holidays_of_its_own() -> None:
    epiphany = "2026-01-06"
    hours = {"mon-fri": [["09:00", "18:00"]]}
    bavaria = CalendarSpec.model_validate(
        {"timezone": "Europe/Berlin", "hours": hours, "country": "DE", "subdivision": "BY"}
    )
    assert windows(bavaria.frozen(2026, 2026), epiphany) == ()
    germany = CalendarSpec.model_validate({"timezone": "Europe/Berlin", "hours": hours, "country": "DE"})
    assert windows(germany.frozen(2026, 2026), epiphany) == NINE_TO_SIX


@pytest.mark.parametrize(("language", "name"), [("en", "New Year's Day"), ("kk", "Жаңа жыл"), ("ru", "New Year's Day")])
def test_holidays_have_names_in_the_nearest_language(language: str, name: str) -> None:
    assert spec().public_holidays(2026, 2026, language)[date(2026, 1, 1)] == name


@pytest.mark.parametrize(
    ("changed", "place", "words"),
    [
        ({"timezone": "Asia/Nowhere"}, "timezone", "no time zone"),
        ({"timezone": 5}, "timezone", "no time zone"),
        ({"hours": "24/5"}, "hours", "24/7"),
        ({"hours": {"mon-fri": [["09:00", "18:00"]], "wed": []}}, "hours", "wed stands there twice"),
        ({"hours": {"mon-": []}}, "hours", "no weekday 'mon-'"),
        ({"hours": {"mon-fri-sun": []}}, "hours", "no weekday"),
        ({"hours": {"monday": []}}, "hours", "no weekday 'monday'"),
        ({"hours": {"mon-fri": [["09:00", "9:30"]]}}, "hours", "mon-fri: a time"),
        ({"hours": {}}, "", "no opening, ever"),
        ({"country": "kz"}, "country", "pattern"),
        ({"country": "XX"}, "", "no public holidays of XX"),
        ({"subdivision": "QQ"}, "", "no public holidays of KZ QQ"),
        ({"country": None, "subdivision": "BY"}, "", "subdivision needs a country"),
        ({"closed": "2026-05-28"}, "closed", "a list of dates"),
        ({"closed": ["28.05.2026"]}, "closed", "a date is like"),
        ({"closed": [20260528]}, "closed", "a date is like"),
        ({"closed": ["2026-05-28"], "working": ["2026-05-28"]}, "", "2026-05-28 is both closed and working"),
        ({"special": ["2026-05-28"]}, "special", "windows by date"),
        ({"special": {"2026-05-28": [["09:00"]]}}, "special", "2026-05-28: a window is like"),
        ({"hours": {}, "working": ["2026-05-28"]}, "", "working needs a weekday"),
        ({"colour": "red"}, "colour", "Extra inputs"),
    ],
)
def test_a_bad_calendar_is_refused_in_one_line_that_names_the_place(
    changed: dict[str, Any], place: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        spec(**changed)
    first = refusal.value.errors()[0]
    assert ".".join(map(str, first["loc"])) == place
    assert words in first["msg"]
    assert "\n" not in first["msg"]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`kezekshi calendar …` on a desk with these calendars; gives what it prints."""
    monkeypatch.setattr(sla.console, "width", 120)

    def run(calendars: dict[str, CalendarSpec], *words: str) -> str:
        monkeypatch.setattr(sla, "load_profile", lambda desk: SimpleNamespace(calendars=calendars))
        result = CliRunner().invoke(sla.calendar, ["show", *words], catch_exceptions=False, standalone_mode=False)
        return result.output

    return run


def test_a_month_is_shown_with_hours_holidays_and_its_sum(shown: Any) -> None:
    text = shown({"office": spec(working=["2026-05-27"])}, "genesys", "--month", "2026-05")
    assert "genesys/office · May 2026 · Asia/Almaty" in text
    rows = {row[2:12]: row for row in text.splitlines()}
    assert "Fri" in rows["2026-05-01"]
    assert "Kazakhstan's People Solidarity Holiday" in rows["2026-05-01"]
    assert "09:00–18:00" in rows["2026-05-04"]
    assert "Eid al-Adha (estimated), working day" in rows["2026-05-27"]
    assert "162:00" in text
    assert "Сәуір" in shown({"office": spec()}, "genesys/office", "--month", "2024-04", "--language", "kk")


def test_an_exchanged_saturday_is_marked(shown: Any) -> None:
    text = shown({"office": spec()}, "genesys", "--month", "2024-05")
    [saturday] = [row for row in text.splitlines() if "2024-05-04" in row]
    assert "09:00–18:00" in saturday
    assert "working day" in saturday


def test_a_desk_shows_the_month_of_each_calendar(shown: Any) -> None:
    text = shown({"office": spec(), "nights": spec(country=None)}, "genesys", "--month", "2024-05")
    assert text.index("genesys/office · May 2024") < text.index("genesys/nights · May 2024")
    assert len([row for row in text.splitlines() if "2024-05-01" in row]) == 2


@pytest.mark.parametrize(
    "words", [["genesys/absent"], ["genesys", "--month", "2026-13"], ["genesys", "--month", "may"]]
)
def test_what_cannot_be_shown_is_said(shown: Any, words: list[str]) -> None:
    with pytest.raises(WrongSettings):
        shown({"office": spec()}, *words)


def test_a_desk_without_calendars_has_none_to_show(shown: Any) -> None:
    with pytest.raises(WrongSettings, match="none"):
        shown({}, "genesys")

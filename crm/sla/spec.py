"""Calendars as desk profiles write them, and what becomes of them: explicit dates, frozen for a run of years.

A profile names a country; its public holidays come from the `holidays` library, the working days that were exchanged
for them included. Where the library errs or only estimates, single dates of the profile say otherwise.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm.sla.calendar import ALWAYS, WEEKDAYS, Calendar, CalendarError, parse_date, parse_zone
from crm.sla.hours import NO_WINDOWS, Windows, parse_windows, shown

Week = tuple[Windows, ...]
Special = tuple[tuple[date, Windows], ...]


def _week(value: Any) -> Week:
    """From `"24/7"`, or windows by weekday or run of weekdays (`mon-fri`, `sat-mon`); what is left out is closed."""
    if value == "24/7":
        return ALWAYS.hours
    if not isinstance(value, dict):
        raise CalendarError(f'"24/7" or windows by weekday are needed, not {shown(value)}')
    found: dict[str, Windows] = {}
    for key, windows in value.items():
        for name in _weekdays(key):
            if name in found:
                raise CalendarError(f"{name} stands there twice")
            found[name] = parse_windows(windows, key)
    return tuple(found.get(name, NO_WINDOWS) for name in WEEKDAYS)


def _weekdays(key: str) -> Iterable[str]:
    first, dash, last = key.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise CalendarError(f"no weekday {shown(key)}; there are {', '.join(WEEKDAYS)}, and runs like mon-fri")
    begin = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last) - begin) % 7 + 1 if dash else 1
    return (WEEKDAYS * 2)[begin : begin + length]


def _date(value: Any) -> date:
    """A date of TOML, or a string."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return parse_date(value, "dates")


def _dates(value: Any) -> tuple[date, ...]:
    if not isinstance(value, list | tuple):
        raise CalendarError(f"a list of dates is needed, not {shown(value)}")
    return tuple(_date(day) for day in value)


def _special(value: Any) -> Special:
    if not isinstance(value, dict):
        raise CalendarError(f"windows by date are needed, not {shown(value)}")
    return tuple((_date(day), parse_windows(windows, str(day))) for day, windows in value.items())


class CalendarSpec(BaseModel):
    """A calendar of a desk profile.

    `country` (two letters) and perhaps `subdivision` bring public holidays. Of single dates, `special` (windows by
    date) is stronger than `closed`, and that than `working`: a working day after all, with the hours of its weekday,
    or of the first weekday that has any. Only what the profile does not say comes from the library.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: Annotated[str, BeforeValidator(parse_zone)]
    hours: Annotated[Week, BeforeValidator(_week)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    subdivision: str | None = None
    closed: Annotated[tuple[date, ...], BeforeValidator(_dates)] = ()
    special: Annotated[Special, BeforeValidator(_special)] = ()
    working: Annotated[tuple[date, ...], BeforeValidator(_dates)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "CalendarSpec":
        if self.country is None and self.subdivision is not None:
            raise CalendarError("subdivision needs a country")
        for day in self.closed:
            if day in self.working:
                raise CalendarError(f"{day} is both closed and working")
        if self.working and not any(self.hours):
            raise CalendarError("working needs a weekday that has hours")
        # Tried with any year: raises for a country that there is not, and for a calendar that never opens.
        self.frozen(2026, 2026)
        return self

    def frozen(self, first_year: int, last_year: int) -> Calendar:
        """The calendar with the public holidays of these years, the first and the last included, as explicit dates.

        Dates that the profile itself names are all in it. Made once for the same years.
        """
        return _frozen(self, first_year, last_year)

    def public_holidays(self, first_year: int, last_year: int, language: str = "en") -> dict[date, str]:
        """Names of the country's public holidays by date, in the language where the library knows it."""
        return _library(self.country, self.subdivision, first_year, last_year, language)[0] if self.country else {}

    def exchanged(self, first_year: int, last_year: int) -> frozenset[date]:
        """Days of the weekend that the country works in exchange for another day off."""
        return _library(self.country, self.subdivision, first_year, last_year, "en")[1] if self.country else frozenset()


@lru_cache(maxsize=256)
def _frozen(spec: CalendarSpec, first_year: int, last_year: int) -> Calendar:
    usual = next((windows for windows in spec.hours if windows), NO_WINDOWS)
    by_date: dict[date, Windows] = dict.fromkeys(spec.public_holidays(first_year, last_year), NO_WINDOWS)
    by_date |= dict.fromkeys(spec.exchanged(first_year, last_year), usual)
    by_date |= {day: spec.hours[day.weekday()] or usual for day in spec.working}
    by_date |= dict.fromkeys(spec.closed, NO_WINDOWS)
    by_date |= dict(spec.special)
    return Calendar(spec.timezone, spec.hours, overrides=tuple(by_date.items()))


@lru_cache(maxsize=256)
def _library(
    country: str, subdivision: str | None, first_year: int, last_year: int, language: str
) -> tuple[dict[date, str], frozenset[date]]:
    """Public holidays with their names, and exchanged working days. Raises CalendarError for an unknown country."""
    # It is large, and only a desk with a country needs it.
    from holidays import country_holidays

    try:
        known = country_holidays(country, subdiv=subdivision).supported_languages
        # The neighbouring years as well: the year of the day off is the one that knows of its exchange.
        years = range(first_year - 1, last_year + 2)
        found = country_holidays(country, subdiv=subdivision, years=years, language=_nearest(language, known))
    except NotImplementedError:
        raise CalendarError(f"the library has no public holidays of {country} {subdivision or ''}".rstrip()) from None
    names = {day: found[day] for day in sorted(found) if first_year <= day.year <= last_year}
    return names, frozenset(day for day in found.weekend_workdays if first_year <= day.year <= last_year)


def _nearest(language: str, known: Iterable[str]) -> str | None:
    """The library's own word for a language of ours; English where it lacks it, otherwise the country's."""
    return next((name for wanted in (language, "en") for name in known if name.partition("_")[0] == wanted), None)

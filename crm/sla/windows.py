"""Windows of maintenance: those that a lead asks for, and those that come every week by the profile. Pure.

The weekly ones are frozen into the terms of a promise (`crm.sla.policy`): a window that is added later moves nothing
that was promised. In the arithmetic each is a pause of the kind `maintenance`. A window of the week is kept as a
calendar that is open while the work goes on, so that it follows its zone through every change of the clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm.sla import clock
from crm.sla.calendar import WEEKDAYS, Calendar, parse_zone
from crm.sla.clock import Pause
from crm.sla.hours import NO_WINDOWS, Windows, parse_windows

KIND = "maintenance"
Weekly = tuple[Calendar, ...]
# Any month will do to see whether a week has room for work.
_TRIED = datetime(2026, 9, 1, tzinfo=UTC)
_MONTH = timedelta(weeks=4)


class Recurring(BaseModel):
    """The same hours of the same weekday, in a zone of its own; may end at 24:00 or run over midnight (`meo`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    begin: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    timezone: Annotated[str, BeforeValidator(parse_zone)]

    @model_validator(mode="after")
    def _readable(self) -> "Recurring":
        self._windows()
        return self

    def _windows(self) -> Windows:
        return parse_windows([[self.begin, self.end]], "maintenance")

    @property
    def calendar(self) -> Calendar:
        """Open while the work goes on."""
        return Calendar(
            self.timezone, tuple(self._windows() if name == self.weekday else NO_WINDOWS for name in WEEKDAYS)
        )


@dataclass(frozen=True, slots=True)
class Window:
    """What a lead asks for: aware UTC, and a reason that customers may read."""

    start: datetime
    end: datetime
    reason: str


def between(weekly: Iterable[Calendar], since: datetime, until: datetime) -> list[Pause]:
    """The windows of all weeks between two moments, cut off there."""
    return [Pause(start, end, KIND) for each in weekly for start, end in each.intervals(since, until)]


def reached(
    start: datetime, seconds: float, pauses: Iterable[Pause], calendar: Calendar, weekly: Sequence[Calendar] = ()
) -> datetime | None:
    """`clock.reached`, with weekly maintenance: looked ahead as far as it has moved the moment, until it rests."""
    known = list(pauses)
    found = clock.reached(start, seconds, known, calendar)
    seen = start
    while weekly and found is not None and found > seen:
        seen = found
        found = clock.reached(start, seconds, [*known, *between(weekly, start, seen)], calendar)
    return found


def leaves_time(calendar: Calendar, weekly: Weekly) -> bool:
    """Whether an ordinary month has working time besides the maintenance; without any, no promise would ever end."""
    until = _TRIED + _MONTH
    return clock.elapsed(_TRIED, until, between(weekly, _TRIED, until), calendar) > 0

"""What follows a solution that nobody answers: reminders, then the end; counted in working days. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crm.sla.calendar import Calendar, CalendarError

Days = Annotated[int, Field(gt=0, le=365)]


class Closing(BaseModel):
    """Of a desk profile. `remind` and `close` are working days after the solution (genesys: «No answer in 5 working
    days: closed as solved»); within `reopen_days`, as the calendar on the wall counts them, a reply opens it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind: tuple[Days, ...] = (2, 4)
    close: Days = 5
    reopen_days: Days = 14
    # Without one, the desk's own.
    calendar: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Closing":
        steps = [*self.remind, self.close]
        if steps != sorted(set(steps)):
            raise ValueError("reminders come one after another, and all before the closing")
        return self

    @property
    def reopens_for(self) -> timedelta:
        return timedelta(days=self.reopen_days)

    def moments(self, solved_at: datetime, calendar: Calendar) -> list[datetime]:
        """When each reminder falls, and last when it is closed; in UTC."""
        return [working_day(calendar, solved_at, days) for days in (*self.remind, self.close)]


def working_day(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The local time of `start` on the `days`-th later date on which the calendar opens, in UTC.

    In an hour that a clock change skips, it is as long after midnight as on any other day.
    Raises CalendarError if there are not so many.
    """
    zone = ZoneInfo(calendar.timezone)
    local = start.astimezone(zone)
    day = local.date()
    try:
        while days:
            day += timedelta(days=1)
            days -= bool(calendar.windows(day))
    except OverflowError:
        raise CalendarError("the calendar has not so many working days left") from None
    return datetime.combine(day, local.time(), zone).replace(fold=0).astimezone(UTC)

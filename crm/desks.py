"""Desk profiles: one TOML file for each service agreement, checked when it is loaded."""

import tomllib
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crm.errors import ProfileError
from crm.sla.calendar import ALWAYS
from crm.sla.policy import USUAL_STEPS, Facts, Policies, Policy, Step
from crm.sla.spec import CalendarSpec

PROFILES = Path(__file__).resolve().parent.parent / "desks"

Channel = Literal["telegram", "email", "web", "phone"]
Priority = Literal["low", "normal", "high", "urgent"]
Language = Literal["kk", "ru", "en"]
# Where tickets begin; others come with routing.
QUEUE = "support"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RequestType(_Strict):
    """What a requester may ask for, and how urgent it begins."""

    key: str
    priority: Priority = "normal"


class Profile(_Strict):
    """One agreement: who is served, in which languages, by when."""

    name: str
    title: str
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$")]
    timezone: str
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    team_language: Language
    request_types: Annotated[tuple[RequestType, ...], Field(min_length=1)]
    default_type: str
    # Of promises that name no other.
    calendar: str
    calendars: dict[str, CalendarSpec]
    policies: Annotated[tuple[Policy, ...], Field(min_length=1)]
    # Each has a bit in what is stored of a promise.
    escalations: Annotated[tuple[Step, ...], Field(max_length=12)] = USUAL_STEPS

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError):
            raise ValueError(f"no time zone {value!r}") from None
        return value

    @model_validator(mode="after")
    def _default_exists(self) -> "Profile":
        if self.default_type not in {t.key for t in self.request_types}:
            raise ValueError(f"default_type {self.default_type!r} is not among request_types")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> "Profile":
        """Every calendar and type that is named is there, and every request is promised an answer."""
        promises = [promise for policy in self.policies for promise in policy.promised().values()]
        named = [self.calendar, *(p.calendar for p in promises), *(step.hours for step in self.escalations)]
        types = {kind.key for kind in self.request_types}
        for name in named:
            if name is not None and name not in self.calendars:
                raise ValueError(f"no calendar {name!r}; there are: {', '.join(self.calendars) or 'none'}")
        for name in filter(None, named):
            if not any(self.calendars[name].hours):
                raise ValueError(f"{name} opens on no weekday")
        for name in sorted({key for policy in self.policies for key in policy.request_types} - types):
            raise ValueError(f"policies: no request type {name!r}; there are: {', '.join(sorted(types))}")
        # An engineer may give any request any priority.
        for kind, priority in product(self.request_types, get_args(Priority)):
            facts = Facts("telegram", kind.key, priority, QUEUE)
            promised = {metric for policy in self.policies if policy.fits(facts) for metric in policy.promised()}
            if "first_response" not in promised:
                raise ValueError(f"policies: {kind.key} is promised no first_response when {priority}")
        return self

    @cached_property
    def promises(self) -> Policies:
        """All that the agreement says of promises."""
        return Policies(self.policies, tuple(self.calendars.items()), self.calendar, self.escalations)

    @property
    def around_the_clock(self) -> bool:
        """Whether the desk's own calendar is always open."""
        return self.calendars[self.calendar].hours == ALWAYS.hours

    def request_type(self, key: str) -> RequestType:
        """Raises KeyError for a type that the agreement does not know."""
        for kind in self.request_types:
            if kind.key == key:
                return kind
        raise KeyError(key)

    def language(self, wanted: str | None) -> Language:
        """The nearest of the desk's languages to what a client says of itself (`kk`, `ru-RU`, None)."""
        short = (wanted or "").lower().partition("-")[0]
        for language in self.languages:
            if language == short:
                return language
        return self.team_language


@cache
def load_profile(name: str, folder: Path = PROFILES) -> Profile:
    """Read `desks/<name>.toml`.

    Raises ProfileError with the place and the reason in one line.
    """
    path = folder / f"{name}.toml"
    try:
        return Profile.model_validate({"name": name, **tomllib.loads(path.read_text("utf-8"))})
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise ProfileError(text=f"no desk profile {name!r}; there are: {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(text=f"{path.name}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "profile"
        raise ProfileError(text=f"{path.name}: {place}: {first['msg']}") from None

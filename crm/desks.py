"""Desk profiles: one TOML file for each service agreement, checked when it is loaded."""

import tomllib
from datetime import datetime
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crm.cloud.rules import REQUEST_TYPES, TRIAL, CloudRules, TrialRules
from crm.errors import ProfileError
from crm.sla.calendar import ALWAYS
from crm.sla.closing import Closing
from crm.sla.policy import MOST_STEPS, USUAL_STEPS, Facts, Policies, Policy, Promise, Step
from crm.sla.spec import CalendarSpec
from crm.sla.windows import Recurring, leaves_time
from crm.tickets.wanted import Field as Wanted

PROFILES = Path(__file__).resolve().parent.parent / "desks"

Channel = Literal["telegram", "email", "web", "phone"]
Priority = Literal["low", "normal", "high", "urgent"]
Language = Literal["kk", "ru", "en"]
# Who answers for a new ticket (`crm.tickets.assignment`).
Assignment = Literal["manual", "round_robin", "least_loaded"]
# Where tickets begin; every desk has it.
QUEUE = "support"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RequestType(_Strict):
    """What a requester may ask for, and how urgent it begins."""

    key: str
    priority: Priority = "normal"


class Queue(_Strict):
    """Whose work a ticket is. `title` is for a queue that the catalogues do not know; who gets a ticket from another
    queue takes it over within `accept`. By mail, only contacts of organizations may ask where it says `named_only`, and
    a request that leaves out what is `wanted` waits for that."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
    title: str | None = None
    accept: Promise | None = None
    named_only: bool = False
    wanted: tuple[Wanted, ...] = ()


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
    escalations: Annotated[tuple[Step, ...], Field(max_length=MOST_STEPS)] = USUAL_STEPS
    assignment: Assignment = "manual"
    closing: Closing = Closing()
    maintenance: tuple[Recurring, ...] = ()
    queues: tuple[Queue, ...] = (Queue(key=QUEUE),)
    # Where the desk has hands on a cloud.
    cloud: CloudRules | None = None
    trial: TrialRules | None = None

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
        promises += [queue.accept for queue in self.queues if queue.accept is not None]
        named = [self.calendar, *(p.calendar for p in promises), *(step.hours for step in self.escalations)]
        named.append(self.closing.calendar)
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

    @model_validator(mode="after")
    def _queues_are_known(self) -> "Profile":
        keys = [queue.key for queue in self.queues]
        if QUEUE not in keys or len(set(keys)) < len(keys):
            raise ValueError(f"queues: each key once, and {QUEUE!r} among them")
        for name in sorted({key for policy in self.policies for key in policy.queues} - set(keys)):
            raise ValueError(f"policies: no queue {name!r}; there are: {', '.join(keys)}")
        return self

    @model_validator(mode="after")
    def _cloud_has_types(self) -> "Profile":
        """Each action and the trial are promised under a type of their own."""
        types = {kind.key for kind in self.request_types}
        wanted = set(REQUEST_TYPES.values()) if self.cloud else set()
        missing = sorted((wanted | ({TRIAL} if self.trial else set())) - types)
        if missing:
            raise ValueError(f"cloud: no request type {missing[0]!r}; there are: {', '.join(sorted(types))}")
        if self.trial and not self.cloud:
            raise ValueError("trial: it needs [cloud]")
        if self.trial and self.cloud:
            for resource, limit in self.trial.limits.items():
                if limit > self.cloud.ceilings.get(resource, limit):
                    raise ValueError(f"trial: more {resource} than cloud.ceilings allow")
        return self

    @model_validator(mode="after")
    def _maintenance_leaves_time(self) -> "Profile":
        weekly = tuple(each.calendar for each in self.maintenance)
        for name, spec in self.calendars.items():
            if weekly and any(spec.hours) and not leaves_time(spec.frozen(2026, 2026), weekly):
                raise ValueError(f"maintenance: it leaves no working time of {name}")
        return self

    @cached_property
    def promises(self) -> Policies:
        """All that the agreement says of promises."""
        return Policies(
            self.policies,
            tuple(self.calendars.items()),
            self.calendar,
            self.escalations,
            tuple(each.calendar for each in self.maintenance),
            tuple((queue.key, queue.accept) for queue in self.queues if queue.accept is not None),
        )

    def queue(self, key: str) -> Queue | None:
        return next((queue for queue in self.queues if queue.key == key), None)

    @property
    def around_the_clock(self) -> bool:
        """Whether the desk's own calendar is always open."""
        return self.calendars[self.calendar].hours == ALWAYS.hours

    def silence(self, solved_at: datetime) -> list[datetime]:
        """When a solution that nobody answers is reminded of, and last when it is closed."""
        return self.closing.moments(solved_at, self.promises.calendar(self.closing.calendar, solved_at.year))

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

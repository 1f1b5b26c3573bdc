"""Policies of a desk profile: what is promised to whom, by which calendar; and the terms that a ticket keeps. Pure.

Terms are frozen when a promise is made: its calendar with all dates, what stops its clock, what happens on the way.
They are stored by their hash, so a later edit of the profile moves nothing that was promised.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm.sla import windows
from crm.sla.calendar import Calendar
from crm.sla.clock import Pause
from crm.sla.spec import CalendarSpec

Metric = Literal["first_response", "next_response", "resolution", "inform", "transfer"]
# What a policy may promise.
METRICS: tuple[Metric, ...] = ("first_response", "next_response", "resolution", "inform")
# Between queues, and never shown to a requester: the receiving one takes it over in time.
TRANSFER: Metric = "transfer"
# What may stop a clock at the policy's wish; an ended ticket's clock always stands.
Stop = Literal["pending", "on_hold", "maintenance"]
ENDINGS = frozenset({"resolved", "closed", "declined"})
Recipient = Literal["assignee", "on_duty", "lead"]
Reopening = Literal["resume", "restart", "ignore"]
Minutes = Annotated[int, Field(gt=0, le=5_256_000)]
# A promise that reaches further knows no public holidays there.
YEARS_AHEAD = 10


def organization_key(name: str) -> str:
    """An organization's name as it is compared: however people space and capitalise it."""
    return " ".join(name.split()).casefold()


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Promise(_Strict):
    """Minutes of a calendar; without one, of the desk's own."""

    minutes: Minutes
    calendar: str | None = None


class Step(_Strict):
    """What happens when a share of a promise has run, or so many minutes after all of it has.

    `hours` names a calendar: outside of it nobody is told before it opens. The `assignee` of a ticket that nobody took,
    or whose assignee is not on duty: everybody on duty. The `lead`: the leads on duty, or all of them. A step that
    tells nobody is only logged.
    """

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    after: Minutes | None = None
    tell: tuple[Recipient, ...] = ("assignee",)
    raise_priority: bool = False
    reassign: bool = False
    hours: str | None = None
    metrics: tuple[Metric, ...] = ()

    @model_validator(mode="after")
    def _one_moment(self) -> "Step":
        if (self.share is None) == (self.after is None):
            raise ValueError("a step has either a share or minutes after the breach")
        return self

    def seconds(self, budget: int) -> float:
        """Of running clock, from the start of a promise with that budget in seconds."""
        return budget * self.share if self.share is not None else budget + (self.after or 0) * 60

    @property
    def breaks(self) -> bool:
        return self.share == 1


# A promise keeps which of its steps are behind in a column of 15 bits, and a breach may be added to what is written.
MOST_STEPS = 14
USUAL_STEPS = (Step(share=0.5), Step(share=0.8), Step(share=1))


class Policy(_Strict):
    """For tickets of these channels, types, priorities, organizations and queues; none named: for all."""

    channels: frozenset[str] = frozenset()
    request_types: frozenset[str] = frozenset()
    priorities: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    first_response: Promise | None = None
    next_response: Promise | None = None
    resolution: Promise | None = None
    inform: Promise | None = None
    stops: frozenset[Stop] = frozenset({"pending", "on_hold", "maintenance"})
    reopening: Reopening = "resume"

    @field_validator("organizations")
    @classmethod
    def _as_compared(cls, names: frozenset[str]) -> frozenset[str]:
        return frozenset(map(organization_key, names))

    @model_validator(mode="after")
    def _promises(self) -> "Policy":
        if not self.promised():
            raise ValueError(f"a policy promises one of {', '.join(METRICS)}")
        return self

    def promised(self) -> dict[Metric, Promise]:
        found: dict[Metric, Promise | None] = {metric: getattr(self, metric) for metric in METRICS}
        return {metric: promise for metric, promise in found.items() if promise is not None}

    def fits(self, facts: "Facts") -> bool:
        pairs = (
            (self.channels, facts.channel),
            (self.request_types, facts.request_type),
            (self.priorities, facts.priority),
            (self.organizations, facts.organization),
            (self.queues, facts.queue),
        )
        return all(not wanted or value in wanted for wanted, value in pairs)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a ticket's promises depend on; the organization by its `organization_key`."""

    channel: str
    request_type: str
    priority: str
    queue: str
    organization: str | None = None


@dataclass(frozen=True)
class Terms:
    """A promise's small print, as it is stored."""

    calendar: Calendar
    stops: frozenset[str]
    reopening: Reopening
    steps: tuple[Step, ...]
    # Open while the weekly maintenance goes on; none for a clock that does not stop for it.
    weekly: windows.Weekly = ()

    def body(self) -> dict[str, Any]:
        """The same terms give the same JSON; what is not in them has no key, so that older hashes stay."""
        weekly = {"weekly": [each.as_plain() for each in self.weekly]} if self.weekly else {}
        return weekly | {
            "calendar": self.calendar.as_plain(),
            "stops": sorted(self.stops),
            "reopening": self.reopening,
            "steps": [step.model_dump(mode="json", exclude={"metrics"}, exclude_defaults=True) for step in self.steps],
        }

    @cached_property
    def hash(self) -> str:
        return sha256(json.dumps(self.body(), sort_keys=True).encode()).hexdigest()[:32]

    def reached(self, start: datetime, seconds: float, pauses: Iterable[Pause]) -> datetime | None:
        """When the clock has run so long; `pauses` are those that stop it, the weekly maintenance comes by itself."""
        return windows.reached(start, seconds, pauses, self.calendar, self.weekly)

    def standing(self, pauses: Iterable[Pause], since: datetime, until: datetime) -> list[Pause]:
        """All that stops the clock between two moments, the weekly maintenance included."""
        known = [pause for pause in pauses if pause.kind in self.stops]
        return [*known, *windows.between(self.weekly, since, until)]

    @property
    def breach(self) -> int:
        """The place of the breach among the steps."""
        return next(place for place, step in enumerate(self.steps) if step.breaks)


def terms_from(body: Mapping[str, Any]) -> Terms:
    return _terms(json.dumps(body, sort_keys=True))


@lru_cache(maxsize=4096)
def _terms(body: str) -> Terms:
    plain = json.loads(body)
    steps = tuple(Step.model_validate(step) for step in plain["steps"])
    weekly = tuple(Calendar.from_plain(each) for each in plain.get("weekly", ()))
    calendar, stops = Calendar.from_plain(plain["calendar"]), frozenset(plain["stops"])
    return Terms(calendar, stops, plain["reopening"], steps, weekly)


@dataclass(frozen=True, slots=True)
class Promised:
    """`budget` in seconds of running clock."""

    metric: Metric
    budget: int
    terms: Terms


@dataclass(frozen=True)
class Policies:
    """All that a profile says of promises. For each metric the first policy that fits and names it counts."""

    policies: tuple[Policy, ...]
    calendars: tuple[tuple[str, CalendarSpec], ...]
    default_calendar: str
    steps: tuple[Step, ...]
    weekly: windows.Weekly = ()
    # By queue: how soon a transfer to it is to be taken over.
    accepts: tuple[tuple[str, Promise], ...] = ()

    def promised(self, facts: Facts, now: datetime) -> tuple[Promised, ...]:
        """What a ticket with these facts is promised by what the profile says now."""
        # What no policy names is all the same, and worked out once.
        known = facts if facts.organization in self._organizations else replace(facts, organization=None)
        return _promised(self, known, now.year)

    @cached_property
    def _organizations(self) -> frozenset[str]:
        return frozenset[str]().union(*(policy.organizations for policy in self.policies))

    @cached_property
    def answers_again(self) -> bool:
        """Whether anything is promised for a message that follows an answer."""
        return any(policy.next_response is not None for policy in self.policies)

    def accepted(self, queue: str, now: datetime) -> Promised | None:
        """By when a transfer to the queue is to be taken over; None if it has no such target."""
        promise = dict(self.accepts).get(queue)
        if promise is None:
            return None
        # Who need not work on a ticket while it waits need not take it over either.
        terms = self._terms(TRANSFER, promise, Policy(resolution=promise), now.year)
        return Promised(TRANSFER, promise.minutes * 60, terms)

    def all_terms(self, now: datetime) -> dict[str, Terms]:
        """By hash: whatever terms a ticket that opens or is transferred this year can have."""
        found = [
            self._terms(metric, promise, policy, now.year)
            for policy in self.policies
            for metric, promise in policy.promised().items()
        ]
        found += [taken.terms for queue, _ in self.accepts if (taken := self.accepted(queue, now)) is not None]
        return {terms.hash: terms for terms in found}

    def calendar(self, name: str | None, year: int) -> Calendar:
        """Raises KeyError for a name that the profile does not have."""
        return dict(self.calendars)[name or self.default_calendar].frozen(year - 1, year + YEARS_AHEAD)

    def _terms(self, metric: Metric, promise: Promise, policy: Policy, year: int) -> Terms:
        steps = _in_order(step for step in self.steps if not step.metrics or metric in step.metrics)
        stops = frozenset[str](policy.stops) | ENDINGS
        weekly = self.weekly if windows.KIND in stops else ()
        return Terms(self.calendar(promise.calendar, year), stops, policy.reopening, steps, weekly)


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """By their moment; the breach is always among them, and waits for nobody's hours to be recorded."""
    found = list(steps)
    if not any(step.breaks for step in found):
        found.append(Step(share=1))
    if all(step.hours for step in found if step.breaks):
        found.append(Step(share=1, tell=()))
    return tuple(sorted(found, key=lambda step: (step.after or 0, step.share or 1, step.hours is not None)))


@lru_cache(maxsize=1024)
def _promised(policies: Policies, facts: Facts, year: int) -> tuple[Promised, ...]:
    found: dict[Metric, Promised] = {}
    for policy in policies.policies:
        if policy.fits(facts):
            for metric, promise in policy.promised().items():
                terms = policies._terms(metric, promise, policy, year)
                found.setdefault(metric, Promised(metric, promise.minutes * 60, terms))
    return tuple(found[metric] for metric in METRICS if metric in found)

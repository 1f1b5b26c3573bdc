"""What a profile says of hands on the cloud: who approves what, ceilings, deadlines, trials. Pure."""

from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Power = Literal["reboot", "unlock", "start", "stop"]
Kind = Literal["reboot", "unlock", "start", "stop", "quota", "password", "link", "open"]
POWERS: tuple[Power, ...] = get_args(Power)
# What a project may have at most; `ram` in MiB.
Resource = Literal["instances", "vcpus", "ram", "networks", "routers", "floating_ips"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)
# Of agents and contacts alike: ask for actions; approve those of power; approve those that cost money.
Right = Literal["request", "power", "money"]
RIGHTS: tuple[Right, ...] = get_args(Right)
Limits = dict[Resource, Annotated[int, Field(ge=0, le=10_000_000)]]
# By whom a trial is known to have been had.
Once = Literal["organization", "person", "phone", "domain"]

# The request type under which each is promised.
REQUEST_TYPES: dict[Kind, str] = {
    **dict.fromkeys(POWERS, "vm"),
    "quota": "quota",
    "password": "password",
    "link": "link",
    "open": "cabinet",
}
# The request type of a trial, which begins with a cabinet as well.
TRIAL = "trial"
# What comes of these is a password, which reaches its one reader by a page (`pages.py`).
HANDED_OVER: tuple[Kind, ...] = ("password", "open")
# How long the cloud may take, in seconds, before a person has to look.
PATIENCE: dict[Kind, int] = {**dict.fromkeys(POWERS, 180), "quota": 120, "password": 60, "link": 300, "open": 300}


def types_of(kind: str) -> tuple[str, ...]:
    """Request types that ask for just that."""
    asked = REQUEST_TYPES[kind]  # type: ignore[index]
    return (asked, TRIAL) if kind == "open" else (asked,)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CloudRules(_Strict):
    """`self_service`: an authorised contact's word is enough. `two_persons`: whoever approves is not who asked.

    `money`: approving needs the right `money`, the others `power`. A plan that nobody approves expires after
    `plan_minutes`. `ceilings`: no quota is raised above them; `reserve`: the share of all capacity that stays free.
    `cabinet`: quotas of a new cabinet (prodata 5.2: set by themselves). `patience`: seconds, where the usual ones do
    not fit.
    """

    self_service: tuple[Kind, ...] = ()
    two_persons: tuple[Kind, ...] = ()
    money: tuple[Kind, ...] = ("quota", "link", "open")
    plan_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    ceilings: Limits = {}
    reserve: Annotated[float, Field(ge=0, lt=1)] = 0.1
    cabinet: Limits = {}
    patience: dict[Kind, Annotated[int, Field(ge=1, le=3600)]] = {}

    @model_validator(mode="after")
    def _nobody_is_two(self) -> "CloudRules":
        both = sorted({*self.self_service} & {*self.two_persons})
        if both:
            raise ValueError(f"{both[0]} cannot be self_service and need two_persons")
        return self

    @property
    def plan_life(self) -> timedelta:
        return timedelta(minutes=self.plan_minutes)

    def right(self, kind: Kind) -> Right:
        """What who approves it needs."""
        return "money" if kind in self.money else "power"

    def patient(self, kind: Kind) -> timedelta:
        return timedelta(seconds=self.patience.get(kind, PATIENCE[kind]))


class TrialRules(_Strict):
    """Free use for `days` calendar days from the first launch (prodata 5.4), within `limits`, once for each of `once`.

    `public_domains`: mail domains that many share, so that they say nothing of who it is.
    """

    days: Annotated[int, Field(ge=1, le=366)] = 3
    limits: Limits = {}
    once: tuple[Once, ...] = ("organization", "person", "phone", "domain")
    public_domains: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()

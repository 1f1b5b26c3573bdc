"""What the five agreements say of time, as their profiles promise it."""

import tomllib
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.views import Look, describe, type_labels
from crm.cloud.trial_steps import ends_at
from crm.desks import PROFILES, Profile, load_profile
from crm.sla.clock import reached
from crm.sla.policy import Facts
from crm.texts import texts

DESKS = sorted(path.stem for path in PROFILES.glob("*.toml"))


def due(profile: Profile, metric: str, channel: str, kind: str, local: str, priority: str = "normal") -> str:
    """The local minute by which it is promised, of a request that comes at that local minute."""
    zone = profile.calendars[profile.calendar].frozen(2026, 2026).timezone
    came = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    facts = Facts(channel, kind, priority, "support")
    [found] = [one for one in profile.promises.promised(facts, came) if one.metric == metric]
    at = reached(came, found.budget, (), found.terms.calendar)
    assert at is not None
    return at.astimezone(came.tzinfo).strftime("%Y-%m-%dT%H:%M")


GENESYS = [
    ("phone", "2026-11-23T10:00", "2026-11-23T10:15"),
    ("email", "2026-11-23T10:00", "2026-11-23T11:00"),
    ("email", "2026-11-20T17:30", "2026-11-23T09:30"),  # over the weekend
    ("email", "2026-11-20T17:00", "2026-11-20T18:00"),  # up at closing is due at closing
    ("phone", "2026-11-20T19:00", "2026-11-23T09:15"),
    ("email", "2024-05-04T12:00", "2024-05-04T13:00"),  # a Saturday worked in exchange
    ("email", "2025-01-05T12:00", "2025-01-05T13:00"),  # and a Sunday
    ("email", "2026-08-31T09:00", "2026-08-31T10:00"),  # a working day since July 2026
    ("email", "2027-03-15T09:00", "2027-03-16T10:00"),  # Constitution Day from 2027
    ("email", "2026-03-20T17:30", "2026-03-26T09:30"),  # Nauryz with its moved days
    ("email", "2024-02-29T17:30", "2024-03-01T09:30"),  # the night in which Almaty changed its offset
]


@pytest.mark.parametrize(("channel", "came", "expected"), GENESYS)
def test_genesys_answers_in_working_hours(channel: str, came: str, expected: str) -> None:
    assert due(load_profile("genesys"), "first_response", channel, "incident", came) == expected


def test_genesys_answers_a_change_of_terms_within_ten_days_and_a_grave_one_sooner() -> None:
    profile = load_profile("genesys")
    assert due(profile, "resolution", "email", "change", "2026-11-20T17:30") == "2026-11-30T17:30"
    assert due(profile, "resolution", "email", "change", "2026-11-20T17:30", "high") == "2026-11-25T17:30"


def test_meo_counts_by_moscow() -> None:
    profile = load_profile("meo")
    assert due(profile, "first_response", "email", "methodology", "2026-11-20T17:00") == "2026-11-23T17:00"
    assert due(profile, "first_response", "telegram", "incident", "2026-11-04T12:00") == "2026-11-05T13:00"


@pytest.mark.parametrize("name", DESKS)
def test_every_desk_is_complete(name: str) -> None:
    """Every request that may be asked for has a name and a promise in each language of the desk."""
    profile = load_profile(name)
    for language in profile.languages:
        labels = type_labels(texts(language))
        look = Look(profile, language, datetime.fromisoformat("2026-11-20T17:30+05:00"))
        for kind in profile.request_types:
            assert labels[kind.key]
            assert describe(look, kind.key, 1).text
    prefixes = [load_profile(other).prefix for other in DESKS]
    assert prefixes.count(profile.prefix) == 1


def test_prodata_gives_a_trial_as_its_agreement_says() -> None:
    """prodata 5.4: three calendar days from the first launch, once, to new customers, within limits."""
    profile = load_profile("prodata")
    assert profile.trial is not None
    assert profile.cloud is not None
    assert profile.trial.days == 3
    assert {*profile.trial.once} == {"organization", "person", "phone", "domain"}
    assert profile.trial.limits
    assert all(limit < profile.cloud.ceilings[name] for name, limit in profile.trial.limits.items())
    # It costs: who decides it may spend money, and is not who asked.
    assert profile.cloud.right("open") == "money"
    assert "open" in profile.cloud.two_persons
    begun = datetime.fromisoformat("2026-11-22T14:32+05:00")
    assert ends_at(begun, profile.trial.days, profile.timezone) == datetime.fromisoformat("2026-11-25T14:32+05:00")
    # Whoever writes the bills is there to be told.
    assert profile.queue("billing") is not None


@pytest.mark.parametrize("name", ["genesys", "meo", "edukz", "indigo"])
def test_the_others_give_none(name: str) -> None:
    assert load_profile(name).trial is None


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        ({"limits": {"vcpus": 401}}, "trial: more vcpus than cloud.ceilings allow"),
        ({"days": 0}, "trial.days"),
        ({"once": ["car"]}, "trial.once.0"),
        ({"public_domains": ["Gmail.com"]}, "trial.public_domains.0"),
        ({"public_domains": ["gmail"]}, "trial.public_domains.0"),
        ({"limits": {"cats": 1}}, "trial.limits.cats"),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused(trial: dict[str, object], said: str) -> None:
    raw = tomllib.loads((PROFILES / "prodata.toml").read_text("utf-8"))
    with pytest.raises(ValidationError) as refused:
        Profile.model_validate({"name": "prodata", **raw, "trial": trial})
    first = refused.value.errors()[0]
    assert said in ".".join(str(part) for part in first["loc"]) + ": " + first["msg"]

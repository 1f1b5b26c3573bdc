"""When warnings, breach and escalations fall, and which terms a ticket gets."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.desks import load_profile
from crm.sla.calendar import ALWAYS, Calendar
from crm.sla.clock import Pause
from crm.sla.policy import ENDINGS, USUAL_STEPS, Facts, Policies, Policy, Promise, Step, Terms, terms_from
from crm.sla.spec import CalendarSpec
from crm.sla.steps import falls_at, ledger, left, next_at, passed, still_behind, told_at
from tests.factories import NOW

START = datetime(2026, 3, 20, 11, 0, tzinfo=UTC)  # Friday, 16:00 in Almaty
WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = Calendar.from_plain(
    {"timezone": "Asia/Almaty", "hours": WEEK, "holidays": ["2026-03-23", "2026-03-24", "2026-03-25"]}
)
STOPS = frozenset({"pending"}) | ENDINGS


def terms(*steps: Step, calendar: Calendar = ALWAYS) -> Terms:
    return Terms(calendar, STOPS, "resume", steps or USUAL_STEPS)


LATER = terms(Step(share=1), Step(after=10, hours="office"), Step(after=20))


def nowhere(_: str) -> Calendar | None:
    return None


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def test_half_four_fifths_and_all() -> None:
    assert [falls_at(place, START, 600, (), terms()) for place in range(3)] == [at(5), at(8), at(10)]


def test_steps_fall_into_working_hours_of_the_promise() -> None:
    moments = [falls_at(place, START, 10 * 3600, (), terms(calendar=OFFICE)) for place in range(3)]
    local = [moment.astimezone(ZoneInfo("Asia/Almaty")).strftime("%d %H:%M") for moment in moments if moment]
    assert local == ["26 12:00", "26 15:00", "26 17:00"]


def test_a_step_after_the_breach_counts_running_clock() -> None:
    late = terms(Step(share=1), Step(after=60), calendar=OFFICE)
    # Breach on Friday at 17:30; half an hour is left of the day, the rest comes after the holidays.
    assert falls_at(1, START, 90 * 60, (), late) == datetime(2026, 3, 26, 4, 30, tzinfo=UTC)


def test_an_open_pause_holds_all_steps_that_come_after_it() -> None:
    pauses = [Pause(at(6), None)]
    assert next_at(0, START, 600, pauses, terms(), nowhere, START) == at(5)
    assert next_at(0b001, START, 600, pauses, terms(), nowhere, START) is None


def test_only_pauses_of_the_terms_count() -> None:
    waits = [Pause(at(1), at(2), "pending"), Pause(at(3), at(4), "on_hold"), Pause(at(5), at(6), "resolved")]
    assert [pause.kind for pause in ledger(waits, terms())] == ["pending", "resolved"]


def test_whoever_sleeps_is_told_in_the_morning_and_the_breach_is_not_late_for_it() -> None:
    night = datetime(2026, 3, 19, 18, 0, tzinfo=UTC)  # 23:00
    step = Step(share=0.5, hours="office")
    both = terms(step, Step(share=1))

    def hours(name: str) -> Calendar | None:
        return {"office": OFFICE}.get(name)

    assert told_at(0, night, 3600, (), both, hours, night) == datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
    assert next_at(0, night, 3600, (), both, hours, night) == night + timedelta(hours=1)
    # A calendar that the profile no longer has delays nothing.
    assert told_at(0, night, 3600, (), both, nowhere, night) == night + timedelta(minutes=30)


def test_nothing_is_left_after_the_last_step() -> None:
    assert next_at(0b111, START, 600, (), terms(), nowhere, START) is None


def test_a_step_that_waits_for_morning_is_not_forgotten_for_a_later_one() -> None:
    last = passed([0, 2], 0, LATER)
    assert left(last, LATER) == [1]
    assert next_at(last, START, 600, (), LATER, nowhere, START) == at(20)


def test_what_is_broken_needs_no_more_warnings() -> None:
    assert left(passed([2], 0, terms()), terms()) == []
    assert left(passed([1], 0, terms()), terms()) == [0, 2]


def test_a_longer_promise_does_anew_only_what_has_not_fallen_yet() -> None:
    done = passed([0, 1, 2], 0, terms())
    assert still_behind(done, START, 600, (), terms(), at(12)) == 0b111
    assert still_behind(done, START, 1440, (), terms(), at(12)) == 0b001
    assert still_behind(done, START, 600, [Pause(at(6), None)], terms(), at(12)) == 0b001


# --- terms -------------------------------------------------------------------------------------------------------


def test_terms_come_back_as_they_were_stored() -> None:
    late = terms(Step(share=0.5, tell=("lead",), hours="office"), Step(share=1), Step(after=30, raise_priority=True))
    again = terms_from(late.body())
    assert again == late
    assert again.hash == late.hash
    assert again.breach == 1


def test_other_terms_have_another_hash() -> None:
    made = [
        terms(),
        terms(calendar=OFFICE),
        terms(Step(share=1)),
        Terms(ALWAYS, ENDINGS, "resume", USUAL_STEPS),
        Terms(ALWAYS, STOPS, "restart", USUAL_STEPS),
    ]
    assert len({one.hash for one in made}) == len(made)


SPEC = CalendarSpec(timezone="Asia/Almaty", hours={"mon-fri": [["09:00", "18:00"]]}, country="KZ")


def policies(*found: Policy, steps: tuple[Step, ...] = USUAL_STEPS) -> Policies:
    return Policies(found, (("office", SPEC),), "office", steps)


FACTS = Facts("telegram", "fault", "high", "support")


def test_for_each_metric_the_first_policy_that_fits_counts() -> None:
    promised = policies(
        Policy(channels=frozenset({"email"}), first_response=Promise(minutes=1)),
        Policy(request_types=frozenset({"fault"}), priorities=frozenset({"high"}), resolution=Promise(minutes=2)),
        Policy(first_response=Promise(minutes=3), resolution=Promise(minutes=4)),
    ).promised(FACTS, NOW)
    assert [(one.metric, one.budget) for one in promised] == [("first_response", 180), ("resolution", 120)]


@pytest.mark.parametrize("name", ["channels", "request_types", "priorities", "queues", "organizations"])
def test_a_policy_fits_only_what_it_names(name: str) -> None:
    policy = Policy(**{name: frozenset({"something"})}, resolution=Promise(minutes=1))
    assert not policy.fits(FACTS)
    assert Policy(resolution=Promise(minutes=1)).fits(FACTS)


def test_the_breach_is_always_among_the_steps_and_they_are_in_order() -> None:
    mixed = (Step(after=30), Step(share=0.9), Step(after=10), Step(share=0.2))
    [one] = policies(Policy(resolution=Promise(minutes=60)), steps=mixed).promised(FACTS, NOW)
    assert [(step.share, step.after) for step in one.terms.steps] == [
        (0.2, None), (0.9, None), (1.0, None), (None, 10), (None, 30),
    ]  # fmt: skip


def test_a_breach_that_is_told_in_the_morning_is_recorded_at_once() -> None:
    sleepers = (Step(share=1, hours="office"), Step(after=10))
    [one] = policies(Policy(resolution=Promise(minutes=60)), steps=sleepers).promised(FACTS, NOW)
    assert one.terms.steps == (Step(share=1, tell=()), *sleepers)
    assert one.terms.breach == 0


def test_steps_may_be_for_some_metrics_only() -> None:
    only = (Step(share=0.5, metrics=("resolution",)), Step(share=1))
    both = Policy(first_response=Promise(minutes=1), resolution=Promise(minutes=1))
    found = {one.metric: len(one.terms.steps) for one in policies(both, steps=only).promised(FACTS, NOW)}
    assert found == {"first_response": 1, "resolution": 2}


def test_public_holidays_are_frozen_with_the_terms() -> None:
    [one] = policies(Policy(resolution=Promise(minutes=60))).promised(FACTS, NOW)
    plain = one.terms.body()["calendar"]
    assert "2026-12-16" in plain["holidays"]
    assert "2035-12-17" in plain["holidays"] or "2035-12-16" in plain["holidays"]


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [("outage", 60), ("fault", 240), ("vm", 10), ("quota", 20), ("password", 20), ("link", 30), ("other", 1440)],
)
def test_prodata_promises_what_its_agreement_says(kind: str, minutes: int) -> None:
    profile = load_profile("prodata")
    for channel, first in (("telegram", 10), ("email", 1440)):
        facts = Facts(channel, kind, profile.request_type(kind).priority, "support")
        promised = {one.metric: one.budget for one in profile.promises.promised(facts, NOW)}
        assert promised["first_response"] == first * 60
        assert promised["resolution"] == minutes * 60
        assert ("inform" in promised) == (kind == "outage")

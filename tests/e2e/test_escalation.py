"""A promise in danger climbs: whoever is on duty, then the lead as well, then the lead alone."""

from crm.texts import texts
from tests.e2e.test_promises import mentioned, shift
from tests.e2e.world import World, said

t = texts("ru")


async def test_it_reaches_the_engineer_on_duty_and_then_the_lead(world: World) -> None:
    """The lead is off duty: not called for a warning, but when the promise is broken."""
    await world.ready()
    await world.sandbox.say(world.lead, world.group, "/duty off")
    await world.in_group(t("On duty:"))
    case = await world.case("nobody answers")
    await world.settled()
    name = t("First response")
    await shift(world, "first_response", 0.51)
    half = await world.in_group(f"⏳ {name}", thread=case.thread)
    assert mentioned(half) == [world.engineer]
    await shift(world, "first_response", 1.01)
    broken = await world.in_group(f"🔴 {name}", thread=case.thread)
    assert mentioned(broken) == [world.engineer, world.lead]
    # Ten minutes were promised; half an hour more has passed.
    await shift(world, "first_response", 4.01)
    late = await world.in_group(f"🚨 {name}", thread=case.thread)
    assert mentioned(late) == [world.lead]
    assert t("The priority is raised: {priority}", priority=t("high")) in said(late)
    await world.card(case.thread, t("high"))
    await world.untroubled()
    steps = await world.fetch("select kind from ticket_event where actor_kind = 'system' order by seq")
    assert [row["kind"] for row in steps] == ["warned", "breached", "escalated", "priority"]


async def test_whoever_took_it_and_went_home_is_not_called(world: World) -> None:
    """Their shift is over; the colleague on duty is called instead."""
    await world.ready()
    case = await world.case("taken and left")
    await world.press_card(world.engineer, case.thread, "Take")
    await world.card(case.thread, "Динара")
    await world.sandbox.say(world.engineer, world.group, "/duty off")
    await world.in_group(t("On duty:"))
    await shift(world, "resolution", 0.51)
    half = await world.in_group(f"⏳ {t('Resolution')}", thread=case.thread)
    assert mentioned(half) == [world.lead]
    await world.untroubled()

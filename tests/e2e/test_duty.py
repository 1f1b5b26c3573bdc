"""Duty in the group, as engineers see it: who is on, who is away, whose the requests are then."""

from crm.texts import texts
from tests.e2e.test_promises import mentioned
from tests.e2e.world import World, said

t = texts("ru")


async def test_away_hands_the_requests_back(world: World) -> None:
    """The topic is told, the card has nobody any more, another can take it; back is on duty again."""
    await world.ready()
    case = await world.case("who has it now")
    await world.press_card(world.engineer, case.thread, "Take")
    await world.card(case.thread, "Динара")
    await world.sandbox.say(world.engineer, world.group, "/away")
    free = t("{name} is away: the request is free again", name="Динара")
    await world.in_group(free, thread=case.thread)
    await world.in_group(t("{name} is away; /back ends it.", name="Динара"))
    await world.card(case.thread, t("nobody yet"))
    await world.sandbox.say(world.lead, world.group, "/duty")
    shown = await world.in_group(t("On duty:"))
    assert "Ерлан" in said(shown)
    assert "Динара" not in said(shown)
    await world.press_card(world.lead, case.thread, "Take")
    await world.card(case.thread, "Ерлан")
    await world.sandbox.say(world.engineer, world.group, "/back")
    await world.in_group(t("Welcome back, {name}! You are on duty.", name="Динара"))
    await world.untroubled()
    events = await world.fetch(
        "select kind, actor_name from ticket_event where kind in ('take', 'released') order by seq"
    )
    assert [tuple(row) for row in events] == [("take", "Динара"), ("released", "Динара"), ("take", "Ерлан")]


async def test_a_shift_is_given_and_refused(world: World) -> None:
    """The colleague is called, and says no with a button; the week shows whose it is."""
    await world.ready()
    sandbox = world.sandbox
    await sandbox.say(world.engineer, world.group, "/duty add mon-sun 09:00-18:00")
    await world.in_group(t("Shifts of {name}:", name="Динара"))
    hello = await sandbox.say(world.lead, world.group, "кто завтра?")
    await sandbox.say(world.engineer, world.group, "/duty swap tomorrow", reply_to=hello["message_id"])
    told = await world.in_group("🔄")
    assert mentioned(told) == [world.lead]
    given = "select count(*) as n from duty_override where ends_at > starts_at"
    assert (await world.fetch(given))[0]["n"] == 2
    await world.press(world.engineer, world.group, told, t("Refuse"))
    await world.settled()
    assert (await world.fetch(given))[0]["n"] == 2
    await world.press(world.lead, world.group, told, t("Refuse"))
    answer = await world.in_group(t("{name} cannot take the shift, it is yours again.", name="Ерлан"))
    assert mentioned(answer) == [world.engineer]
    assert (await world.fetch(given))[0]["n"] == 0
    await world.untroubled()

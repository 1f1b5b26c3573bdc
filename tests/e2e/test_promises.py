"""The promise in the topic: warned at half and at four fifths of the time, then broken, each time with a name."""

from crm.texts import texts
from tests.e2e.world import Json, World, said

t = texts("ru")


async def shift(world: World, metric: str, share: float) -> None:
    """As if that share of the time had passed already."""
    await world.fetch(
        """
        with moved as (
            select id, budget * cast($2 as float8) * interval '1 second' - (now() - started_at) as by from sla_target
            where metric = $1)
        update sla_target s set started_at = started_at - moved.by, due_at = due_at - moved.by,
               next_at = next_at - moved.by
        from moved where moved.id = s.id
        """,
        metric,
        share,
    )


def mentioned(message: Json) -> list[int]:
    return [entity["user"]["id"] for entity in message.get("entities", ()) if entity["type"] == "text_mention"]


async def test_warned_and_broken(world: World) -> None:
    """Nobody took it: everybody on duty is named. Each step is said once."""
    await world.ready()
    case = await world.case("nobody answers")
    await world.settled()
    name = t("First response")
    await shift(world, "first_response", 0.51)
    half = await world.in_group(f"⏳ {name}", thread=case.thread)
    assert "50" in said(half)
    assert sorted(mentioned(half)) == sorted([world.lead, world.engineer])
    await shift(world, "first_response", 0.81)
    late = await world.in_group(f"⏳ {name}", thread=case.thread, after=half["message_id"])
    assert "80" in said(late)
    await shift(world, "first_response", 1.01)
    broken = await world.in_group(f"🔴 {name}", thread=case.thread, after=late["message_id"])
    assert sorted(mentioned(broken)) == sorted([world.lead, world.engineer])
    await world.card(case.thread, "🔴")
    await world.untroubled()
    found = [said(m) for m in await world.messages(world.group, world.lead, case.thread)]
    assert sum(text.startswith("⏳") for text in found) == 2
    assert sum(text.startswith("🔴") for text in found) == 1
    steps = await world.fetch(
        "select kind, data ->> 'share' as share from ticket_event where kind in ('warned', 'breached')"
    )
    assert [tuple(row) for row in steps] == [("warned", "0.5"), ("warned", "0.8"), ("breached", None)]


async def test_the_one_who_took_it_is_named(world: World) -> None:
    """The desk was away across both warnings: only the last of them is said."""
    await world.ready()
    case = await world.case("taken, not solved")
    await world.press_card(world.engineer, case.thread, "Take")
    await world.card(case.thread, "Динара")
    await shift(world, "resolution", 0.9)
    late = await world.in_group(f"⏳ {t('Resolution')}", thread=case.thread)
    assert "80" in said(late)
    assert mentioned(late) == [world.engineer]
    await world.untroubled()


async def test_what_counts_as_an_answer(world: World) -> None:
    """Neither the bot's acknowledgement nor a note is one; a reply is, and then nobody is warned any more."""
    await world.ready()
    case = await world.case("who will answer")
    await world.sandbox.say(world.engineer, world.group, "just a note", thread=case.thread)
    await world.settled()
    met = "select met_at from sla_target where metric = 'first_response'"
    assert (await world.fetch(met))[0]["met_at"] is None
    await world.answer(case, "I will")
    await world.in_chat(case.customer, "I will")
    await world.card(case.thread, f"✅ {t('First response')}")
    assert (await world.fetch(met))[0]["met_at"] is not None
    await shift(world, "first_response", 1.5)
    await shift(world, "resolution", 0.51)
    await world.in_group(f"⏳ {t('Resolution')}", thread=case.thread)
    found = [said(m) for m in await world.messages(world.group, world.lead, case.thread)]
    assert not any(t("First response") in text for text in found if text.startswith(("⏳", "🔴")))


async def test_the_clock_stands_while_it_waits(world: World) -> None:
    """Pending: nothing is due; the customer's answer starts the clock with a later time, and says so."""
    await world.ready()
    case = await world.case("what is your address")
    due = "select due_at, next_at from sla_target where metric = 'resolution'"
    before = (await world.fetch(due))[0]["due_at"]
    await world.press_card(world.engineer, case.thread, "Wait for the customer")
    await world.in_chat(case.customer, "PD-1001 is waiting for your answer.")
    await world.card(case.thread, "⏸")
    assert (await world.fetch(due))[0]["next_at"] is None
    # An hour passes.
    for table, column in (("sla_pause", "started_at"), ("sla_target", "started_at"), ("sla_target", "due_at")):
        await world.fetch(f"update {table} set {column} = {column} - interval '1 hour'")
    await world.sandbox.say(case.customer, world.bot, "10.0.0.5")
    await world.in_chat(case.customer, "The new promised time:")
    after = (await world.fetch(due))[0]["due_at"]
    assert 0 < (after - before).total_seconds() < 60
    await world.untroubled()

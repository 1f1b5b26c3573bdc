"""Emergency mode: declared by a lead, read by customers, kept in the log, over by itself."""

from datetime import timedelta

from crm.texts import texts
from tests.e2e.world import World, said

t = texts("ru")
SLOWLY = "We answer more slowly than usual now: {reason}"
REASON = "Power failure in the data centre"


async def promised(world: World) -> list[timedelta]:
    rows = await world.fetch(
        "select due_at - started_at as span from sla_target where metric = 'first_response' order by id"
    )
    return [row["span"] for row in rows]


async def test_declared_told_and_over_by_itself(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    await sandbox.say(world.lead, world.group, f"/emergency 60 4h {REASON}")
    begun = await world.in_group("🆘")
    assert REASON in said(begun)
    assert not begun.get("is_topic_message")
    case = await world.case("my machine is gone", await world.customer("Айгерім", "kk"))
    await world.in_chat(case.customer, texts("kk")(SLOWLY, reason=REASON))
    [row] = await world.fetch(
        "select data -> 'emergency' ->> 'reason' as reason from ticket_event where kind = 'opened'"
    )
    assert row["reason"] == REASON
    # Its history cannot be rewritten, so the clock is moved behind the back of what keeps it.
    await world.fetch("alter table emergency disable trigger emergency_kept")
    await world.fetch("update emergency set started_at = started_at - interval '4 hours', ends_at = now()")
    await world.fetch("alter table emergency enable trigger emergency_kept")
    over = await world.in_group(t("The emergency is over."), after=begun["message_id"])
    assert REASON in said(over)
    usual = await world.case("another machine is gone")
    await world.settled()
    assert not any("slowly" in words for words in await world.words(usual.customer))
    assert await promised(world) == [timedelta(minutes=60), timedelta(minutes=10)]
    await world.untroubled()
    assert sum(said(m).startswith("🟢") for m in await world.messages(world.group, world.lead)) == 1


async def test_only_a_lead_declares_and_ends_it(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    await sandbox.say(world.engineer, world.group, "/emergency 60 4h Because I say so")
    await world.in_group(t("Only a lead may do that."))
    await sandbox.say(world.lead, world.group, "/emergency please")
    hint = await world.in_group("/emergency 60 4h")
    await sandbox.say(world.lead, world.group, "/emergency 30 1d A flood")
    begun = await world.in_group("🆘", after=hint["message_id"])
    await sandbox.say(world.lead, world.group, "/emergency off")
    over = await world.in_group("🟢", after=begun["message_id"])
    assert "Ерлан" in said(over)
    await sandbox.say(world.engineer, world.group, "/emergency")
    await world.in_group(t("No emergency: answers are promised as usual."), after=over["message_id"])
    case = await world.case("as usual")
    await world.untroubled()
    assert await promised(world) == [timedelta(minutes=10)]
    assert case.thread

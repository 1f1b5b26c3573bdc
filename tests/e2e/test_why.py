"""How a deadline came about, asked in Kazakh; maintenance that moves a promise; a ticket given to another queue."""

from datetime import timedelta

from crm import time
from crm.texts import texts
from tests.e2e.world import World, said

kk, ru, en = texts("kk"), texts("ru"), texts("en")


async def test_why_in_kazakh(world: World) -> None:
    """The engineer's Telegram speaks Kazakh, the desk's team Russian: who asks is answered in their own language."""
    await world.ready()
    case = await world.case("why is it due then")
    head = kk("{reference}: how the times come about", reference="PD-1001")
    asked = await world.sandbox.say(world.engineer, world.group, "/why", thread=case.thread)
    why = await world.in_group(head, thread=case.thread)
    for words in (kk("First response"), kk("Resolution"), kk("around the clock"), kk("running"), "24 сағ", "10 мин"):
        assert words in said(why)
    assert why["reply_to_message"]["message_id"] == asked["message_id"]
    await world.press_card(world.engineer, case.thread, "Wait for the customer")
    await world.card(case.thread, "⏸")
    await world.sandbox.say(world.engineer, world.group, "/why", thread=case.thread)
    stands = await world.in_group(head, thread=case.thread, after=why["message_id"])
    assert said(stands).count(kk("waiting for the customer")) >= 2
    assert kk("The due time moves until it runs again.") in said(stands)
    printed = await world.command("sla", "explain", "pd-1001", "--language", "kk")
    assert kk("The due time moves until it runs again.") in printed
    await world.untroubled()


async def test_maintenance_moves_a_promise_and_the_customer_is_told(world: World) -> None:
    await world.ready()
    case = await world.case("will it be done in time")
    await world.settled()
    promised = "select metric, due_at from sla_target order by metric"
    before = {row["metric"]: row["due_at"] for row in await world.fetch(promised)}
    await world.sandbox.say(world.engineer, world.group, "/maintenance 2h диски")
    await world.in_group(ru("Only a lead may do that."))
    await world.sandbox.say(world.lead, world.group, "/maintenance 2h Замена дисков")
    general = await world.in_group("Замена дисков")
    assert "message_thread_id" not in general
    told = await world.in_chat(case.customer, "PD-1001: the promised time has moved because of maintenance.")
    after = {row["metric"]: row["due_at"] for row in await world.fetch(promised)}
    assert {metric: after[metric] - before[metric] for metric in after} == dict.fromkeys(after, timedelta(hours=2))
    now = time.utcnow()
    for due in after.values():
        assert time.local(due, "Asia/Almaty", "en", now) in said(told)
    await world.sandbox.say(world.lead, world.group, "/maintenance cancel 1")
    await world.in_chat(case.customer, "the promised time has moved", after=told["message_id"])
    await world.untroubled()
    assert sum("the promised time has moved" in words for words in await world.words(case.customer)) == 2


async def test_another_queue_takes_over(world: World) -> None:
    """The topic asks who takes it, the card says by when; the customer sees nothing of that."""
    await world.ready()
    case = await world.case("the bill is wrong")
    await world.press_card(world.engineer, case.thread, "Take")
    await world.card(case.thread, "Динара")
    await world.settled()
    heard = await world.words(case.customer)
    await world.sandbox.say(world.engineer, world.group, "/queue", thread=case.thread)
    offered = await world.in_group(ru("Queue:"), thread=case.thread, after=case.copy["message_id"])
    await world.press(world.engineer, world.group, offered, ru("Contracts and bills"))
    await world.in_group("🔀", thread=case.thread)
    await world.card(case.thread, f"⏱ {ru('Taking over')}", ru("nobody yet"), ru("Contracts and bills"))
    await world.press_card(world.lead, case.thread, "Take")
    await world.card(case.thread, f"✅ {ru('Taking over')}", "Ерлан")
    await world.untroubled()
    assert await world.words(case.customer) == heard

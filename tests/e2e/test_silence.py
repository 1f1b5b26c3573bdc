"""Nobody answers the solution: two reminders, then it is closed by itself; and what a later word does."""

from datetime import datetime, timedelta

from crm.texts import texts
from tests.e2e.world import Case, Json, World, said
from tests.factories import PROFILE

t = texts("ru")


async def shift(world: World, done: int) -> None:
    """As if so many of the steps after the solution lay behind: it was solved that many days earlier."""
    [row] = await world.fetch("select resolved_at, now() as now from ticket where status = 'resolved'")
    since = row["resolved_at"]
    while _behind(since, row["now"]) < done:
        since -= timedelta(days=1)
    assert _behind(since, row["now"]) == done
    await world.fetch("update ticket set resolved_at = $1, silence_at = $1 where status = 'resolved'", since)


def _behind(since: datetime, now: datetime) -> int:
    return sum(moment <= now for moment in PROFILE.silence(since))


async def solved(world: World, words: str, language: str = "en") -> tuple[Case, Json]:
    await world.ready()
    case = await world.case(words, await world.customer("Айгерім", language))
    await world.press_card(world.engineer, case.thread, "Resolve")
    return case, await world.in_chat(case.customer, texts(language)("{reference} is solved.", reference="PD-1001"))


async def closed(world: World) -> bool:
    [topic] = await world.topics()
    return bool(topic["closed"])


async def test_reminded_closed_and_opened_again_by_a_reply(world: World) -> None:
    """In the customer's own language, by the working days of the desk's office."""
    case, notice = await solved(world, "nobody will answer", "kk")
    kk = texts("kk")
    asks = kk("{reference} is solved. Does everything work now?", reference="PD-1001")
    await shift(world, 1)
    first = await world.in_chat(case.customer, asks, after=notice["message_id"])
    assert "Алматы" in said(first)
    labels = [button["text"] for line in first["reply_markup"]["inline_keyboard"] for button in line]
    assert labels == [kk("Solved, thank you"), kk("Not solved")]
    await shift(world, 2)
    second = await world.in_chat(case.customer, asks, after=first["message_id"])
    await shift(world, 3)
    over = await world.in_chat(case.customer, kk("{reference} is closed: there was no answer.", reference="PD-1001"))
    assert "14" in said(over)
    await world.in_group("🌙", thread=case.thread)
    await world.until(lambda: closed(world), "the topic to be closed")
    await world.untroubled()
    assert sum(asks in words for words in await world.words(case.customer)) == 2

    # Thanks open nothing and reach the engineers all the same.
    await world.sandbox.say(case.customer, world.bot, "Рақмет!")
    await world.copy("Рақмет!", case.thread)
    await world.settled()
    assert await closed(world)

    await world.sandbox.say(case.customer, world.bot, "бәрібір істемейді", reply_to=over["message_id"])
    await world.copy("бәрібір істемейді", case.thread)
    await world.in_chat(case.customer, kk("{reference} is being worked on again.", reference="PD-1001"))
    await world.card(case.thread, t("in progress"))

    async def opened_again() -> bool:
        return not await closed(world)

    await world.until(opened_again, "the topic to be open")
    await world.untroubled()
    rows = await world.fetch("select kind, actor_kind from ticket_event where kind in ('reminded', 'lapse', 'hear')")
    assert sorted(tuple(row) for row in rows) == [
        ("hear", "requester"),
        ("lapse", "system"),
        ("reminded", "system"),
        ("reminded", "system"),
    ]
    assert second["message_id"] < over["message_id"]


async def test_down_across_all_steps_it_is_only_closed_and_a_late_reply_is_a_new_request(world: World) -> None:
    case, _ = await solved(world, "while the desk sleeps")
    await world.settled()
    await shift(world, 3)
    over = await world.in_chat(case.customer, "PD-1001 is closed: there was no answer.")
    await world.settled()
    assert not any("Does everything work now?" in words for words in await world.words(case.customer))
    await world.fetch("update ticket set closed_at = closed_at - interval '15 days'")
    await world.sandbox.say(case.customer, world.bot, "it is down again", reply_to=over["message_id"])
    topic = await world.topic("it is down again")
    await world.card(topic["thread"], t("Continues {reference}", reference="PD-1001"))
    await world.untroubled()
    rows = await world.fetch("select status from ticket order by id")
    assert [row["status"] for row in rows] == ["closed", "new"]


async def test_a_reminder_can_be_answered_with_its_buttons(world: World) -> None:
    case, notice = await solved(world, "not solved at all")
    await shift(world, 1)
    reminder = await world.in_chat(case.customer, "Does everything work now?", after=notice["message_id"])
    await world.press(case.customer, world.bot, reminder, "Not solved")
    await world.in_chat(case.customer, "what is still wrong")
    await world.sandbox.say(case.customer, world.bot, "the password is refused")
    await world.copy("the password is refused", case.thread)
    await world.untroubled()
    [row] = await world.fetch("select status, silence_at from ticket")
    assert tuple(row) == ("open", None)

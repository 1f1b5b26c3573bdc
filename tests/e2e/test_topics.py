"""Topics that vanish, close, or move with their group."""

from crm.texts import texts
from tests.e2e.world import World, said

t = texts("ru")


async def test_a_deleted_topic_is_rebuilt_once(world: World) -> None:
    """Three messages of the customer come at once; one new topic, with card, history, and all of them, in order."""
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("the cluster is gone")
    await world.answer(case, "we look into it")
    await world.in_chat(case.customer, "we look into it")
    await sandbox.say(world.engineer, world.group, "a note of ours", thread=case.thread)
    await world.settled()
    before = len(await sandbox.calls(method="createForumTopic"))

    await sandbox.topic(world.group, case.thread, "delete")
    words = [f"are you there? {n}" for n in range(3)]
    for text in words:
        await sandbox.say(case.customer, world.bot, text)
    thread = (await world.topic("the cluster is gone"))["thread"]
    assert thread != case.thread
    for text in words:
        await world.copy(text, thread)
    history = await world.in_group(t("The topic was lost and has been rebuilt. The history so far:"), thread=thread)
    for part in ("the cluster is gone", "we look into it", "a note of ours"):
        assert part in said(history)
    card = await world.card(thread)

    # The new topic works like the old one.
    copy = await world.copy(words[2], thread)
    await sandbox.say(world.engineer, world.group, "we are", thread=thread, reply_to=copy["message_id"])
    await world.in_chat(case.customer, "we are")
    await sandbox.say(world.engineer, world.group, "from the card", thread=thread, reply_to=card["message_id"])
    await world.in_chat(case.customer, "from the card")
    await world.press_card(world.engineer, thread, "Resolve")
    await world.in_chat(case.customer, "PD-1001 is solved.")
    await world.untroubled()
    assert len(await sandbox.calls(method="createForumTopic")) == before + 1
    found = [said(m) for m in await world.messages(world.group, world.lead, thread)]
    assert [text for text in found if text in words] == words
    assert sum(t("Engineer:") in text for text in found) == 1
    assert sum("♻️" in text for text in found) == 1


async def test_a_topic_deleted_before_a_card_is_drawn(world: World) -> None:
    """Only the card wants to change: it comes back with its topic."""
    await world.ready()
    case = await world.case("quietly deleted")
    await world.sandbox.topic(world.group, case.thread, "delete")
    await world.sandbox.say(case.customer, world.bot, "/requests")
    mine = await world.in_chat(case.customer, "My requests")
    await world.press(case.customer, world.bot, mine, "PD-1001")
    opened = await world.in_chat(case.customer, "To write to this request")
    await world.press(case.customer, world.bot, opened, "Withdraw the request")
    thread = (await world.topic("quietly deleted"))["thread"]
    await world.card(thread, t("closed"))
    await world.in_group("🗑", thread=thread)
    await world.untroubled()
    assert len(await world.topics()) == 1


async def test_a_closed_topic_is_opened_again(world: World) -> None:
    """The bot may not manage topics in this moment, so that a closed one refuses its messages."""
    await world.ready()
    case = await world.case("closed by hand")
    await world.sandbox.topic(world.group, case.thread, "close")
    await world.sandbox.fault(
        "error", method="sendMessage", chat=world.group, code=400, description="Bad Request: TOPIC_CLOSED", times=1
    )
    await world.sandbox.say(case.customer, world.bot, "still there?")
    await world.copy("still there?", case.thread)
    topic = next(topic for topic in await world.topics() if topic["thread"] == case.thread)
    assert not topic["closed"]
    await world.untroubled()
    assert len(await world.topics()) == 1


async def test_a_migrated_group_is_followed(world: World) -> None:
    """New id, topics built anew; both sides go on, the second request as well, and new ones come to the new group."""
    await world.ready()
    sandbox = world.sandbox
    one = await world.case("request one")
    two = await world.case("request two")
    world.group = (await sandbox.migrate(world.group))["id"]

    await sandbox.say(one.customer, world.bot, "one goes on")
    first = (await world.topic("request one"))["thread"]
    second = (await world.topic("request two"))["thread"]
    copy = await world.copy("one goes on", first)
    await sandbox.say(world.engineer, world.group, "to one", thread=first, reply_to=copy["message_id"])
    await world.in_chat(one.customer, "to one")
    card = await world.card(second)
    await sandbox.say(world.engineer, world.group, "to two", thread=second, reply_to=card["message_id"])
    await world.in_chat(two.customer, "to two")
    await world.press_card(world.engineer, second, "Take")
    await world.card(second, "Динара")
    three = await world.case("request three")
    await world.answer(three, "to three")
    await world.in_chat(three.customer, "to three")
    await world.untroubled()
    assert sorted(topic["name"] for topic in await world.topics()) == [
        "PD-1001 · request one",
        "PD-1002 · request two",
        "PD-1003 · request three",
    ]
    assert len(await world.fetch("select 1 from desk_group where state = 'connected'")) == 1


async def test_a_request_before_any_group_waits(world: World) -> None:
    """The customer is answered at once; the topic comes when a group is connected."""
    await world.start_desk()
    customer = await world.customer()
    await world.sandbox.say(customer, world.bot, "anybody home?")
    await world.in_chat(customer, "PD-1001 is registered.")
    await world.connect()
    thread = (await world.topic("anybody home?"))["thread"]
    await world.copy("anybody home?", thread)
    await world.card(thread)
    await world.untroubled()

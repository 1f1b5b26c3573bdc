"""The whole conversation, between real processes: from /start to the rating."""

from tests.e2e.world import World


async def test_from_start_to_rating(world: World) -> None:
    await world.start_desk()
    await world.connect()
    sandbox, bot = world.sandbox, world.bot
    customer = (await sandbox.add_user("Emma", language_code="en-GB"))["id"]

    await sandbox.say(customer, bot, "/start")
    welcome = await world.in_chat(customer, "Hello!")
    await world.press(customer, bot, welcome, "I accept")
    await world.in_chat(customer, "just write")

    asked = await sandbox.say(customer, bot, "My VM web-1 does not answer")
    ack = await world.in_chat(customer, "PD-")
    assert "PD-1001" in ack["text"]
    assert "Almaty" in ack["text"]

    topic = await world.topic("web-1")
    thread = topic["thread"]
    copy = await world.in_group("My VM web-1 does not answer", thread=thread)
    card = await world.card(thread)

    async def pinned() -> bool:
        return card["message_id"] in (await sandbox.chat(world.group, viewer=world.lead))["pinned"]

    await world.until(pinned, "the card to be pinned")

    # A note stays inside, a reply leaves.
    await sandbox.say(world.engineer, world.group, "checking the host", thread=thread)
    reply = await sandbox.say(
        world.engineer, world.group, "Which address do you use?", thread=thread, reply_to=copy["message_id"]
    )
    answer = await world.in_chat(customer, "Which address")
    assert answer["reply_to_message"]["message_id"] == asked["message_id"]

    async def delivered() -> bool:
        messages = await world.messages(world.group, world.lead, thread)
        return any(m["message_id"] == reply["message_id"] and m["reactions"] for m in messages)

    await world.until(delivered, "the mark of delivery")
    texts = [m.get("text", "") for m in await world.messages(bot, customer)]
    assert "checking the host" not in texts

    # Pending: the clock stands; the customer's answer starts it again, with a new time.
    await world.press_card(world.engineer, thread, "Wait for the customer")
    await world.in_chat(customer, "waiting for your answer")
    await sandbox.say(customer, bot, "10.0.0.5")
    await world.in_chat(customer, "new promised time")
    await world.in_group("10.0.0.5", thread=thread)

    await world.settled()
    await world.press_card(world.engineer, thread, "Resolve")
    solved = await world.in_chat(customer, "is solved")
    await world.press(customer, bot, solved, "Not solved")
    await world.in_chat(customer, "what is still wrong")
    await sandbox.say(customer, bot, "still down")
    await world.in_group("still down", thread=thread)

    await world.settled()
    await world.press_card(world.engineer, thread, "Resolve")
    again = await world.in_chat(customer, "is solved", after=solved["message_id"])
    await world.press(customer, bot, again, "Solved, thank")
    rate = await world.in_chat(customer, "How did we do")
    await world.press(customer, bot, rate, "5")
    await world.in_chat(customer, "Thank you for your rating")

    await world.settled()
    rows = await world.fetch("select status, rating, request_type from ticket")
    assert [tuple(row) for row in rows] == [("closed", 5, "other")]
    troubled = await world.fetch("select kind, error from outbox where state in ('failed', 'unknown')")
    assert troubled == []
    quarantined = await world.fetch("select error from inbox where state = 'quarantined'")
    assert quarantined == []

"""Several requests of one customer at once: nothing lands in the wrong one."""

from tests.e2e.world import World, said


async def test_two_requests_and_a_third(world: World) -> None:
    await world.ready()
    sandbox, bot = world.sandbox, world.bot
    first = await world.case("the mail server is slow")
    customer = first.customer
    await sandbox.say(customer, bot, "/new")
    await world.in_chat(customer, "What is it about?")
    second = await world.case("the invoice is wrong", customer)
    assert first.thread != second.thread

    # Replies find their own request, in both directions.
    await world.answer(first, "which mail server?")
    await world.answer(second, "which invoice?")
    about_mail = await world.in_chat(customer, "which mail server?")
    about_invoice = await world.in_chat(customer, "which invoice?")
    assert about_mail["reply_to_message"]["message_id"] == first.asked["message_id"]
    assert about_invoice["reply_to_message"]["message_id"] == second.asked["message_id"]
    # Nobody reads and answers within the milliseconds that it takes to record where an answer stands.
    await world.settled()
    await sandbox.say(customer, bot, "number 17", reply_to=about_invoice["message_id"])
    await sandbox.say(customer, bot, "the one in Almaty", reply_to=about_mail["message_id"])
    await world.copy("number 17", second.thread)
    await world.copy("the one in Almaty", first.thread)

    # A plain message is asked about; the choice places it.
    plain = await sandbox.say(customer, bot, "and it is urgent")
    which = await world.in_chat(customer, "Which request is this about?")
    assert which["reply_to_message"]["message_id"] == plain["message_id"]
    buttons = [b["text"] for row in which["reply_markup"]["inline_keyboard"] for b in row]
    assert [b.split(" ")[0] for b in buttons] == ["PD-1001", "PD-1002", "New"]
    await world.press(customer, bot, which, "PD-1002")
    await world.in_chat(customer, "Added to PD-1002.")
    await world.copy("and it is urgent", second.thread)

    # The other choice opens a third.
    await sandbox.say(customer, bot, "my password is lost")
    which = await world.in_chat(customer, "Which request is this about?", after=which["message_id"])
    await world.press(customer, bot, which, "New request")
    await world.in_chat(customer, "PD-1003 is registered.")
    third = (await world.topic("my password is lost"))["thread"]
    await world.copy("my password is lost", third)
    await world.untroubled()
    placed = {
        thread: [said(m) for m in await world.messages(world.group, world.lead, thread) if m["from"]["id"] == bot]
        for thread in (first.thread, second.thread, third)
    }
    assert [words for words in placed[first.thread] if words in ("number 17", "and it is urgent")] == []
    assert [words for words in placed[second.thread] if words in ("the one in Almaty",)] == []
    rows = await world.fetch("select count(*) as n from message where ticket_id is null")
    assert rows[0]["n"] == 0


async def test_an_answer_to_a_request_closed_long_ago_opens_a_new_one(world: World) -> None:
    """It continues the old one, and says so on its card."""
    await world.ready()
    case = await world.case("printer on fire")
    await world.answer(case, "use water")
    answer = await world.in_chat(case.customer, "use water")
    await world.press_card(world.engineer, case.thread, "Resolve")
    solved = await world.in_chat(case.customer, "PD-1001 is solved.")
    await world.press(case.customer, world.bot, solved, "Solved, thank you")
    await world.in_chat(case.customer, "How did we do?")
    await world.fetch("update ticket set closed_at = closed_at - interval '15 days'")
    await world.sandbox.say(case.customer, world.bot, "burning again", reply_to=answer["message_id"])
    thread = (await world.topic("burning again"))["thread"]
    await world.card(thread, "PD-1002", "PD-1001")
    await world.untroubled()

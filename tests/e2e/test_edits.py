"""Edits and deletions travel, notes stay, commands say where a message goes."""

from tests.e2e.world import Json, World, said


async def text_of(world: World, chat: int, viewer: int, message_id: int) -> str:
    return next((said(m) for m in await world.messages(chat, viewer) if m["message_id"] == message_id), "(gone)")


async def test_edits_both_ways(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("web-1 is down")

    await sandbox.edit(case.customer, world.bot, case.asked["message_id"], "web-2 is down, not web-1")

    async def followed() -> bool:
        words = await text_of(world, world.group, world.lead, case.copy["message_id"])
        return words == "web-2 is down, not web-1"

    await world.until(followed, "the customer's edit in the topic")

    picture = await sandbox.say(case.customer, world.bot, kind="photo", caption="the old caption")
    shown = await world.in_group("the old caption", thread=case.thread)
    await sandbox.edit(case.customer, world.bot, picture["message_id"], caption="the new caption")

    async def captioned() -> bool:
        return await text_of(world, world.group, world.lead, shown["message_id"]) == "the new caption"

    await world.until(captioned, "the new caption in the topic")

    # The engineer's side: a reply, and one by command, which keeps its command for itself.
    reply = await world.answer(case, "we look at web-1")
    answer = await world.in_chat(case.customer, "we look at web-1")
    await sandbox.edit(world.engineer, world.group, reply["message_id"], "we look at web-2")
    command = await sandbox.say(world.engineer, world.group, "/r five minutes", thread=case.thread)
    said_to = await world.in_chat(case.customer, "five minutes")
    assert said(said_to) == "five minutes"
    await sandbox.edit(world.engineer, world.group, command["message_id"], "/r ten minutes")
    photo = await sandbox.say(world.engineer, world.group, kind="photo", caption="a graph", **case.reply)
    graph = await world.in_chat(case.customer, "a graph")
    await sandbox.edit(world.engineer, world.group, photo["message_id"], caption="a better graph")

    async def answered() -> bool:
        ids = (answer, said_to, graph)
        found = [await text_of(world, world.bot, case.customer, m["message_id"]) for m in ids]
        return found == ["we look at web-2", "ten minutes", "a better graph"]

    await world.until(answered, "the engineer's edits at the customer's")
    await world.untroubled()
    edits = await world.fetch("select count(*) as n from ticket_event where kind = 'edited'")
    assert edits[0]["n"] == 5


async def test_delete_removes_the_pair(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("please do not delete me")
    reply = await world.answer(case, "wrong customer, sorry")
    answer = await world.in_chat(case.customer, "wrong customer, sorry")
    order = await sandbox.say(world.engineer, world.group, "/delete", thread=case.thread, reply_to=reply["message_id"])

    async def gone() -> bool:
        here = {m["message_id"] for m in await world.messages(world.group, world.lead)}
        there = {m["message_id"] for m in await world.messages(world.bot, case.customer)}
        return not {reply["message_id"], order["message_id"]} & here and answer["message_id"] not in there

    await world.until(gone, "both ends to be gone")

    # What the customer wrote stays.
    await sandbox.say(world.engineer, world.group, "/delete", **case.reply)
    await world.settled()
    assert case.copy["message_id"] in {m["message_id"] for m in await world.messages(world.group, world.lead)}
    await world.untroubled()


async def test_notes_never_leave(world: World) -> None:
    """A plain message, a reply to a colleague, /note, words in General: all inside. /r and replies: outside."""
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("what do you know")
    plain = await sandbox.say(world.engineer, world.group, "secret: plain", thread=case.thread)
    await sandbox.say(
        world.lead, world.group, "secret: to a colleague", thread=case.thread, reply_to=plain["message_id"]
    )
    await sandbox.say(world.engineer, world.group, "/note secret: by command", **case.reply)
    await sandbox.say(world.engineer, world.group, "secret: in General")
    await sandbox.say(world.engineer, world.group, kind="photo", caption="secret: a picture", thread=case.thread)
    await sandbox.say(world.engineer, world.group, "/r open: by command", thread=case.thread)
    card = await world.card(case.thread)
    await sandbox.say(world.engineer, world.group, "open: to the card", thread=case.thread, reply_to=card["message_id"])
    await world.in_chat(case.customer, "open: by command")
    await world.in_chat(case.customer, "open: to the card")
    await world.untroubled()
    assert [words for words in await world.words(case.customer) if "secret" in words] == []
    rows = await world.fetch(
        "select kind, count(*) as n from message where author_kind = 'agent' group by 1 order by 1"
    )
    assert [tuple(row) for row in rows] == [("note", 4), ("public", 2)]
    sent: list[Json] = await sandbox.calls(chat=case.customer)
    assert [call for call in sent if "secret" in str(call["params"])] == []

"""Albums: one on this side is one on the other; what comes late goes alone."""

from tests.e2e.world import Json, World, said


async def parts(world: World, chat: int, viewer: int, thread: int | None = None) -> list[Json]:
    """The bot's messages with media, in order."""
    found = await world.messages(chat, viewer, thread)
    return [m for m in found if m["from"]["id"] == world.bot and {"photo", "video", "document"} & m.keys()]


async def test_an_album_opens_a_request(world: World) -> None:
    """A new customer begins with three pictures: one request, one album in its topic, one acknowledgement."""
    await world.ready()
    customer = await world.customer()
    items: list[Json] = [{"kind": "photo", "caption": "three screens"}, {"kind": "photo"}, {"kind": "video"}]
    await world.sandbox.album(customer, world.bot, items)
    thread = (await world.topic("three screens"))["thread"]

    async def complete() -> bool:
        return len(await parts(world, world.group, world.lead, thread)) == 3

    await world.until(complete, "three parts in the topic")
    await world.untroubled()
    found = await parts(world, world.group, world.lead, thread)
    assert len({part["media_group_id"] for part in found}) == 1
    assert [said(part) for part in found] == ["three screens", "", ""]
    assert ["photo" in part for part in found] == [True, True, False]
    assert sum("is registered" in words for words in await world.words(customer)) == 1
    assert [row["n"] for row in await world.fetch("select count(*) as n from ticket")] == [1]


async def test_albums_both_ways_and_a_late_part(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("pictures follow")
    await sandbox.album(case.customer, world.bot, [{"kind": "photo", "caption": "before"}, {"kind": "photo"}])

    async def there() -> list[Json]:
        found = await parts(world, world.group, world.lead, case.thread)
        return found if len(found) >= 2 else []

    first = await world.until(there, "the album in the topic")
    assert len({part["media_group_id"] for part in first}) == 1

    # The engineer answers one of the customer's pictures with an album, documents this time.
    sent = await sandbox.album(
        world.engineer,
        world.group,
        [{"kind": "document", "caption": "the report"}, {"kind": "document"}, {"kind": "document"}],
        thread=case.thread,
        reply_to=first[0]["message_id"],
    )

    async def arrived() -> list[Json]:
        found = await parts(world, world.bot, case.customer)
        return found if len(found) >= 3 else []

    answer = await world.until(arrived, "the album at the customer's")
    await world.reaction(sent[0], "👌")
    await world.untroubled()
    assert len(await parts(world, world.bot, case.customer)) == 3
    assert len({part["media_group_id"] for part in answer}) == 1
    assert said(answer[0]) == "the report"
    assert answer[0]["reply_to_message"]["from"]["id"] == case.customer

    # A part of the first album that Telegram brings when the rest has long been relayed.
    updates = await sandbox.updates(world.bot)
    part = next(u["update"] for u in updates if u["update"].get("message", {}).get("media_group_id"))
    late = {**part["message"], "message_id": part["message"]["message_id"] + 500, "caption": "a late one"}
    await sandbox.inject(world.bot, {"update_id": part["update_id"] + 900_000, "message": late})
    await world.settled()
    row = (
        await world.fetch(
            "select ticket_id, relayed_at is null as waits from message where content->>'text' = 'a late one'"
        )
    )[0]
    assert (await world.fetch("select count(*) as n from ticket"))[0]["n"] == 1
    assert row["ticket_id"] is not None


async def test_an_album_as_a_note_stays(world: World) -> None:
    await world.ready()
    case = await world.case("quiet pictures")
    await world.sandbox.album(
        world.engineer, world.group, [{"kind": "photo", "caption": "internal"}, {"kind": "photo"}], thread=case.thread
    )

    async def noted() -> bool:
        rows = await world.fetch("select kind from message where album_id is not null")
        return [row["kind"] for row in rows] == ["note", "note"]

    await world.until(noted, "two notes")
    await world.untroubled()
    assert await parts(world, world.bot, case.customer) == []

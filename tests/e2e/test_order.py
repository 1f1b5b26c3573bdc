"""Telegram repeats itself and mixes things up; one effect each, in the right place."""

import asyncio
import io
import json

from tests.e2e.world import SECRET, Json, World


async def bring(world: World, port: int, body: bytes | Json, secret: str | None = SECRET, desk: str = "prodata") -> int:
    """Knock at the desk's own door, as Telegram does."""
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    url = f"http://127.0.0.1:{port}/telegram/{desk}"
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with world.sandbox.session.post(url, headers=headers, data=data) as answer:
        return answer.status


async def count(world: World, what: str) -> int:
    return int((await world.fetch(f"select count(*) as n from {what}"))[0]["n"])


async def test_the_same_update_again(world: World) -> None:
    await world.ready()
    case = await world.case("only once please")
    await world.answer(case, "only once, promised")
    await world.in_chat(case.customer, "only once, promised")
    for update in await world.sandbox.updates(world.bot):
        await world.sandbox.repeat(world.bot, update["update_id"])
    # The same again under other numbers, lower ones, as after a quiet week of Telegram's.
    for update in await world.sandbox.updates(world.bot):
        if "message" in update["update"] and "text" in update["update"]["message"]:
            again = {**update["update"], "update_id": update["update_id"] - 1_000_000}
            if not again["message"]["text"].startswith("/"):
                await world.sandbox.inject(world.bot, again)
    await world.case("and another one", customer=await world.customer())
    await world.untroubled()
    assert await count(world, "ticket") == 2
    assert await count(world, "message") == 3
    assert sum(words == "only once, promised" for words in await world.words(case.customer)) == 1


async def test_the_same_press_under_a_new_number(world: World) -> None:
    """A button that Telegram hands over twice acts once, and the second press hurts nobody."""
    await world.ready()
    case = await world.case("press twice")
    await world.press_card(world.engineer, case.thread, "Resolve")
    await world.in_chat(case.customer, "PD-1001 is solved.")
    await world.settled()
    presses = [u["update"] for u in await world.sandbox.updates(world.bot) if u["kind"] == "callback_query"]
    for n, press in enumerate(presses):
        await world.sandbox.inject(world.bot, {**press, "update_id": press["update_id"] - 2_000_000 + n})
    await world.settled()
    solved = await world.in_chat(case.customer, "PD-1001 is solved.")
    await world.press(case.customer, world.bot, solved, "Solved, thank you")
    await world.in_chat(case.customer, "How did we do?")
    presses = [u["update"] for u in await world.sandbox.updates(world.bot) if u["kind"] == "callback_query"]
    for n, press in enumerate(presses):
        await world.sandbox.inject(world.bot, {**press, "update_id": press["update_id"] - 3_000_000 + n})
    await world.untroubled()
    rows = await world.fetch("select kind, count(*) as n from ticket_event group by kind")
    found = {row["kind"]: row["n"] for row in rows}
    assert found["resolve"] == found["confirm"] == 1
    assert sum("is solved" in words for words in await world.words(case.customer)) <= 1
    assert (await world.fetch("select status from ticket"))[0]["status"] == "closed"


async def test_an_edit_before_its_message(world: World) -> None:
    """The edit waits for the original; afterwards the topic shows the new words."""
    await world.ready()
    case = await world.case("something to refer to")
    await world.sandbox.hold(world.bot)
    sent = await world.sandbox.say(case.customer, world.bot, "teh words")
    await world.sandbox.edit(case.customer, world.bot, sent["message_id"], "the words")
    await world.sandbox.hold(world.bot, hold=False, order="reverse")
    await world.copy("the words", case.thread, timeout=60)
    await world.untroubled(timeout=60)
    found = [m.get("text") for m in await world.messages(world.group, world.lead, case.thread)]
    assert "teh words" not in found


async def test_a_reply_before_its_parent(world: World) -> None:
    """Two requests live, so that only the parent says where the reply belongs."""
    await world.ready()
    one = await world.case("request one")
    await world.sandbox.say(one.customer, world.bot, "/new")
    await world.in_chat(one.customer, "What is it about?")
    two = await world.case("request two", one.customer)
    await world.answer(two, "say more about two")
    asked = await world.in_chat(one.customer, "say more about two")
    await world.settled()
    await world.sandbox.hold(world.bot)
    parent = await world.sandbox.say(one.customer, world.bot, "more about two", reply_to=asked["message_id"])
    await world.sandbox.say(one.customer, world.bot, "and even more", reply_to=parent["message_id"])
    await world.sandbox.hold(world.bot, hold=False, order="reverse")
    await world.copy("more about two", two.thread, timeout=60)
    await world.copy("and even more", two.thread, timeout=60)
    await world.untroubled(timeout=60)
    assert await count(world, "ticket") == 2
    assert await count(world, "message where ticket_id is null") == 0


async def test_a_shuffled_conversation(world: World) -> None:
    """Twelve messages of four customers in any order: nothing is lost, each is where it belongs."""
    await world.ready()
    cases = [await world.case(f"customer number {n}") for n in range(4)]
    await world.sandbox.hold(world.bot)
    for case in cases:
        for n in range(3):
            await world.sandbox.say(case.customer, world.bot, f"{case.customer} says {n}")
    await world.sandbox.hold(world.bot, hold=False, order="shuffle", seed=7)
    for case in cases:
        for n in range(3):
            await world.copy(f"{case.customer} says {n}", case.thread)
    await world.untroubled()
    assert await count(world, "ticket") == 4


async def test_a_late_part_of_an_album(world: World) -> None:
    """Two parts come, are relayed as an album; the third comes later, and goes alone, into the same request."""
    port = world.by_webhook()
    await world.ready()
    customer = await world.customer()
    await world.sandbox.hold(world.bot)
    await world.sandbox.album(customer, world.bot, [{"kind": "photo", "caption": "an album"}, *[{"kind": "photo"}] * 2])
    parts = [u["update"] for u in await world.sandbox.updates(world.bot) if "media_group_id" in str(u["update"])]
    assert [await bring(world, port, part) for part in parts[:2]] == [200, 200]
    thread = (await world.topic("an album"))["thread"]

    async def photos(wanted: int) -> bool:
        found = await world.messages(world.group, world.lead, thread)
        return sum("photo" in m for m in found) == wanted

    await world.until(lambda: photos(2), "two parts")
    # Now Telegram brings all three; two of them are known.
    await world.sandbox.hold(world.bot, hold=False)
    await world.until(lambda: photos(3), "the late part")
    await world.untroubled()
    assert await count(world, "ticket") == 1


async def test_the_door(world: World) -> None:
    """401, 404, 413, 400 – and never 500; only what is stored is answered with 200."""
    port = world.by_webhook()
    await world.ready()
    update: Json = {"update_id": 77_000_001}
    assert await bring(world, port, update, secret=None) == 401
    assert await bring(world, port, update, secret="wrong") == 401
    assert await bring(world, port, update, secret="sécret") == 401
    assert await bring(world, port, update, desk="nobody") == 404
    assert await bring(world, port, b"x" * 2_000_000) == 413
    for body in (b"", b"{", b"[]", b"7", b'{"update_id": "x"}', b'{"update_id": true}', b"\xff\xfe", b"[" * 90_000):
        assert await bring(world, port, body) == 400
    assert await count(world, "inbox where external_key = '77000001'") == 0
    # Known to nobody, but well-formed: kept, and done with.
    assert await bring(world, port, update) == 200
    assert await bring(world, port, update) == 200
    await asyncio.gather(*(bring(world, port, {"update_id": 77_000_002}) for _ in range(10)))
    await world.settled()
    assert await count(world, "inbox where external_key like '7700000%'") == 2


async def test_poison_holds_up_nobody(world: World) -> None:
    """An update that cannot be read is quarantined and announced; the same chat goes on after it."""
    await world.ready()
    case = await world.case("before the poison")
    chat = {"id": case.customer, "type": "private", "first_name": "Emma"}
    poison: Json = {"update_id": 88_000_001, "message": {"message_id": "many", "date": 0, "chat": chat}}
    await world.sandbox.inject(world.bot, poison)
    await world.sandbox.say(case.customer, world.bot, "after the poison")
    await world.copy("after the poison", case.thread, timeout=60)
    await world.in_group("kezekshi inbox show", timeout=60)
    rows = await world.fetch("select external_key, attempts from inbox where state = 'quarantined'")
    assert [tuple(row) for row in rows] == [("88000001", 3)]

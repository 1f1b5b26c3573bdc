"""The live board in General: one pinned message, always edited, soonest deadline first."""

from crm.texts import texts
from tests.e2e.world import Json, World, said

t = texts("ru")


async def board(world: World) -> Json:
    head = t("Open requests: {n}").split("{")[0]
    return await world.in_group(head)


async def hurry(world: World) -> None:
    """The board's pace is not what is tested."""
    await world.fetch("update outbox set due_at = now() where kind = 'board' and state = 'queued'")


async def lines(world: World, *wanted: str) -> list[str]:
    """The references on the board in their order, once all of them are there."""

    async def look() -> list[str]:
        await hurry(world)
        found = [line for line in said(await board(world)).split("\n") if "PD-" in line]
        names = [next(word for word in line.split(" ") if word.startswith("PD-")) for line in found]
        return names if sorted(names) == sorted(wanted) else []

    found: list[str] = await world.until(look, f"{wanted} on the board")
    return found


async def test_one_board_sorted_by_deadline(world: World) -> None:
    await world.ready()
    first = await board(world)
    assert t("All caught up.") in said(first)
    calm = await world.case("a calm one")
    await world.case("an ordinary one")
    await world.case("a burning one")
    assert await lines(world, "PD-1001", "PD-1002", "PD-1003") == ["PD-1001", "PD-1002", "PD-1003"]

    # The third becomes the most urgent; the first waits for its customer, so its clock stands.
    await world.fetch("update sla_target set due_at = due_at - interval '5 minutes' where ticket_id = 3")
    await world.press_card(world.engineer, calm.thread, "Wait for the customer")
    await world.card(calm.thread, "⏸")

    async def turned() -> bool:
        return await lines(world, "PD-1001", "PD-1002", "PD-1003") == ["PD-1003", "PD-1002", "PD-1001"]

    await world.until(turned, "the new order")
    assert "⏸" in next(line for line in said(await board(world)).split("\n") if "PD-1001" in line)

    # What is solved leaves the board.
    await world.press_card(world.engineer, calm.thread, "Resolve")
    await lines(world, "PD-1002", "PD-1003")
    await world.untroubled()
    seen = await world.sandbox.chat(world.group, viewer=world.lead)
    boards = [m for m in seen["messages"] if t("Open requests: {n}").split("{")[0] in said(m)]
    assert [m["message_id"] for m in boards] == [first["message_id"]]
    assert boards[0]["edits"] >= 3
    assert boards[0]["message_id"] in seen["pinned"]
    assert boards[0].get("message_thread_id") is None


async def test_the_board_keeps_its_pace(world: World) -> None:
    """A dozen changes in a breath are one edit."""
    await world.ready()
    await world.settled()
    sent = await world.sandbox.last_call()
    case = await world.case("busy")
    for n in range(5):
        await world.answer(case, f"answer {n}")
    await world.in_chat(case.customer, "answer 4")
    await world.settled()
    there = (await board(world))["message_id"]
    edits = [c for c in await world.sandbox.calls(after=sent) if c["params"].get("message_id") == there]
    assert len(edits) <= 1
    rows = await world.fetch("select count(*) as n from outbox where kind = 'board' and state = 'queued'")
    assert rows[0]["n"] == 1


async def test_a_deleted_board_comes_back(world: World) -> None:
    await world.ready()
    first = await board(world)
    await world.sandbox.delete(world.lead, world.group, first["message_id"])
    await world.case("for the board")

    async def back() -> bool:
        await hurry(world)
        found = await world.messages(world.group, world.lead)
        return any("PD-1001" in said(m) for m in found if m.get("message_thread_id") is None and "text" in m)

    await world.until(back, "a new board")
    await world.untroubled()

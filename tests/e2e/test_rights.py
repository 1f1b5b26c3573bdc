"""Being in the group is no authority; strangers get nothing out of the desk."""

from crm.texts import texts
from tests.e2e.world import TOKEN, World, said

t = texts("ru")
REFUSED = t("You are not listed as an engineer of this desk; a lead can add you: /agent add.")


async def test_a_member_is_no_engineer(world: World) -> None:
    """Neither a reply nor a button nor a command of theirs does anything, and they are told why."""
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("may anybody answer")
    guest = (await sandbox.add_user("Гость", language_code="ru"))["id"]
    await sandbox.add_member(world.group, user=guest)
    reply = await world.answer(case, "I am nobody", by=guest)
    hint = await world.in_group(REFUSED, thread=case.thread)
    assert hint["reply_to_message"]["message_id"] == reply["message_id"]
    await sandbox.say(guest, world.group, "/r neither am I", thread=case.thread)
    pressed = await world.press_card(guest, case.thread, "Resolve")

    async def answered() -> bool:
        answer = await sandbox.callback(pressed)
        return bool(answer["answered"] and answer["text"] == REFUSED and answer["show_alert"])

    await world.until(answered, "the refusal on the button")
    await sandbox.say(guest, world.group, "/agent add lead", **case.reply)
    await sandbox.say(guest, world.group, "a word among members", thread=case.thread)
    await world.untroubled()
    assert (await world.fetch("select status from ticket"))[0]["status"] == "new"
    assert len(await world.fetch("select 1 from message")) == 1
    assert len(await world.fetch("select 1 from agent")) == 2
    assert "nobody" not in " ".join(await world.words(case.customer))


async def test_a_removed_engineer(world: World) -> None:
    """The role is asked anew at every press and every reply."""
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("who is still here")
    reply = await world.answer(case, "I am, for now")
    await world.in_chat(case.customer, "I am, for now")
    await sandbox.say(world.lead, world.group, "/agent remove", thread=case.thread, reply_to=reply["message_id"])
    await world.in_group(t("{name} is no longer an engineer.", name="Динара"), thread=case.thread)
    pressed = await world.press_card(world.engineer, case.thread, "Resolve")

    async def refused() -> bool:
        return (await sandbox.callback(pressed))["text"] == REFUSED

    await world.until(refused, "the refusal on the button")
    await world.answer(case, "still me")
    await world.in_group(REFUSED, thread=case.thread)
    await sandbox.edit(world.engineer, world.group, reply["message_id"], "I was never here")
    await world.untroubled()
    assert (await world.fetch("select status from ticket"))[0]["status"] == "open"
    heard = await world.words(case.customer)
    assert "still me" not in heard
    assert "I was never here" not in heard


async def test_nobody_behind_the_message(world: World) -> None:
    """An anonymous admin and a channel have no identity: refused with a hint, never relayed."""
    await world.ready()
    case = await world.case("who speaks")
    hint = t("Please write under your own name, not as an anonymous admin or a channel.")
    first = await world.sandbox.say(world.lead, world.group, "the group speaks", anonymous=True, **case.reply)
    said_once = await world.in_group(hint, thread=case.thread)
    assert said_once["reply_to_message"]["message_id"] == first["message_id"]
    await world.sandbox.say(world.engineer, world.group, "a channel speaks", as_channel=True, **case.reply)
    await world.in_group(hint, thread=case.thread, after=said_once["message_id"])
    await world.untroubled()
    assert "speaks" not in " ".join(await world.words(case.customer))


async def test_foreign_groups(world: World) -> None:
    """Added by a stranger it leaves, with nothing said and nothing kept; an admin's /connect needs an admin."""
    await world.start_desk()
    sandbox = world.sandbox
    stranger = (await sandbox.add_user("Чужой", language_code="ru"))["id"]
    foreign = (await sandbox.add_group("Чужая группа", owner=stranger))["id"]
    await sandbox.add_member(foreign, bot=TOKEN, by=stranger)
    left = (await sandbox.wait_calls("leaveChat", timeout=30))[0]
    assert left["params"]["chat_id"] == foreign
    assert [c for c in await sandbox.calls(chat=foreign) if c["method"] != "leaveChat"] == []

    # A member of our own group who is no administrator of the desk.
    await sandbox.say(world.engineer, world.group, "/connect")
    await world.in_group(t("Only an administrator of the desk may do that (ADMIN_TELEGRAM_IDS)."))
    customer = await world.customer()
    await sandbox.say(customer, world.bot, "nobody is connected")
    await world.in_chat(customer, "is registered")
    await world.settled()
    assert await world.fetch("select 1 from desk_group where state = 'connected'") == []
    assert await sandbox.calls(method="createForumTopic") == []


async def test_a_customer_sees_only_their_own(world: World) -> None:
    """Buttons with another's request behind them: as if it did not exist."""
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("mine alone")
    other = await world.case("somebody else's")
    await sandbox.say(other.customer, world.bot, "/requests")
    mine = await world.in_chat(other.customer, "My requests\n")
    assert "mine alone" not in said(mine)
    (ticket,) = await world.fetch("select id from ticket where subject = 'mine alone'")
    updates = await sandbox.updates(world.bot)
    template = next(
        u["update"]["message"] for u in updates if u["update"].get("message", {}).get("text") == "/requests"
    )
    for n, action in enumerate(("open", "confirm", "reject", "withdraw")):
        query = {
            "id": f"forged-{n}",
            "from": template["from"],
            "chat_instance": "1",
            "message": {**mine, "chat": template["chat"]},
            "data": f"mine:{action}:{ticket['id']}",
        }
        await sandbox.inject(world.bot, {"update_id": 99_000_000 + n, "callback_query": query})
    await world.settled()
    rows = await world.fetch("select disposition from inbox where external_key like '9900000%'")
    assert {row["disposition"] for row in rows} == {"refused:NotFound"}
    assert (await world.fetch("select status from ticket where subject = 'mine alone'"))[0]["status"] == "new"
    assert "mine alone" not in " ".join(await world.words(other.customer))
    assert case.thread != other.thread

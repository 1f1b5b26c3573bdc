"""The whole conversation in Kazakh and in Russian, updates brought by webhook."""

import re

import pytest

from crm.texts import texts
from tests.e2e.world import World, said

CITY = {"kk": "Алматы", "ru": "Алматы"}


@pytest.mark.parametrize(("language", "other"), [("kk", "ru"), ("ru", "kk")])
async def test_the_conversation(world: World, language: str, other: str) -> None:
    world.by_webhook()
    await world.ready()
    assert (await world.sandbox.calls(method="setWebhook"))[-1]["ok"]
    t, u = texts(language), texts(other)
    sandbox, bot = world.sandbox, world.bot
    customer = await world.customer("Айгерім", language)

    # The language is Telegram's own until another is chosen.
    await sandbox.say(customer, bot, "/start")
    welcome = await world.in_chat(customer, t("Hello! This is the support desk of {desk}.", desk="ProData"))
    await world.press(customer, bot, welcome, {"kk": "Қазақша", "ru": "Русский"}[other])
    welcome = await world.in_chat(customer, u("Hello! This is the support desk of {desk}.", desk="ProData"))
    await world.press(customer, bot, welcome, {"kk": "Қазақша", "ru": "Русский"}[language])
    welcome = await world.in_chat(customer, t("Hello! This is the support desk of {desk}.", desk="ProData"))
    await world.press(customer, bot, welcome, t("I accept the rules"))
    await world.in_chat(customer, t("Thank you! Now just write what you need."))

    # A request of a chosen type, by the menu.
    await sandbox.say(customer, bot, t("New request"))
    kinds = await world.in_chat(customer, t("What is it about? Choose, or just write."))
    await world.press(customer, bot, kinds, t("Raise quotas"))
    await world.in_chat(customer, t("Which quotas, and how much do you need?"))
    asked = await sandbox.say(customer, bot, "vCPU 16, RAM 64")
    ack = await world.in_chat(customer, t("{reference} is registered.", reference="PD-1001"))
    assert CITY[language] in said(ack)
    assert re.search(r"\d\d:\d\d", said(ack))
    thread = (await world.topic("vCPU 16"))["thread"]
    card = await world.card(thread)
    assert f"({language})" in said(card)
    assert texts("ru")("Raise quotas") in said(card)

    # An answer, and the list of one's own requests.
    copy = await world.copy("vCPU 16, RAM 64", thread)
    await sandbox.say(world.engineer, world.group, "Done: 16/64", thread=thread, reply_to=copy["message_id"])
    answer = await world.in_chat(customer, "Done: 16/64")
    assert answer["reply_to_message"]["message_id"] == asked["message_id"]
    await sandbox.say(customer, bot, t("My requests"))
    mine = await world.in_chat(customer, t("in progress"))
    await world.press(customer, bot, mine, "PD-1001")
    opened = await world.in_chat(customer, t("To write to this request, reply to this message."))
    for words in ("vCPU 16, RAM 64", "Done: 16/64", t("You") + ":", t("engineer") + ":"):
        assert words in said(opened)
    await sandbox.say(customer, bot, "a word more", reply_to=opened["message_id"])
    await world.copy("a word more", thread)

    # Solved, not solved, solved, rated.
    await world.settled()
    await world.press_card(world.engineer, thread, "Resolve")
    solved = await world.in_chat(customer, t("{reference} is solved.", reference="PD-1001"))
    await world.press(customer, bot, solved, t("Not solved"))
    await world.in_chat(
        customer, t("Sorry! {reference} is open again. Please write what is still wrong.").split("{")[0]
    )
    await sandbox.say(customer, bot, "RAM is still 32")
    await world.copy("RAM is still 32", thread)
    await world.settled()
    await world.press_card(world.engineer, thread, "Resolve")
    solved = await world.in_chat(customer, t("{reference} is solved.", reference="PD-1001"), after=solved["message_id"])
    await world.press(customer, bot, solved, t("Solved, thank you"))
    rate = await world.in_chat(customer, t("How did we do?"))
    await world.press(customer, bot, rate, "4")
    await world.in_chat(customer, t("Thank you for your rating: {stars} out of 5.", stars=4))
    await world.in_group("⭐⭐⭐⭐", thread=thread)
    await world.untroubled()
    rows = await world.fetch("select status, rating, request_type from ticket")
    assert [tuple(row) for row in rows] == [("closed", 4, "quota")]


async def test_withdraw(world: World) -> None:
    """From the list of one's own requests; the engineers see it, and nothing can be written to it any more."""
    await world.ready()
    t = texts("en")
    case = await world.case("never mind this one")
    await world.sandbox.say(case.customer, world.bot, "/requests")
    mine = await world.in_chat(case.customer, t("My requests") + "\n")
    await world.press(case.customer, world.bot, mine, "PD-1001")
    opened = await world.in_chat(case.customer, "To write to this request")
    await world.press(case.customer, world.bot, opened, "Withdraw the request")
    await world.in_chat(case.customer, t("{reference} is withdrawn.", reference="PD-1001"))
    await world.in_group("🗑", thread=case.thread)
    await world.card(case.thread, texts("ru")("closed"))
    await world.settled()
    await world.answer(case, "too late", by=world.lead)
    await world.in_group(texts("ru")("That is not possible in the request's present state."), thread=case.thread)
    again = await world.case("something else now", case.customer)
    assert again.thread != case.thread
    await world.untroubled()
    assert "too late" not in " ".join(await world.words(case.customer))


async def test_rules_are_shown_with_the_first_request(world: World) -> None:
    """Who writes without /start is served at once, and asked to accept the rules once."""
    await world.ready()
    case = await world.case("no start, just a request")
    rules = await world.in_chat(case.customer, "The rules:")
    await world.press(case.customer, world.bot, rules, "I accept the rules")
    await world.in_chat(case.customer, "Thank you! Now just write")
    await world.sandbox.say(case.customer, world.bot, "more about it")
    await world.copy("more about it", case.thread)
    await world.untroubled()
    assert sum("The rules:" in words for words in await world.words(case.customer)) == 1

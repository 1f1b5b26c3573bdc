"""A customer who has blocked the bot: the engineers know what did not arrive, and when it can again."""

from crm.texts import texts
from tests.e2e.world import World, said

t = texts("ru")


async def test_blocked_and_back(world: World) -> None:
    await world.ready()
    sandbox = world.sandbox
    case = await world.case("call me back")
    await sandbox.block(case.customer, world.bot)
    await world.in_group(t("The customer has blocked the bot: answers cannot be delivered for now"), thread=case.thread)
    await world.card(case.thread, t("The customer has blocked the bot"))

    reply = await world.answer(case, "are you there?")
    failure = await world.in_group(t("Not delivered:"), thread=case.thread)
    assert t("the customer has blocked the bot") in said(failure)
    await world.reaction(reply, "💔")

    await sandbox.block(case.customer, world.bot, blocked=False)
    await world.in_group(t("The customer can be reached again"), thread=case.thread)

    async def cleared() -> bool:
        return t("The customer has blocked the bot") not in said(await world.card(case.thread))

    await world.until(cleared, "the card without the warning")
    again = await world.answer(case, "are you back?")
    await world.in_chat(case.customer, "are you back?")
    await world.reaction(again, "👌")
    assert "are you there?" not in " ".join(await world.words(case.customer))
    await world.settled()
    failed = await world.fetch("select kind from outbox where state in ('failed', 'unknown')")
    assert [row["kind"] for row in failed] == ["relay"]


async def test_a_message_clears_a_refusal_nobody_announced(world: World) -> None:
    """Without any my_chat_member: the refusal of a send is noted, the next message takes it back."""
    await world.ready()
    case = await world.case("hello, a question")
    description = "Forbidden: bot was blocked by the user"
    await sandbox_refuses(world, case.customer, 403, description)
    await world.answer(case, "an answer into the void")
    await world.in_group(t("Not delivered:"), thread=case.thread)
    await world.card(case.thread, t("The customer has blocked the bot"))
    await world.sandbox.say(case.customer, world.bot, "I never blocked you")
    await world.copy("I never blocked you", case.thread)

    async def cleared() -> bool:
        return t("The customer has blocked the bot") not in said(await world.card(case.thread))

    await world.until(cleared, "the card without the warning", timeout=15)


async def sandbox_refuses(world: World, chat: int, code: int, description: str) -> None:
    await world.sandbox.fault("error", chat=chat, code=code, description=description, times=1)

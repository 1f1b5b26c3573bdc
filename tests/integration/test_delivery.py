"""The sender against a Bot API that fails in every way that Telegram can."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import receive
from crm.changes import Changes
from crm.db import Sessions, transaction
from crm.outbox import Outgoing, Priority
from crm.people import service as people
from crm.people.models import Agent
from crm.people.service import OpenTicket
from crm.tickets import messages, service, work
from crm.tickets.models import Message
from crm.wake import Waker
from tests.factories import (
    BOT,
    CUSTOMER,
    DESK,
    GROUP,
    NOW,
    PROFILE,
    Moment,
    add,
    connected,
    customer,
    engineer,
    forum,
    message,
    opened,
    update,
    written,
)
from tests.integration.bot_api import DROP, Post, html, refused, serving


@pytest.fixture
async def post(sessions: Sessions, engine: AsyncEngine) -> AsyncIterator[Post]:
    async with serving() as api:
        yield Post(api, sessions, Waker(engine), Moment())


async def begun(post: Post) -> tuple[OpenTicket, Agent]:
    """A ticket whose topic, card and acknowledgement are out."""
    async with transaction(post.sessions) as session:
        await connected(session)
        ticket, agent = await opened(session), await engineer(session)
    await post.deliver_all()
    post.api.asked.clear()
    return ticket, agent


async def reply(
    post: Post, agent: Agent, ticket: OpenTicket, words: str = "Смотрим", number: int = 700, **content: object
) -> int:
    async with transaction(post.sessions) as session:
        told = written(words, GROUP, number, now=post.clock(), **content)
        return await work.write(session, PROFILE, agent, ticket.id, "public", told, post.clock())


async def states(post: Post, kind: str = "relay") -> list[str]:
    found = await post.fetch(
        "select state from outbox where kind = :kind and payload ->> 'to' = 'requester' order by id", kind=kind
    )
    return [row.state for row in found]


async def notices(post: Post) -> list[str]:
    found = await post.fetch(
        "select payload -> 'facts' ->> 'reason' as r from outbox where payload ->> 'notice' = 'undelivered'"
    )
    return [row.r for row in found]


def to_customer(post: Post) -> list[str]:
    return [call["text"] for call in post.api.of("sendMessage") if call["chat_id"] == CUSTOMER]


async def test_a_new_ticket_becomes_a_topic_with_its_card_and_its_first_words(post: Post) -> None:
    async with transaction(post.sessions) as session:
        await connected(session)
        ticket = await opened(session, words="Кабинет 🔥 не открывается")
    await post.deliver_all()
    [topic] = post.api.of("createForumTopic")
    assert topic == {"chat_id": GROUP, "name": f"{ticket.reference} · Кабинет 🔥 не открывается"}
    in_topic = [c for c in post.api.of("sendMessage") if c.get("message_thread_id")]
    assert "reply_markup" in in_topic[0]
    assert in_topic[1]["text"] == "Кабинет 🔥 не открывается"
    assert len(to_customer(post)) == 1
    [row] = await post.fetch("select thread_id, card_message_id from ticket")
    assert row.thread_id
    assert row.card_message_id
    assert len(post.api.of("pinChatMessage")) == 2
    roles = await post.fetch("select role from telegram_message where ticket_id is not null order by role")
    assert [row.role for row in roles] == ["card", "copy", "notice", "origin"]
    assert not [call for _, call in post.api.asked if "parse_mode" in call]


async def test_without_a_group_the_customer_is_answered_and_the_topic_waits(post: Post) -> None:
    async with transaction(post.sessions) as session:
        await opened(session)
    await post.deliver()
    assert len(to_customer(post)) == 1
    assert post.api.of("createForumTopic") == []
    async with transaction(post.sessions) as session:
        await connected(session)
    await post.deliver_all()
    assert len(post.api.of("createForumTopic")) == 1
    assert len(to_customer(post)) == 1


async def test_a_delivered_answer_quotes_and_is_marked_on_the_engineers_message(post: Post) -> None:
    ticket, agent = await begun(post)
    [first] = await post.fetch("select message_id from telegram_message where role = 'origin'")
    [asked] = await post.fetch("select id from message")
    await reply(post, agent, ticket, reply_to=asked.id)
    await post.deliver_all()
    [sent] = [call for call in post.api.of("sendMessage") if call["chat_id"] == CUSTOMER]
    assert sent["reply_parameters"]["message_id"] == first.message_id
    [reaction] = post.api.of("setMessageReaction")
    assert (reaction["chat_id"], reaction["message_id"]) == (GROUP, 700)


@pytest.mark.parametrize("trouble", [html, DROP, lambda: refused(500, "Internal Server Error")])
async def test_an_unknown_outcome_is_repeated_once_and_marked(post: Post, trouble: object) -> None:
    ticket, agent = await begun(post)
    post.api.on("sendMessage", trouble)  # type: ignore[arg-type]
    await reply(post, agent, ticket)
    await post.deliver_all()
    first, second = to_customer(post)
    assert first == "Смотрим"
    assert second.endswith("\nСмотрим")
    assert "↻" in second
    assert await states(post) == ["sent"]


async def test_unknown_twice_is_left_to_people_and_told_in_the_topic(post: Post) -> None:
    ticket, agent = await begun(post)
    post.api.on("sendMessage", html, html)
    await reply(post, agent, ticket)
    await post.deliver_all()
    assert len(to_customer(post)) == 2
    assert await states(post) == ["unknown"]
    assert await notices(post) == ["unknown"]


async def test_a_limit_is_obeyed_to_the_second_and_is_no_repeat(post: Post) -> None:
    ticket, agent = await begun(post)
    post.api.on("sendMessage", lambda: refused(429, "Too Many Requests: retry after 30", retry_after=30))
    await reply(post, agent, ticket)
    await post.deliver()
    post.clock.move(seconds=29)
    await post.deliver()
    assert len(to_customer(post)) == 1
    post.clock.move(seconds=2)
    await post.deliver()
    assert to_customer(post) == ["Смотрим", "Смотрим"]


async def test_a_customer_who_blocked_the_bot_is_told_of_in_the_topic(post: Post) -> None:
    ticket, agent = await begun(post)
    post.api.on("sendMessage", lambda: refused(403, "Forbidden: bot was blocked by the user"))
    await reply(post, agent, ticket)
    await post.deliver_all()
    assert await states(post) == ["failed"]
    assert await notices(post) == ["blocked"]
    assert len(await post.fetch("select 1 from identity where unreachable_at is not null")) == 1
    assert [r["reaction"][0]["emoji"] for r in post.api.of("setMessageReaction")] == ["💔"]


async def test_a_lost_topic_is_probed_and_rebuilt_once(post: Post) -> None:
    ticket, _ = await begun(post)
    [old] = await post.fetch("select thread_id from ticket")
    gone = "Bad Request: message thread not found"
    async with transaction(post.sessions) as session:
        await add(session, ticket, "Ау", post.clock())
    post.api.on("sendMessage", lambda: refused(400, gone))
    post.api.on("sendChatAction", lambda: refused(400, gone))
    await post.deliver_all()
    assert len(post.api.of("createForumTopic")) == 1
    [new] = await post.fetch("select thread_id from ticket")
    assert new.thread_id not in (None, old.thread_id)
    said = [c["text"] for c in post.api.of("sendMessage") if c.get("message_thread_id") == new.thread_id]
    assert "Ау" in said
    assert any("♻️" in words for words in said)


async def test_a_topic_that_only_seemed_lost_is_not_made_twice(post: Post) -> None:
    ticket, _ = await begun(post)
    async with transaction(post.sessions) as session:
        await add(session, ticket, "Ау", post.clock())
    post.api.on("sendMessage", lambda: refused(400, "Bad Request: message thread not found"))
    await post.deliver_all()
    assert post.api.of("createForumTopic") == []
    assert [c["text"] for c in post.api.of("sendMessage")] == ["Ау", "Ау"]


async def test_a_migrated_group_is_followed(post: Post) -> None:
    ticket, _ = await begun(post)
    async with transaction(post.sessions) as session:
        await add(session, ticket, "Ау", post.clock())
    new_chat = GROUP - 7
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    post.api.on("sendMessage", lambda: refused(400, words, migrate_to_chat_id=new_chat))
    await post.deliver_all()
    assert [row.chat_id for row in await post.fetch("select chat_id from desk_group")] == [new_chat]
    assert [topic["chat_id"] for topic in post.api.of("createForumTopic")] == [new_chat]
    assert "Ау" in [c["text"] for c in post.api.of("sendMessage") if c["chat_id"] == new_chat]


async def test_what_was_replied_to_is_gone_so_it_is_sent_without_a_quote(post: Post) -> None:
    ticket, agent = await begun(post)
    [asked] = await post.fetch("select id from message")
    post.api.on("sendMessage", lambda: refused(400, "Bad Request: message to be replied not found"))
    await reply(post, agent, ticket, reply_to=asked.id)
    await post.deliver_all()
    assert ["reply_parameters" in c for c in post.api.of("sendMessage") if c["chat_id"] == CUSTOMER] == [True, False]
    assert await states(post) == ["sent"]


async def test_a_copy_that_may_not_be_deleted_any_more_is_told_to_the_engineer(post: Post) -> None:
    ticket, agent = await begun(post)
    message = await reply(post, agent, ticket)
    await post.deliver_all()
    post.api.on("deleteMessage", lambda: refused(400, "Bad Request: message can't be deleted for everyone"))
    async with transaction(post.sessions) as session:
        stored = await session.get_one(Message, message)
        await messages.delete(session, PROFILE, stored, people.actor_of(agent), post.clock(), command=701)
    await post.deliver_all()
    assert len(await notices(post)) == 1


async def test_a_row_that_cannot_be_carried_out_does_not_hold_its_lane_for_ever(post: Post) -> None:
    ticket, agent = await begun(post)
    message = await reply(post, agent, ticket)
    await post.deliver_all()
    async with transaction(post.sessions) as session:
        stored = await session.get_one(Message, message)
        # As an older version may have left it: a text without words.
        await messages.edit(session, PROFILE, stored, {"type": "text"}, people.actor_of(agent), post.clock())
    await reply(post, agent, ticket, "Починили", 701)
    for _ in range(60):
        await post.deliver()
        post.clock.move(seconds=10)
        if "Починили" in to_customer(post):
            break
    assert to_customer(post)[-1] == "Починили"


async def test_an_answer_to_an_old_button_is_dropped_unsaid(post: Post) -> None:
    payload = {"method": "answerCallbackQuery", "params": {"callback_query_id": "1", "text": "Готово"}}
    press = Outgoing(bucket=f"{DESK}:press:501", lane="press", kind="call", payload=payload, priority=Priority.PRESS)
    async with transaction(post.sessions) as session:
        await Changes(outgoing=[press]).write(session, DESK, NOW)
    post.clock.move(seconds=150)
    await post.deliver()
    assert post.api.of("answerCallbackQuery") == []
    assert [row.state for row in await post.fetch("select state from outbox")] == ["dropped"]


async def test_a_text_without_room_for_the_mark_is_announced_before(post: Post) -> None:
    ticket, agent = await begun(post)
    await reply(post, agent, ticket, words="ы" * 4096)
    post.api.on("sendMessage", DROP)
    await post.deliver_all()
    first, announced, again = to_customer(post)
    assert first == again == "ы" * 4096
    assert announced.startswith("↻")


# --- floods: what a customer writes faster than the limit admits ------------------------------------------------


LIMITS = "30/1/20"


async def flooded(post: Post, number: int) -> OpenTicket:
    """A ticket whose customer has written so many messages more, none of them delivered."""
    ticket, _ = await begun(post)
    for each in range(number):
        async with transaction(post.sessions) as session:
            await add(session, ticket, f"{each:03}🔥", post.clock())
    return ticket


def to_topic(post: Post) -> list[str]:
    return [call["text"] for call in post.api.of("sendMessage") if call["chat_id"] == GROUP]


async def test_a_flood_travels_together(post: Post) -> None:
    await flooded(post, 40)
    await post.deliver(LIMITS)
    [together] = to_topic(post)
    assert together.split("\n\n")[1:] == [f"{each:03}🔥" for each in range(40)]
    assert {row.state for row in await post.fetch("select state from outbox where kind = 'relay'")} == {"sent"}
    assert await post.fetch("select 1 from message where relayed_at is null") == []
    # A reply to it answers the last of them.
    [pair] = await post.fetch(
        "select message_ref, (select max(id) from message) as last from telegram_message where role = 'notice' "
        "order by message_id desc limit 1"
    )
    assert pair.message_ref == pair.last


async def test_a_few_short_lines_travel_one_by_one(post: Post) -> None:
    await flooded(post, 5)
    await post.deliver(LIMITS)
    assert to_topic(post) == [f"{each:03}🔥" for each in range(5)]


async def test_a_bundle_keeps_the_formatting_of_each_text(post: Post) -> None:
    await begun(post)
    bold = {"type": "bold", "offset": 2, "length": 4}
    async with transaction(post.sessions) as session:
        who = await customer(session, CUSTOMER, post.clock())
        for each in range(8):
            told = written(f"🔥{each}abc", now=post.clock(), entities=[bold])
            await service.add_message(session, PROFILE, who, who.tickets[0], told, post.clock())
            who = await customer(session, CUSTOMER, post.clock())
    await post.deliver(LIMITS)
    [call] = [call for call in post.api.of("sendMessage") if call["chat_id"] == GROUP]
    units = call["text"].encode("utf-16-le")
    shown = [units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in call["entities"]]
    assert shown[1:] == [f"{each}abc" for each in range(8)]


async def test_what_quotes_something_else_begins_a_bundle_of_its_own(post: Post) -> None:
    await begun(post)
    [first] = await post.fetch(
        "select message_ref as id, message_id as copy from telegram_message where role = 'copy' order by message_id"
    )
    for each, quoted in enumerate([None] * 7 + [first.id] * 7 + [None]):
        async with transaction(post.sessions) as session:
            who = await customer(session, CUSTOMER, post.clock())
            told = written(f"{each:03}", now=post.clock(), **({"reply_to": quoted} if quoted else {}))
            await service.add_message(session, PROFILE, who, who.tickets[0], told, post.clock())
    await post.deliver(LIMITS)
    calls = [call for call in post.api.of("sendMessage") if call["chat_id"] == GROUP]
    assert [call["text"].split("\n\n")[1:] for call in calls] == [
        [f"{each:03}" for each in range(7)],
        [f"{each:03}" for each in range(7, 14)],
        [],
    ]
    quoted = [call.get("reply_parameters", {}).get("message_id") for call in calls]
    assert quoted == [None, first.copy, None]


async def test_a_bundle_holds_what_a_message_holds(post: Post) -> None:
    ticket, _ = await begun(post)
    async with transaction(post.sessions) as session:
        for letter in "абвгдежз":
            await add(session, ticket, letter * 1500, post.clock())
    await post.deliver(LIMITS)
    held = [[letter for letter in "абвгдежз" if words.count(letter) >= 1500] for words in to_topic(post)]
    assert held == [["а", "б"], ["в", "г"], ["д"], ["е"], ["ж"], ["з"]]


async def test_a_picture_in_a_flood_goes_by_itself_and_in_its_turn(post: Post) -> None:
    ticket = await flooded(post, 7)
    async with transaction(post.sessions) as session:
        who = await customer(session, CUSTOMER, post.clock())
        picture = written("", now=post.clock(), type="photo", file_id="p", unique="u")
        await service.add_message(session, PROFILE, who, who.tickets[0], picture, post.clock())
    for each in range(7, 10):
        async with transaction(post.sessions) as session:
            await add(session, ticket, f"{each:03}🔥", post.clock())
    await post.deliver(LIMITS)
    asked = [name for name, _ in post.api.asked if name in ("sendMessage", "copyMessage")]
    assert asked == ["sendMessage", "copyMessage", "sendMessage", "sendMessage", "sendMessage"]


async def test_a_bundle_of_which_nobody_knows_is_repeated_once_and_marked(post: Post) -> None:
    await flooded(post, 10)
    post.api.on("sendMessage", DROP)
    await post.deliver(LIMITS)
    post.clock.move(seconds=5)
    await post.deliver(LIMITS)
    first, again = to_topic(post)
    assert again.endswith(first)
    assert again != first
    found = await post.fetch("select state, repeats from outbox where kind = 'relay' and repeats > 0")
    assert {tuple(row) for row in found} == {("sent", 1)}


async def test_of_a_bundle_that_is_lost_the_topic_hears_once(post: Post) -> None:
    await flooded(post, 10)
    post.api.on("sendMessage", DROP, DROP)
    for _ in range(4):
        await post.deliver(LIMITS)
        post.clock.move(minutes=2)
    assert {row.state for row in await post.fetch("select state from outbox where repeats > 0")} == {"unknown"}
    assert await notices(post) == ["unknown"]


@pytest.mark.parametrize("edited", [3, 11])
async def test_an_edit_of_a_bundled_message_is_told_by_its_new_words(post: Post, edited: int) -> None:
    """Of the last one as well, which a reply to the bundle answers."""
    await flooded(post, 10)
    await post.deliver(LIMITS)
    for words in ("Исправлено", "Исправлено ещё раз"):
        post.clock.move(minutes=2)
        async with transaction(post.sessions) as session:
            message = await session.get_one(Message, edited)
            who = await customer(session, CUSTOMER, post.clock())
            await messages.edit(session, PROFILE, message, {"type": "text", "text": words}, who.actor, post.clock())
        await post.deliver(LIMITS)
    assert "Исправлено" in to_topic(post)[-1]
    # From now on it has a copy of its own.
    assert [call["text"] for call in post.api.of("editMessageText") if call["chat_id"] == GROUP][-1] == (
        "Исправлено ещё раз"
    )


@pytest.mark.parametrize("many", [1, 10])
async def test_an_edit_while_its_message_is_on_the_way_is_not_lost(post: Post, many: int) -> None:
    """Alone or with others: what was sent are the words from before."""
    await flooded(post, many)

    async def edited_meanwhile() -> web.Response:
        async with transaction(post.sessions) as session:
            message = await session.get_one(Message, many + 1)
            who = await customer(session, CUSTOMER, post.clock())
            words = {"type": "text", "text": "Исправлено"}
            await messages.edit(session, PROFILE, message, words, who.actor, post.clock())
        post.clock.move(seconds=1)
        return web.json_response({"ok": True, "result": {"message_id": 4321}})

    post.api.on("sendMessage", edited_meanwhile)
    await post.deliver(LIMITS)
    post.clock.move(minutes=2)
    await post.deliver(LIMITS)
    if many == 1:
        assert [(call["message_id"], call["text"]) for call in post.api.of("editMessageText")][-1] == (
            4321,
            "Исправлено",
        )
    else:
        assert "Исправлено" not in to_topic(post)[0]
        assert [words for words in to_topic(post) if "Исправлено" in words] == to_topic(post)[1:]
        assert len(to_topic(post)) == 2


async def test_an_edit_that_the_bundle_already_shows_is_not_told_again(post: Post) -> None:
    await flooded(post, 10)
    async with transaction(post.sessions) as session:
        message = await session.get_one(Message, 5)
        who = await customer(session, CUSTOMER, post.clock())
        words = {"type": "text", "text": "Исправлено"}
        await messages.edit(session, PROFILE, message, words, who.actor, post.clock())
    await post.deliver(LIMITS)
    post.clock.move(minutes=2)
    await post.deliver(LIMITS)
    [together] = to_topic(post)
    assert "Исправлено" in together


# --- a topic is made once ----------------------------------------------------------------------------------------


async def told_of_topic(post: Post, name: str, thread: int, chat: int = GROUP) -> None:
    """What Telegram tells the bot of a topic that it has made."""
    made = message(None, BOT["id"], forum(chat), number=thread, thread=thread, forum_topic_created={"name": name})
    async with post.sessions() as session:
        item = receive.received(DESK, update(message=made), bot_id=BOT["id"])
        await receive.store(session, DESK, [item], post.clock())


@pytest.mark.parametrize("told", [True, False])
async def test_a_topic_of_which_nobody_knows_whether_it_was_made(post: Post, told: bool) -> None:
    async with transaction(post.sessions) as session:
        await connected(session)
        ticket = await opened(session)
    post.api.on("createForumTopic", DROP)
    await post.deliver()
    if told:
        await told_of_topic(post, f"{ticket.reference}1 · чужая", 41)
        await told_of_topic(post, f"{ticket.reference} · в другой группе", 42, GROUP - 1)
        await told_of_topic(post, f"{ticket.reference} · Не открывается кабинет", 43)
    await post.deliver_all()
    assert len(post.api.of("createForumTopic")) == (1 if told else 2)
    [row] = await post.fetch("select thread_id from ticket")
    assert (row.thread_id == 43) is told


async def test_a_lost_topic_is_not_found_again(post: Post) -> None:
    """The one that was lost was told of as well."""
    ticket, _ = await begun(post)
    [first] = await post.fetch("select thread_id from ticket")
    await told_of_topic(post, f"{ticket.reference} · Не открывается кабинет", first.thread_id)
    post.clock.move(minutes=1)

    def gone() -> web.Response:
        return refused(400, "Bad Request: message thread not found")

    async with transaction(post.sessions) as session:
        await add(session, ticket, "Ещё тут", post.clock())
    post.api.on("sendMessage", gone)
    post.api.on("sendChatAction", gone)
    post.api.on("createForumTopic", DROP)
    await post.deliver_all()
    [second] = await post.fetch("select thread_id from ticket")
    assert second.thread_id not in (None, first.thread_id)

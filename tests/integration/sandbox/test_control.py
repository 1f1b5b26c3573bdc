"""The people's side itself: what is seen, what is refused, events, the client's waiting, the command."""

import asyncio
import json
import signal
import sys

import pytest
from aiogram import Bot
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.client import Json, Sandbox, SandboxError, find_button
from sandbox.telegram.samples import png

from .conftest import DESK, TOKEN, Server


async def frames(sandbox: Sandbox, after: int, until_type: str) -> list[Json]:
    """Frames from the journal up to one of that type."""
    found: list[Json] = []
    async with sandbox.session.ws_connect(f"{sandbox.url}/sandbox/events?after={after}") as socket:
        async for frame in socket:
            found.append(json.loads(frame.data))
            if found[-1]["type"] == until_type:
                break
    return found


async def test_the_private_chat_is_the_bots_to_a_person(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await bot.send_message(alice, "hello")
    seen = await sandbox.chat(DESK, alice)
    assert seen["chat"] == {"id": DESK, "type": "private", "first_name": "Desk", "username": "desk_bot"}
    assert [m["text"] for m in seen["messages"]] == ["/start", "hello"]
    assert len((await sandbox.chat(DESK, alice, after=1))["messages"]) == 1


async def test_the_chat_list_has_the_latest_first(sandbox: Sandbox, bob: int, group: int) -> None:
    assert [entry["chat"]["id"] for entry in await sandbox.chats(bob)] == [group, DESK]
    said = await sandbox.say(bob, DESK, "hi")
    first = (await sandbox.chats(bob))[0]
    assert first["last_message"]["message_id"] in (said["message_id"], 1)


async def test_state(sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    state = await sandbox.state()
    assert [bot["id"] for bot in state["bots"]] == [DESK]
    assert {user["id"] for user in state["users"]} == {alice, bob}
    assert state["groups"][0]["id"] == group
    assert {m["user"]["id"]: m["status"] for m in state["groups"][0]["members"]} == {
        bob: "creator",
        DESK: "administrator",
    }


async def test_uploads_become_what_they_are(bot: Bot, sandbox: Sandbox, alice: int, server: Server) -> None:
    upload = await sandbox.upload("screen.png", png(64, 48), "image/png")
    said = await sandbox.say(alice, DESK, "look", file=upload)
    assert (said["photo"][-1]["width"], said["caption"]) == (64, "look")
    as_document = await sandbox.say(alice, DESK, kind="document", file=upload)
    assert as_document["document"]["file_name"] == "screen.png"
    async with sandbox.session.get(f"{server.url}/sandbox/files/{said['photo'][-1]['file_id']}") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", png(64, 48))
    async with sandbox.session.get(f"{server.url}/sandbox/files/nonsense") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("verb", "path", "body", "words"),
    [
        ("POST", "/users", {}, "first_name: a text"),
        ("POST", "/bots", {"token": "x", "name": "x", "username": "x"}, "token: a free number"),
        ("POST", "/groups", {"title": "x", "owner": 1}, "no user 1"),
        ("POST", "/messages", {"from": 1, "chat": 2, "text": "x"}, "no user 1"),
        ("POST", "/limits", {"per_second": "many"}, "wrong request"),
        ("POST", "/updates", {"bot": DESK, "update": {"x": 1}}, "integer update_id"),
        ("POST", "/updates/repeat", {"bot": DESK, "update_id": 1}, "no update 1"),
        ("POST", "/updates/hold", {"bot": DESK, "hold": False, "order": "sideways"}, "shuffle or reverse"),
        ("POST", "/load", {"bot": DESK}, "a list of raw updates"),
        ("GET", "/updates", None, "no such bot"),
        ("GET", "/callbacks/5", None, "no callback 5"),
        ("GET", "/nonsense", None, "no such call"),
    ],
)
async def test_wrong_requests_get_one_clear_line(
    sandbox: Sandbox, verb: str, path: str, body: Json | None, words: str
) -> None:
    with pytest.raises(SandboxError, match=words):
        await sandbox.call(verb, path, body)


async def test_what_people_cannot_do(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    theirs = (await bot.send_message(alice, "mine")).message_id
    refusals = [
        (sandbox.say(alice, group, "x"), "is not in group"),
        (sandbox.say(alice, DESK, "x", thread=5), "no topics"),
        (sandbox.say(bob, group, "x", thread=1), "has no topic 1"),
        (sandbox.say(alice, DESK, "x", reply_to=99), "no message 99"),
        (sandbox.say(alice, DESK, ""), "message text is empty"),
        (sandbox.say(alice, DESK, kind="hologram"), "unknown kind"),
        (sandbox.say(alice, DESK, kind="photo", file="upload-9"), "no upload upload-9"),
        (sandbox.edit(alice, DESK, theirs, "x"), "is not by user"),
        (sandbox.react(alice, DESK, theirs, "✅"), "not among the reactions"),
        (sandbox.press(alice, DESK, theirs, "x"), "no button"),
    ]
    for refused, words in refusals:
        with pytest.raises(SandboxError, match=words):
            await refused
    await sandbox.block(alice, DESK)
    with pytest.raises(SandboxError, match="unblock it first"):
        await sandbox.say(alice, DESK, "x")


async def test_events_tell_the_story(bot: Bot, sandbox: Sandbox, bob: int, group: int) -> None:
    thread = (await bot.create_forum_topic(group, "PD-1")).message_thread_id
    card = await bot.send_message(group, "card", message_thread_id=thread)
    await card.edit_text("card 2")
    await card.pin()
    await sandbox.react(bob, group, card.message_id, "👍")
    await bot.send_chat_action(group, "typing", message_thread_id=thread)
    await bot.delete_message(group, card.message_id)
    await sandbox.topic(group, thread, "delete")
    await sandbox.reset()
    story = [f for f in await frames(sandbox, 0, "reset") if f["type"] not in ("call", "member", "chat")]
    assert [frame["type"] for frame in story[-10:]] == [
        "message", "message", "edited", "pinned", "message", "reaction", "action", "deleted", "topic", "reset",
    ]  # fmt: skip
    inside = [frame for frame in story if frame.get("thread") == thread]
    assert all(frame["chat"] == group and "viewer" not in frame for frame in inside)
    assert [frame["n"] for frame in story] == sorted(frame["n"] for frame in story)


async def test_private_events_name_both_sides(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    await bot.send_message(alice, "hello")
    await sandbox.reset()
    messages = [f for f in await frames(sandbox, 0, "reset") if f["type"] == "message"]
    assert {(f["chat"], f["viewer"]) for f in messages} == {(DESK, alice)}
    assert messages[-1]["message"]["text"] == "hello"


async def test_the_journal_of_calls(bot: Bot, sandbox: Sandbox, alice: int, group: int) -> None:
    before = await sandbox.last_call()
    await bot.get_updates()
    await bot.send_message(alice, "a")
    await bot.send_message(group, "b")
    await bot.get_me()
    calls = await sandbox.calls(after=before)
    assert [call["method"] for call in calls] == ["sendMessage", "sendMessage", "getMe"]
    assert calls[0]["params"] == {"chat_id": alice, "text": "a"}
    assert calls[0]["result"]["text"] == "a"
    assert [c["params"]["text"] for c in await sandbox.calls(chat=group, method="sendMessage")] == ["b"]
    assert await sandbox.last_call() == before + 3


async def test_reset_empties_the_world(sandbox: Sandbox, alice: int, group: int) -> None:
    await sandbox.reset()
    assert await sandbox.state() == {"bots": [], "users": [], "groups": []}
    await sandbox.add_bot(TOKEN)


async def test_waiting_for_a_message_and_its_button(bot: Bot, sandbox: Sandbox, alice: int) -> None:
    keyboard = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=t, callback_data=t) for t in ("Take it", "Take", "Close")]]
    )
    waiting = asyncio.create_task(sandbox.wait_message(DESK, alice, containing="card"))
    await bot.send_message(alice, "the card", reply_markup=keyboard)
    message = await waiting
    assert find_button(message, "Clo") == "Close"
    assert find_button(message, "Take") == "Take", "the exact text wins"
    with pytest.raises(AssertionError, match="not one button"):
        find_button(message, "ake")
    assert (await sandbox.wait_calls("sendMessage"))[0]["ok"]


async def test_waiting_in_vain_says_for_what(sandbox: Sandbox, alice: int) -> None:
    with pytest.raises(AssertionError, match="a bot's message with «nothing»"):
        await sandbox.wait_message(DESK, alice, containing="nothing", timeout=0.05)


async def test_the_command_starts_and_stops() -> None:
    command = (sys.executable, "-m", "sandbox", "--port", "0", "--limits", "30/1/20")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    async with Sandbox(line.split()[-1]) as sandbox:
        assert (await sandbox.add_bot(TOKEN))["id"] == DESK
    process.send_signal(signal.SIGTERM)
    rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")

"""Chats, members, commands, callbacks, migration."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    BotCommandScopeUnion,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MenuButtonCommands,
)

from sandbox.client import Sandbox, SandboxError

from .conftest import DESK, TOKEN, Clock, fresh


async def test_chat_and_members(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    chat = await bot.get_chat(group)
    assert (chat.title, chat.type, chat.is_forum) == ("Engineers", "supergroup", True)
    assert (await bot.get_chat(alice)).first_name == "Alice"
    assert (await bot.get_chat_member(group, bob)).status == "creator"
    me = await bot.get_chat_member(group, DESK)
    assert me.status == "administrator"
    assert me.can_manage_topics  # type: ignore[union-attr]
    assert (await bot.get_chat_member(group, alice)).status == "left"
    await sandbox.add_member(group, user=alice)
    assert (await bot.get_chat_member(group, alice)).status == "member"
    assert {m.user.id for m in await bot.get_chat_administrators(group)} == {bob, DESK}
    assert await bot.get_chat_member_count(group) == 3
    with pytest.raises(TelegramBadRequest, match="user not found"):
        await bot.get_chat_member(group, 777)


async def test_small_answers(bot: Bot, alice: int) -> None:
    assert await bot.send_chat_action(alice, "typing")
    with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
        await bot.send_chat_action(alice, "yawning")
    assert (await bot.get_user_profile_photos(alice)).total_count == 0
    assert await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    assert (await bot.get_chat_menu_button()).type == "commands"
    assert await bot.set_my_name("Кезекші", language_code="kk")
    assert (await bot.get_my_name(language_code="kk")).name == "Кезекші"
    assert (await bot.get_my_name()).name == "Desk"
    assert await bot.set_my_description("What it does")
    assert (await bot.get_my_description(language_code="ru")).description == "What it does"
    assert await bot.set_my_short_description("Short")
    assert (await bot.get_my_short_description()).short_description == "Short"
    with pytest.raises(TelegramBadRequest, match="invalid file_id"):
        await bot.get_file("nonsense")


async def test_commands_by_scope_and_language(bot: Bot, sandbox: Sandbox, alice: int, bob: int) -> None:
    async def shown(viewer: int) -> list[str]:
        return [command["command"] for command in (await sandbox.chat(DESK, viewer))["commands"]]

    await bot.set_my_commands([BotCommand(command="help", description="Help")])
    assert await shown(alice) == ["help"]
    private = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand(command="komek", description="Көмек")], private, language_code="kk")
    assert (await shown(alice), await shown(bob)) == (["komek"], ["help"])
    own = BotCommandScopeChat(chat_id=alice)
    await bot.set_my_commands([BotCommand(command="mine", description="Mine")], own)
    assert await shown(alice) == ["mine"]
    assert [c.command for c in await bot.get_my_commands(own)] == ["mine"]
    assert await bot.delete_my_commands(own)
    assert await shown(alice) == ["komek"]
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Help!", description="x")])


async def test_commands_in_a_group(bot: Bot, sandbox: Sandbox, alice: int, bob: int, group: int) -> None:
    async def shown(viewer: int) -> list[str]:
        return [command["command"] for command in (await sandbox.chat(group, viewer))["commands"]]

    await sandbox.add_member(group, user=alice)
    scopes: list[tuple[BotCommandScopeUnion, str]] = [
        (BotCommandScopeAllGroupChats(), "all"),
        (BotCommandScopeChatAdministrators(chat_id=group), "admins"),
        (BotCommandScopeChatMember(chat_id=group, user_id=alice), "alice"),
    ]
    seen = []
    for scope, name in scopes:
        await bot.set_my_commands([BotCommand(command=name, description=name)], scope)
        seen.append((await shown(alice), await shown(bob)))
    assert seen == [(["all"], ["all"]), (["all"], ["admins"]), (["alice"], ["admins"])]


async def test_pressing_and_answering(bot: Bot, sandbox: Sandbox, alice: int, clock: Clock) -> None:
    keyboard = InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text="Yes", callback_data="answer:yes")],
            [InlineKeyboardButton(text="Site", url="https://a.example")],
        ]
    )
    card = (await bot.send_message(alice, "card", reply_markup=keyboard)).message_id
    pressed = await sandbox.press(alice, DESK, card, "answer:yes")
    assert (await sandbox.callback(pressed))["answered"] is False
    assert await bot.answer_callback_query(pressed, "Taken", show_alert=True)
    assert await sandbox.callback(pressed) == {"answered": True, "text": "Taken", "show_alert": True, "url": None}
    with pytest.raises(SandboxError, match="«Site» is a link"):
        await sandbox.press(alice, DESK, card, "Site")
    with pytest.raises(SandboxError, match="no button «No»; there are: «Yes», «Site»"):
        await sandbox.press(alice, DESK, card, "No")
    late = await sandbox.press(alice, DESK, card, "Yes")
    clock.at += 151
    with pytest.raises(
        TelegramBadRequest, match="query is too old and response timeout expired or query ID is invalid"
    ):
        await bot.answer_callback_query(late)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query("nonsense")


async def test_migration(bot: Bot, sandbox: Sandbox, bob: int, group: int) -> None:
    thread = (await bot.create_forum_topic(group, "PD-1")).message_thread_id
    new = (await sandbox.migrate(group))["id"]
    assert new != group
    for call in (bot.send_message(group, "x", message_thread_id=thread), bot.get_chat(group)):
        with pytest.raises(TelegramMigrateToChat) as caught:
            await call
        assert caught.value.migrate_to_chat_id == new
    assert "group chat was upgraded to a supergroup chat" in str(caught.value)
    assert await bot.create_forum_topic(new, "PD-1"), "members and rights came along"
    with pytest.raises(SandboxError, match="moved to"):
        await sandbox.say(bob, group, "x")
    moves = [(m["chat"]["id"], m.get("migrate_to_chat_id")) for m in await fresh(sandbox, "message")]
    assert (group, new) in moves


async def test_being_thrown_out(bot: Bot, sandbox: Sandbox, group: int) -> None:
    await sandbox.remove_member(group, DESK)
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was kicked from the supergroup chat"):
        await bot.send_message(group, "x")
    assert (await fresh(sandbox, "my_chat_member"))[-1]["new_chat_member"]["status"] == "kicked"
    await sandbox.add_member(group, bot=TOKEN)
    assert await bot.leave_chat(group)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the supergroup chat"):
        await bot.send_message(group, "x")


async def test_a_plain_member_may_not(bot: Bot, sandbox: Sandbox, bob: int, group: int) -> None:
    await sandbox.add_member(group, bot=TOKEN, plain=True)
    with pytest.raises(TelegramBadRequest, match="Bad Request: not enough rights to create a topic"):
        await bot.create_forum_topic(group, "x")
    await sandbox.add_member(group, bot=TOKEN, rights={"can_manage_topics": True, "can_pin_messages": False})
    assert await bot.create_forum_topic(group, "x")
    with pytest.raises(SandboxError, match="unknown right"):
        await sandbox.add_member(group, bot=TOKEN, rights={"can_fly": True})

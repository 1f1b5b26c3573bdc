"""Who is in a group with what rights, and how bots learn of a change."""

from typing import Final

from sandbox.telegram.model import Bot, Group, Json, Member, Private, Room
from sandbox.telegram.posting import service
from sandbox.telegram.world import World

RIGHTS: Final = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
    "can_delete_stories", "can_pin_messages", "can_manage_topics", "can_manage_tags", "can_send_welcome_messages",
)  # fmt: skip
USUAL: Final = {name: name in ("can_manage_chat", "can_delete_messages", "can_invite_users", "can_pin_messages",
                               "can_manage_topics", "can_restrict_members") for name in RIGHTS}  # fmt: skip


def member_data(user: Json, member: Member) -> Json:
    """The Bot API's ChatMember."""
    data: Json = {"status": member.status, "user": user}
    if member.status == "creator":
        data["is_anonymous"] = False
    elif member.status == "administrator":
        data |= {"can_be_edited": False, "is_anonymous": False}
        data |= {name: member.rights.get(name, False) for name in RIGHTS}
    elif member.status == "kicked":
        data["until_date"] = 0
    return data


def person(world: World, who: int) -> Json:
    """User data of a user or a bot."""
    found = world.users.get(who) or world.bots.get(who)
    return found.data if found is not None else {"id": who, "is_bot": False, "first_name": "Deleted"}


def set_member(world: World, group: Group, who: int, new: Member, by: Json) -> None:
    """Put somebody in, change their rights or take them out; everybody concerned hears of it."""
    old = group.member(who)
    group.members[who] = new
    user = person(world, who)
    change = member_change(world, group, by, member_data(user, old), member_data(user, new))
    bot = world.bots.get(who)
    if bot is not None:
        bot.inbox.add("my_chat_member", change, ("my_chat_member", group.id))
    for other, standing in list(world.audience(group)):
        if other.id != who and standing.status == "administrator":
            other.inbox.add("chat_member", change, ("chat_member", group.id))
    world.emit("member", group, None, lambda: {"user": user, "status": new.status})
    if new.inside and not old.inside:
        service(world, group, by, {"new_chat_members": [user]})
    elif old.inside and not new.inside:
        service(world, group, by, {"left_chat_member": user})


def set_blocked(world: World, room: Private, *, blocked: bool) -> None:
    """A person blocks the bot or lets it in again."""
    if room.blocked == blocked:
        return
    room.blocked = blocked
    tell_private(world, room, was="kicked" if not blocked else "member", now="kicked" if blocked else "member")


def tell_private(world: World, room: Private, *, was: str, now: str) -> None:
    bot: Bot = room.bot
    states: dict[str, Json] = {
        "member": {"status": "member", "user": bot.data},
        "kicked": {"status": "kicked", "user": bot.data, "until_date": 0},
    }
    change = member_change(world, room, room.user.data, states[was], states[now])
    bot.inbox.add("my_chat_member", change, ("my_chat_member", room.id))
    world.emit("member", room, None, lambda: {"user": bot.data, "status": now})


def member_change(world: World, room: Room, by: Json, old: Json, new: Json) -> Json:
    return {
        "chat": room.chat,
        "from": by,
        "date": int(world.now()),
        "old_chat_member": old,
        "new_chat_member": new,
    }

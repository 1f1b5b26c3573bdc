"""getChat and its kin."""

from typing import Final

from sandbox.telegram.errors import bad
from sandbox.telegram.files import DOWNLOAD_LIMIT
from sandbox.telegram.membership import member_data, person, set_member
from sandbox.telegram.methods.reactions import ALLOWED
from sandbox.telegram.model import Bot, Group, Json, Member, Private
from sandbox.telegram.replies import check_thread
from sandbox.telegram.world import World

ACTIONS: Final = frozenset(
    {
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
        "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
    }
)  # fmt: skip
GIFTS: Final = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


def _get_chat(world: World, bot: Bot, params: Json) -> Json:
    room = world.room_known(bot, params["chat_id"])
    info: Json = {
        **room.chat,
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": GIFTS,
    }
    if room.pinned:
        info["pinned_message"] = room.messages[room.pinned[-1]].data
    if isinstance(room, Group):
        info["available_reactions"] = [{"type": "emoji", "emoji": emoji} for emoji in sorted(ALLOWED)]
    return info


def _get_member(world: World, bot: Bot, params: Json) -> Json:
    room = world.room_known(bot, params["chat_id"])
    who: int = params["user_id"]
    if who not in world.users and who not in world.bots:
        raise bad("user not found")
    if isinstance(room, Group):
        return member_data(person(world, who), room.member(who))
    assert isinstance(room, Private)
    inside = who in (room.user.id, room.bot.id)
    return member_data(person(world, who), Member("member" if inside else "left"))


def _get_administrators(world: World, bot: Bot, params: Json) -> list[Json]:
    room = world.room_known(bot, params["chat_id"])
    if not isinstance(room, Group):
        raise bad("there are no administrators in the private chat")
    return [
        member_data(person(world, who), member)
        for who, member in room.members.items()
        if member.status in ("creator", "administrator") and (who not in world.bots or who == bot.id)
    ]


def _count_members(world: World, bot: Bot, params: Json) -> int:
    room = world.room_known(bot, params["chat_id"])
    return len(room.inside(room.members)) if isinstance(room, Group) else 2


def _leave(world: World, bot: Bot, params: Json) -> bool:
    group = world.group_for(bot, params["chat_id"])
    set_member(world, group, bot.id, Member("left"), bot.data)
    return True


def _action(world: World, bot: Bot, params: Json) -> bool:
    room = world.room_for(bot, params["chat_id"])
    if params["action"] not in ACTIONS:
        raise bad("wrong parameter action in request")
    thread = params.get("message_thread_id")
    if thread is not None:
        check_thread(room, bot, thread)
    more = {"action": params["action"], "by": bot.id}
    world.emit("action", room, thread, lambda: more)
    return True


def _get_file(world: World, bot: Bot, params: Json) -> Json:
    file = world.files.get(params["file_id"])
    if file is None:
        raise bad("invalid file_id")
    if len(file.data) > DOWNLOAD_LIMIT:
        raise bad("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.data),
        "file_path": file.path,
    }


def _profile_photos(world: World, bot: Bot, params: Json) -> Json:
    if params["user_id"] not in world.users:
        raise bad("user not found")
    return {"total_count": 0, "photos": []}


METHODS = {
    "getChat": _get_chat,
    "getChatMember": _get_member,
    "getChatAdministrators": _get_administrators,
    "getChatMemberCount": _count_members,
    "leaveChat": _leave,
    "sendChatAction": _action,
    "getFile": _get_file,
    "getUserProfilePhotos": _profile_photos,
}

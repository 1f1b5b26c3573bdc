"""The world as a person sees it: chats, messages, the start of the page."""

from sandbox.telegram.commands import commands_for
from sandbox.telegram.membership import person
from sandbox.telegram.model import Group, Json, Private, Room, User
from sandbox.telegram.posting import seen
from sandbox.telegram.world import World


def chat_seen(world: World, room: Room, viewer: User, after: int = 0) -> Json:
    """A chat, its messages after that id: deleted topics and messages are marked, not gone."""
    view: Json = {
        "chat": _chat(room),
        "topics": [topic.seen() for topic in room.topics.values()] if isinstance(room, Group) else [],
        "messages": [seen(room, message) for message in room.messages.values() if message.id > after],
        "pinned": list(room.pinned),
        "reply_keyboard": room.keyboard,
        "commands": [c for bot, _ in world.audience(room) for c in commands_for(bot, room, viewer)],
    }
    if isinstance(room, Private):
        view["blocked"] = room.blocked
        view["started"] = room.started
        view["menu_button"] = room.bot.menu_buttons.get(viewer.id) or room.bot.menu_buttons.get(0)
    return view


def _chat(room: Room) -> Json:
    """To a person the private chat is the bot's."""
    if not isinstance(room, Private):
        return room.chat
    bot = room.bot.data
    return {"id": bot["id"], "type": "private", "first_name": bot["first_name"], "username": bot["username"]}


def chats_of(world: World, viewer: User) -> list[Json]:
    """The chat list: every bot, and the groups the person is in; the latest first."""
    rooms: list[Room] = [world.private(bot, viewer) for bot in world.bots.values()]
    rooms += [group for group in world.groups.values() if group.migrated_to is None and group.member(viewer.id).inside]
    rooms.sort(key=_last_at, reverse=True)
    return [{"chat": _chat(room), "last_message": _last(room)} for room in rooms]


def _last_at(room: Room) -> float:
    message = next(reversed(room.messages.values()), None)
    return message.at if message is not None else 0.0


def _last(room: Room) -> Json | None:
    for message in reversed(room.messages.values()):
        if not message.deleted:
            return seen(room, message)
    return None


def state(world: World) -> Json:
    """Everybody there is."""
    return {
        "bots": [bot.data for bot in world.bots.values()],
        "users": [user.data for user in world.users.values()],
        "groups": [
            {**group.chat, "members": _members(world, group), "migrated_to": group.migrated_to}
            for group in world.groups.values()
        ],
    }


def _members(world: World, group: Group) -> list[Json]:
    return [
        {"user": person(world, who), "status": member.status} for who, member in group.members.items() if member.inside
    ]

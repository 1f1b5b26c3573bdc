"""The state of the sandbox, and how to find things in it."""

import time
from collections.abc import Callable, Iterator

from sandbox.telegram.errors import ApiError, Refused, bad, forbidden, upgraded
from sandbox.telegram.events import Events, Frame
from sandbox.telegram.model import Bot, Callback, File, Group, Json, Member, Message, Private, Room, Upload, User
from sandbox.telegram.updates import Inbox

ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_BOT: Json = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
SERVICE_ID = 777000
FIRST_USER = 500_000_001
FIRST_GROUP = 1_001_000_000_001
FIRST_UPDATE = 700_000_001


class World:
    """Everybody and everything; one per server, in memory."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.events = Events()
        self.on_hook: Callable[[Bot], None] = lambda bot: None
        self.clear()

    def clear(self) -> None:
        """Begin again; the event journal goes on."""
        self.bots: dict[int, Bot] = {}
        self.by_token: dict[str, Bot] = {}
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.privates: dict[tuple[int, int], Private] = {}
        self.files: dict[str, File] = {}
        self.uploads: dict[str, Upload] = {}
        self.callbacks: dict[str, Callback] = {}
        self._counters: dict[str, int] = {}

    def count(self, name: str, start: int = 1) -> int:
        """The next number of that series."""
        value = self._counters.get(name, start)
        self._counters[name] = value + 1
        return value

    # Making

    def add_bot(self, token: str, name: str, username: str) -> Bot:
        known = self.by_token.get(token)
        if known is not None:
            return known
        head = token.partition(":")[0]
        if not head.isdigit() or int(head) in self.users or int(head) in self.bots:
            raise Refused("token: a free number, a colon and a secret, as in 4242:abc")
        data: Json = {"id": int(head), "is_bot": True, "first_name": name, "username": username}
        bot = Bot(int(head), token, data, Inbox(self.now, self.count("updates", FIRST_UPDATE)))
        bot.inbox.next_id = FIRST_UPDATE + 1_000_000 * len(self.bots)
        self.bots[bot.id] = self.by_token[token] = bot
        return bot

    def add_user(self, data: Json) -> User:
        """A person with that User data; without an id they get one."""
        who = data.get("id") or self._free_user_id()
        if who in self.users or who in self.bots:
            raise Refused(f"id {who} is taken")
        user = User(who, {"id": who, "is_bot": False, **{k: v for k, v in data.items() if k != "id"}})
        self.users[who] = user
        return user

    def _free_user_id(self) -> int:
        while (who := self.count("users", FIRST_USER)) in self.users or who in self.bots:
            pass
        return who

    def add_group(self, title: str, *, is_forum: bool, chat_id: int | None = None) -> Group:
        group_id = chat_id if chat_id is not None else -self.count("groups", FIRST_GROUP)
        chat: Json = {"id": group_id, "title": title, "type": "supergroup"}
        if is_forum:
            chat["is_forum"] = True
        group = Group(id=group_id, chat=chat, where={"chat": group_id}, is_forum=is_forum)
        self.groups[group_id] = group
        self.events.emit("chat", group.where, lambda: {"info": chat})
        return group

    def private(self, bot: Bot, user: User) -> Private:
        """The chat of the two; it is there once either looks for it."""
        room = self.privates.get((bot.id, user.id))
        if room is None:
            names: Json = {k: user.data[k] for k in ("first_name", "last_name", "username") if k in user.data}
            chat: Json = {"id": user.id, "type": "private", **names}
            where = {"chat": bot.id, "viewer": user.id}
            room = Private(id=user.id, chat=chat, where=where, bot=bot, user=user)
            self.privates[bot.id, user.id] = room
        return room

    # Finding, for a bot

    def room_for(self, bot: Bot, chat_id: int | str) -> Room:
        """The chat a bot names; ApiError as the server words it, when it may not write there."""
        number = chat_number(chat_id)
        return self._private_for(bot, number) if number > 0 else self.group_for(bot, number)

    def _private_for(self, bot: Bot, user_id: int) -> Private:
        user = self.users.get(user_id)
        if user is None:
            if user_id in self.bots:
                raise forbidden("bots can't send messages to bots")
            raise bad("chat not found")
        room = self.privates.get((bot.id, user_id))
        if room is None or not room.started:
            raise forbidden("bot can't initiate conversation with a user")
        if room.blocked:
            raise forbidden("bot was blocked by the user")
        return room

    def room_known(self, bot: Bot, chat_id: int | str) -> Room:
        """Like room_for, but a block does not matter: old messages are still there."""
        number = chat_number(chat_id)
        room = self.privates.get((bot.id, number))
        return room if room is not None and room.started else self.room_for(bot, number)

    def group_for(self, bot: Bot, chat_id: int | str) -> Group:
        """The group a bot names and is in."""
        number = chat_number(chat_id)
        group = self.groups.get(number)
        if group is None:
            raise bad("chat not found" if number < 0 else "method is available for supergroup chats only")
        if group.migrated_to is not None:
            raise upgraded(group.migrated_to)
        member = group.member(bot.id)
        if member.status == "kicked":
            raise forbidden("bot was kicked from the supergroup chat")
        if not member.inside:
            known = bot.id in group.members
            raise forbidden("bot is not a member of the supergroup chat") if known else bad("chat not found")
        return group

    def forum_for(self, bot: Bot, chat_id: int | str) -> Group:
        group = self.group_for(bot, chat_id)
        if not group.is_forum:
            raise bad("the chat is not a forum")
        return group

    # Finding, for a person

    def user(self, user_id: object) -> User:
        user = self.users.get(user_id) if isinstance(user_id, int) else None
        if user is None:
            raise Refused(f"no user {user_id}")
        return user

    def bot_of(self, token: object) -> Bot:
        """By token or by id."""
        bot = self.by_token.get(token) if isinstance(token, str) else None
        if bot is None and isinstance(token, int):
            bot = self.bots.get(token)
        if bot is None:
            raise Refused("no such bot: give its token or its id")
        return bot

    def group(self, chat_id: object) -> Group:
        group = self.groups.get(chat_id) if isinstance(chat_id, int) else None
        if group is None:
            raise Refused(f"no group {chat_id}")
        if group.migrated_to is not None:
            raise Refused(f"group {chat_id} moved to {group.migrated_to}")
        return group

    def room_seen(self, chat_id: object, viewer: User) -> Room:
        """The chat as that person names it: a bot's id, or a group they are in."""
        if isinstance(chat_id, int) and chat_id in self.bots:
            return self.private(self.bots[chat_id], viewer)
        group = self.group(chat_id)
        if not group.member(viewer.id).inside:
            raise Refused(f"user {viewer.id} is not in group {chat_id}")
        return group

    # Telling

    def emit(self, kind: str, room: Room, thread: int | None = None, more: Frame | None = None) -> None:
        where = room.where if thread is None else {**room.where, "thread": thread}
        self.events.emit(kind, where, more)

    def audience(self, room: Room) -> Iterator[tuple[Bot, Member]]:
        """The bots in the room, each with its standing there."""
        if isinstance(room, Private):
            yield room.bot, Member("administrator")
        elif isinstance(room, Group):
            for who, member in room.members.items():
                bot = self.bots.get(who)
                if bot is not None and member.inside:
                    yield bot, member


def chat_number(chat_id: int | str) -> int:
    try:
        return int(chat_id)
    except ValueError:
        raise bad("chat not found") from None


def message_for(room: Room, message_id: int, purpose: str) -> Message:
    """The live message a bot names, or «message to … not found»."""
    message = room.live(message_id)
    if message is None:
        raise bad(f"message {purpose} not found")
    return message


def refused(error: ApiError) -> Refused:
    """The same reason, told to a person."""
    return Refused(error.description.partition(": ")[2] or error.description)

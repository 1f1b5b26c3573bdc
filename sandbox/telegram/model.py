"""The things there are: people, bots, rooms, topics, messages, files. Data, no behaviour to speak of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.telegram.updates import Inbox

Json = dict[str, Any]
Status = Literal["creator", "administrator", "member", "left", "kicked"]


@dataclass(slots=True)
class User:
    """A person; `data` is the Bot API's User."""

    id: int
    data: Json


@dataclass(slots=True)
class Bot:
    """A bot: its User, its token and the updates waiting for it."""

    id: int
    token: str
    data: Json
    inbox: Inbox
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_buttons: dict[int, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """A message. `data` is the Bot API's Message as it is now; an edit puts a new dict there, never
    changes the old one, because updates already made must keep what they said."""

    id: int
    data: Json
    sender: int
    thread: int | None
    at: float
    service: bool = False
    deleted: bool = False
    edits: int = 0
    reactions: dict[int, str] = field(default_factory=dict)

    @property
    def protected(self) -> bool:
        return bool(self.data.get("has_protected_content"))

    def reaction_list(self) -> list[Json]:
        return [{"emoji": emoji, "by": who} for who, emoji in self.reactions.items()]


@dataclass(slots=True)
class Topic:
    """A topic of a forum; `thread` is the id of its root message."""

    thread: int
    name: str
    icon_color: int
    icon_custom_emoji_id: str | None = None
    closed: bool = False
    deleted: bool = False
    messages: list[int] = field(default_factory=list)

    def seen(self) -> Json:
        data: Json = {
            "thread": self.thread,
            "name": self.name,
            "icon_color": self.icon_color,
            "closed": self.closed,
            "deleted": self.deleted,
        }
        if self.icon_custom_emoji_id:
            data["icon_custom_emoji_id"] = self.icon_custom_emoji_id
        return data


@dataclass(slots=True)
class Member:
    """Somebody in a group: a user or a bot."""

    status: Status
    rights: dict[str, bool] = field(default_factory=dict)

    @property
    def inside(self) -> bool:
        return self.status in ("creator", "administrator", "member")

    def may(self, right: str) -> bool:
        return self.status == "creator" or (self.status == "administrator" and self.rights.get(right, False))


@dataclass(slots=True)
class Room:
    """Where messages are: `id` and `chat` as a bot sees them."""

    id: int
    chat: Json
    where: Json
    messages: dict[int, Message] = field(default_factory=dict)
    last_id: int = 0
    pinned: list[int] = field(default_factory=list)
    keyboard: Json | None = None

    def live(self, message_id: int) -> Message | None:
        """The message, unless it was deleted or never there."""
        message = self.messages.get(message_id)
        return None if message is None or message.deleted else message


@dataclass(slots=True)
class Private(Room):
    """A person's chat with a bot."""

    bot: Bot = field(kw_only=True)
    user: User = field(kw_only=True)
    started: bool = False
    blocked: bool = False


@dataclass(slots=True)
class Group(Room):
    """A supergroup, usually a forum."""

    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    is_forum: bool = True
    general_closed: bool = False
    general_hidden: bool = False
    general_name: str = "General"
    migrated_to: int | None = None

    def member(self, who: int) -> Member:
        return self.members.get(who) or Member("left")

    def inside(self, ids: Iterable[int]) -> list[int]:
        return [who for who in ids if self.member(who).inside]


@dataclass(slots=True)
class File:
    """A stored file. `kind` is the message field it belongs to: photo, voice, …"""

    file_id: str
    unique_id: str
    kind: str
    data: bytes
    name: str
    mime: str
    path: str
    media: Json = field(default_factory=dict)


@dataclass(slots=True)
class Upload:
    """Bytes on the way in, not yet a file of any kind."""

    name: str
    mime: str
    data: bytes


@dataclass(slots=True)
class Callback:
    """A pressed button, waiting for its answer."""

    id: str
    bot: int
    user: int
    where: Json
    at: float
    answered: bool = False
    text: str | None = None
    show_alert: bool = False
    url: str | None = None

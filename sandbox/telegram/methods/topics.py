"""Forum topics."""

from collections.abc import Callable
from typing import Final

from sandbox.telegram.errors import bad
from sandbox.telegram.forum import close_general, close_topic, delete_topic, edit_topic, hide_general, open_topic
from sandbox.telegram.model import Bot, Group, Json, Topic
from sandbox.telegram.world import World

ICONS: Final = {
    "5434144690511290129": "📰", "5312536423851630001": "💡", "5312016608254762256": "⚡️",
    "5377544228505134960": "🎙", "5418085807791545980": "🔝", "5379748062124056162": "❗️",
    "5420216386448270341": "🆘", "5237699328843200968": "✅", "5417915203100613993": "💬",
    "5368653135101310687": "🤖", "5377316857231450742": "❓", "5350554349074391003": "💻",
}  # fmt: skip
COLORS: Final = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
NAME_LIMIT = 128


def _forum(world: World, bot: Bot, params: Json, refusal: str, right: str = "can_manage_topics") -> Group:
    group = world.forum_for(bot, params["chat_id"])
    if not group.member(bot.id).may(right):
        raise bad(f"not enough rights to {refusal}")
    return group


def _topic(group: Group, params: Json) -> Topic:
    topic = group.topics.get(params["message_thread_id"])
    if topic is None:
        raise bad("TOPIC_ID_INVALID")
    if topic.deleted:
        raise bad("TOPIC_DELETED")
    return topic


def _name(params: Json) -> str:
    name = str(params["name"]).strip()[:NAME_LIMIT]
    if not name:
        raise bad("title must be non-empty")
    return name


def _icon(params: Json) -> str | None:
    icon: str | None = params.get("icon_custom_emoji_id") or None
    if icon is not None and icon not in ICONS:
        raise bad("DOCUMENT_INVALID")
    return icon


def _create(world: World, bot: Bot, params: Json) -> Json:
    group = _forum(world, bot, params, "create a topic")
    color = params.get("icon_color", COLORS[0])
    if color not in COLORS:
        raise bad("invalid topic icon color specified")
    topic = open_topic(world, group, bot.data, _name(params), color, _icon(params))
    made: Json = {"message_thread_id": topic.thread, "name": topic.name, "icon_color": color}
    if topic.icon_custom_emoji_id:
        made["icon_custom_emoji_id"] = topic.icon_custom_emoji_id
    return made


def _edit(world: World, bot: Bot, params: Json) -> bool:
    group = _forum(world, bot, params, "edit the topic")
    topic = _topic(group, params)
    name = _name(params) if params.get("name") else topic.name
    icon = _icon(params) if "icon_custom_emoji_id" in params else topic.icon_custom_emoji_id
    if (name, icon) == (topic.name, topic.icon_custom_emoji_id):
        raise bad("TOPIC_NOT_MODIFIED")
    edit_topic(world, group, topic, bot.data, name, icon)
    return True


def _toggle(*, closed: bool) -> Callable[[World, Bot, Json], bool]:
    def toggle(world: World, bot: Bot, params: Json) -> bool:
        group = _forum(world, bot, params, "edit the topic")
        topic = _topic(group, params)
        if topic.closed == closed:
            raise bad("TOPIC_NOT_MODIFIED")
        close_topic(world, group, topic, bot.data, closed=closed)
        return True

    return toggle


def _delete(world: World, bot: Bot, params: Json) -> bool:
    group = _forum(world, bot, params, "delete the topic", "can_delete_messages")
    delete_topic(world, group, _topic(group, params))
    return True


def _toggle_general(*, closed: bool) -> Callable[[World, Bot, Json], bool]:
    def toggle(world: World, bot: Bot, params: Json) -> bool:
        group = _forum(world, bot, params, "edit the topic")
        if group.general_closed == closed:
            raise bad("TOPIC_NOT_MODIFIED")
        close_general(world, group, bot.data, closed=closed)
        return True

    return toggle


def _hide_general(*, hidden: bool) -> Callable[[World, Bot, Json], bool]:
    def hide(world: World, bot: Bot, params: Json) -> bool:
        group = _forum(world, bot, params, "edit the topic")
        if group.general_hidden == hidden:
            raise bad("TOPIC_NOT_MODIFIED")
        hide_general(world, group, bot.data, hidden=hidden)
        return True

    return hide


def _edit_general(world: World, bot: Bot, params: Json) -> bool:
    group = _forum(world, bot, params, "edit the topic")
    name = _name(params)
    if group.general_name == name:
        raise bad("TOPIC_NOT_MODIFIED")
    group.general_name = name
    return True


def _icon_stickers(world: World, bot: Bot, params: Json) -> list[Json]:
    return [
        {
            "file_id": f"ICON-{number}",
            "file_unique_id": f"I{number}",
            "type": "custom_emoji",
            "width": 100,
            "height": 100,
            "is_animated": True,
            "is_video": False,
            "emoji": emoji,
            "custom_emoji_id": number,
        }
        for number, emoji in ICONS.items()
    ]


METHODS: dict[str, Callable[[World, Bot, Json], object]] = {
    "createForumTopic": _create,
    "editForumTopic": _edit,
    "closeForumTopic": _toggle(closed=True),
    "reopenForumTopic": _toggle(closed=False),
    "deleteForumTopic": _delete,
    "editGeneralForumTopic": _edit_general,
    "closeGeneralForumTopic": _toggle_general(closed=True),
    "reopenGeneralForumTopic": _toggle_general(closed=False),
    "hideGeneralForumTopic": _hide_general(hidden=True),
    "unhideGeneralForumTopic": _hide_general(hidden=False),
    "getForumTopicIconStickers": _icon_stickers,
}

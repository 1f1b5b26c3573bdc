"""Topics change, whoever does it: the state, the service message, the listeners."""

from sandbox.telegram.model import Group, Json, Topic
from sandbox.telegram.posting import service
from sandbox.telegram.world import World


def open_topic(world: World, group: Group, sender: Json, name: str, color: int, icon: str | None) -> Topic:
    """A new topic; its root message gives it its id."""
    thread = group.last_id + 1
    topic = Topic(thread, name, color, icon)
    group.topics[thread] = topic
    created: Json = {"name": name, "icon_color": color}
    if icon:
        created["icon_custom_emoji_id"] = icon
    _tell(world, group, topic, "created")
    service(world, group, sender, {"forum_topic_created": created}, thread)
    return topic


def edit_topic(world: World, group: Group, topic: Topic, sender: Json, name: str, icon: str | None) -> None:
    edited: Json = {}
    if name != topic.name:
        edited["name"] = name
    if icon != topic.icon_custom_emoji_id:
        edited["icon_custom_emoji_id"] = icon or ""
    topic.name, topic.icon_custom_emoji_id = name, icon
    _tell(world, group, topic, "edited")
    service(world, group, sender, {"forum_topic_edited": edited}, topic.thread)


def close_topic(world: World, group: Group, topic: Topic, sender: Json, *, closed: bool) -> None:
    topic.closed = closed
    did = "closed" if closed else "reopened"
    _tell(world, group, topic, did)
    service(world, group, sender, {f"forum_topic_{did}": {}}, topic.thread)


def delete_topic(world: World, group: Group, topic: Topic) -> None:
    """All its messages go; bots are told nothing."""
    topic.deleted = True
    for message_id in topic.messages:
        group.messages[message_id].deleted = True
    group.pinned[:] = [pin for pin in group.pinned if not group.messages[pin].deleted]
    _tell(world, group, topic, "deleted")


def close_general(world: World, group: Group, sender: Json, *, closed: bool) -> None:
    group.general_closed = closed
    service(world, group, sender, {"forum_topic_closed" if closed else "forum_topic_reopened": {}})


def hide_general(world: World, group: Group, sender: Json, *, hidden: bool) -> None:
    group.general_hidden = hidden
    kind = "general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden"
    service(world, group, sender, {kind: {}})


def _tell(world: World, group: Group, topic: Topic, did: str) -> None:
    world.emit("topic", group, topic.thread, lambda: {"did": did, "topic": topic.seen()})

"""What people do to groups: make them, let bots in, close topics, migrate."""

from sandbox.telegram.errors import Refused
from sandbox.telegram.forum import close_general, close_topic, delete_topic, edit_topic, open_topic
from sandbox.telegram.membership import RIGHTS, USUAL, person, set_member
from sandbox.telegram.model import Group, Json, Member, Topic
from sandbox.telegram.posting import service
from sandbox.telegram.world import World

TOPIC_COLOR = 0x6FB9F0


def create_group(world: World, asked: Json) -> Group:
    title = asked.get("title")
    if not title or not isinstance(title, str):
        raise Refused("a group needs a title")
    owner = world.user(asked.get("owner"))
    group = world.add_group(title, is_forum=bool(asked.get("is_forum", True)))
    group.members[owner.id] = Member("creator")
    return group


def add_member(world: World, group: Group, asked: Json) -> None:
    """A person joins, or a bot is let in: as administrator with the usual rights unless told otherwise."""
    if "bot" in asked:
        who = world.bot_of(asked["bot"]).id
        by = world.user(asked["by"]).data if asked.get("by") else person(world, _owner(group))
    else:
        who = world.user(asked.get("user")).id
        by = person(world, who)
    status = group.member(who).status
    if status == "creator":
        raise Refused(f"{who} owns the group")
    set_member(world, group, who, _standing(asked, is_bot="bot" in asked), by)


def _standing(asked: Json, *, is_bot: bool) -> Member:
    rights = asked.get("rights", {} if is_bot else None)
    if rights is None:
        return Member("member")
    unknown = sorted(set(rights) - set(RIGHTS))
    if unknown:
        raise Refused(f"unknown right {unknown[0]}; there are {', '.join(RIGHTS)}")
    return Member("administrator", {**USUAL, **rights})


def _owner(group: Group) -> int:
    return next((who for who, member in group.members.items() if member.status == "creator"), 0)


def remove_member(world: World, group: Group, who: int) -> None:
    """A bot is thrown out, a person leaves."""
    if not group.member(who).inside:
        raise Refused(f"{who} is not in group {group.id}")
    if who in world.bots:
        set_member(world, group, who, Member("kicked"), person(world, _owner(group)))
    else:
        set_member(world, group, who, Member("left"), person(world, who))


def migrate(world: World, group: Group) -> Group:
    """The group gets a new id; messages and topics stay behind with the old one."""
    new = world.add_group(str(group.chat["title"]), is_forum=group.is_forum)
    new.members = dict(group.members)
    by = person(world, _owner(group))
    service(world, group, by, {"migrate_to_chat_id": new.id})
    group.migrated_to = new.id
    service(world, new, by, {"migrate_from_chat_id": group.id})
    return new


def change_topic(world: World, asked: Json) -> Json:
    """The owner closes, reopens, deletes, makes or renames a topic by hand."""
    group = world.group(asked.get("chat"))
    who = asked.get("from") or _owner(group)
    if group.member(who).status not in ("creator", "administrator"):
        raise Refused(f"user {who} is no administrator of group {group.id}")
    by = person(world, who)
    do, thread = asked.get("do"), asked.get("thread")
    if do == "create":
        topic = open_topic(world, group, by, str(asked.get("name") or "Topic"), TOPIC_COLOR, None)
        return topic.seen()
    if thread is None and do in ("close", "reopen"):
        close_general(world, group, by, closed=do == "close")
        return {}
    topic = _topic(group, thread)
    if do in ("close", "reopen"):
        close_topic(world, group, topic, by, closed=do == "close")
    elif do == "delete":
        delete_topic(world, group, topic)
    elif do == "edit":
        edit_topic(world, group, topic, by, str(asked.get("name") or topic.name), topic.icon_custom_emoji_id)
    else:
        raise Refused("do must be close, reopen, delete, create or edit")
    return topic.seen()


def _topic(group: Group, thread: object) -> Topic:
    topic = group.topics.get(thread) if isinstance(thread, int) else None
    if topic is None or topic.deleted:
        raise Refused(f"group {group.id} has no topic {thread}")
    return topic

"""Setting the desk up: which group, which engineers; and the group's own life."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import ChatMemberUpdated, Message, User

from bot import admin_views as views
from bot import hands_views, middlewares
from bot.context import Context
from bot.filters import OWN_WORDS, When
from crm.errors import NotAllowed, NotAnAgent, NotFound, WrongInput, WrongPlace
from crm.outbox import Priority
from crm.people import duty
from crm.people import service as people
from crm.people.models import Agent
from crm.tickets import groups

router = Router(name="admin")
router.message.filter(When(F.chat.type.in_({"supergroup", "group"})))
router.my_chat_member.filter(When(F.chat.type.in_({"supergroup", "group", "channel"})))

commands = Router(name="admin commands")
commands.message.filter(OWN_WORDS)
commands.message.middleware(middlewares.member)
router.include_router(commands)

ROLES = ("agent", "lead")


def _admin(message: Message, ctx: Context) -> User | None:
    return message.from_user if message.from_user and message.from_user.id in ctx.admins else None


@commands.message(Command("connect", ignore_mention=True))
async def connect(message: Message, ctx: Context) -> str:
    """Engineers of this desk work in this group from now on."""
    admin = _admin(message, ctx)
    if admin is None:
        raise NotAllowed(what="admin")
    if not message.chat.is_forum:
        raise WrongPlace(what="forum")
    group = await groups.seen(ctx.session, ctx.profile.name, message.chat.id, message.chat.title or "", None)
    missing = views.missing_rights(group.rights)
    waited = await groups.connect(ctx.session, ctx.profile.name, group, ctx.now)
    if await people.agent_of(ctx.session, ctx.profile.name, admin.id) is None:
        await people.name_agent(ctx.session, ctx.profile.name, admin.id, admin.full_name, "lead", ctx.now)
    await ctx.hint(message, views.connected(ctx.team, waited, missing))
    return "connected"


@commands.message(Command("agent", ignore_mention=True))
async def agent_command(message: Message, ctx: Context, command: CommandObject, agent: Agent | None) -> str:
    """`/agent add [agent|lead]`, `/agent remove` and `/agent rights` in reply to a person's message; `/agent list`."""
    words = (command.args or "list").split()
    verb, rest = words[0].lower(), [word.lower() for word in words[1:]]
    if verb == "list":
        if agent is None and not _admin(message, ctx):
            raise NotAnAgent
        known = await duty.team(ctx.session, ctx.profile, ctx.now)
        await ctx.hint(message, views.agents(ctx.team, known.members))
        return "agents"
    if (agent is None or agent.role != "lead") and not _admin(message, ctx):
        raise NotAllowed(what="team")
    person = message.reply_to_message.from_user if message.reply_to_message else None
    if message.reply_to_message and message.reply_to_message.forum_topic_created:
        person = None
    if verb == "rights" and person is not None:
        return await _rights(message, ctx, agent, person, rest)
    if verb not in ("add", "remove") or person is None or person.is_bot or (rest and rest[0] not in ROLES):
        raise WrongInput(what="agent")
    if verb == "remove":
        removed = await people.remove_agent(ctx.session, ctx.profile.name, person.id)
        await ctx.hint(message, views.removed(ctx.team, person.full_name, removed is not None))
        return "agent_removed"
    role = rest[0] if rest else "agent"
    await people.name_agent(ctx.session, ctx.profile.name, person.id, person.full_name, role, ctx.now)
    await ctx.hint(message, views.named(ctx.team, person.full_name, role))
    return "agent_named"


async def _rights(message: Message, ctx: Context, lead: Agent | None, person: User, words: list[str]) -> str:
    """Shown, or changed with `+money -power`. A lead's own may be changed as well: being a lead takes none of them."""
    if lead is None or lead.role != "lead":
        raise NotAllowed(what="lead")
    agent = await people.agent_of(ctx.session, ctx.profile.name, person.id)
    if agent is None:
        raise NotFound(what="agent")
    if not words:
        await ctx.hint(message, hands_views.rights(ctx.team, agent.name, agent.rights))
        return "rights"
    if any(word[:1] not in ("+", "-") for word in words):
        raise WrongInput(what="rights")
    given = {word[1:] for word in words if word[0] == "+"}
    await people.change_rights(ctx.session, agent, given, {word[1:] for word in words} - given)
    await ctx.hint(message, hands_views.rights_changed(ctx.team, agent.name, agent.rights, agent.id == lead.id))
    return "rights_changed"


@router.message(When(F.migrate_to_chat_id))
async def migrated(message: Message, ctx: Context) -> str:
    new_chat = message.migrate_to_chat_id or 0
    news = await groups.migrate(ctx.session, ctx.profile.name, message.chat.id, new_chat, ctx.now)
    return "migrated" if news else "known"


@router.my_chat_member()
async def membership(event: ChatMemberUpdated, ctx: Context) -> str:
    """Added by an admin: say what comes next. Added by anybody else: leave, and keep nothing."""
    status = event.new_chat_member.status
    known = await groups.by_chat(ctx.session, ctx.profile.name, event.chat.id)
    if status in ("left", "kicked"):
        if known is not None:
            await groups.left(ctx.session, known)
        return "left"
    if event.from_user.id not in ctx.admins and (known is None or known.state == "left"):
        bucket = f"{ctx.profile.name}:leave:{event.chat.id}"
        await ctx.call("leaveChat", {"chat_id": event.chat.id}, bucket, Priority.WARNING)
        return "foreign_group"
    rights = event.new_chat_member.model_dump(mode="json", exclude={"user"}, exclude_none=True)
    await groups.seen(ctx.session, ctx.profile.name, event.chat.id, event.chat.title or "", rights)
    if known is None:
        params = {"chat_id": event.chat.id, **views.added(ctx.team, views.missing_rights(rights)).params()}
        # In the lane of the answer to /connect, which is not to be overtaken by it.
        await ctx.call("sendMessage", params, await ctx.bucket(event.chat.id), Priority.WARNING)
    return "added"

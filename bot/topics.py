"""Which ticket a topic belongs to."""

from datetime import timedelta

from aiogram.types import Message

from bot.context import Context
from crm.errors import NotFound, WrongPlace
from crm.tickets import work
from crm.tickets.models import Ticket

TOPIC_PATIENCE = timedelta(seconds=10)


async def ticket_here(ctx: Context, message: Message) -> Ticket:
    """Waits a little in a topic that we do not know: its creation may not be recorded yet. Raises WrongPlace."""
    if not message.is_topic_message:
        raise WrongPlace(what="topic")
    try:
        return await work.ticket_in_topic(
            ctx.session, ctx.profile.name, message.chat.id, message.message_thread_id or 0
        )
    except NotFound:
        ctx.wait_for(TOPIC_PATIENCE)
        raise WrongPlace(what="topic") from None

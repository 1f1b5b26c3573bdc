"""What a handler works with: one transaction, one desk, one moment; and how it answers.

A handler never calls Telegram: an answer is an outbox row of the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiogram.types import CallbackQuery, Message
from sqlalchemy import text

from bot.rendered import Rendered
from bot.views import Look
from crm.changes import Changes
from crm.cloud.rules import HANDED_OVER, Kind
from crm.db import Session
from crm.desks import Profile
from crm.errors import NoCloud, NotYet
from crm.outbox import Outgoing, Priority, chat_bucket, group_bucket
from crm.tickets import groups

PRESS_ANSWER_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Context:
    session: Session
    profile: Profile
    now: datetime
    admins: frozenset[int]
    received_at: datetime
    # Whether the desk sends mail.
    mail: bool = False
    # Whether there is a place to show a password once.
    pages: bool = False

    def wait_for(self, patience: timedelta) -> None:
        """What this input refers to may still come: raises NotYet until it has waited that long.

        After that the handler goes on without it; nothing that a person wrote is dropped for that.
        """
        if self.now < self.received_at + patience:
            raise NotYet

    def hand_over(self, kind: Kind) -> None:
        """Before a plan of that kind: raises NoCloud if a password comes of it that could not reach anybody."""
        if kind in HANDED_OVER and not self.pages:
            raise NoCloud(what="pages")

    def look(self, language: str) -> Look:
        return Look(self.profile, language, self.now)

    @property
    def team(self) -> Look:
        return self.look(self.profile.team_language)

    async def enqueue(self, *rows: Outgoing) -> None:
        await Changes(outgoing=list(rows)).write(self.session, self.profile.name, self.now)

    async def call(
        self, method: str, params: dict[str, Any], bucket: str, priority: Priority, ticket_id: int | None = None
    ) -> None:
        """Any Bot API call, made after the commit."""
        payload = {"method": method, "params": params}
        await self.enqueue(
            Outgoing(bucket=bucket, lane=bucket, kind="call", payload=payload, priority=priority, ticket_id=ticket_id)
        )

    async def bucket(self, chat_id: int) -> str:
        """Everything for one group counts together, whoever causes it."""
        if chat_id < 0 and (group := await groups.by_chat(self.session, self.profile.name, chat_id)) is not None:
            return group_bucket(self.profile.name, group.id)
        return chat_bucket(self.profile.name, chat_id)

    async def say(
        self, chat_id: int, what: Rendered, reply_to: int | None = None, ticket_id: int | None = None
    ) -> None:
        """Write in a private chat."""
        params: dict[str, Any] = {"chat_id": chat_id, **what.params()}
        if reply_to is not None:
            params["reply_parameters"] = {"message_id": reply_to, "allow_sending_without_reply": True}
        await self.call("sendMessage", params, chat_bucket(self.profile.name, chat_id), Priority.REPLY, ticket_id)

    async def hint(self, message: Message, what: Rendered, ticket_id: int | None = None) -> None:
        """Answer someone in the group, where they wrote."""
        params: dict[str, Any] = {"chat_id": message.chat.id, **what.params()}
        if message.is_topic_message and message.message_thread_id is not None:
            params["message_thread_id"] = message.message_thread_id
        params["reply_parameters"] = {"message_id": message.message_id, "allow_sending_without_reply": True}
        await self.call("sendMessage", params, await self.bucket(message.chat.id), Priority.WARNING, ticket_id)

    async def answer(self, query: CallbackQuery, words: str | None = None, alert: bool = False) -> None:
        """Stop the button's spinner, with a word if there is one to say."""
        params: dict[str, Any] = {"callback_query_id": query.id}
        if words:
            params |= {"text": words[:PRESS_ANSWER_LIMIT], "show_alert": alert}
        bucket = f"{self.profile.name}:press:{query.from_user.id}"
        await self.call("answerCallbackQuery", params, bucket, Priority.PRESS)

    async def redraw(self, query: CallbackQuery, what: Rendered) -> None:
        """Change the message whose button was pressed."""
        if query.message is None:
            return
        chat = query.message.chat
        params = {"chat_id": chat.id, "message_id": query.message.message_id, **what.params()}
        await self.call("editMessageText", params, await self.bucket(chat.id), Priority.REPLY)

    async def bind(self, query: CallbackQuery, ticket_id: int) -> None:
        """A reply to this message belongs to that ticket from now on."""
        if query.message is None:
            return
        values = {
            "desk": self.profile.name,
            "chat": query.message.chat.id,
            "message": query.message.message_id,
            "ticket": ticket_id,
        }
        await self.session.execute(
            text("""insert into telegram_message (desk, chat_id, message_id, ticket_id, role)
                    values (:desk, :chat, :message, :ticket, 'notice')
                    on conflict (desk, chat_id, message_id) do update set ticket_id = :ticket"""),
            values,
        )

    async def taken(self, message: Message) -> None:
        """An answer to a question of a dialogue is nobody's message: neither its edit nor its repeat is a request."""
        await self.session.execute(
            text("""insert into telegram_message (desk, chat_id, message_id, role)
                    values (:desk, :chat, :message, 'notice') on conflict do nothing"""),
            {"desk": self.profile.name, "chat": message.chat.id, "message": message.message_id},
        )

    async def without_buttons(self, chat_id: int, message_id: int) -> None:
        """A page that is left behind."""
        params = {"chat_id": chat_id, "message_id": message_id}
        await self.call("editMessageReplyMarkup", params, await self.bucket(chat_id), Priority.REPLY)

    async def redraw_buttons(self, query: CallbackQuery, keyboard: Any) -> None:
        if query.message is None:
            return
        chat = query.message.chat
        params: dict[str, Any] = {"chat_id": chat.id, "message_id": query.message.message_id}
        if keyboard is not None:
            params["reply_markup"] = keyboard.model_dump(mode="json", exclude_none=True)
        await self.call("editMessageReplyMarkup", params, await self.bucket(chat.id), Priority.REPLY)


def sender_name(message: Message) -> str:
    return message.from_user.full_name if message.from_user else message.chat.full_name or str(message.chat.id)

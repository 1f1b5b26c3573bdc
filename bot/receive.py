"""The doors for updates: raw update into the inbox, commit, and only then the acknowledgement.

aiogram's own receivers acknowledge first and can lose updates, so neither is used.
"""

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.client import Client, Later, Refused, Sent
from bot.process import source_of
from crm import failpoints, inbox
from crm.alone import alone
from crm.db import Session, Sessions
from crm.inbox import Received
from crm.wake import INBOX, Waker

log = structlog.get_logger()

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
POLL_SECONDS = 25
MAX_BODY = 1_000_000
# No id of Telegram's has more than 52 bits; an index takes no key of any length.
ID_LIMIT = 2**63
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def received(desk: str, update: dict[str, Any], raw: bytes | None = None, bot_id: int = 0) -> Received:
    """An update as an inbox item, its bytes as they came if there are any. Raises ValueError if it has no usable id.

    What the bot itself has caused (topic made, card pinned) is done as it comes: nobody has to hear of it.
    """
    update_id = update.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool) or abs(update_id) >= ID_LIMIT:
        raise ValueError("an update has an update_id")
    payload = raw or json.dumps(update, separators=(",", ":")).encode()
    return Received(str(update_id), lane_of(desk, update), payload, "own" if _own(update, bot_id) else None)


def _own(update: dict[str, Any], bot_id: int) -> bool:
    message = update.get("message")
    if not isinstance(message, dict) or "migrate_to_chat_id" in message:
        return False
    sender = message.get("from")
    return isinstance(sender, dict) and sender.get("id") == bot_id


def lane_of(desk: str, update: dict[str, Any]) -> str:
    """Order is kept within a private chat, and in the group within a topic."""
    body: dict[str, Any] = next((v for k, v in update.items() if k != "update_id" and isinstance(v, dict)), {})
    inner = body.get("message")
    message: dict[str, Any] = inner if isinstance(inner, dict) else body
    chat = message.get("chat") or body.get("from")
    chat_id = chat.get("id") if isinstance(chat, dict) else None
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return ":".join([desk, _place(chat_id), *([_place(thread)] if thread else [])])


def _place(found: Any) -> str:
    """An id as part of a lane; whatever else stands there shares one lane, and is judged by the worker."""
    return str(found) if isinstance(found, int) and abs(found) < ID_LIMIT else "?"


class Poller:
    """getUpdates for one bot. Of several processes one polls; the others stand by for its advisory lock."""

    def __init__(
        self,
        desk: str,
        client: Client,
        sessions: Sessions,
        waker: Waker,
        clock: Callable[[], datetime],
    ) -> None:
        self._desk = desk
        self._client = client
        self._sessions = sessions
        self._waker = waker
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                await alone(self._sessions, f"kezekshi poll {self._desk}", 3 * POLL_SECONDS, self._poll)
                await asyncio.sleep(2)
            except Exception as error:
                log.error("receive.failed", desk=self._desk, error=repr(error))
                await asyncio.sleep(1)

    async def _poll(self, session: Session) -> None:
        """As long as the lock is held: what is received is stored on the lock's own connection."""
        await self._leave_webhook()
        log.info("receive.polling", desk=self._desk)
        offset = 0
        while True:
            params = {"offset": offset, "timeout": POLL_SECONDS, "limit": 100, "allowed_updates": ALLOWED_UPDATES}
            outcome = await self._client.call("getUpdates", params, timeout=POLL_SECONDS + 10)
            if isinstance(outcome, Sent) and outcome.result:
                items = [received(self._desk, update, bot_id=self._client.bot_id) for update in outcome.result]
                await store(session, self._desk, items, self._clock())
                self._waker.wake(INBOX)
                offset = max(update["update_id"] for update in outcome.result) + 1
                continue
            # Nothing was stored, so whether the lock is still held has to be asked.
            await session.rows("select 1")
            if not isinstance(outcome, Sent):
                log.warning("receive.poll_refused", desk=self._desk, outcome=repr(outcome))
                await asyncio.sleep(outcome.seconds if isinstance(outcome, Later) else 2)

    async def _leave_webhook(self) -> None:
        outcome = await self._client.call("deleteWebhook", {})
        if isinstance(outcome, Refused):
            log.error("receive.webhook_not_left", desk=self._desk, answer=outcome.description)


async def store(session: Session, desk: str, items: Sequence[Received], now: datetime) -> int:
    """Commit them, once each; gives how many were new. Outside of a transaction: the statement is one by itself."""
    failpoints.reach("receive.before_commit")
    new = await inbox.store(session, source_of(desk), items, now)
    failpoints.reach("receive.stored")
    return new


class Webhook:
    """The door for updates that Telegram brings: 200 only for what is committed."""

    def __init__(
        self, secret: str, desks: Mapping[str, int], sessions: Sessions, waker: Waker, clock: Callable[[], datetime]
    ) -> None:
        """`desks`: the bot's id of each."""
        self._secret = secret.encode()
        self._desks = desks
        self._sessions = sessions
        self._waker = waker
        self._clock = clock

    async def receive(self, request: web.Request) -> web.Response:
        """401 wrong secret, 404 unknown desk, 413 too large, 400 no update, 503 not stored: Telegram tries again."""
        desk = request.match_info["desk"]
        shown = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(shown, self._secret):
            return web.Response(status=401)
        if desk not in self._desks:
            return web.Response(status=404)
        body = await self._body(request)
        if body is None:
            return web.Response(status=413)
        try:
            item = received(desk, _object(body), body, self._desks[desk])
        except (ValueError, RecursionError):
            log.warning("receive.bad_body", desk=desk, size=len(body))
            return web.Response(status=400)
        try:
            async with self._sessions() as session:
                await store(session, desk, [item], self._clock())
        except Exception as error:
            log.error("receive.not_stored", desk=desk, error=repr(error))
            return web.Response(status=503, headers={"Retry-After": "5"})
        self._waker.wake(INBOX)
        return web.Response()

    async def _body(self, request: web.Request) -> bytes | None:
        """Read with a bound, whatever the length header says; None if there is more."""
        if request.content_length is not None and request.content_length > MAX_BODY:
            return None
        try:
            body = await request.content.read(MAX_BODY + 1)
            while not request.content.at_eof() and len(body) <= MAX_BODY:
                body += await request.content.read(MAX_BODY + 1 - len(body))
        except web.HTTPRequestEntityTooLarge:
            return None
        except (web.RequestPayloadError, HttpProcessingError):
            # Broken on its way: no JSON either.
            return b""
        return body if len(body) <= MAX_BODY else None


def _object(body: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but a JSON object."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("an update is an object")
    return found


async def set_webhook(client: Client, public_url: str, desk: str, secret: str) -> None:
    """Tell Telegram where to bring updates; repeated until it agrees. Waiting updates are kept."""
    params = {
        "url": f"{public_url.rstrip('/')}/telegram/{desk}",
        "secret_token": secret,
        "allowed_updates": ALLOWED_UPDATES,
        "max_connections": 40,
    }
    while True:
        outcome = await client.call("setWebhook", params)
        if isinstance(outcome, Sent):
            log.info("receive.webhook", desk=desk)
            return
        log.error("receive.webhook_refused", desk=desk, outcome=repr(outcome))
        await asyncio.sleep(outcome.seconds if isinstance(outcome, Later) else 5)

"""The sandbox from a test: people act, state is read, and one waits for what must happen."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, FormData

from sandbox.cloudclient import CloudSide
from sandbox.mailclient import MailSide

Json = dict[str, Any]
T = TypeVar("T")

# Some facts a test waits for live in a database, where no event tells of them.
LOOK_AGAIN = 0.2


class SandboxError(Exception):
    """The sandbox refused; its one line says why."""


class Sandbox:
    """One server's people's side. Use as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.mail = MailSide(self)
        self.cloud = CloudSide(self)
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = ClientSession(timeout=ClientTimeout(total=60))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> ClientSession:
        if self._session is None:
            raise RuntimeError("use it as: async with Sandbox(url) as sandbox")
        return self._session

    async def call(self, verb: str, path: str, body: Json | None = None, **query: object) -> Any:
        """Any call of /sandbox/api; the named ones below are nicer."""
        params = {name: str(value) for name, value in query.items() if value is not None}
        url = f"{self.url}/sandbox/api{path}"
        headers = {"Content-Type": "application/json"}
        # aiohttp warns of large bodies unless they come as a stream, and a load may be megabytes.
        data = None if body is None else io.BytesIO(json.dumps(body).encode())
        async with self.session.request(verb, url, data=data, params=params, headers=headers) as answer:
            result = await answer.json()
            if answer.status != 200:
                raise SandboxError(result["error"])
            return result

    async def _post(self, path: str, **body: object) -> Json:
        return cast(Json, await self.call("POST", path, _given(body)))

    # Who there is

    async def add_bot(self, token: str, name: str = "Kezekshi", username: str = "kezekshi_bot") -> Json:
        return await self._post("/bots", token=token, name=name, username=username)

    async def add_user(
        self,
        first_name: str,
        *,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = None,
        id: int | None = None,  # noqa: A002 - the Bot API's own name
    ) -> Json:
        return await self._post(
            "/users",
            first_name=first_name,
            last_name=last_name,
            username=username,
            language_code=language_code,
            id=id,
        )

    async def add_group(self, title: str, owner: int, *, is_forum: bool = True) -> Json:
        return await self._post("/groups", title=title, owner=owner, is_forum=is_forum)

    async def add_member(
        self,
        group: int,
        *,
        user: int | None = None,
        bot: str | int | None = None,
        rights: dict[str, bool] | None = None,
        plain: bool = False,
        by: int | None = None,
    ) -> None:
        """A user joins; a bot becomes administrator with the usual rights, or a plain member."""
        body = _given({"user": user, "bot": bot, "by": by, "rights": rights})
        if plain:
            body["rights"] = None
        await self.call("POST", f"/groups/{group}/members", body)

    async def remove_member(self, group: int, who: int) -> None:
        await self.call("DELETE", f"/groups/{group}/members/{who}")

    async def migrate(self, group: int) -> Json:
        return await self._post(f"/groups/{group}/migrate")

    # What they do

    async def say(self, user: int, chat: int, text: str | None = None, **more: object) -> Json:
        """A message; `more` as in docs/sandbox.md: thread, kind, caption, reply_to, quote, …"""
        return await self._post("/messages", **{"from": user, "chat": chat, "text": text, **more})

    async def album(self, user: int, chat: int, items: Sequence[Json], **more: object) -> list[Json]:
        body = _given({"from": user, "chat": chat, "album": list(items), **more})
        return cast(list[Json], await self.call("POST", "/messages", body))

    async def edit(self, user: int, chat: int, message_id: int, text: str | None = None, **more: object) -> Json:
        body = _given({"from": user, "chat": chat, "message_id": message_id, "text": text, **more})
        return cast(Json, await self.call("PATCH", "/messages", body))

    async def delete(self, user: int, chat: int, message_id: int) -> None:
        await self.call("DELETE", "/messages", {"from": user, "chat": chat, "message_id": message_id})

    async def press(self, user: int, chat: int, message_id: int, button: str) -> str:
        """Press a button named by its text or its data; the answer is the callback's id."""
        body = {"from": user, "chat": chat, "message_id": message_id, "button": button}
        return cast(str, (await self._post("/press", **body))["callback_query_id"])

    async def callback(self, callback_id: str) -> Json:
        return cast(Json, await self.call("GET", f"/callbacks/{callback_id}"))

    async def react(self, user: int, chat: int, message_id: int, emoji: str | None) -> None:
        body = {"from": user, "chat": chat, "message_id": message_id, "emoji": emoji}
        await self.call("POST", "/reactions", body)

    async def block(self, user: int, bot: int, blocked: bool = True) -> None:
        await self._post("/block", user=user, bot=bot, blocked=blocked)

    async def topic(self, chat: int, thread: int | None, do: str, name: str | None = None) -> Json:
        """close, reopen, delete, edit or create, by the group's owner."""
        return await self._post("/topics", chat=chat, thread=thread, do=do, name=name)

    async def upload(self, name: str, data: bytes, mime: str) -> str:
        """Put a file in; the answer is what `file` takes."""
        form = FormData(quote_fields=False)
        form.add_field("file", io.BytesIO(data), filename=name, content_type=mime)
        async with self.session.post(f"{self.url}/sandbox/api/files", data=form) as answer:
            body = await answer.json()
            if answer.status != 200:
                raise SandboxError(body["error"])
            return cast(str, body["file"])

    # What is to be seen

    async def chat(self, chat_id: int, viewer: int, after: int | None = None) -> Json:
        """A chat as that person sees it; `after` leaves older messages out."""
        return cast(Json, await self.call("GET", f"/chats/{chat_id}", viewer=viewer, after=after))

    async def chats(self, viewer: int) -> list[Json]:
        return cast(list[Json], await self.call("GET", "/chats", viewer=viewer))

    async def state(self) -> Json:
        return cast(Json, await self.call("GET", "/state"))

    async def calls(self, *, after: int = 0, method: str | None = None, chat: int | None = None) -> list[Json]:
        found = await self.call("GET", "/calls", after=after, method=method, chat=chat)
        return cast(list[Json], found["calls"])

    async def last_call(self) -> int:
        """The number of the newest call: what comes later is `calls(after=…)`."""
        return cast(int, (await self.call("GET", "/calls", after=2**60))["last"])

    async def updates(self, bot: int, *, after: int = 0) -> list[Json]:
        return cast(list[Json], (await self.call("GET", "/updates", bot=bot, after=after))["updates"])

    # Updates, limits, faults

    async def inject(self, bot: int, update: Json) -> None:
        await self._post("/updates", bot=bot, update=update)

    async def repeat(self, bot: int, update_id: int) -> None:
        await self._post("/updates/repeat", bot=bot, update_id=update_id)

    async def hold(self, bot: int, hold: bool = True, *, order: str | None = None, seed: int | None = None) -> int:
        """Hold updates back, or let them go; the answer is how many went."""
        return cast(int, (await self._post("/updates/hold", bot=bot, hold=hold, order=order, seed=seed))["released"])

    async def load(self, bot: int, updates: Sequence[Json]) -> int:
        return cast(int, (await self._post("/load", bot=bot, updates=list(updates)))["count"])

    async def limits(
        self, per_second: int = 30, per_chat_second: int = 1, per_group_minute: int = 20, *, off: bool = False
    ) -> None:
        numbers = {
            "per_second": per_second,
            "per_chat_second": per_chat_second,
            "per_group_minute": per_group_minute,
        }
        await self._post("/limits", **({"off": True} if off else numbers))

    async def fault(self, kind: str, **order: object) -> int:
        """`order` as in docs/sandbox.md: method, chat, times, after, done, seconds, …"""
        return cast(int, (await self._post("/faults", kind=kind, **order))["id"])

    async def faults(self) -> list[Json]:
        return cast(list[Json], (await self.call("GET", "/faults"))["faults"])

    async def clear_faults(self) -> None:
        await self.call("DELETE", "/faults")

    async def reset(self) -> None:
        await self._post("/reset")

    # Waiting

    async def wait(
        self, predicate: Callable[[], Awaitable[T | None]], timeout: float = 10, what: str = "the condition"
    ) -> T:
        """Ask again after every event until the answer is true; AssertionError names what never came."""
        await self._subscribe()
        deadline = time.monotonic() + timeout
        while True:
            self._news.clear()
            found = await predicate()
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {timeout:g} s: {what}")
            try:
                async with asyncio.timeout(min(left, LOOK_AGAIN)):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def wait_message(
        self,
        chat: int,
        viewer: int,
        *,
        containing: str = "",
        thread: int | None = None,
        after: int = 0,
        timeout: float = 10,
    ) -> Json:
        """The first message of a bot with that text or caption, in that thread if one is named."""

        async def look() -> Json | None:
            found = (await self.chat(chat, viewer, after))["messages"]
            return next((m for m in found if _fits(m, containing, thread)), None)

        place = f"chat {chat}" if thread is None else f"chat {chat}, topic {thread}"
        return await self.wait(look, timeout, f"a bot's message with «{containing}» in {place} after {after}")

    async def wait_calls(self, method: str, count: int = 1, *, after: int = 0, timeout: float = 10) -> list[Json]:
        """Until the bot has made that many successful calls of a method."""

        async def look() -> list[Json] | None:
            found = [call for call in await self.calls(after=after, method=method) if call["ok"]]
            return found if len(found) >= count else None

        return await self.wait(look, timeout, f"{count} × {method}")

    async def _subscribe(self) -> None:
        if self._socket is not None and not self._socket.closed:
            return
        self._socket = await self.session.ws_connect(f"{self.url}/sandbox/events")
        self._reader = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        async for _ in socket:
            self._news.set()


def find_button(message: Json, text_part: str) -> str:
    """The full text of the only button that contains this; AssertionError lists what there is."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    texts = [str(button["text"]) for row in rows for button in row]
    found = [text for text in texts if text_part in text]
    exact = [text for text in texts if text == text_part]
    if len(exact or found) != 1:
        raise AssertionError(f"«{text_part}» is not one button of: {texts}")
    return (exact or found)[0]


def _fits(message: Json, containing: str, thread: int | None) -> bool:
    if message["deleted"] or not message["from"]["is_bot"] or "sender_chat" in message:
        return False
    if thread is not None and not (message.get("is_topic_message") and message["message_thread_id"] == thread):
        return False
    said = message.get("text") or message.get("caption") or ""
    return containing in said if containing else not any(key.startswith(("forum_", "pinned_")) for key in message)


def _given(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}

"""A Bot API that answers as the test says, and remembers what it was asked."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.budget import Limits
from bot.client import Client
from bot.deliver import Sender
from bot.operations import Desk
from crm.db import Sessions
from crm.outbox import group_bucket
from crm.wake import Waker
from tests.factories import DESK, PROFILE, TOKEN, Json, Moment, rows

BOUND = 20.0
NOWHERE = group_bucket(DESK, None)


def refused(code: int, description: str, **parameters: Any) -> web.Response:
    body: Json = {"ok": False, "error_code": code, "description": description}
    return web.json_response(body | ({"parameters": parameters} if parameters else {}), status=code)


def html() -> web.Response:
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


# Carried out, but the answer never arrives.
DROP = "drop"
Answer = Callable[[], web.Response | Awaitable[web.Response]] | str


@dataclass
class BotApi:
    url: str = ""
    asked: list[tuple[str, Json]] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(5000))

    def on(self, method: str, *answers: Answer) -> None:
        """The next calls of that method are answered so, in turn; then as usual."""
        self.script.setdefault(method, []).extend(answers)

    def of(self, method: str) -> list[Json]:
        return [params for name, params in self.asked if name == method]

    async def handle(self, request: web.Request) -> web.Response:
        method, params = request.match_info["method"], await request.json()
        self.asked.append((method, params))
        waiting = self.script.get(method)
        answer = waiting.pop(0) if waiting else None
        if answer == DROP:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if callable(answer):
            made = answer()
            return await made if isinstance(made, Awaitable) else made
        return web.json_response({"ok": True, "result": self._result(method, params)})

    def _result(self, method: str, params: Json) -> Any:
        if method == "createForumTopic":
            return {"message_thread_id": next(self._ids), "name": params["name"]}
        if method in ("sendMessage", "copyMessage"):
            return {"message_id": next(self._ids)}
        if method == "sendMediaGroup":
            return [{"message_id": next(self._ids)} for _ in params["media"]]
        return True


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[BotApi]:
    api = BotApi()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", api.handle)
    async with TestServer(app) as server:
        api.url = str(server.make_url("/")).rstrip("/")
        yield api


@dataclass
class Post:
    """The sender of the desk against that Bot API, under a clock that is moved by hand."""

    api: BotApi
    sessions: Sessions
    waker: Waker
    clock: Moment

    async def fetch(self, query: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return await rows(session, query, **values)

    async def deliver(self, limits: str = "off") -> None:
        """Until nothing is left that is due now."""
        async with Client(TOKEN, self.api.url) as client:
            desk = Desk(PROFILE, client, self.sessions)
            sender = Sender(desk, Limits.parse(limits), self.waker, self.clock)
            task = asyncio.ensure_future(sender.run())
            try:
                async with asyncio.timeout(BOUND):
                    while await self._left():
                        assert not task.done()
                        await asyncio.sleep(0.01)
            finally:
                sender.stop()
                await asyncio.wait_for(task, BOUND)

    async def _left(self) -> bool:
        return bool(
            await self.fetch(
                """select 1 from outbox o where state = 'attempting'
                   or (state = 'queued' and due_at <= :now and bucket <> :nowhere
                       and not exists (select 1 from send_budget b where b.bucket = o.bucket and b.blocked_until > :now)
                       and not exists (select 1 from outbox e where e.lane = o.lane and e.id < o.id
                                       and e.state = 'queued' and e.due_at > :now))""",
                now=self.clock(),
                nowhere=NOWHERE,
            )
        )

    async def deliver_all(self, seconds: int = 120) -> None:
        """Until nothing is left, the clock moving on."""
        for _ in range(seconds):
            await self.deliver()
            if not await self.fetch(
                "select 1 from outbox where state = 'queued' and bucket <> :nowhere", nowhere=NOWHERE
            ):
                return
            self.clock.move(seconds=5)
        raise AssertionError(await self.fetch("select kind, lane, error, due_at from outbox where state = 'queued'"))

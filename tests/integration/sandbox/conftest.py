"""A real server on a free port, a hand-set clock, aiogram's own client, and a small cast."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from pydantic import BaseModel

from sandbox.client import Json, Sandbox
from sandbox.telegram.app import WORLD, make_app
from sandbox.telegram.world import World

TOKEN = "4242:integration"
DESK = 4242


class Clock:
    """The server's clock; tests move it."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Server:
    url: str
    world: World


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[Server]:
    app = make_app(now=clock, webhook_retry=0.01)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Server(f"http://127.0.0.1:{runner.addresses[0][1]}", app[WORLD])
    await runner.cleanup()


@pytest.fixture
async def sandbox(server: Server) -> AsyncIterator[Sandbox]:
    async with Sandbox(server.url) as client:
        await client.add_bot(TOKEN, "Desk", "desk_bot")
        yield client


@pytest.fixture
async def bot(server: Server, sandbox: Sandbox) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    yield Bot(TOKEN, session=session)
    # AiohttpSession.close() sleeps a quarter of a second, which only TLS needs.
    await (await session.create_session()).close()


@pytest.fixture
async def alice(sandbox: Sandbox) -> int:
    """A customer whose chat with the bot is open."""
    who: int = (await sandbox.add_user("Alice", username="alice", language_code="kk"))["id"]
    await sandbox.say(who, DESK, "/start")
    return who


@pytest.fixture
async def bob(sandbox: Sandbox) -> int:
    who: int = (await sandbox.add_user("Bob", last_name="Builder"))["id"]
    return who


@pytest.fixture
async def group(sandbox: Sandbox, bob: int) -> int:
    """A forum owned by Bob, with the bot as administrator."""
    made = await sandbox.add_group("Engineers", bob)
    await sandbox.add_member(made["id"], bot=TOKEN)
    chat: int = made["id"]
    return chat


async def fresh(sandbox: Sandbox, kind: str | None = None) -> list[Json]:
    """The bodies of the bot's updates so far, of one kind if named."""
    updates = [entry["update"] for entry in await sandbox.updates(DESK)]
    return [update[kind] for update in updates if kind in update] if kind else updates


def plain(model: BaseModel | None) -> Json:
    """A model as data: one bound to a bot is not equal to one that is not."""
    return {} if model is None else model.model_dump(exclude_none=True)


async def until(condition: Callable[[], bool], what: str, timeout: float = 5) -> None:
    """Let the loop run until the condition holds."""
    try:
        async with asyncio.timeout(timeout):
            while not condition():  # noqa: ASYNC110 - most of what is waited for has no event
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None

"""Waiting for what a cloud does in its own time, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from provider.port import Act, Cloud, Link, LogEntry, Server

T = TypeVar("T")
BOUND = 60.0
PAUSE = 0.1


async def until(ask: Callable[[], Awaitable[T]], right: Callable[[T], bool], bound: float = BOUND) -> T:
    """The first answer that is right. Fails with the last one when there was none within `bound` seconds."""
    last: T | None = None
    try:
        async with asyncio.timeout(bound):
            while True:
                last = await ask()
                if right(last):
                    return last
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise AssertionError(f"still {last!r} after {bound:g} s") from None


async def settled(cloud: Cloud, server_id: str, status: str = "ACTIVE") -> Server:
    """Status alone is not enough: it may be that of before the order."""
    return await until(lambda: cloud.server(server_id), lambda one: one.status == status and one.task is None)


async def ended(cloud: Cloud, server_id: str, action: str) -> LogEntry:
    """The newest entry of its log, once that is this action and over."""
    found = await until(
        lambda: cloud.log(server_id, 1), lambda log: bool(log) and log[0].action == action and bool(log[0].finished_at)
    )
    return found[0]


async def carried_out(cloud: Cloud, server_id: str, act: Act) -> str | None:
    """Ordered, and seen to be over."""
    given = await cloud.act(server_id, act)
    await ended(cloud, server_id, act)
    await settled(cloud, server_id, "SHUTOFF" if act == "stop" else "ACTIVE")
    return given


async def passable(cloud: Cloud, project_id: str) -> Link:
    """The project's only link, once packets can pass."""
    [found] = await until(lambda: cloud.links(project_id), lambda links: [one.active for one in links] == [True])
    return found

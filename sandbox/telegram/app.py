"""The sandbox put together."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.control import CloudControl
from sandbox.cloud.door import CloudDoor
from sandbox.cloud.faults import CloudFaults
from sandbox.cloud.ledger import Ledger
from sandbox.cloud.machines import settle
from sandbox.mail.control import MailControl
from sandbox.mail.office import Office
from sandbox.mail.smtp import Submission
from sandbox.telegram.calls import Calls
from sandbox.telegram.control import Control
from sandbox.telegram.door import Door
from sandbox.telegram.faults import Faults
from sandbox.telegram.limits import Limits, Rates
from sandbox.telegram.webhook import Deliverer
from sandbox.telegram.world import World

PAGE: Final = Path(__file__).parent.parent / "page"
LOOPBACK: Final = "127.0.0.1"
LARGEST_BODY = 256 * 1024 * 1024
# The page sees a server come up without asking.
CLOUD_TICK = 0.1
WORLD: Final = web.AppKey("world", World)


def make_app(
    *,
    now: Callable[[], float] = time.time,
    rates: Rates | None = None,
    webhook_retry: float = 1.0,
    page: Path = PAGE,
    imap_port: int = 0,
    smtp_port: int = 0,
) -> web.Application:
    """The whole server; `rates` None means no limits, port 0 a free one."""
    world = World(now)
    limits, faults, calls = Limits(now, rates), Faults(), Calls(world.events)
    door = Door(world, limits, faults, calls)
    office = Office(world.events, now)
    cloud, cloud_faults, ledger = Cloud(world.events, now), CloudFaults(), Ledger()
    cloud_control, mail = CloudControl(cloud, cloud_faults, ledger), MailControl(office, world)

    def clear_others() -> None:
        office.clear()
        cloud_control.clear()

    control = Control(world, limits, faults, calls, clear_others)
    app = web.Application(client_max_size=LARGEST_BODY)
    app[WORLD] = world
    app.router.add_route("*", "/bot{token:[^/]+}/{method}", door.call)
    app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", door.file)
    app.router.add_routes(mail.routes())
    app.router.add_routes(cloud_control.routes())
    app.router.add_routes(CloudDoor(cloud, cloud_faults, ledger).routes())
    app.router.add_routes(control.routes())
    app.router.add_get("/sandbox/events", Listening(world).listen)
    app.router.add_get("/sandbox/files/{file_id}", Files(world).show)
    app.router.add_get("/", Page(page).index)
    if page.is_dir():
        app.router.add_static("/page/", page)
    app.cleanup_ctx.append(_deliveries(world, door, webhook_retry))
    app.cleanup_ctx.append(_cloud_time(cloud))
    app.cleanup_ctx.append(_mail(office, mail, imap_port, smtp_port))
    app.on_shutdown.append(_farewell)
    return app


def _deliveries(world: World, door: Door, retry: float) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(app: web.Application) -> AsyncIterator[None]:
        deliverer = Deliverer(world, door.perform, retry)
        yield
        await deliverer.close()

    return run


def _mail(
    office: Office, control: MailControl, imap_port: int, smtp_port: int
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(app: web.Application) -> AsyncIterator[None]:
        submission = Submission(office)
        control.doors["imap"] = (LOOPBACK, await office.mailboxes.listen(LOOPBACK, imap_port))
        control.doors["smtp"] = (LOOPBACK, await submission.listen(LOOPBACK, smtp_port))
        yield
        await submission.close()
        await office.mailboxes.close()

    return run


def _cloud_time(cloud: Cloud) -> Callable[[web.Application], AsyncIterator[None]]:
    async def pass_by() -> None:
        while True:
            settle(cloud)
            await asyncio.sleep(CLOUD_TICK)

    async def run(app: web.Application) -> AsyncIterator[None]:
        passing = asyncio.create_task(pass_by())
        yield
        passing.cancel()
        with suppress(asyncio.CancelledError):
            await passing

    return run


async def _farewell(app: web.Application) -> None:
    """Let nobody wait for a server that is going."""
    world = app[WORLD]
    for bot in world.bots.values():
        bot.inbox.interrupt()
    world.events.close()


class Listening:
    """/sandbox/events."""

    def __init__(self, world: World) -> None:
        self._events = world.events

    async def listen(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        after = request.query.get("after", "")
        queue = self._events.listen(int(after) if after.isdecimal() else None)
        reader = asyncio.create_task(_drain(socket, queue))
        try:
            while (frame := await queue.get()) is not None:
                await socket.send_str(frame)
        except ConnectionError:
            pass
        finally:
            self._events.leave(queue)
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader
            await socket.close()
        return socket


async def _drain(socket: web.WebSocketResponse, queue: "asyncio.Queue[str | None]") -> None:
    """Nothing is expected from a listener but that it goes away one day."""
    async for _ in socket:
        pass
    queue.put_nowait(None)


class Files:
    """/sandbox/files/<file_id>, for the page."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def show(self, request: web.Request) -> web.Response:
        file = self._world.files.get(request.match_info["file_id"])
        if file is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.data, content_type=file.mime, headers=headers)


class Page:
    """/, the page to play in."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.html"

    async def index(self, request: web.Request) -> web.StreamResponse:
        if not self._index.is_file():
            raise web.HTTPNotFound(text="The page is not here; the doors of docs/sandbox.md are open.")
        return web.FileResponse(self._index)

"""Starts the roles of one process and stops them in order; any set of roles, on any number of machines."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiogram import Bot
from aiohttp import web
from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import clouds, mailroom, postgres
from app.commands import announce
from app.migrate import migrate
from app.settings import Settings, WrongSettings
from bot.client import Client
from bot.deliver import Sender
from bot.delivery import Desk
from bot.dispatcher import make_dispatcher
from bot.process import Served, handlings
from bot.receive import Poller, Webhook, set_webhook
from crm import failpoints, time
from crm.db import Sessions, make_engine
from crm.mail.service import mail_key
from crm.sla.targets import register_terms
from crm.wake import Waker
from crm.worker import Handling, Worker
from mailbridge.deliver import Sender as MailSender
from mailbridge.process import Mails
from mailbridge.receive import Receiver
from scheduler import inventory, trials
from scheduler.clock import Clock
from scheduler.hands import Hands, Place
from web.doors import make_app
from web.secret import SecretPages

log = structlog.get_logger()

ROLES = ("bot", "mail", "jobs", "web")
DRAIN_SECONDS = 20


@dataclass(frozen=True, slots=True)
class House:
    """What the roles of a process share."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    waker: Waker
    clock: Callable[[], datetime] = time.utcnow


async def database(settings: Settings) -> AsyncEngine:
    """The configured server, or the embedded one, with the schema of this version.

    Raises WrongSettings if it cannot be reached.
    """
    url = settings.database_url or await asyncio.to_thread(postgres.start, settings.kezekshi_var)
    # Each desk's loops hold connections of their own, for good: sender and poller of its bot, senders and mailboxes.
    loops = sum(3 + len(settings.mail[desk].boxes) if desk in settings.mail else 2 for desk in settings.desks)
    # And so do hands on a cloud: the actions under way, and the sweep.
    loops += sum(2 for desk in settings.desks if settings.clouds.get(desk))
    engine = make_engine(url, size=14 + loops)
    try:
        await migrate(engine)
    except (OSError, DBAPIError, PostgresError) as error:
        await engine.dispose()
        raise WrongSettings(f"DATABASE_URL: the database cannot be reached: {str(error).splitlines()[0]}") from error
    return engine


async def run(settings: Settings, roles: Sequence[str], ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then drain: nothing new is taken, what is under way is finished."""
    failpoints.arm(settings.kezekshi_failpoint)
    engine = await database(settings)
    house = House(settings, engine, Sessions(engine), Waker(engine))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(_running(house.waker.run()))
            if "jobs" in roles:
                await _start_jobs(house, stack)
            async with house.sessions() as session:
                for profile in settings.profiles():
                    await register_terms(session, profile, house.clock())
            await _start_roles(house, roles, stack)
            _spare_the_collector()
            log.info("desk.ready", roles=list(roles), desks=list(settings.desks))
            if ready is not None:
                ready()
            await stop.wait()
            log.info("desk.stopping")
    finally:
        await engine.dispose()
        log.info("desk.stopped")


def _spare_the_collector() -> None:
    """What was imported stays for good and need not be looked through again; measured: 4 % of the CPU of a burst."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _start_roles(house: House, roles: Sequence[str], stack: contextlib.AsyncExitStack) -> None:
    """What sends begins before what causes it; what receives comes last."""
    settings = house.settings
    clients: dict[str, Client] = {}
    handling: dict[str, Handling] = {}
    if "bot" in roles:
        clients = await _start_senders(house, stack)
        served = {
            p.name: Served(
                p,
                Bot(settings.token(p.name)),
                settings.admin_telegram_ids,
                settings.mails(p.name),
                pages=bool(settings.pages_url),
            )
            for p in settings.profiles()
        }
        handling |= handlings(served, make_dispatcher())
        by_mail = {name for name, desk in served.items() if desk.mail}
        await stack.enter_async_context(_running(announce(clients, settings.profiles(), by_mail)))
    if "mail" in roles:
        handling |= await _start_mail(house, stack)
    if handling:
        await stack.enter_async_context(_draining(Worker(house.sessions, handling, house.waker, house.clock)))
    if "web" in roles or ("bot" in roles and settings.public_url):
        await _start_web(house, stack)
    if "mail" in roles:
        for box in mailroom.mailboxes(settings):
            receiver = Receiver(box, house.sessions, house.waker, house.clock)
            await stack.enter_async_context(_running(receiver.run()))
    for name, client in clients.items():
        if settings.public_url:
            secret = settings.webhook_secret.get_secret_value()
            await stack.enter_async_context(_running(set_webhook(client, settings.public_url, name, secret)))
        else:
            poller = Poller(name, client, house.sessions, house.waker, house.clock)
            await stack.enter_async_context(_running(poller.run()))


async def _start_jobs(house: House, stack: contextlib.AsyncExitStack) -> None:
    """The clock, and for each desk with a cloud hands that carry out what was approved."""
    profiles, pages = house.settings.profiles(), house.settings.pages_url
    found = clouds.clouds(house.settings, [profile.name for profile in profiles if profile.cloud is not None])
    places = {profile.name: Place(profile, found[profile.name], pages) for profile in profiles if profile.name in found}
    for place in places.values():
        stack.push_async_callback(place.cloud.close)
        await stack.enter_async_context(_draining(Hands(place, house.sessions, house.waker, house.clock)))
    jobs = (*inventory.jobs(places), *inventory.WATCH, *trials.JOBS)
    clock = Clock(house.sessions, profiles, house.waker, house.clock, jobs)
    await stack.enter_async_context(_running(clock.run()))


async def _start_senders(house: House, stack: contextlib.AsyncExitStack) -> dict[str, Client]:
    settings = house.settings
    clients = {}
    for profile in settings.profiles():
        client = Client(settings.token(profile.name), settings.telegram_api_base)
        clients[profile.name] = await stack.enter_async_context(client)
        sender = Sender(Desk(profile, client, house.sessions), settings.limits, house.waker, house.clock)
        await stack.enter_async_context(_draining(sender))
    return clients


async def _start_mail(house: House, stack: contextlib.AsyncExitStack) -> dict[str, Mails]:
    """Sends what is to be sent, and makes ready to read what comes."""
    settings = house.settings
    async with house.sessions() as session:
        key = await mail_key(session)
    for post in mailroom.posts(settings, key):
        await stack.enter_async_context(_draining(MailSender(post, house.sessions, house.waker, house.clock)))
    reading = mailroom.readers(settings)
    for readers in reading.values():
        await stack.enter_async_context(readers)
    return mailroom.handlings(settings, key, reading)


async def _start_web(house: House, stack: contextlib.AsyncExitStack) -> None:
    settings = house.settings
    site = make_app(house.sessions)
    if settings.public_url:
        secret = settings.webhook_secret.get_secret_value()
        bots = {desk: settings.bot_id(desk) for desk in settings.desks}
        door = Webhook(secret, bots, house.sessions, house.waker, house.clock)
        site.router.add_post("/telegram/{desk}", door.receive)
    if settings.pages_url:
        SecretPages(settings.pages_url, house.sessions, house.clock).mount(site)
    # Telegram packs nothing; a body that says it is packed is no JSON, and nothing of it is unpacked.
    runner = web.AppRunner(site, access_log=None, auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, settings.web_host, settings.web_port).start()
    log.info("web.listening", addresses=[f"http://{a[0]}:{a[1]}" for a in runner.addresses])


@contextlib.asynccontextmanager
async def _running(coroutine: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something that runs until it is cancelled. If it ends by itself with an error, the process should know."""
    task = asyncio.ensure_future(coroutine)
    task.add_done_callback(_told)
    try:
        yield
    finally:
        task.cancel()
        # Within bounds: a library below may swallow a cancellation that comes at an unlucky moment.
        await asyncio.wait({task}, timeout=DRAIN_SECONDS)


@contextlib.asynccontextmanager
async def _draining(worker: Worker | Sender | MailSender | Hands) -> AsyncIterator[None]:
    """Something that finishes what it holds before it ends, within bounds."""
    task = asyncio.ensure_future(worker.run())
    task.add_done_callback(_told)
    try:
        yield
    finally:
        worker.stop()
        with contextlib.suppress(TimeoutError, asyncio.CancelledError, Exception):
            await asyncio.wait_for(task, DRAIN_SECONDS)


def _told(task: asyncio.Future[None]) -> None:
    """A role that dies takes the process with it, so that whoever supervises it starts it again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("role.died", error=repr(error))
        signal.raise_signal(signal.SIGTERM)

"""`kezekshi demo`: the real desk, and a stand-in for Telegram, mail and the cloud with a page to play both sides."""

import asyncio
import contextlib
import fcntl
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from app import mail_settings
from app.clouds import cloud_of
from app.demo_cloud import DemoCloud, open_cabinets, sign_contracts
from app.demo_mail import open_mailboxes
from app.run import ROLES, database, run
from app.settings import Settings, WrongSettings
from crm import time
from crm.db import Sessions, transaction
from crm.desks import QUEUE, load_profile
from sandbox.client import Sandbox
from scheduler.hands import Place
from scheduler.inventory import sweep

ROOT = Path(__file__).resolve().parent.parent
DESK = "prodata"
TOKEN = "700000001:sandbox-token-of-the-demo-desk-000001"  # noqa: S105 - the stand-in's own
# Telegram allows a group 20 messages a minute; a person who plays both sides at once would only see that.
LIMITS = "30/5/120"
CUSTOMERS = (("Айгерім", "kk"), ("Иван", "ru"), ("Emma", "en"))
LEAD, ENGINEER = "Ерлан", "Динара"
# make passes no options on.
OTHER_PORT = "`.venv/bin/kezekshi demo --port 0` takes a free one"
HELLO = "Сәлем! Бүгін мен кезекшімін."


async def demo(settings: Settings, port: int, fresh: bool, console: Console) -> None:
    """Start the stand-in, people it, start the desk, and tell the address."""
    var = settings.kezekshi_var / "demo"
    with _alone(var):
        await _play(settings, var, _free_port(port), fresh, console)


@contextlib.contextmanager
def _alone(var: Path) -> Iterator[None]:
    """One demo a folder: a second would remove the first one's database. Raises WrongSettings. A kill frees it."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongSettings(
                f"another demo is running in {var}: end it, or set KEZEKSHI_VAR to another folder"
            ) from None
        yield


@dataclass(frozen=True, slots=True)
class Cast:
    """Telegram ids: the lead, the engineer, their group, and customers by name."""

    lead: int
    engineer: int
    group: int
    customers: dict[str, int]


async def _play(settings: Settings, var: Path, port: int, fresh: bool, console: Console) -> None:
    address = f"http://127.0.0.1:{port}"
    console.print("Starting the stand-in for Telegram, mail and the cloud …")
    server = await _stand_in(port)
    try:
        if fresh:
            await asyncio.to_thread(shutil.rmtree, var / "pg", ignore_errors=True)
        async with Sandbox(address) as sandbox:
            cast = await _people(sandbox)
            mail = await open_mailboxes(sandbox, CUSTOMERS)
            cloud = await open_cabinets(sandbox)
            serving = _serving(settings, var, address, cast, mail, cloud)
            opened = asyncio.Event()
            console.print("Starting the database and the desk …")
            await _sign(serving, cloud, cast)

            async def open_() -> None:
                await opened.wait()
                try:
                    await _set_up(sandbox, cast, fresh)
                except AssertionError as error:
                    console.print(f"The group is not set up: {error}")
                console.print(f"\nOpen [bold]{address}[/bold] – the customer on one side, the engineers on the other.")
                console.print(f"The command line of this very desk: KEZEKSHI_VAR={var} PRODATA_CLOUD={cloud.address}")
                console.print("Ctrl-C ends the demo.")

            async with _beside(open_()):
                await run(serving, ROLES, ready=opened.set)
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        await server.wait()


def _serving(
    settings: Settings, var: Path, address: str, cast: Cast, mail: dict[str, str], cloud: DemoCloud
) -> Settings:
    """The desk's settings: everything outside of it is the stand-in at that address."""
    web = _free_port(0)
    return settings.model_copy(
        update={
            "desks": (DESK,),
            "tokens": {DESK: SecretStr(TOKEN)},
            "telegram_api_base": address,
            "telegram_limits": LIMITS,
            "admin_telegram_ids": frozenset({cast.lead}),
            "database_url": "",
            "kezekshi_var": var,
            "public_url": "",
            "mail": {DESK: mail_settings.read(DESK, [QUEUE], mail)},
            "clouds": {DESK: cloud.address},
            "web_host": "127.0.0.1",
            "web_port": web,
            "pages_url": f"http://127.0.0.1:{web}",
        }
    )


async def _sign(serving: Settings, cloud: DemoCloud, cast: Cast) -> None:
    """Before the desk opens: contracts, as an operator would sign them, and the first look at the cloud."""
    engine = await database(serving)
    sessions, sky = Sessions(engine), cloud_of(serving, DESK)
    try:
        async with transaction(sessions) as session:
            await sign_contracts(session, DESK, cloud, cast.customers, time.utcnow())
        await sweep(Place(load_profile(DESK), sky), sessions, time.utcnow())
    finally:
        await sky.close()
        await engine.dispose()


def _free_port(port: int) -> int:
    """That one, or any for 0. Raises WrongSettings if it is taken."""
    with socket.socket() as probe:
        # As a server binds: what only lingers after the last one is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise WrongSettings(f"port {port} cannot be used ({error.strerror}); {OTHER_PORT}") from None
        return int(probe.getsockname()[1])


async def _stand_in(port: int) -> asyncio.subprocess.Process:
    """Its own process, as Telegram is; it says when it listens. Raises WrongSettings when it cannot."""
    command = (sys.executable, "-m", "sandbox", "--port", str(port), "--limits", LIMITS)
    started = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said = await started.stdout.readline() if started.stdout else b""
    if not said:
        raise WrongSettings(f"the page cannot be opened on port {port}; {OTHER_PORT}")
    return started


async def _people(sandbox: Sandbox) -> Cast:
    """Customers in three languages, and a group with a lead and an engineer."""
    await sandbox.add_bot(TOKEN, "ProData", "prodata_support_bot")
    customers = {
        name: int((await sandbox.add_user(name, language_code=language))["id"]) for name, language in CUSTOMERS
    }
    lead = await sandbox.add_user(LEAD, language_code="ru")
    engineer = await sandbox.add_user(ENGINEER, language_code="kk")
    group = await sandbox.add_group("ProData · инженеры", owner=lead["id"])
    await sandbox.add_member(group["id"], user=engineer["id"])
    rights = {"can_manage_topics": True, "can_pin_messages": True, "can_delete_messages": True}
    await sandbox.add_member(group["id"], bot=TOKEN, rights=rights, by=lead["id"])
    return Cast(lead["id"], engineer["id"], group["id"], customers)


async def _set_up(sandbox: Sandbox, cast: Cast, fresh: bool) -> None:
    """The lead connects the group and names the engineer, as an admin would; each step after its answer."""
    group, lead = cast.group, cast.lead
    if fresh:
        # A bot that knows the group already has no hint to give.
        await sandbox.wait_message(group, lead, containing="/connect")
    said = await sandbox.say(lead, group, "/connect")
    await sandbox.wait_message(group, lead, containing="/agent add", after=said["message_id"])
    hello = await sandbox.say(cast.engineer, group, HELLO)
    await sandbox.say(lead, group, "/agent add", reply_to=hello["message_id"])
    await sandbox.wait_message(group, lead, containing=ENGINEER, after=hello["message_id"])


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Under way as long as the block is."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

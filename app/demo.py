"""`kezekshi demo`: the real desk, and a stand-in for Telegram and mail with a page where a person plays both sides."""

import asyncio
import contextlib
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from app import mail_settings
from app.demo_mail import open_mailboxes
from app.run import run
from app.settings import Settings, WrongSettings
from crm.desks import QUEUE
from sandbox.client import Sandbox

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "700000001:sandbox-token-of-the-demo-desk-000001"  # noqa: S105 - the stand-in's own
# Telegram allows a group 20 messages a minute; a person who plays both sides at once would only see that.
LIMITS = "30/5/120"
CUSTOMERS = (("Айгерім", "kk"), ("Иван", "ru"), ("Emma", "en"))
LEAD, ENGINEER = "Ерлан", "Динара"


async def demo(settings: Settings, port: int, fresh: bool, console: Console) -> None:
    """Start the stand-in, people it, start the desk, and tell the address."""
    var = settings.kezekshi_var / "demo"
    port = port or _free_port()
    address = f"http://127.0.0.1:{port}"
    console.print("Starting the stand-in for Telegram and mail …")
    server = await _stand_in(port)
    try:
        # Only now: another demo on this port would still be using it.
        if fresh:
            await asyncio.to_thread(shutil.rmtree, var / "pg", ignore_errors=True)
        async with Sandbox(address) as sandbox:
            admin, group = await _people(sandbox)
            mail = await open_mailboxes(sandbox, CUSTOMERS)
            serving = settings.model_copy(
                update={
                    "desks": ("prodata",),
                    "tokens": {"prodata": SecretStr(TOKEN)},
                    "telegram_api_base": address,
                    "telegram_limits": LIMITS,
                    "admin_telegram_ids": frozenset({admin}),
                    "database_url": "",
                    "kezekshi_var": var,
                    "public_url": "",
                    "mail": {"prodata": mail_settings.read("prodata", [QUEUE], mail)},
                    "web_port": 0,
                }
            )
            opened = asyncio.Event()
            console.print("Starting the database and the desk …")
            async with _opening(sandbox, admin, group, opened, address, console):
                await run(serving, ("bot", "mail", "jobs"), ready=opened.set)
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        await server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _stand_in(port: int) -> asyncio.subprocess.Process:
    """Its own process, as Telegram is; it says when it listens. Raises WrongSettings when it cannot."""
    command = (sys.executable, "-m", "sandbox", "--port", str(port), "--limits", LIMITS)
    started = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said = await started.stdout.readline() if started.stdout else b""
    if not said:
        raise WrongSettings(f"the page cannot be opened on port {port}: is it taken? Try --port 0")
    return started


async def _people(sandbox: Sandbox) -> tuple[int, int]:
    """Customers in three languages, and a group with a lead and an engineer."""
    await sandbox.add_bot(TOKEN, "ProData", "prodata_support_bot")
    for name, language in CUSTOMERS:
        await sandbox.add_user(name, language_code=language)
    lead = await sandbox.add_user(LEAD, language_code="ru")
    engineer = await sandbox.add_user(ENGINEER, language_code="kk")
    group = await sandbox.add_group("ProData · инженеры", owner=lead["id"])
    await sandbox.add_member(group["id"], user=engineer["id"])
    rights = {"can_manage_topics": True, "can_pin_messages": True, "can_delete_messages": True}
    await sandbox.add_member(group["id"], bot=TOKEN, rights=rights, by=lead["id"])
    return lead["id"], group["id"]


@contextlib.asynccontextmanager
async def _opening(
    sandbox: Sandbox, admin: int, group: int, opened: asyncio.Event, address: str, console: Console
) -> AsyncIterator[None]:
    """Once the desk serves, the lead connects the group and names the engineer, as an admin would."""

    async def open_() -> None:
        await opened.wait()
        await sandbox.say(admin, group, "/connect")
        console.print(f"\nOpen [bold]{address}[/bold] – the customer on one side, the engineers on the other.")
        console.print("Ctrl-C ends the demo.")

    task = asyncio.create_task(open_())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

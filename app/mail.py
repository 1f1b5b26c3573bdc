"""`kezekshi mail inspect`: how a mail is understood, for engineers who ask why it did that."""

import asyncio
import json
import os
import sys
from collections import deque
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from app.pipes import quiet_when_nobody_reads
from crm.errors import Unreadable
from crm.mail.letter import Address, Letter
from mailbridge.reader import Readers

mail = typer.Typer(help="Mails.", no_args_is_help=True)


@mail.callback()
def mails() -> None:
    """Mails."""


@mail.command("inspect")
def inspect(
    files: Annotated[list[Path] | None, typer.Argument(help="Mails, one a file; standard input when left out.")] = None,
    authserv_id: Annotated[
        str | None, typer.Option(help="What our border calls itself in Authentication-Results.")
    ] = None,
) -> None:
    """How is it understood? One JSON object a line for each file, in order; no database is asked.

    {"from", "from_name", "to", "cc", "subject", "message_id", "in_reply_to", "references", "date", "text",
    "reply_text", "attachments": [{"filename", "content_type", "size", "inline"}], "auto", "bounce",
    "bounce_recipients", "auth", "disposition"}. Ids are without brackets, the date is UTC. The disposition is one of
    request, reply, auto_reply, bounce, list, spam, own, machine, quarantine. A file that can't be read gives
    {"error": …} on its line; the exit code is 0 all the same.
    """
    with quiet_when_nobody_reads():
        asyncio.run(_inspect(files or [None], authserv_id))
        sys.stdout.flush()


async def _inspect(paths: list[Path] | list[None], authserv_id: str | None) -> None:
    """Several are read at once, never many more than there are processors; each answer comes when it is its turn."""
    processors = os.cpu_count() or 1
    waiting = iter(paths)
    heard = True
    async with Readers(min(processors, len(paths)), authserv_id) as readers, asyncio.TaskGroup() as tasks:
        running = deque(tasks.create_task(_answer(readers, path)) for path in islice(waiting, 4 * processors))
        while running and heard:
            heard = _printed(await running.popleft())
            running.extend(tasks.create_task(_answer(readers, path)) for path in islice(waiting, 1))
        for task in running:
            task.cancel()
    if not heard:
        raise BrokenPipeError


def _printed(answer: dict[str, Any]) -> bool:
    """Whether anybody reads."""
    try:
        # Bytes, for the terminal's own encoding may know few letters.
        sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return False
    return True


async def _answer(readers: Readers, path: Path | None) -> dict[str, Any]:
    try:
        raw = _raw(path)
        if not raw.strip():
            return {"error": "empty"}
        return understood(await readers.read(raw))
    except OSError as error:
        return {"error": error.strerror or str(error)}
    except Unreadable as error:
        return {"error": str(error)}


def _raw(path: Path | None) -> bytes:
    return sys.stdin.buffer.read() if path is None else path.read_bytes()


def understood(letter: Letter) -> dict[str, Any]:
    """A letter in the words of the command."""
    return {
        # Several are shown all, so that it is seen why nobody is meant.
        "from": ", ".join(one.address for one in letter.senders) or None,
        "from_name": ", ".join(one.name for one in letter.senders if one.name),
        "to": _plain(letter.to),
        "cc": _plain(letter.cc),
        "subject": letter.subject,
        "message_id": letter.message_id,
        "in_reply_to": letter.in_reply_to,
        "references": list(letter.references),
        "date": letter.sent_at.isoformat() if letter.sent_at else None,
        "text": letter.text,
        "reply_text": letter.reply_text,
        "attachments": [
            {"filename": one.filename, "content_type": one.content_type, "size": one.size, "inline": one.inline}
            for one in letter.files
        ],
        "auto": letter.automatic,
        "bounce": letter.bounce is not None,
        "bounce_recipients": list(letter.bounce.recipients) if letter.bounce else [],
        "auth": asdict(letter.authentication),
        "disposition": disposition(letter),
    }


def disposition(letter: Letter) -> str:
    """What the desk makes of it, as far as the mail alone tells."""
    if letter.nature != "request":
        return letter.nature
    if letter.sender is None:
        return "quarantine"
    return "reply" if letter.in_reply_to or letter.references else "request"


def _plain(people: tuple[Address, ...]) -> list[str]:
    return [one.address for one in people]

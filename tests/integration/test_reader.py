"""The pool of reading processes: budgets, deaths, cancellations; nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from mailbridge import reader
from mailbridge.reader import Readers, Unreadable

ROOT = Path(__file__).resolve().parents[2]
MAIL = "From: Айгүл <a@b.kz>\nSubject: Сәлем\n\nМәтін\n".encode()
PICTURE = b"From: a@b.kz\nContent-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nAAH/\n"
# Beyond any budget: a sanitizer's work grows with the square of the depth.
ENDLESS = b"From: a@b.kz\nContent-Type: text/html\n\n" + b"<div>x" * 500_000
SLOW = b"From: a@b.kz\nContent-Type: text/html\n\n" + b"<div>x" * 20_000
HUGE = b"From: a@b.kz\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + b"QUFB" * 50_000_000


@pytest.fixture
async def readers() -> AsyncIterator[Readers]:
    async with Readers(2) as pool:
        yield pool


def children() -> list[psutil.Process]:
    return psutil.Process().children()


async def test_a_letter_comes_back_whole(readers: Readers) -> None:
    letter = await readers.read(MAIL)
    assert letter.sender is not None
    assert (letter.sender.name, letter.subject, letter.text) == ("Айгүл", "Сәлем", "Мәтін")
    [file] = (await readers.read(PICTURE)).files
    assert (file.filename, file.data) == ("a.png", b"\0\1\xff")


async def test_many_at_once_each_get_their_own(readers: Readers) -> None:
    mails = [f"From: a@b.kz\nSubject: {n}\n\n{n}\n".encode() for n in range(200)]
    letters = await asyncio.gather(*(readers.read(raw) for raw in mails))
    assert [letter.subject for letter in letters] == [str(n) for n in range(200)]
    assert len(children()) <= 2


async def test_too_much_cpu_is_refused_and_the_next_is_read(readers: Readers) -> None:
    slow, *quick = await asyncio.gather(
        readers.read(ENDLESS), *(readers.read(MAIL) for _ in range(20)), return_exceptions=True
    )
    assert isinstance(slow, Unreadable)
    assert "CPU" in str(slow)
    assert all(not isinstance(one, BaseException) for one in quick)
    assert (await readers.read(MAIL)).subject == "Сәлем"


async def test_too_much_memory_is_refused_and_the_next_is_read(readers: Readers) -> None:
    with pytest.raises(Unreadable, match="memory"):
        await readers.read(HUGE)
    assert (await readers.read(MAIL)).subject == "Сәлем"


async def test_too_much_time_is_refused(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    await readers.read(MAIL)
    monkeypatch.setattr(reader, "PATIENCE", 0.1)
    with pytest.raises(Unreadable, match="0 s"):
        await readers.read(ENDLESS)
    monkeypatch.undo()
    assert (await readers.read(MAIL)).subject == "Сәлем"


async def test_a_reader_that_died_between_two_mails_costs_none(readers: Readers) -> None:
    await readers.read(MAIL)
    [process] = children()
    process.kill()
    assert (await readers.read(MAIL)).subject == "Сәлем"


async def test_a_cancelled_reading_does_not_answer_the_next(readers: Readers) -> None:
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await readers.read(SLOW)
        assert (await readers.read(MAIL)).subject == "Сәлем"


async def test_what_is_no_answer_of_ours_is_refused(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in (
        b"",
        b"\0\0\0\2{}",
        b"\0\0\0\1x",
        b"\xff\xff\xff\xff",
        b'\0\0\0\x0e{"senders": 1}',
        b"\0\0\0\x04null",
    ):

        async def lie(process: object, raw: bytes, answer: bytes = answer) -> tuple[int, bytes]:
            return 0, answer

        monkeypatch.setattr(readers, "_exchange", lie)
        with pytest.raises(Unreadable, match="no answer"):
            await readers.read(MAIL)


async def test_nobody_is_left_behind() -> None:
    async with Readers(2) as pool:
        await asyncio.gather(*(pool.read(MAIL) for _ in range(10)))
        assert children()
    assert children() == []


def test_readers_die_with_whoever_started_them() -> None:
    """Also one that is busy, and without anybody who could still clean up."""
    code = textwrap.dedent("""
        import asyncio, os, sys
        from mailbridge.reader import Readers
        async def main():
            async with Readers(2) as pool:
                await pool.read(b"From: a@b.kz\\n\\nx")
                busy = asyncio.ensure_future(pool.read(sys.stdin.buffer.read()))
                await asyncio.sleep(0.5)
                print(*(process.pid for process in pool._processes), flush=True)
                await asyncio.sleep(60)
        asyncio.run(main())
    """)
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdin
    assert parent.stdout
    parent.stdin.write(SLOW)
    parent.stdin.close()
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    orphans = [psutil.Process(pid) for pid in pids]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(orphans, timeout=90)
    assert alive == []


def test_it_works_under_uvloop() -> None:
    code = (
        "import uvloop; from mailbridge.reader import Readers\n"
        "async def main():\n"
        "    async with Readers(1) as pool:\n"
        "        print((await pool.read(b'From: a@b.kz\\nSubject: loop\\n\\nx')).subject)\n"
        "uvloop.run(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "loop\n"
    assert done.stderr == ""

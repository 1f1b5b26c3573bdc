"""Mails that accidents and attackers made of others: each is read or refused within its budget, and can be stored."""

import asyncio
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from crm.mail.letter import Letter
from mailbridge.reader import Readers, Unreadable

SOAK = int(os.environ.get("KEZEKSHI_SOAK") or 0)
MAILS = {0: 400, 1: 100_000}.get(SOAK, SOAK)
SEEDS = sorted((Path(__file__).resolve().parents[1] / "data" / "mail").rglob("*.eml"))
PIECES = [
    *(b"\0", b"\r", b"\n", b"\r\n\r\n", b"\n\n", b"\n ", b"\n\t", b"--", b"=", b"==", b"=?", b"?=", b'"', b"("),
    *(b")", b"<", b">", b"@", b",", b";", b":", b"\\", b"%", b"%00", b"=00", b"=\n", b"\xff", b"\xd0"),
    *(b"\xed\xa0\x80", b"\x1b$B", b"+AD0-", b"=?utf-8?B?", b"=?utf-8?Q?=D0?=", b"=?utf-16?B?2AA=?="),
    *(b"=?utf-7?Q?+2AA-?=", b"*0*=", b"*=utf-8''%ED%A0%80", b"From: a@b.kz\n", b"From: <x@y>, z@w\n"),
    *(b"Date: Mon, 99 Foo\n", b"Message-ID: <>\n", b"References: <a@b>\n"),
    *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: text/html\n"),
    *(b"Content-Type: message/rfc822\n",),
    *(b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",),
    *(b"Content-Type: application/ms-tnef\n", b"Content-Type: text/calendar\n"),
    *(b"Content-Type: text/plain; format=flowed; delsp=yes\n", b"\n--b\n", b"\n--b--\n"),
    *(b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n"),
    *(b"Content-Transfer-Encoding: x-uuencode\n", b"Content-Disposition: attachment; filename=\n"),
    *(b"begin 644 x\n", b"end\n", b"<div style=display:none>", b"<blockquote>", b"<!--", b"<table><tr><td>"),
    *(b"</", b"<img src=cid:x>", b"&#xD800;", b"&#0;", b"BEGIN:VEVENT\n", b"DTSTART:99999999T999999\n"),
    *(b"On Mon, a@b.c wrote:\n", b"> ", b"-- \n", b"-----Original Message-----\n"),
    *(b"Final-Recipient: rfc822; a@b.c\n", b"Status: 5.1.1\n", b"Auto-Submitted: auto-replied\n"),
    *(b"List-Id: <x>\n",),
]  # fmt: skip
CHARSET = re.compile(rb"(charset\s*=\s*\"?)([\w-]+)", re.I)
CHARSETS = [
    b"utf-16",
    b"utf-7",
    b"koi8-r",
    b"gb18030",
    b"iso-2022-jp",
    b"hz",
    b"utf-32",
    b"rot13",
    b"idna",
    b"",
    b"x" * 99,
]


def mutated(dice: random.Random, seeds: list[bytes]) -> bytes:
    raw = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 2, 3, 5, 12))):
        # The header is small beside the body and worth as many blows.
        place = dice.randrange(len(raw[: dice.choice((400, 1500, len(raw)))]) + 1)
        length = dice.choice((1, 1, 2, 8, 40, 400))
        match dice.randrange(10):
            case 0:
                raw[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del raw[place : place + length]
            case 2:
                raw[place:place] = raw[place : place + length] * dice.choice((1, 2, 50))
            case 3 | 4 | 5:
                raw[place:place] = dice.choice(PIECES) * dice.choice((1, 1, 1, 3, 200))
            case 6:
                other = dice.choice(seeds)
                start = dice.randrange(len(other))
                raw[place : place + dice.choice((0, length))] = other[start : start + 20 * length]
            case 7:
                del raw[place:]
            case 8:
                raw = bytearray(CHARSET.sub(rb"\g<1>" + dice.choice(CHARSETS), bytes(raw)))
            case 9:
                raw[place : place + length] = dice.randbytes(length)
    return bytes(raw[:500_000])


def texts(value: object) -> Iterator[str]:
    """Every string anywhere in a letter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from texts(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def check(letter: Letter) -> None:
    for text in texts(letter):
        assert "\0" not in text
        text.encode("utf-8")
    json.dumps([letter.text, letter.reply_text])
    for line in (letter.subject, letter.message_id or "", *(one.address for one in letter.senders)):
        assert "\n" not in line
        assert "\r" not in line
    for file in letter.files:
        assert 0 < len(file.filename) <= 120
        assert not re.search(r"[/\\\r\n\0]", file.filename)
    assert not re.search(
        r"<script|javascript:|\son\w+=|url\(|<svg", re.sub(r">[^<]*<|\"[^\"]*\"", "><", letter.html), re.I
    )
    assert letter.sent_at is None or letter.sent_at.utcoffset() is not None


async def fuzz(seed: int, count: int) -> tuple[int, int]:
    """How many were read, and how many refused for their budget. Anything else fails, with all that is needed to see it
    again."""
    dice = random.Random(seed)
    seeds = [path.read_bytes() for path in SEEDS]
    read = refused = 0

    async def one(readers: Readers, raw: bytes) -> None:
        nonlocal read, refused
        try:
            letter = await readers.read(raw)
        except Unreadable as error:
            if not str(error).startswith("more than"):
                pytest.fail(f"seed {seed}: {error}: {raw[:3000]!r}")
            refused += 1
            return
        read += 1
        try:
            check(letter)
        except (AssertionError, UnicodeError) as error:
            pytest.fail(f"seed {seed}: {error}: {raw[:3000]!r}")

    async with Readers(2) as readers:
        for _ in range(0, count, 50):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(50, count)):
                    tasks.create_task(one(readers, mutated(dice, seeds)))
    return read, refused


@pytest.mark.soak
@pytest.mark.timeout(7200 if SOAK else 180)
async def test_mutated_mails() -> None:
    seed = random.SystemRandom().randrange(10**6) if SOAK else 20261126
    read, refused = await fuzz(seed, MAILS)
    print(f"seed {seed}: {read} read, {refused} refused")
    assert read + refused == MAILS
    # A mutation of an ordinary mail is still ordinary in size and depth.
    assert refused <= MAILS // 1000, f"seed {seed}"

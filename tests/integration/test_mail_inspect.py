"""`kezekshi mail inspect` as an engineer or a script calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    *(
        "from",
        "from_name",
        "to",
        "cc",
        "subject",
        "message_id",
        "in_reply_to",
        "references",
        "date",
        "text",
        "reply_text",
    ),
    *("attachments", "auto", "bounce", "bounce_recipients", "auth", "disposition"),
]
MAIL = """\
From: Айгүл <aigul@client.kz>
To: Support <support@desk.kz>, b@desk.kz
Cc: c@client.kz
Subject: Re: Сервер
Message-ID: <two@client.kz>
In-Reply-To: <one@desk.kz>
References: <zero@desk.kz> <one@desk.kz>
Date: Mon, 2 Mar 2026 10:15:00 +0500
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Рахмет, істейді! 😀

On 2 Mar 2026, at 10:00, Support <support@desk.kz> wrote:
> Қосып көріңіз.
--b
Content-Type: application/pdf; name="акт.pdf"

%PDF
--b--
"""


def inspect(*files: Path | str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    command = [sys.executable, "-m", "app.cli", "mail", "inspect", *map(str, files)]
    # No settings and no database are asked for; a terminal of the last century is no obstacle.
    done = subprocess.run(
        command, input=stdin, capture_output=True, cwd=ROOT, env={"LC_ALL": "C"}, timeout=120, check=False
    )
    return (
        done.returncode,
        [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()],
        done.stderr.decode(),
    )


def test_a_mail_in_all_its_words(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_text(MAIL, "utf-8")
    code, [found], errors = inspect(path)
    assert (code, errors) == (0, "")
    assert list(found) == KEYS
    assert found["auth"].keys() >= {"spf", "dkim", "dmarc", "verified"}
    del found["auth"]
    assert found == {
        "from": "aigul@client.kz",
        "from_name": "Айгүл",
        "to": ["support@desk.kz", "b@desk.kz"],
        "cc": ["c@client.kz"],
        "subject": "Re: Сервер",
        "message_id": "two@client.kz",
        "in_reply_to": "one@desk.kz",
        "references": ["zero@desk.kz", "one@desk.kz"],
        "date": "2026-03-02T05:15:00+00:00",
        "text": "Рахмет, істейді! 😀\n\nOn 2 Mar 2026, at 10:00, Support <support@desk.kz> wrote:\n> Қосып көріңіз.",
        "reply_text": "Рахмет, істейді! 😀",
        "attachments": [{"filename": "акт.pdf", "content_type": "application/pdf", "size": 4, "inline": False}],
        "auto": False,
        "bounce": False,
        "bounce_recipients": [],
        "disposition": "reply",
    }


def test_standard_input_is_one_mail_even_with_an_mbox_line() -> None:
    code, [found], _ = inspect(stdin=b"From a@b.kz Mon Mar  2 10:15:00 2026\n" + MAIL.encode())
    assert code == 0
    assert found["message_id"] == "two@client.kz"


def test_what_can_not_be_read_has_its_line_in_its_place(tmp_path: Path) -> None:
    good, empty = tmp_path / "a.eml", tmp_path / "empty.eml"
    good.write_text(MAIL, "utf-8")
    empty.write_bytes(b"\n")
    code, found, errors = inspect(good, tmp_path / "missing.eml", empty, tmp_path, good)
    assert (code, errors) == (0, "")
    assert [list(one) == KEYS for one in found] == [True, False, False, False, True]
    assert [one.get("error") for one in found[1:4]] == ["No such file or directory", "empty", "Is a directory"]


def test_hundreds_of_files_stay_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.eml" for n in range(300)]
    for n, path in enumerate(paths):
        # The first of each ten is much more work.
        path.write_text(f"From: a@b.kz\nSubject: {n}\n\n{'word ' * (30_000 if n % 10 == 0 else 1)}\n")
    _, found, _ = inspect(*paths)
    assert [one["subject"] for one in found] == [str(n) for n in range(300)]


def test_bytes_that_are_no_text_still_give_valid_lines() -> None:
    raw = b"From: a@b.kz\nSubject: =?utf-16?B?2AA=?= \xff\xed\xa0\x80\n"
    raw += b"Content-Type: text/plain; charset=utf-7\n\n+2AA-\0\xff\n"
    code, [found], _ = inspect(stdin=raw)
    assert code == 0
    assert found["from"] == "a@b.kz"


@pytest.mark.parametrize("size", [1, 400])
def test_a_pipe_that_is_closed_early_is_no_error(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.eml"
    path.write_text(MAIL.replace("Рахмет", "Рахмет " * 2000), "utf-8")
    command = [sys.executable, "-m", "app.cli", "mail", "inspect", *[str(path)] * size]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert running.stdout
    assert running.stderr
    running.stdout.read(10)
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    assert running.wait(60) in (0, 1)

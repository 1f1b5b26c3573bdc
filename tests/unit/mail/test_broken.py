"""Mails as no program should write them, each with what a person would still make of it (`tests/data/mail/broken`)."""

import json
from pathlib import Path

import pytest

from app.mail import understood
from mailbridge.read import read

BROKEN = sorted((Path(__file__).resolve().parents[2] / "data" / "mail" / "broken").glob("*.eml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_it_is_read_as_a_person_would(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    found = understood(read(path.read_bytes()))
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_line_ends_make_no_difference(path: Path) -> None:
    raw = path.read_bytes()
    if b"\r" in raw or b"\0" in raw:
        pytest.skip("its line ends are the point")
    one, other = (understood(read(data)) for data in (raw, raw.replace(b"\n", b"\r\n")))
    assert {**one, "attachments": None} == {**other, "attachments": None}
    assert [a["filename"] for a in one["attachments"]] == [a["filename"] for a in other["attachments"]]

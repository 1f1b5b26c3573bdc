"""Mails written for this project in the shapes of servers, responders and people, each with its expected reading."""

import json
from pathlib import Path
from typing import Any

import pytest

from mailbridge.automatic import automatic, nature
from mailbridge.bounces import bounce
from mailbridge.parse import parse

FOLDER = Path(__file__).parents[2] / "data" / "mail"
MAILS = sorted(path for folder in ("bounces", "automatic", "people") for path in (FOLDER / folder).glob("*.eml"))


def expected(path: Path) -> dict[str, Any]:
    reading: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    # An answer to ours is a request like any other until its thread is known.
    if reading["disposition"] == "reply":
        reading["disposition"] = "request"
    return reading


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_mail_is_taken_for_what_it_is(path: Path) -> None:
    parsed = parse(path.read_bytes())
    returned = bounce(parsed)
    assert {
        "auto": automatic(parsed),
        "bounce": returned is not None,
        "bounce_recipients": sorted(returned.recipients) if returned else [],
        "disposition": nature(parsed),
    } == expected(path)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(MAILS) >= 115
    assert sum(path.parent.name == "bounces" for path in MAILS) >= 40
    assert sum(path.parent.name == "people" for path in MAILS) >= 15

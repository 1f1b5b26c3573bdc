"""The whole corpus, each mail read from its bytes to the words of `mail inspect`, beside its expected reading."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.mail import understood
from mailbridge.read import read

FOLDER = Path(__file__).resolve().parents[2] / "data" / "mail"
MAILS = sorted(FOLDER.glob("*/*.eml"))


def comparable(key: str, value: Any) -> Any:
    match key:
        case "text" | "reply_text":
            return value.split()
        case "bounce_recipients":
            return sorted(value)
        case "attachments":
            return [{**one, "inline": one.get("inline", False)} for one in value]
    return value


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_mail_is_understood(path: Path) -> None:
    expected: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
    contained = expected.pop("text_contains", "")
    found = understood(read(path.read_bytes()))
    assert {key: comparable(key, found[key]) for key in expected} == {
        key: comparable(key, value) for key, value in expected.items()
    }
    for words in [contained] if isinstance(contained, str) else contained:
        assert words in found["text"]


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(MAILS) >= 250

"""Places where a test may kill the process."""

import ast
import os
from pathlib import Path

import pytest

from crm import failpoints

ROOT = Path(failpoints.__file__).resolve().parent.parent


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: found.append(pid))
    monkeypatch.setattr(failpoints, "_armed", {})
    return found


def test_a_setting_names_places_and_passes() -> None:
    assert failpoints.parse("") == {}
    assert failpoints.parse("receive.stored") == {"receive.stored": 1}
    assert failpoints.parse(" receive.stored:3 , deliver.called ,") == {"receive.stored": 3, "deliver.called": 1}


def test_an_unknown_place_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'receive\.store'.*deliver\.settled"):
        failpoints.parse("receive.store")


@pytest.mark.parametrize("setting", ["receive.stored:x", "receive.stored:0", "receive.stored:-1"])
def test_a_pass_that_never_comes_is_refused(setting: str) -> None:
    with pytest.raises(ValueError):
        failpoints.parse(setting)


def test_it_kills_once_at_the_pass_that_was_named(kills: list[int]) -> None:
    failpoints.arm("receive.stored:2")
    failpoints.reach("deliver.called")
    failpoints.reach("receive.stored")
    assert kills == []
    failpoints.reach("receive.stored")
    failpoints.reach("receive.stored")
    assert kills == [os.getpid()]


def test_unarmed_it_kills_nobody(kills: list[int]) -> None:
    for name in failpoints.NAMES:
        failpoints.reach(name)
    assert kills == []


def test_every_place_is_reached_somewhere_in_the_code_and_no_other() -> None:
    reached = {
        ast.literal_eval(call.args[0])
        for folder in ("bot", "crm", "app", "mailbridge", "scheduler", "web")
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "failpoints.reach"
    }
    assert reached == set(failpoints.NAMES)

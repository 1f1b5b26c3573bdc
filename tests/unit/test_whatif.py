"""`kezekshi sla due`: a line in, a line out, whatever the line is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.sla import sla
from crm.sla.whatif import answer

ROOT = Path(__file__).resolve().parents[2]
WEEK = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = {"timezone": "Asia/Almaty", "hours": WEEK, "holidays": ["2026-03-23"]}
START = "2026-03-20T17:30:00+05:00"


def line(**changed: Any) -> str:
    return json.dumps({"calendar": OFFICE, "start": START, "minutes": 60} | changed)


def asked(**changed: Any) -> Any:
    found = answer(line(**changed))
    assert "\n" not in found
    return json.loads(found)


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        ({}, "2026-03-24T09:30:00+05:00"),
        ({"minutes": 30}, "2026-03-20T18:00:00+05:00"),
        ({"minutes": 0.5}, "2026-03-20T17:30:30+05:00"),
        ({"minutes": 1 / 60_000}, "2026-03-20T17:30:00.001000+05:00"),
        ({"start": "2026-03-20T12:30:00Z"}, "2026-03-24T09:30:00+05:00"),
        ({"start": "2026-03-20 12:30:00.5+00:00", "minutes": 1}, "2026-03-20T17:31:00.500000+05:00"),
        ({"start": "2024-02-29T17:59:00+06:00", "minutes": 2}, "2024-03-01T09:01:00+05:00"),
        ({"calendar": {"timezone": "Europe/Berlin", "hours": "24/7"}}, "2026-03-20T14:30:00+01:00"),
        ({"calendar": OFFICE | {"overrides": {"2026-03-21": [["09:00", "10:00"]]}}}, "2026-03-21T09:30:00+05:00"),
        ({"pauses": []}, "2026-03-24T09:30:00+05:00"),
        ({"pauses": [[START, "2026-03-20T17:40:05+05:00"]]}, "2026-03-24T09:40:05+05:00"),
        (
            {"pauses": [[START, "2026-03-20T17:40:00+05:00"], ["2026-03-20T17:35:00+05:00", "2026-03-21T00:00:00Z"]]},
            "2026-03-24T10:00:00+05:00",
        ),
        ({"pauses": [["2026-03-21T00:00:00+05:00", "2026-03-22T00:00:00+05:00"]]}, "2026-03-24T09:30:00+05:00"),
        ({"pauses": [["2026-03-20T17:59:59+05:00", None]]}, None),
        ({"pauses": [["2026-03-20T18:00:00+05:00", None]], "minutes": 30}, "2026-03-20T18:00:00+05:00"),
        ({"pauses": [["2026-03-19T00:00:00+05:00", None]]}, None),
    ],
)
def test_the_due_time_is_given_as_it_is_there(changed: dict[str, Any], due: str | None) -> None:
    assert asked(**changed) == {"due": due}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"start": "2026-03-20T17:30:00"}, "start: .* no offset"),
        ({"start": "2026-03-20"}, "start: "),
        ({"start": "soon"}, "start: 'soon' is no time"),
        ({"start": "2026-03-20T25:30:00+05:00"}, "start: "),
        ({"start": "2026-03-20517:30:00+05:00"}, "start: "),
        ({"start": 1774000000}, "start: "),
        ({"start": None}, "start: "),
        ({"start": "\ud800"}, "start: "),
        ({"start": "0001-01-01T00:00:00+05:00"}, "years 1 to 9999"),
        ({"start": "9999-12-31T23:59:00-05:00"}, "years 1 to 9999"),
        ({"start": "9999-12-31T18:30:00Z"}, "before the year 10000"),
        ({"minutes": 0}, "minutes: "),
        ({"minutes": -5}, "minutes: "),
        ({"minutes": "60"}, "minutes: "),
        ({"minutes": True}, "minutes: "),
        ({"minutes": None}, "minutes: "),
        ({"minutes": [60]}, "minutes: "),
        ({"minutes": 1e-12}, "minutes: "),
        ({"minutes": float("nan")}, "not JSON"),
        ({"minutes": float("inf")}, "not JSON"),
        ({"minutes": 10**400}, "minutes: "),
        ({"minutes": 1e300}, "minutes: "),
        ({"minutes": 1e12}, "before the year 10000"),
        ({"minutes": 4e9}, "before the year 10000"),
        ({"pauses": None}, "pauses: "),
        ({"pauses": {}}, "pauses: "),
        ({"pauses": [START]}, "pauses: "),
        ({"pauses": [[START]]}, "pauses: "),
        ({"pauses": [[None, START]]}, "pauses: "),
        ({"pauses": [[START, "2026-03-20T17:29:59+05:00"]]}, "pauses: .* is before"),
        ({"calendar": None}, "calendar: "),
        ({"calendar": {"timezone": "UTC", "hours": {}}}, "no opening, ever"),
        ({"calendar": OFFICE | {"hours": {"mon": [["09:00", "25:00"]]}}}, "hours mon: "),
        ({"colour": "red"}, "unknown 'colour'"),
    ],
)
def test_a_bad_question_gets_an_error_that_says_where(changed: dict[str, Any], words: str) -> None:
    found = asked(**changed)
    assert list(found) == ["error"]
    with pytest.raises(ValueError, match=words):
        raise ValueError(found["error"])


@pytest.mark.parametrize(
    "words",
    [
        *("", "{", "null", "[]", "60", '"\\ud800"', "\ud800", "\0", "{}", '{"calendar": {}}', "1" * 5000),
        *("[" * 200_000, '{"a":' * 900 + "1" + "}" * 900, '{"calendar":' + "[" * 5000 + "]" * 5000 + "}"),
        line()[:-1] + ', "minutes": ' + "9" * 5000 + "}",
        "x" * 10_000_000,
    ],
    ids=lambda words: f"{words[:12]!r}",
)
def test_no_line_brings_it_down(words: str) -> None:
    found = json.loads(answer(words))
    assert list(found) == ["error"]
    assert len(found["error"]) < 200


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(START),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("start"), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["calendar", "start", "minutes", "pauses", "else"]), anything)
def test_nothing_brings_it_down(key: str, value: Any) -> None:
    found = answer(line(**{key: value}))
    assert len(found.splitlines()) == 1
    assert list(json.loads(found)) in (["due"], ["error"])


def test_files_are_answered_line_by_line_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b"\xef\xbb\xbf" + line().encode() + b"\r\n\n\xff\xfe\n  \n" + line(minutes=30).encode())
    second.write_text(line(minutes=1))
    done = CliRunner().invoke(sla, ["due", str(first), str(second)])
    found = [json.loads(answered) for answered in done.stdout.splitlines()]
    assert "not JSON" in found.pop(1)["error"]
    assert [one["due"][11:16] for one in found] == ["09:30", "18:00", "17:31"]


@pytest.mark.parametrize("name", ["absent", "."])
def test_an_unreadable_file_is_named(tmp_path: Path, name: str) -> None:
    # The command line makes one clear line and exit code 2 of it.
    with pytest.raises(OSError, match=str(tmp_path / name)):
        CliRunner().invoke(sla, ["due", str(tmp_path / name)], catch_exceptions=False)


def test_who_asks_through_a_pipe_gets_each_answer_at_once_and_may_go_away() -> None:
    command = [sys.executable, "-c", "from app.sla import sla; sla()", "due"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, bufsize=1, **pipes) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(line() + "\n")
        assert json.loads(running.stdout.readline()) == {"due": "2026-03-24T09:30:00+05:00"}
        running.stdout.close()
        running.stdin.write(line() + "\n")
        running.stdin.close()
        assert running.stderr.read() == ""
        assert running.wait(60) == 1

"""No token gets into the log, by whatever way it comes."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from app.logs import configure, scrub
from tests.factories import TOKEN

URL = f"https://api.telegram.org/bot{TOKEN}/sendMessage"
Logged = Callable[[Callable[[], object]], str]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """What stands on stderr after that work, the logs configured as in the program."""
    before = (logging.root.level, list(logging.root.handlers))

    def written(work: Callable[[], object]) -> str:
        logging.root.handlers.clear()
        configure("info")
        work()
        return capsys.readouterr().err

    yield written
    structlog.reset_defaults()
    logging.root.setLevel(before[0])
    logging.root.handlers[:] = before[1]


def failing(tell: Callable[[], object]) -> None:
    """Tell of an error whose text holds the token."""
    try:
        raise OSError(URL)
    except OSError:
        tell()


@pytest.mark.parametrize(
    "value",
    [TOKEN, URL, [URL], {"url": URL}, {"deep": [{"deeper": (URL,)}]}, ValueError(URL), URL.encode(), {URL: 1}],
    ids=["token", "address", "list", "dict", "deep", "exception", "bytes", "key"],
)
def test_a_token_is_scrubbed_wherever_it_stands(logged: Logged, value: Any) -> None:
    words = logged(lambda: structlog.get_logger().info("call", value=value))
    assert "call" in words
    assert TOKEN not in words


def test_what_is_no_token_stays() -> None:
    line = '{"event": "done", "key": "12:34", "count": 5, "time": "2026-11-22T09:00:00"}'
    assert scrub(line) == line


def test_an_exception_is_scrubbed_with_its_traceback(logged: Logged) -> None:
    words = logged(lambda: failing(lambda: structlog.get_logger().exception("broken")))
    assert "OSError" in words
    assert TOKEN not in words


def test_other_libraries_are_scrubbed_too(logged: Logged) -> None:
    words = logged(lambda: logging.getLogger("aiohttp.client").error("cannot connect to %s", URL))
    assert "cannot connect" in words
    assert TOKEN not in words


def test_a_traceback_of_another_library_is_scrubbed(logged: Logged) -> None:
    words = logged(lambda: failing(lambda: logging.getLogger("asyncio").exception("task failed")))
    assert "task failed" in words
    assert TOKEN not in words


def test_a_level_silences_what_is_below(logged: Logged) -> None:
    assert logged(lambda: structlog.get_logger().debug("whisper")) == ""


def test_a_link_that_opens_a_secret_is_scrubbed(logged: Logged) -> None:
    link = "https://desk.example.kz/secret/kT7wQz_9hRt-YpmN4xVbkT7wQz_9hRt-YpmN4xVbkTw"
    words = logged(lambda: structlog.get_logger().info("call", value={"deep": [f"see {link}."]}))
    assert "https://desk.example.kz/secret/***." in words
    assert "kT7wQz" not in words

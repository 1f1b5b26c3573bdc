"""Structured logs on stderr: lines for people at a terminal, JSON elsewhere. No token or secret link gets through."""

import logging
import re
import sys
from typing import Any

import structlog

# A bot's token as it stands in the address of every call; what opens a page that shows a secret.
_TOKEN = re.compile(r"(?<=/secret/)[A-Za-z0-9_-]+|(?<=bot)\d+:[A-Za-z0-9_-]+|\d{5,20}:[A-Za-z0-9_-]{20,}")


def scrub(words: str) -> str:
    """The same line without tokens."""
    return _TOKEN.sub("***", words)


class _Scrubbed(logging.Formatter):
    """Whole lines, tracebacks included: an error of a library may hold the address of a call."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


class _ScrubbedLines:
    """Where structlog's finished lines go."""

    def __init__(self, *_: Any) -> None:
        self._lines = structlog.PrintLogger(sys.stderr)

    def msg(self, line: str) -> None:
        self._lines.msg(scrub(line))

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


def configure(level: str) -> None:
    threshold = getattr(logging, level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Scrubbed("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(threshold, logging.WARNING), handlers=[handler])
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not terminal else structlog.processors.ExceptionRenderer(),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_ScrubbedLines,
        cache_logger_on_first_use=False,
    )

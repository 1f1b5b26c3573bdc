"""Structured logs on stderr: lines for people at a terminal, JSON elsewhere. No token ever gets through."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# A token as it stands in the address of every call.
_TOKEN = re.compile(r"\d{5,20}:[A-Za-z0-9_-]{20,}")


def scrub(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _TOKEN.sub("***", value)
    return event


class _ScrubbedRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _TOKEN.sub("***", record.getMessage()), None
        return True


def configure(level: str) -> None:
    threshold = getattr(logging, level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_ScrubbedRecords())
    logging.basicConfig(
        level=max(threshold, logging.WARNING), handlers=[handler], format="%(levelname)s %(name)s %(message)s"
    )
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not terminal else structlog.processors.ExceptionRenderer(),
            scrub,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

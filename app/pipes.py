"""Commands whose lines go into a pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def quiet_when_nobody_reads() -> Iterator[None]:
    """`… | head -1` is no error."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None

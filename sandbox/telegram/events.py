"""What happens in the world, as frames for the page and the tests."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sandbox.telegram.journal import Journal

Json = dict[str, Any]
Frame = Callable[[], Json]

KEPT = 10_000
TOO_SLOW = 50_000


def dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class Events:
    """A journal of frames, and the listeners who get each frame at once."""

    def __init__(self) -> None:
        self._journal: Journal[tuple[int, str, Json, Frame | None]] = Journal(KEPT)
        self._listeners: set[asyncio.Queue[str | None]] = set()

    @property
    def last(self) -> int:
        return self._journal.last

    def emit(self, kind: str, where: Json, more: Frame | None = None) -> None:
        """Record a frame; `more` is only called when somebody wants to see it."""
        item = (self._journal.last + 1, kind, where, more)
        self._journal.add(item)
        if self._listeners:
            text = _render(item)
            for queue in list(self._listeners):
                if queue.qsize() > TOO_SLOW:
                    self._listeners.discard(queue)
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(text)

    def listen(self, after: int | None) -> asyncio.Queue[str | None]:
        """A queue with the kept frames after that number, then everything new; None ends it."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        if after is not None:
            for item in self._journal.after(after):
                queue.put_nowait(_render(item))
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[str | None]) -> None:
        self._listeners.discard(queue)

    def close(self) -> None:
        """Send every listener away."""
        for queue in self._listeners:
            queue.put_nowait(None)


def _render(item: tuple[int, str, Json, Frame | None]) -> str:
    number, kind, where, more = item
    frame = {"n": number, "type": kind, **where}
    if more is not None:
        frame.update(more())
    return dump(frame)

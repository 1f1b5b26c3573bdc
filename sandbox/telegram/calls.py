"""The journal of Bot API calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.events import Events
from sandbox.telegram.journal import Journal
from sandbox.telegram.model import Json, Upload

KEPT = 100_000


@dataclass(slots=True)
class Call:
    """One call as it came and how it was answered."""

    n: int
    at: float
    bot: int
    method: str
    params: Json
    error: Json | None
    result: object
    ms: float
    fault: str | None

    def shown(self) -> Json:
        shown: Json = {
            "n": self.n,
            "at": self.at,
            "bot": self.bot,
            "method": self.method,
            "params": _plain(self.params),
            "ok": self.error is None,
            "ms": round(self.ms, 3),
        }
        if self.error is None:
            shown["result"] = self.result
        else:
            shown["error"] = self.error
        if self.fault is not None:
            shown["fault"] = self.fault
        return shown


class Calls:
    """Every call but getUpdates, newest last."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._journal: Journal[Call] = Journal(KEPT)

    @property
    def last(self) -> int:
        return self._journal.last

    def clear(self) -> None:
        self._journal.forget()

    def add(self, at: float, bot: int, method: str, params: Json, answer: Json, ms: float, fault: str | None) -> None:
        ok = bool(answer["ok"])
        error = None if ok else {key: value for key, value in answer.items() if key != "ok"}
        result = answer["result"] if ok else None
        call = Call(self.last + 1, at, bot, method, params, error, result, ms, fault)
        self._journal.add(call)
        self._events.emit("call", {}, lambda: {"call": call.shown()})

    def after(self, number: int, method: str | None, chat: str | None) -> Iterator[Json]:
        for call in self._journal.after(number):
            if method is not None and call.method != method:
                continue
            if chat is None or str(call.params.get("chat_id")) == chat:
                yield call.shown()


def _plain(value: Any) -> Any:
    """Uploads by name and size; their bytes do not belong in a journal."""
    if isinstance(value, Upload):
        return {"upload": value.name, "size": len(value.data)}
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value

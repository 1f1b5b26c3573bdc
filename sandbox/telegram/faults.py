"""Faults on order: the next matching call goes wrong in the way asked for."""

from dataclasses import dataclass
from typing import Final

from sandbox.orders import strike
from sandbox.telegram.errors import ApiError, Refused, too_many
from sandbox.telegram.model import Json

KINDS: Final = frozenset({"429", "error", "500", "html", "drop", "hang", "undecodable", "garble"})
ALWAYS_DONE: Final = frozenset({"undecodable", "garble"})
NEVER_DONE: Final = frozenset({"429", "error"})
FIELDS: Final = frozenset(
    {
        "bot", "method", "chat", "kind", "times", "after",
        "retry_after", "code", "description", "parameters", "done", "seconds",
    }
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """One order: which calls, what happens, how often."""

    id: int
    kind: str
    bot: int | None
    method: str | None
    chat: int | None
    times: int | None
    after: int
    order: Json

    @property
    def done(self) -> bool:
        """Is the call carried out all the same?"""
        return self.kind in ALWAYS_DONE or (self.kind not in NEVER_DONE and bool(self.order.get("done")))

    @property
    def seconds(self) -> float:
        return float(self.order.get("seconds", 60))

    def refusal(self) -> ApiError | None:
        """The answer of a call refused outright."""
        if self.kind == "429":
            return too_many(int(self.order.get("retry_after", 1)))
        if self.kind == "error":
            order = self.order
            return ApiError(int(order["code"]), str(order["description"]), order.get("parameters"))
        return None

    def shown(self) -> Json:
        return {**self.order, "id": self.id, "times": self.times, "after": self.after}


class Faults:
    """The orders not yet used up, in the order they came."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []
        self._last = 0

    def add(self, order: Json, bot: int | None) -> Fault:
        kind = str(order.get("kind"))
        unknown = sorted(order.keys() - FIELDS)
        if unknown:
            raise Refused(f"unknown field {unknown[0]}; a fault has {', '.join(sorted(FIELDS))}")
        if kind not in KINDS:
            raise Refused(f"kind must be one of {', '.join(sorted(KINDS))}")
        if kind == "error" and not ("code" in order and "description" in order):
            raise Refused("an error needs code and description")
        self._last += 1
        fault = Fault(
            self._last,
            kind,
            bot,
            order.get("method"),
            order.get("chat"),
            order.get("times", 1),
            order.get("after", 0),
            order,
        )
        self.orders.append(fault)
        return fault

    def clear(self) -> None:
        self.orders.clear()

    def hit(self, bot: int, method: str, chat: object) -> Fault | None:
        """The fault for this call, if it is to have one."""
        return strike(self.orders, lambda fault: _matches(fault, bot, method, chat))


def _matches(fault: Fault, bot: int, method: str, chat: object) -> bool:
    if fault.bot is not None and fault.bot != bot:
        return False
    # getUpdates runs all the time; a fault for "any call" means the calls a bot decides to make.
    if fault.method is None and method == "getUpdates":
        return False
    if fault.method is not None and fault.method.lower() != method.lower():
        return False
    return fault.chat is None or str(fault.chat) == str(chat)

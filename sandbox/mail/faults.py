"""Faults of the mail server on order, as other people's servers have them of themselves."""

from dataclasses import dataclass
from typing import Final

from sandbox.orders import strike
from sandbox.telegram.errors import Refused
from sandbox.telegram.model import Json

KINDS: Final = ("defer", "refuse", "hang", "bounce")
STAGES: Final = ("rcpt", "data")
FIELDS: Final = frozenset(
    {"kind", "at", "sender", "recipient", "code", "text", "seconds", "done", "times", "after"}
)  # fmt: skip
_SAID: Final = {"defer": (451, "4.3.0 try again later"), "refuse": (550, "5.7.1 refused by policy")}


@dataclass(slots=True)
class MailFault:
    """One order: whose mail, at which stage, what happens."""

    id: int
    kind: str
    at: str
    times: int | None
    after: int
    order: Json

    def fits(self, stage: str, sender: str, recipient: str) -> bool:
        given = {"sender": sender, "recipient": recipient}
        return self.at == stage and all(
            self.order.get(key, said).lower() == said.lower() for key, said in given.items()
        )

    @property
    def reply(self) -> str:
        """The server's line for a mail not taken."""
        code, text = _SAID[self.kind]
        return f"{self.order.get('code', code)} {self.order.get('text', text)}"

    @property
    def done(self) -> bool:
        """Is the mail delivered all the same, though nobody is told?"""
        return bool(self.order.get("done"))

    @property
    def seconds(self) -> float:
        return float(self.order.get("seconds", 60))

    def shown(self) -> Json:
        return {**self.order, "id": self.id, "at": self.at, "times": self.times, "after": self.after}


class MailFaults:
    """The orders not yet used up, in the order they came."""

    def __init__(self) -> None:
        self.orders: list[MailFault] = []
        self._last = 0

    def add(self, order: Json) -> MailFault:
        unknown = sorted(order.keys() - FIELDS)
        if unknown:
            raise Refused(f"unknown field {unknown[0]}; a fault has {', '.join(sorted(FIELDS))}")
        kind = order.get("kind")
        if kind not in KINDS:
            raise Refused(f"kind must be one of {', '.join(KINDS)}")
        at = order.get("at", "rcpt" if kind in _SAID else "data")
        if at not in STAGES or (kind not in _SAID and at != "data"):
            raise Refused("at must be rcpt or data; only defer and refuse happen at rcpt")
        self._last += 1
        fault = MailFault(self._last, kind, at, order.get("times", 1), order.get("after", 0), order)
        self.orders.append(fault)
        return fault

    def clear(self) -> None:
        self.orders.clear()

    def hit(self, stage: str, sender: str, recipient: str) -> MailFault | None:
        return strike(self.orders, lambda fault: fault.fits(stage, sender, recipient))

"""Faults of the cloud on order: the next matching call goes wrong in the way asked for."""

from dataclasses import dataclass
from typing import Final

from sandbox.cloud.model import STATUS_OF_REASON, Fate, Json
from sandbox.orders import strike
from sandbox.telegram.errors import Refused

KINDS: Final = ("slow", "refuse", "503", "429", "500", "drop", "hang", "undecodable", "stuck", "fail")
MAY_BE_DONE: Final = frozenset({"500", "drop", "hang"})
# Only what takes its time can get stuck or break on the way.
FATES: Final[dict[str, Fate]] = {"stuck": "stuck", "fail": "fail"}
ALWAYS_DONE: Final = frozenset({"slow", "undecodable", *FATES})
LASTING: Final = frozenset({"reboot", "start", "stop", "link"})
FIELDS: Final = frozenset(
    {"kind", "what", "project", "server", "times", "after", "code", "reason", "text", "retry_after", "seconds", "done"}
)
_REASONS: Final = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the cloud's API; `target` is the id of the server, user or project it is about."""

    what: str
    changes: bool
    target: str | None
    project: str | None
    params: Json


@dataclass(slots=True)
class CloudFault:
    """One order. Without `what` it is for any call that changes something."""

    id: int
    kind: str
    what: frozenset[str]
    times: int | None
    after: int
    order: Json

    def fits(self, call: Call) -> bool:
        named = call.what in self.what or "any" in self.what if self.what else call.changes
        possible = self.kind not in FATES or call.what in LASTING
        where = self.order.get("project") in (None, call.project) and self.order.get("server") in (None, call.target)
        return named and possible and where

    @property
    def done(self) -> bool:
        """Is the call carried out all the same?"""
        return (
            self.kind in ALWAYS_DONE
            or self.kind in FATES
            or (self.kind in MAY_BE_DONE and bool(self.order.get("done")))
        )

    @property
    def fate(self) -> Fate:
        return FATES.get(self.kind, "done")

    @property
    def seconds(self) -> float:
        return float(self.order.get("seconds", 60))

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, reason and text of a call that is refused."""
        code = int(self.order.get("code", 409))
        reason = str(self.order.get("reason", _REASONS.get(code, "invalid")))
        return code, reason, str(self.order.get("text", "the cloud says no"))

    def shown(self) -> Json:
        return {**self.order, "id": self.id, "times": self.times, "after": self.after}


class CloudFaults:
    """The orders not yet used up, in the order they came."""

    def __init__(self) -> None:
        self.orders: list[CloudFault] = []
        self._last = 0

    def add(self, order: Json) -> CloudFault:
        unknown = sorted(order.keys() - FIELDS)
        if unknown:
            raise Refused(f"unknown field {unknown[0]}; a fault has {', '.join(sorted(FIELDS))}")
        kind, what = order.get("kind"), order.get("what") or []
        if kind not in KINDS:
            raise Refused(f"kind must be one of {', '.join(KINDS)}")
        if order.get("reason", "invalid") not in STATUS_OF_REASON:
            raise Refused(f"reason must be one of {', '.join(STATUS_OF_REASON)}")
        named = frozenset([what] if isinstance(what, str) else what)
        self._last += 1
        fault = CloudFault(self._last, kind, named, order.get("times", 1), order.get("after", 0), order)
        self.orders.append(fault)
        return fault

    def clear(self, server: str | None = None) -> None:
        """All of them, or those that wait for one server."""
        self.orders = [one for one in self.orders if server is not None and one.order.get("server") != server]

    def waiting(self) -> set[str]:
        """Servers that an order names."""
        return {str(one.order["server"]) for one in self.orders if one.order.get("server")}

    def hit(self, call: Call) -> CloudFault | None:
        return strike(self.orders, lambda fault: fault.fits(call))

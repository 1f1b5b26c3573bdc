"""The life of a ticket, as a table. Pure: what may follow what, and whether the clock runs."""

from typing import Literal

from crm.errors import WrongStatus

Status = Literal["new", "open", "pending", "on_hold", "resolved", "closed", "declined"]
Action = Literal[
    "take",
    "reply",
    "hear",
    "ask",
    "hold",
    "resolve",
    "confirm",
    "reject",
    "lapse",
    "reopen",
    "decline",
    "withdraw",
    "merge",
]

ACTIVE: frozenset[str] = frozenset({"new", "open", "pending", "on_hold"})
# What a requester may still write to without opening something new.
REACHABLE: frozenset[str] = ACTIVE | {"resolved"}
ENDED: frozenset[str] = frozenset({"closed", "declined"})
RUNNING: frozenset[str] = frozenset({"new", "open"})

_NEXT: dict[Action, dict[Status, Status]] = {
    "take": {"new": "open", "open": "open", "pending": "pending", "on_hold": "on_hold"},
    # An answer of an agent; the ticket goes on waiting if it waited.
    "reply": {
        "new": "open",
        "open": "open",
        "pending": "pending",
        "on_hold": "on_hold",
        "resolved": "resolved",
    },
    # A message of the requester; what waited for it, or was thought solved, is open again; closed: if not long ago.
    "hear": {
        "new": "new",
        "open": "open",
        "pending": "open",
        "on_hold": "on_hold",
        "resolved": "open",
        "closed": "open",
    },
    "ask": {"new": "pending", "open": "pending", "on_hold": "pending"},
    "hold": {"new": "on_hold", "open": "on_hold", "pending": "on_hold"},
    "resolve": {"new": "resolved", "open": "resolved", "pending": "resolved", "on_hold": "resolved"},
    "confirm": {"resolved": "closed"},
    "reject": {"resolved": "open"},
    # Nobody has answered the solution.
    "lapse": {"resolved": "closed"},
    "reopen": {
        "pending": "open",
        "on_hold": "open",
        "resolved": "open",
        "closed": "open",
        "declined": "open",
    },
    "decline": {"new": "declined", "open": "declined", "pending": "declined", "on_hold": "declined"},
    "withdraw": {
        "new": "closed",
        "open": "closed",
        "pending": "closed",
        "on_hold": "closed",
        "resolved": "closed",
    },
    # It goes on in another ticket.
    "merge": {"new": "closed", "open": "closed", "pending": "closed", "on_hold": "closed", "resolved": "closed"},
}


def after(action: Action, status: str) -> Status:
    """The status that follows.

    Raises WrongStatus if the action means nothing there.
    """
    known: dict[str, Status] = dict(_NEXT[action])  # type: ignore[arg-type]
    if status not in known:
        raise WrongStatus(status=status, action=action)
    return known[status]


def possible(action: Action, status: str) -> bool:
    return status in _NEXT[action]

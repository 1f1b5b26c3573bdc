"""Which ticket a mail belongs to, and whether its sender may write there. Pure.

By what it replies to, then by its references from the last to the first, then by a right token. The bare number of a
ticket proves nothing, and a token does not let in whoever holds it: that its sender takes part in the ticket counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.mail.letter import Letter
from crm.people.service import OpenTicket


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket that a mail refers to. `ids`: of its mails that are meant; none if a token alone names it."""

    ticket: OpenTicket
    requester_id: int
    takes_part: bool
    closed_at: datetime | None
    ids: tuple[str, ...] = ()

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> "Thread":
        closed = row["closed_at"]
        ticket = {name: row[name] for name in ("id", "reference", "subject", "status", "group_id", "answers_to")}
        return cls(
            OpenTicket(**ticket),
            row["requester_id"],
            row["takes_part"],
            datetime.fromisoformat(closed) if closed else None,
            tuple(row["ids"] or ()),
        )


def referred(letter: Letter, limit: int = 100) -> list[str]:
    """Ids of earlier mails, the likeliest first."""
    ids = [letter.in_reply_to or "", *reversed(letter.references)]
    return [one for one in dict.fromkeys(ids) if one][:limit]


def choose(threads: Sequence[Thread], ids: Sequence[str]) -> Thread | None:
    """The likeliest of the tickets that the sender takes part in; of the others, if there is none."""
    place = {one: number for number, one in enumerate(ids)}

    def nearness(thread: Thread) -> tuple[bool, int, int]:
        near = min((place[one] for one in thread.ids if one in place), default=len(place))
        return (not thread.takes_part, near, -thread.ticket.id)

    return min(threads, key=nearness, default=None)

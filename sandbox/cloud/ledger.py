"""Every call of the cloud's API, so that a test can count what was really done."""

from collections.abc import Iterator
from datetime import datetime

from sandbox.cloud.faults import Call
from sandbox.cloud.model import Json
from sandbox.telegram.journal import Journal

KEPT = 100_000
# What nobody may read later, not even here.
SECRET = frozenset({"password"})


class Ledger:
    """`done` says whether the call was carried out; `answered` is the status that was sent, None if none was."""

    def __init__(self) -> None:
        self._journal: Journal[Json] = Journal(KEPT)

    @property
    def last(self) -> int:
        return self._journal.last

    def clear(self) -> None:
        self._journal.forget()

    def write(self, call: Call, at: datetime, *, done: bool, fault: str | None) -> Json:
        """A new line, to be completed once the answer has gone out."""
        line = {
            "n": self._journal.last + 1,
            "at": at.isoformat(),
            "what": call.what,
            "changes": call.changes,
            "target": call.target,
            "project": call.project,
            "params": {key: "…" if key in SECRET else value for key, value in call.params.items()},
            "done": done,
            "answered": None,
            "fault": fault,
        }
        self._journal.add(line)
        return line

    def lines(
        self, after: int = 0, *, what: str | None = None, target: str | None = None, changes: bool | None = None
    ) -> Iterator[Json]:
        wanted = {"what": what, "target": target, "changes": changes}
        for line in self._journal.after(after):
            if all(value in (None, line[key]) for key, value in wanted.items()):
                yield line

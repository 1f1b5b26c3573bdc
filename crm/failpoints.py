"""Named places where a test may kill the process, to prove that nothing is lost there.

`KEZEKSHI_FAILPOINT=receive.stored` kills at the first pass, `receive.stored:3` at the third. Unarmed, a pass costs
one comparison.
"""

import os
import signal

NAMES = (
    "receive.before_commit",
    "receive.stored",
    "mail.before_commit",
    "mail.stored",
    "process.claimed",
    "process.before_commit",
    "process.committed",
    "deliver.claimed",
    "deliver.called",
    "deliver.settled",
    "mail.claimed",
    "mail.called",
    "mail.settled",
    "cloud.before_call",
    "cloud.after_call",
    "cloud.accepted",
    "cloud.before_end",
    "cloud.ended",
)

_armed: dict[str, int] = {}


def parse(setting: str) -> dict[str, int]:
    """`name` or `name:nth`, several separated by commas. Raises ValueError for an unknown name."""
    found = {}
    for part in filter(None, (p.strip() for p in setting.split(","))):
        name, _, nth = part.partition(":")
        if name not in NAMES:
            raise ValueError(f"no failpoint {name!r}; there are: {', '.join(NAMES)}")
        found[name] = int(nth or 1)
        if found[name] < 1:
            raise ValueError(f"{part}: the first pass is 1")
    return found


def arm(setting: str) -> None:
    _armed.update(parse(setting))


def reach(name: str) -> None:
    """Die here, at once and without cleaning up, if the place is armed."""
    if _armed and name in _armed:
        _armed[name] -= 1
        if _armed[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

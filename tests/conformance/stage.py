"""What the suite needs of whatever stands behind an adapter: customers, zones, and a hand behind the desk's back.

A module beside this one, `NAME_stage.py`, gives `stage()`: an async context manager that yields a Stage. The suite
leaves the cloud as it found it, so a stage may begin empty each time or live for months.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from provider.port import Cloud

# What befalls a server's calls while it lasts, reading and changing ones:
#   down     nobody listens
#   busy     503 with Retry-After: 7, nothing done
#   broken   500, nothing done
#   cut      done, but the connection breaks before the answer
#   silent   done, but the answer comes later than the adapter waits
#   garbled  done, and the answer is no answer of this cloud's
Fault = Literal["down", "busy", "broken", "cut", "silent", "garbled"]
UNDONE: tuple[Fault, ...] = ("down", "busy", "broken")
DONE: tuple[Fault, ...] = ("cut", "silent", "garbled")


@dataclass(frozen=True, slots=True)
class Customer:
    """`servers`: name → id. The user's password is `password` when a test begins."""

    project: str
    name: str
    user: str
    password: str
    servers: Mapping[str, str]


class Stage(Protocol):
    """`anna` has web-1 and db-1 in the first zone and web-2 in the second; `boris` has shop-1 in the first.

    All run, none is locked, neither customer has a link. `kills_hosts`: whether `dead_host` can be asked for.
    """

    cloud: Cloud
    zones: tuple[str, str]
    anna: Customer
    boris: Customer
    faults: frozenset[Fault]
    kills_hosts: bool

    def fault(self, fault: Fault) -> AbstractAsyncContextManager[None]:
        """For all calls that concern servers, those of `servers`, `server`, `log` and `act`."""

    def dead_host(self, zone: str) -> AbstractAsyncContextManager[None]:
        """The hosts of a zone take orders and carry out none; afterwards they live again, and their servers run."""

    async def boot(self, project_id: str, name: str, zone: str) -> str:
        """A server of the customer's own making, small, and running when its id comes back."""

    async def delete(self, server_id: str) -> None:
        """It is gone from the list when this comes back."""

    async def lock(self, server_id: str) -> None:
        """By an administrator."""

    async def unlink(self, project_id: str) -> None:
        """Its links are gone, whole ones and parts."""

    async def erase(self, project_id: str) -> None:
        """The project and its users are gone."""

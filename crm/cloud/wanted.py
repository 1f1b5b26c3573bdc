"""What is wanted of the cloud, complete and frozen: kind, place, parameters, and the hash of all of it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.cloud.rules import Kind, Power, Resource


@dataclass(frozen=True, slots=True)
class Wanted:
    """`target`: the id of a server or of a user; `title`: what people call it. Of one `lane` one thing at a time."""

    kind: Kind
    title: str
    lane: str
    project_id: str | None = None
    target: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        return digest(self.kind, self.project_id, self.target, self.parameters)


def digest(kind: str, project_id: str | None, target: str | None, parameters: Mapping[str, Any]) -> bytes:
    """The same for the same wish, whoever wrote it down."""
    whole = [kind, project_id, target, parameters]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).digest()


def power(act: Power, project_id: str, server_id: str, name: str) -> Wanted:
    """One thing at a time with a machine, whatever it is."""
    return Wanted(act, name, f"vm:{server_id}", project_id, server_id)


def quota(project_id: str, name: str, limits: Mapping[Resource, int]) -> Wanted:
    """Those limits from then on; the others stay."""
    return Wanted("quota", name, f"quota:{project_id}", project_id, None, {"limits": dict(limits)})


def password(project_id: str, user_id: str, login: str) -> Wanted:
    return Wanted("password", login, f"user:{user_id}", project_id, user_id)


def link(project_id: str, name: str, zones: tuple[str, str], link_name: str) -> Wanted:
    """`link_name`: how the cloud's parts of it are called, so that what was begun is found again."""
    first, second = sorted(zones)
    parameters = {"zones": [first, second], "name": link_name}
    return Wanted(
        "link", f"{name}: {first} – {second}", f"link:{project_id}:{first}:{second}", project_id, None, parameters
    )


def cabinet(ticket_id: int, account: str, limits: Mapping[str, int], email: str | None, description: str) -> Wanted:
    """A project, its user and quotas, all of them new; `account` is the name of both."""
    parameters = {"account": account, "limits": dict(limits), "email": email, "description": description}
    return Wanted("open", account, f"open:{ticket_id}", None, None, parameters)

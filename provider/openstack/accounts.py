"""Opening a cabinet: project, user and quotas, or what is missing of them."""

from collections.abc import Mapping
from typing import Any

from provider.openstack import identity, quotas
from provider.openstack.wire import Talk
from provider.port import Account, Opened, Refused


def open_account(talk: Talk, account: Account) -> Opened:
    """The user is a member of the project, and its default project is that one.

    Raises Refused(conflict) where the name is somebody else's already: nobody is let into what is there.
    """
    quotas.check(account.quotas)
    domain = talk.access().project_domain_id
    role = identity.member_role(talk)
    there, them = _named(talk, "projects", account.name, domain), _named(talk, "users", account.name, domain)
    _owned(talk, account.name, there, them)
    if there is None:
        asked = {"name": account.name, "domain_id": domain, "description": account.description}
        there = _made(talk, "project", asked)
    if them is None:
        email = {"email": account.email} if account.email else {}
        them = _made(
            talk, "user", {"name": account.name, "domain_id": domain, "default_project_id": there["id"], **email}
        )
    path = f"/projects/{there['id']}/users/{them['id']}/roles/{role}"
    talk.change("membership", "identity", "PUT", path, good=204)
    quotas.set_quotas(talk, there["id"], account.quotas)
    return Opened(identity.read_project(there), identity.read_user(them))


def _owned(talk: Talk, name: str, there: Mapping[str, Any] | None, them: Mapping[str, Any] | None) -> None:
    """What is there by that name has to be what an earlier attempt has left."""
    if them is not None and (there is None or them.get("default_project_id") != there["id"]):
        raise Refused("conflict", f"there is a user {name!r} of another project already")
    if there is None:
        return
    query = {"scope.project.id": there["id"]}
    holders = talk.get("identity", "/role_assignments", query)["role_assignments"]
    ours = them["id"] if them is not None else None
    if any(one.get("user", {}).get("id", "") != ours for one in holders):
        raise Refused("conflict", f"there is a project {name!r} of other people already")


def _made(talk: Talk, kind: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    body, _ = talk.change(f"{kind} {asked['name']}", "identity", "POST", f"/{kind}s", {kind: asked}, good=201)
    return body[kind]  # type: ignore[no-any-return]


def _named(talk: Talk, kind: str, name: str, domain: str | None) -> Mapping[str, Any] | None:
    found = talk.get("identity", f"/{kind}", {"name": name, "domain_id": domain})[kind]
    return found[0] if found else None

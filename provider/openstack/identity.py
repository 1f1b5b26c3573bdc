"""Keystone: whose cabinets there are, who may log in, and with what.

A cabinet is a project of the desk's own domain in which somebody has the role `member`; the desk's own project is none,
and neither are those of the cloud's services, where people have other roles.
"""

from collections.abc import Mapping
from typing import Any

from provider.openstack.wire import Talk
from provider.port import Project, Refused, User

MEMBER = "member"


def projects(talk: Talk) -> list[Project]:
    desk = talk.access()
    theirs = {one["scope"]["project"]["id"] for one in _members(talk) if "project" in one["scope"]}
    found = talk.get("identity", "/projects", {"domain_id": desk.project_domain_id})["projects"]
    return [read_project(one) for one in found if one["id"] in theirs and one["id"] != desk.project_id]


def project(talk: Talk, project_id: str) -> Project:
    """Raises Refused(not_found)."""
    return read_project(talk.get("identity", f"/projects/{project_id}")["project"])


def users(talk: Talk, project_id: str) -> list[User]:
    project(talk, project_id)
    # Members of a group are members.
    found = _members(talk, {"scope.project.id": project_id, "effective": ""})
    return [
        read_user(talk.get("identity", f"/users/{one}")["user"]) for one in sorted({m["user"]["id"] for m in found})
    ]


def set_password(talk: Talk, user_id: str, password: str) -> None:
    asked = {"user": {"password": password}}
    talk.change("password", "identity", "PATCH", f"/users/{user_id}", asked, good=200, secret=password)


def can_log_in(talk: Talk, user_id: str, password: str) -> bool:
    """As that user, in a session of its own that is forgotten."""
    from keystoneauth1.exceptions import Unauthorized
    from keystoneauth1.identity.generic import Password
    from keystoneauth1.session import Session

    desk = talk.connection
    them = Password(auth_url=desk.config.auth["auth_url"], user_id=user_id, password=password)
    session = Session(auth=them, verify=desk.session.verify, cert=desk.session.cert, timeout=desk.session.timeout)

    def taken() -> bool:
        try:
            return bool(session.get_token())
        except Unauthorized:
            return False

    try:
        return talk.surely("identity", taken)
    finally:
        session.close()


def member_role(talk: Talk) -> str:
    found = talk.get("identity", "/roles", {"name": MEMBER})["roles"]
    if not found:
        raise Refused("not_found", f"identity: there is no role {MEMBER!r}")
    return str(found[0]["id"])


def _members(talk: Talk, asked: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    query = {"role.id": member_role(talk), **(asked or {})}
    return talk.get("identity", "/role_assignments", query)["role_assignments"]  # type: ignore[no-any-return]


def read_project(one: Mapping[str, Any]) -> Project:
    return Project(one["id"], one["name"], one["enabled"])


def read_user(one: Mapping[str, Any]) -> User:
    return User(one["id"], one["name"], one["enabled"], one.get("email") or None)

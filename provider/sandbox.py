"""The sandbox's cloud behind the port: plain JSON over HTTP, one bearer token, a connection for each call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
)
from yarl import URL

from provider.port import (
    Account,
    Act,
    Capacity,
    CloudError,
    Later,
    Link,
    LogEntry,
    Opened,
    Project,
    Quota,
    Reason,
    Refused,
    Server,
    Service,
    Unknown,
    Usage,
    User,
    Zone,
)

Json = dict[str, Any]
Path = tuple[str, ...]
T = TypeVar("T")

_REASONS: Final[dict[str, Reason]] = {
    name: name
    for name in ("not_found", "conflict", "forbidden", "unauthorized", "over_quota", "no_capacity", "invalid")
}
_REASON_OF_STATUS: Final[dict[int, Reason]] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
}
_BUSY: Final = (429, 503)


class SandboxCloud:
    """`address` as in http://token@host:port/cloud; `timeout`: seconds, the longest that one call may take."""

    def __init__(self, address: str, timeout: float = 10) -> None:
        url = URL(address)
        self._base = url.with_user(None)
        self._headers = {"Authorization": f"Bearer {url.user}"}
        self._timeout = ClientTimeout(total=timeout, sock_connect=timeout / 2)
        self._session: ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # Reading

    async def services(self) -> Sequence[Service]:
        try:
            return await self._read(("services",), lambda found: [Service(**one) for one in found["services"]])
        except CloudError as error:
            return [Service("sandbox", "", error.text)]

    async def projects(self) -> Sequence[Project]:
        return await self._read(("projects",), lambda found: [_project(one) for one in found["projects"]])

    async def users(self, project_id: str) -> Sequence[User]:
        return await self._read(("projects", project_id, "users"), lambda found: [_user(one) for one in found["users"]])

    async def servers(self, project_id: str | None = None, since: datetime | None = None) -> Sequence[Server]:
        query = {} if project_id is None else {"project": project_id}
        if since is not None:
            query["since"] = since.isoformat()
        return await self._read(("servers",), lambda found: [_server(one) for one in found["servers"]], query)

    async def server(self, server_id: str) -> Server:
        return await self._read(("servers", server_id), _server)

    async def log(self, server_id: str, limit: int = 5) -> Sequence[LogEntry]:
        query = {"limit": str(limit)}
        return await self._read(
            ("servers", server_id, "log"), lambda found: [_entry(one) for one in found["log"]], query
        )

    async def quotas(self, project_id: str) -> Mapping[str, Quota]:
        return await self._read(("projects", project_id, "quotas"), _quotas)

    async def capacity(self) -> Mapping[str, Capacity]:
        return await self._read(("hosts",), _capacity)

    async def zones(self) -> Sequence[Zone]:
        return await self._read(("zones",), lambda found: [Zone(**one) for one in found["zones"]])

    async def links(self, project_id: str) -> Sequence[Link]:
        return await self._read(("projects", project_id, "links"), lambda found: [_link(one) for one in found["links"]])

    async def usage(self, project_id: str, start: datetime, end: datetime) -> Usage:
        query = {"start": start.isoformat(), "end": end.isoformat()}
        return await self._read(("projects", project_id, "usage"), lambda found: Usage(**found), query)

    async def can_log_in(self, user_id: str, password: str) -> bool:
        body = {"user": user_id, "password": password}
        return await self._call("POST", ("login",), lambda found: bool(found["valid"]), body=body, changes=False)

    # Changing

    async def act(self, server_id: str, act: Act) -> str | None:
        return await self._change("POST", ("servers", server_id, act), lambda found: str(found["request"]))

    async def set_quotas(self, project_id: str, limits: Mapping[str, int]) -> None:
        await self._change("PATCH", ("projects", project_id, "quotas"), _nothing, dict(limits))

    async def set_password(self, user_id: str, password: str) -> None:
        await self._change("POST", ("users", user_id, "password"), _nothing, {"password": password})

    async def link(self, project_id: str, name: str, zones: tuple[str, str]) -> Link:
        body = {"name": name, "zones": zones}
        return await self._change("POST", ("projects", project_id, "links"), _link, body)

    async def open_account(self, account: Account) -> Opened:
        body = {
            "name": account.name,
            "limits": dict(account.quotas),
            "email": account.email,
            "description": account.description,
        }
        return await self._change(
            "POST", ("accounts",), lambda found: Opened(_project(found["project"]), _user(found["user"])), body
        )

    # The wire

    async def _read(self, path: Path, parse: Callable[[Any], T], query: Mapping[str, str] | None = None) -> T:
        return await self._call("GET", path, parse, query=query, changes=False)

    async def _change(self, verb: str, path: Path, parse: Callable[[Any], T], body: Json | None = None) -> T:
        return await self._call(verb, path, parse, body=body, changes=True)

    async def _call(
        self,
        verb: str,
        path: Path,
        parse: Callable[[Any], T],
        *,
        changes: bool,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
    ) -> T:
        """Asked once. What cannot be understood leaves open whether it was done, as no answer does."""
        open_end: type[Later | Unknown] = Unknown if changes else Later
        place = "/".join(quote(part, safe="") for part in path)
        what = f"{verb} /{place}"
        try:
            async with self._open().request(
                verb,
                f"{self._base}/{place}",
                json=body,
                params=query,
                headers=self._headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                if not answer.ok or answer.status >= 300:
                    raise await _error(what, answer, open_end)
                return parse(await answer.json(content_type=None))
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Later(f"{what}: no connection ({type(error).__name__})") from None
        except (ClientError, TimeoutError, OSError) as error:
            raise open_end(f"{what}: no answer ({type(error).__name__})") from None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise open_end(f"{what}: an answer that cannot be understood ({type(error).__name__})") from None

    def _open(self) -> ClientSession:
        if self._session is None:
            # A kept connection may be gone when it is used again, and then nobody knows whether the order arrived.
            self._session = ClientSession(connector=TCPConnector(force_close=True, limit=0))
        return self._session


async def _error(what: str, answer: ClientResponse, open_end: type[Later | Unknown]) -> CloudError:
    """What the status says; the body only adds words and a finer reason."""
    try:
        said = (await answer.json(content_type=None))["error"]
        reason, words = said["reason"], said["text"]
    except (ClientError, LookupError, TypeError, ValueError):
        reason, words = "", "without a readable word of why"
    text = f"{what}: {answer.status} {words}"
    if answer.status in _BUSY:
        seconds = answer.headers.get("Retry-After", "")
        return Later(text, float(seconds) if seconds.isdecimal() else None)
    if 400 <= answer.status < 500:
        return Refused(_REASONS.get(reason) or _REASON_OF_STATUS.get(answer.status, "invalid"), text)
    return open_end(text)


def _nothing(found: Any) -> None:
    return None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _project(one: Json) -> Project:
    return Project(one["id"], one["name"], one["enabled"])


def _user(one: Json) -> User:
    return User(one["id"], one["name"], one["enabled"], one["email"])


def _server(one: Json) -> Server:
    return Server(
        id=one["id"],
        name=one["name"],
        project_id=one["project"],
        zone=one["zone"],
        status=one["status"],
        task=one["task"],
        power=one["power"],
        locked=one["locked"],
        vcpus=one["vcpus"],
        ram=one["ram"],
        created_at=datetime.fromisoformat(one["created_at"]),
        updated_at=datetime.fromisoformat(one["updated_at"]),
        launched_at=_moment(one["launched_at"]),
        deleted_at=_moment(one["deleted_at"]),
    )


def _entry(one: Json) -> LogEntry:
    return LogEntry(
        id=one["id"],
        action=one["action"],
        started_at=datetime.fromisoformat(one["started_at"]),
        finished_at=_moment(one["finished_at"]),
        succeeded=None if one["result"] is None else one["result"] == "success",
        text=one["text"],
    )


def _quotas(found: Json) -> dict[str, Quota]:
    return {name: Quota(one["limit"], one["used"]) for name, one in found["quotas"].items()}


def _capacity(found: Json) -> dict[str, Capacity]:
    hosts = found["hosts"]
    return {
        name: Capacity(sum(host[name]["total"] for host in hosts), sum(host[name]["used"] for host in hosts))
        for name in ("vcpus", "ram")
    }


def _link(one: Json) -> Link:
    return Link(one["id"], one["name"], tuple(one["zones"]), one["active"], one["networks"])

"""Calls to OpenStack in a few threads of their own, each bounded in time, none that changes something sent twice.

A thread keeps a connection, so a token and what discovery has found. Work is a plain function of a Talk; what it asks
is fresh each time. Once the caller has given up, a Talk sends nothing more.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

from provider.openstack import faults
from provider.port import CloudError, Later, Refused, Unknown

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo
    from openstack.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
Part = Literal["identity", "compute", "placement", "network"]

THREADS = 4
# Seconds until an answer begins, and what all of a call, of several requests, may take.
ANSWER, WHOLE = 20.0, 60.0
# For embedded flavors, locks and details of events (Ussuri, 2020); for whole hosts in a summary (Rocky, 2018).
MICROVERSIONS: dict[Part, str] = {"compute": "2.84", "placement": "1.29"}


class Wire:
    """`entry` of clouds.yaml; `clouds_yaml` None: where the SDK looks for one."""

    def __init__(self, entry: str, clouds_yaml: str | None, *, answer: float = ANSWER, whole: float = WHOLE) -> None:
        self.entry = entry
        self._file, self._answer, self._whole = clouds_yaml, answer, whole
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"openstack-{entry}")
        self._local = threading.local()
        self._connections: list[Connection] = []

    async def run(self, work: Callable[Concatenate["Talk", P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` gives. Raises the port's errors, and nothing else."""
        talk = Talk()
        job = functools.partial(self._work, talk, functools.partial(work, talk, *args, **kwargs))
        try:
            async with asyncio.timeout(self._whole):
                return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        except TimeoutError:
            raise talk.unfinished(f"{work.__name__}: not finished after {self._whole:g} s") from None
        finally:
            talk.give_up()

    def _work(self, talk: "Talk", work: Callable[[], T]) -> T:
        try:
            talk.connection = self._connection()
            return work()
        except CloudError as error:
            raise talk.whole_truth(error) from None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise talk.unfinished(f"an answer of another shape than known ({type(error).__name__})") from error

    def _connection(self) -> "Connection":
        if not hasattr(self._local, "connection"):
            self._local.connection = connect(self.entry, self._file, self._answer)
            self._connections.append(self._local.connection)
        return self._local.connection  # type: ignore[no-any-return]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connection in self._connections:
            await asyncio.to_thread(connection.session.close)


class Talk:
    """One call of the desk while it lasts: its requests, and whether any of them may have changed something."""

    connection: "Connection"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = self._sent = False
        self._done: list[str] = []

    def give_up(self) -> None:
        with self._lock:
            self._given_up = True

    def unfinished(self, text: str) -> CloudError:
        self.give_up()
        return self.whole_truth(Unknown(text) if self._sent else Later(text))

    def whole_truth(self, error: CloudError) -> CloudError:
        """«Nothing was done» is no longer true once an earlier part was."""
        if not self._done:
            return error
        return Unknown(faults.one_line(f"{error.text}; done before that: {', '.join(self._done)}"))

    def access(self) -> "AccessInfo":
        """Who the desk is, from its token."""
        session = self.connection.session
        found: AccessInfo = self.surely("identity", lambda: session.auth.get_access(session))  # type: ignore[union-attr]
        return found

    def get(self, part: Part, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer. Raises Refused or Later."""
        client = self._client(part)
        answer = self.surely(part, lambda: self._request(client, part, "GET", path, params=dict(params or {})))
        body = _decoded(answer)
        if answer.status_code != 200:
            raise faults.of_answer(part, answer.status_code, answer.headers, body, changes=False)
        if not isinstance(body, dict):
            raise Later(f"{part}: an answer that is none of this service's")
        if body.get("truncated"):
            raise Later(f"{part}: a list that the cloud has cut short; raise its list_limit")
        return body

    def change(
        self, what: str, part: Part, method: str, path: str, json: Any = None, *, good: int, secret: str | None = None
    ) -> tuple[Any, Mapping[str, str]]:
        """JSON and headers of the answer `good`; `what` for people, in case a later part fails. Sent once.

        `secret`: what must not stand in the text of an error.
        """
        client = self._client(part)
        answer = self._sent_once(client, part, method, path, json)
        if answer.status_code == 401:
            # A token that was revoked. Keystone's middleware has refused it, so nothing was done.
            self.connection.session.invalidate()
            client = self._client(part)
            answer = self._sent_once(client, part, method, path, json)
        body = _decoded(answer)
        if answer.status_code == good and (good in (202, 204) or isinstance(body, dict)):
            self._done.append(what)
            return body, answer.headers
        if 200 <= answer.status_code < 300:
            raise Unknown(f"{part}: {answer.status_code} where {good} was due, or without sense")
        if secret is not None and any(form in " ".join(faults.said(body)) for form in (secret, repr(secret)[1:-1])):
            body = None
        raise faults.of_answer(part, answer.status_code, answer.headers, body, changes=True)

    def _client(self, part: Part) -> Any:
        """With a token and an address at hand, so that the request that follows is the only one."""

        def ready() -> Any:
            self.connection.session.get_token()
            return getattr(self.connection, part)

        return self.surely(part, ready)

    def surely(self, part: Part, read: Callable[[], T]) -> T:
        """What only reads; keystoneauth and the SDK raise what they like."""
        from keystoneauth1.exceptions import ClientException, HttpError
        from openstack.exceptions import SDKException

        try:
            return read()
        except HttpError as error:
            headers = getattr(error.response, "headers", None) or {}
            body = {"error": {"message": "the cloud does not know the desk"}} if error.http_status == 401 else None
            raise faults.of_answer(part, error.http_status, headers, body, changes=False) from None
        except (ClientException, SDKException) as error:
            raise faults.of_exception(part, error, changes=False) from None

    def _sent_once(self, client: Any, part: Part, method: str, path: str, json: Any) -> Any:
        from keystoneauth1.exceptions import ClientException
        from openstack.exceptions import SDKException

        with self._lock:
            if self._given_up:
                raise Later(f"{part}: given up before it was asked")
            self._sent = True
        try:
            return self._request(client, part, method, path, json=json, redirect=False, allow_reauth=False)
        except (ClientException, SDKException) as error:
            raise faults.of_exception(part, error, changes=True) from None

    def _request(self, client: Any, part: Part, method: str, path: str, **asked: Any) -> Any:
        # Not logged: bodies hold passwords. No retries, whatever clouds.yaml says of them.
        return client.request(
            path,
            method,
            microversion=MICROVERSIONS.get(part),
            skip_cache=True,
            log=False,
            raise_exc=False,
            connect_retries=0,
            status_code_retries=0,
            retriable_status_codes=[],
            **asked,
        )


def connect(entry: str, clouds_yaml: str | None, timeout: float) -> "Connection":
    """Asks nobody yet. Raises Refused(invalid) for an entry that is not there or cannot be used."""
    # A second, and 30 MiB: only for those who have a cloud.
    from openstack.config import OpenStackConfig
    from openstack.connection import Connection
    from openstack.exceptions import SDKException

    files = [clouds_yaml] if clouds_yaml else None
    try:
        region = OpenStackConfig(config_files=files, load_envvars=False).get_one(cloud=entry, api_timeout=timeout)
        # Strict: a client that was made while nobody answered would stay a wrong one.
        return Connection(config=region, strict_proxies=True)
    except (SDKException, OSError, ValueError, TypeError) as error:
        where = clouds_yaml or "clouds.yaml"
        raise Refused("invalid", f"no usable entry {entry!r} in {where} ({type(error).__name__})") from None


def _decoded(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None

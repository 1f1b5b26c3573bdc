"""One call of the Bot API, and what became of it. Nothing is retried here.

Telegram has no key against repeats, so the difference that matters is between «surely not done» and «unknown».
The token is in the address of every call: no error of the HTTP library is passed on as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

OFFICIAL = "https://api.telegram.org"
TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """Done; `result` as Telegram gave it."""

    result: Any


@dataclass(frozen=True, slots=True)
class Later:
    """Surely not done: asked to wait so many seconds (429), or never connected."""

    seconds: float
    reason: str
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Surely not done, and the same call will be refused again."""

    code: int
    description: str
    migrate_to: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call may have been carried out."""

    reason: str


Outcome = Sent | Later | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that travels with a call."""

    filename: str
    content_type: str
    data: bytes


class Client:
    def __init__(self, token: str, base: str = "") -> None:
        self._base = (base or OFFICIAL).rstrip("/")
        self._token = token
        self._http: aiohttp.ClientSession | None = None

    @property
    def bot_id(self) -> int:
        """The bot's own Telegram id, which every token begins with."""
        return int(self._token.partition(":")[0])

    async def __aenter__(self) -> "Client":
        # Dropped before the other side does it: a reset on reuse would look like an unknown outcome.
        connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=10)
        self._http = aiohttp.ClientSession(connector=connector, json_serialize=_compact)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def call(
        self,
        method: str,
        params: dict[str, Any],
        timeout: float = TIMEOUT,
        files: Mapping[str, Upload] | None = None,
    ) -> Outcome:
        """Carry out one method; never raises for what Telegram or the network does."""
        url = f"{self._base}/bot{self._token}/{method}"
        body: dict[str, Any] = {"data": _form(params, files)} if files else {"json": params}
        try:
            # A large file takes its time on a slow line.
            limit = aiohttp.ClientTimeout(total=timeout * 5 if files else timeout, connect=5)
            async with self._connected().post(url, timeout=limit, **body) as response:
                return judged(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Later(2.0, f"no connection ({type(error).__name__})")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(type(error).__name__)

    async def download(self, file_id: str) -> bytes | Outcome:
        """The bytes of a file, or what became of the try: nothing is changed by it, so it may be repeated."""
        answer = await self.call("getFile", {"file_id": file_id})
        if not isinstance(answer, Sent):
            return Later(5.0, answer.reason) if isinstance(answer, Unknown) else answer
        url = f"{self._base}/file/bot{self._token}/{answer.result['file_path']}"
        try:
            async with self._connected().get(url, timeout=aiohttp.ClientTimeout(total=100, connect=5)) as response:
                if response.status != 200:
                    return Later(5.0, f"the file cannot be had, status {response.status}")
                return await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Later(5.0, f"the file cannot be had ({type(error).__name__})")

    def _connected(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the client is used outside of its `async with`")
        return self._http


def _form(params: dict[str, Any], files: Mapping[str, Upload]) -> aiohttp.FormData:
    # As aiogram does: Telegram takes the name of a file as it is written.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in params.items():
        form.add_field(name, value if isinstance(value, str) else _compact(value))
    for name, file in files.items():
        # As a stream it is written piece by piece, and others have their turn.
        form.add_field(name, BytesIO(file.data), filename=file.filename, content_type=file.content_type)
    return form


def judged(status: int, body: bytes) -> Outcome:
    """What an answer means. Pure. What is not understood is unknown: it may have been done."""
    try:
        answer = json.loads(body)
        if answer["ok"] is True:
            return Sent(answer["result"])
        code = int(answer.get("error_code") or status)
        description = str(answer.get("description") or "")
        parameters = answer.get("parameters") or {}
        if code == 429:
            return Later(_seconds(parameters), description, limited=True)
        if code >= 500:
            return Unknown(f"{code} {description}")
        return Refused(code, description, parameters.get("migrate_to_chat_id"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Unknown(f"unreadable answer, status {status}")


def _seconds(parameters: Any) -> float:
    try:
        return max(float(parameters.get("retry_after")), 1.0)
    except (TypeError, ValueError, AttributeError):
        return 1.0


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""The door of the Bot API: /bot<token>/<method> and /file/bot<token>/<path>."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import BodyPartReader, web

from sandbox.answers import cut
from sandbox.telegram.calls import Calls
from sandbox.telegram.errors import ApiError, bad, method_not_found, unauthorized
from sandbox.telegram.events import dump
from sandbox.telegram.faults import Fault, Faults
from sandbox.telegram.files import UPLOAD_LIMIT
from sandbox.telegram.limits import Limits
from sandbox.telegram.methods import METHODS
from sandbox.telegram.methods.webhook import remember_allowed
from sandbox.telegram.model import Bot, Json, Upload
from sandbox.telegram.validate import check, method_names
from sandbox.telegram.world import World

HTML = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"
RECEIVE: Final = "getUpdates"
NESTED: Final = frozenset({"media", "reply_markup"})
MOST_UPDATES = 100
LONGEST_POLL = 50


class Door:
    """Reads a call, lets faults and limits have their way, does it, writes it down."""

    def __init__(self, world: World, limits: Limits, faults: Faults, calls: Calls) -> None:
        self._world = world
        self._limits = limits
        self._faults = faults
        self._calls = calls

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request to /bot<token>/<method>."""
        started = time.perf_counter()
        bot = self._world.by_token.get(request.match_info["token"])
        if bot is None:
            return _reply(unauthorized().body(), 401)
        asked = request.match_info["method"]
        method = method_names().get(asked.lower(), asked)
        if method != RECEIVE and method not in METHODS:
            return _reply(method_not_found().body(), 404)
        try:
            given, uploads = await read(request)
        except ApiError as error:
            return _reply(error.body(), error.code)
        fault = self._faults.hit(bot.id, method, given.get("chat_id")) if self._faults.orders else None
        if method == RECEIVE:
            return await self._receive(request, bot, given, fault)
        answer, params = self._answer(bot, method, given, uploads, fault)
        spent = (time.perf_counter() - started) * 1000
        name = fault.kind if fault is not None else None
        self._calls.add(self._world.now(), bot.id, method, params, answer, spent, name)
        return await self._reply(request, answer, fault)

    def _answer(
        self, bot: Bot, method: str, given: Json, uploads: Mapping[str, Upload], fault: Fault | None
    ) -> tuple[Json, Json]:
        params = given
        try:
            if fault is not None and not fault.done:
                raise fault.refusal() or ApiError(502, "Bad Gateway")
            params = check(method, given)
            if uploads:
                params = attached(params, uploads)
            self._limits.spend(bot.id, method, params)
            return {"ok": True, "result": METHODS[method](self._world, bot, params)}, params
        except ApiError as error:
            return error.body(), params
        except UnicodeEncodeError:  # half a surrogate pair, smuggled in through a JSON escape
            return bad("strings must be encoded in UTF-8").body(), params

    def perform(self, bot: Bot, method: str, given: Json) -> Json:
        """The same without HTTP, for a method named in a webhook's answer."""
        started = time.perf_counter()
        name = method_names().get(method.lower(), method)
        if name not in METHODS:
            return method_not_found().body()
        answer, params = self._answer(bot, name, given, {}, None)
        spent = (time.perf_counter() - started) * 1000
        self._calls.add(self._world.now(), bot.id, name, params, answer, spent, None)
        return answer

    async def _reply(self, request: web.Request, answer: Json, fault: Fault | None) -> web.StreamResponse:
        if fault is None:
            return _reply(answer, 200 if answer["ok"] else answer["error_code"])
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("drop", "hang"):
            return cut(request)
        if fault.kind == "500":
            body = {"ok": False, "error_code": 502, "description": "Bad Gateway"}
            return _reply(body, 502)
        if fault.kind == "html":
            return web.Response(body=HTML, status=502, content_type="text/html")
        if not answer["ok"]:
            return _reply(answer, answer["error_code"])
        if fault.kind == "undecodable":
            return web.Response(body=dump(answer).encode()[:-2] + b"\x00", content_type="application/json")
        return _reply({"ok": True, "result": garbled(answer["result"])}, 200)

    async def _receive(self, request: web.Request, bot: Bot, given: Json, fault: Fault | None) -> web.StreamResponse:
        try:
            params = check(RECEIVE, given)
            if fault is not None and not fault.done:
                raise fault.refusal() or ApiError(502, "Bad Gateway")
            remember_allowed(bot, params)
            limit = min(max(params.get("limit", MOST_UPDATES), 1), MOST_UPDATES)
            timeout = min(max(params.get("timeout", 0), 0), LONGEST_POLL)
            updates = await bot.inbox.poll(params.get("offset", 0), limit, timeout)
        except ApiError as error:
            return await self._reply(request, error.body(), fault)
        if fault is not None:
            return await self._reply(request, {"ok": True, "result": [json.loads(u) for u in updates]}, fault)
        return web.Response(
            body=f'{{"ok":true,"result":[{",".join(updates)}]}}'.encode(), content_type="application/json"
        )

    async def file(self, request: web.Request) -> web.Response:
        """A file's bytes, by the path getFile gave."""
        if request.match_info["token"] not in self._world.by_token:
            return _reply(unauthorized().body(), 401)
        path = request.match_info["path"]
        for file in self._world.files.values():
            if file.path == path:
                return web.Response(body=file.data, content_type="application/octet-stream")
        return _reply({"ok": False, "error_code": 404, "description": "Not Found"}, 404)


def _reply(body: Json, status: int) -> web.Response:
    return web.Response(body=dump(body).encode(), status=status, content_type="application/json")


def garbled(result: object) -> object:
    """The result with an unknown kind in a place where typed clients insist on a known one."""
    if not isinstance(result, dict):
        return {"type": "kind_of_the_future"}
    strange = {"type": "kind_of_the_future", "date": 0}
    if "date" in result:
        return {**result, "forward_origin": strange}
    return {key: {"unforeseen": value} for key, value in result.items()}


def attached(params: Json, uploads: Mapping[str, Upload]) -> Json:
    """attach://name replaced by the part of that name, also inside media."""
    return {
        name: _attached(value, uploads) if name in NESTED or isinstance(value, str) else value
        for name, value in params.items()
    }


def _attached(value: Any, uploads: Mapping[str, Upload]) -> Any:
    if isinstance(value, str) and value.startswith("attach://"):
        return uploads.get(value.removeprefix("attach://"), value)
    if isinstance(value, list):
        return [_attached(part, uploads) for part in value]
    if isinstance(value, dict):
        return {key: _attached(part, uploads) for key, part in value.items()}
    return value


async def read(request: web.Request) -> tuple[Json, dict[str, Upload]]:
    """Parameters from query and body; files apart, unless they are a parameter themselves."""
    params: Json = dict(request.query)
    uploads: dict[str, Upload] = {}
    if not request.can_read_body:
        return params, uploads
    if request.content_type == "application/json":
        params.update(await _json(request))
    elif request.content_type == "multipart/form-data":
        await _multipart(request, params, uploads)
    else:
        params.update(await request.post())
    return params, uploads


async def _json(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(body, dict):
        raise bad("can't parse JSON object: object expected")
    return body


async def _multipart(request: web.Request, params: Json, uploads: dict[str, Upload]) -> None:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise bad("can't parse multipart body")
        data = bytes(await part.read(decode=True))
        if part.filename is None:
            params[part.name] = data.decode()
            continue
        if len(data) > UPLOAD_LIMIT:
            raise ApiError(413, "Request Entity Too Large")
        mime = part.headers.get("Content-Type", "application/octet-stream")
        upload = Upload(part.filename, mime.partition(";")[0], data)
        uploads[part.name] = upload
        if part.name in FILE_FIELDS:
            params[part.name] = upload


FILE_FIELDS: Final = frozenset(
    {"photo", "document", "voice", "video", "video_note", "sticker", "animation", "audio", "certificate"}
)

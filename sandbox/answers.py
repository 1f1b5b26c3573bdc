"""How /sandbox/api speaks: a JSON body in, a JSON answer out, and what cannot be done in one line."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.telegram.errors import ApiError, Refused
from sandbox.telegram.events import dump
from sandbox.telegram.model import Json
from sandbox.telegram.world import refused

API = "/sandbox/api"
Act = Callable[[Json], Awaitable[object]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: object) -> web.Response:
    return web.Response(body=dump(body).encode(), content_type="application/json")


def error(text: str, status: int = 400) -> web.Response:
    return web.Response(body=dump({"error": text}).encode(), status=status, content_type="application/json")


def handler(act: Act) -> Handler:
    """Read the body, do it, answer; what a person cannot do is 400 and one line."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return answer(await act(await body_of(request)))
        except Refused as why:
            return error(str(why))
        except ApiError as why:
            return error(str(refused(why)))
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            return error(f"wrong request: {type(why).__name__}: {why}")

    return handle


async def body_of(request: web.Request) -> Json:
    """Body, query and path in one; numbers in query and path become numbers."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise Refused("the body is no JSON") from None
    if not isinstance(body, dict):
        raise Refused("the body must be an object")
    for name, value in [*request.query.items(), *request.match_info.items()]:
        body[name] = int(value) if value.lstrip("-").isdecimal() else value
    return body


def cut(request: web.Request) -> web.StreamResponse:
    """Hang up: the client sees the connection close where an answer should be."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


def text_of(body: Json, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise Refused(f"{key}: a text that is not empty")
    return value

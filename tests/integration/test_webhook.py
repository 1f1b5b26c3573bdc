"""The door for webhooks, over a real server (attack 34): 200 only for what is stored, and never 500."""

import asyncio
import contextlib
import gzip
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from app import run
from app.settings import load
from bot.receive import HEADER, MAX_BODY, Webhook
from crm.db import Sessions, make_engine, transaction
from crm.wake import Waker
from tests.factories import DESK, NOW, rows, said

SECRET = "s3cret_of-the-tests"


def door(sessions: Sessions, engine: AsyncEngine) -> web.Application:
    app = web.Application()
    webhook = Webhook(SECRET, {DESK: 700000001}, sessions, Waker(engine), lambda: NOW)
    app.router.add_post("/telegram/{desk}", webhook.receive)
    return app


class Knocker:
    def __init__(self, url: str, session: ClientSession) -> None:
        self._url = url
        self._session = session

    @property
    def host(self) -> str:
        return str(URL(self._url).host)

    @property
    def port(self) -> int:
        return URL(self._url).port or 0

    async def by_hand(self, *headers: bytes, body: bytes = b"") -> int:
        """What a proper client would not send."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        head = [f"POST /telegram/{DESK} HTTP/1.1".encode(), b"Host: desk", b"Connection: close", *headers]
        writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        await writer.wait_closed()
        return int(answer.split()[1])

    async def __call__(self, body: Any, secret: str | None = SECRET, desk: str = DESK, **headers: str) -> int:
        sent: dict[str, Any] = {"Content-Type": "application/json", **headers}
        if secret is not None:
            sent[HEADER] = secret
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        # aiohttp warns of large bodies unless they come as a stream.
        data = io.BytesIO(data) if isinstance(data, bytes) else data
        async with self._session.post(f"{self._url}telegram/{desk}", data=data, headers=sent) as answer:
            await answer.read()
            return answer.status


@pytest.fixture
async def knock(sessions: Sessions, engine: AsyncEngine) -> AsyncIterator[Knocker]:
    server = TestServer(door(sessions, engine))
    # As the program serves it.
    await server.start_server(auto_decompress=False)
    async with server, ClientSession() as session:
        yield Knocker(str(server.make_url("/")), session)


async def stored(sessions: Sessions) -> list[bytes]:
    async with sessions() as session:
        return [bytes(row.payload) for row in await rows(session, "select payload from inbox order by id")]


async def test_an_update_is_stored_once_as_it_came_and_then_acknowledged(knock: Knocker, sessions: Sessions) -> None:
    raw = json.dumps(said("қазақша 🔥"), ensure_ascii=False, indent=2).encode()
    assert [await knock(raw), await knock(raw)] == [200, 200]
    assert await stored(sessions) == [raw]


async def test_without_the_secret_nothing_is_looked_at(knock: Knocker, sessions: Sessions) -> None:
    for secret in (None, "", "wrong", SECRET + "x", SECRET[:-1], "ключ"):
        assert await knock(said("a"), secret) == 401, secret
        assert await knock(b"{", secret, desk="nosuch") == 401, secret
    assert await stored(sessions) == []


async def test_a_secret_of_any_bytes_is_refused_and_no_error(knock: Knocker) -> None:
    for secret in (b"\xff\xfe", SECRET.encode() + b"\xe9", b"\xd0\xba", b"\xed\xa0\x80"):
        assert await knock.by_hand(b"Content-Length: 2", HEADER.encode() + b": " + secret, body=b"{}") in (400, 401), (
            secret
        )


async def test_an_address_that_is_pretended_changes_nothing(knock: Knocker) -> None:
    assert await knock(said("a"), None, **{"X-Forwarded-For": "149.154.167.220"}) == 401


async def test_an_unknown_desk_is_not_found(knock: Knocker) -> None:
    assert await knock(said("a"), desk="nosuch") == 404


NO_UPDATES = [
    b"",
    b"{",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b"{}",
    b"\xff\xfe\x00",
    b'{"update_id": "5"}',
    b'{"update_id": null}',
    b'{"update_id": 5.5}',
    b'{"update_id": true}',
    b'{"update_id": 1' + b"0" * 5000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"update_id": 5, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]


async def test_what_is_no_update_is_a_bad_request(knock: Knocker, sessions: Sessions) -> None:
    assert [body[:40] for body in NO_UPDATES if await knock(body) != 400] == []
    assert await stored(sessions) == []


ENDLESS = [
    b'{"update_id": 5, "message": {"chat": {"id": "' + b"x" * 500_000 + b'"}}}',
    b'{"update_id": 5, "message": {"chat": {"id": ' + b"7" * 4000 + b"}}}",
    b'{"update_id": 5, "message": {"chat": {"id": 1}, "is_topic_message": true, "message_thread_id": ['
    + b'"y",' * 90_000
    + b'"y"]}}',
]


@pytest.mark.parametrize("body", ENDLESS, ids=["chat", "number", "thread"])
async def test_an_endless_id_is_no_reason_to_come_again_for_ever(
    knock: Knocker, sessions: Sessions, body: bytes
) -> None:
    """It is kept for the worker to judge: whatever is no id shares a lane."""
    assert await knock(body) == 200
    assert await stored(sessions) == [body]


async def test_an_update_whose_own_id_is_endless_is_refused(knock: Knocker) -> None:
    digits = "".join(str(each % 10) for each in range(4000)).encode()
    assert await knock(b'{"update_id": 1' + digits + b"}") == 400


ODD = [
    b'{"update_id": 5}',
    b'{"update_id": -5, "message": 7}',
    b'{"update_id": 5, "message": {"chat": []}}',
    b'{"update_id": 5, "message": {"chat": {"id": {"a": 1}}}}',
    b'{"update_id": 5, "callback_query": {"from": "x", "message": null}}',
    b'{"update_id": 99999999999999999999999999}',
    b'{"update_id": 5, "message": {"chat": {"id": "\\u0000"}}}',
    b'{"update_id": 5, "message": {"chat": {"id": "\\ud800"}}}',
]


async def test_an_update_of_an_odd_shape_is_kept_for_the_worker_or_refused(knock: Knocker, sessions: Sessions) -> None:
    kept = []
    for number, body in enumerate(ODD):
        # Each under an id of its own.
        told = body.replace(b'"update_id": 5', f'"update_id": {number}'.encode())
        status = await knock(told)
        assert status in (200, 400), body
        kept += [told] if status == 200 else []
    assert await stored(sessions) == kept
    assert kept


async def test_a_body_that_says_it_is_too_large_is_not_read(knock: Knocker, sessions: Sessions) -> None:
    body = b'{"update_id": 5, "x": "' + b"x" * MAX_BODY + b'"}'
    assert await knock(body) == 413
    assert await stored(sessions) == []


async def test_it_is_refused_before_it_has_come(knock: Knocker) -> None:
    secret = f"{HEADER}: {SECRET}".encode()
    assert await knock.by_hand(b"Content-Length: 2000000000", secret, body=b"{") == 413


async def test_a_body_that_does_not_say_how_large_it_is_is_read_with_a_bound(
    knock: Knocker, sessions: Sessions
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"update_id": 5, "x": "'
        for _ in range(2 * MAX_BODY // 65536):
            yield b"x" * 65536

    assert await knock(chunks()) == 413
    assert await stored(sessions) == []


async def test_the_largest_body_that_is_allowed_is_taken(knock: Knocker, sessions: Sessions) -> None:
    frame = b'{"update_id": 5, "x": ""}'
    body = frame[:-2] + b"x" * (MAX_BODY - len(frame)) + frame[-2:]
    assert len(body) == MAX_BODY
    assert await knock(body) == 200
    assert await stored(sessions) == [body]


async def test_a_packed_bomb_is_not_unpacked(knock: Knocker, sessions: Sessions) -> None:
    bomb = gzip.compress(b'{"update_id": 5, "x": "' + b"x" * 30_000_000 + b'"}')
    assert await knock(bomb, **{"Content-Encoding": "gzip"}) == 400
    assert await stored(sessions) == []


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    sessions: Sessions, engine: AsyncEngine
) -> None:
    async with transaction(sessions) as session:
        await session.execute(text("alter table inbox rename to inbox_away"))
    async with TestServer(door(sessions, engine)) as server, ClientSession() as session:
        knock = Knocker(str(server.make_url("/")), session)
        told = said("a")
        assert await knock(told) == 503
        async with transaction(sessions) as opened:
            await opened.execute(text("alter table inbox_away rename to inbox"))
        assert await knock(told) == 200
    assert len(await stored(sessions)) == 1


async def test_the_program_itself_opens_the_door(
    sessions: Sessions, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    port = unused_port()
    address = {"PUBLIC_URL": "https://desk.example.kz", "WEBHOOK_SECRET": SECRET, "WEB_PORT": str(port)}
    house = run.House(load(Path("absent.env"), address), engine, sessions, Waker(engine))
    async with contextlib.AsyncExitStack() as stack, ClientSession() as session:
        await run._start_web(house, stack)
        knock = Knocker(f"http://127.0.0.1:{port}/", session)
        assert [await knock(said("a")), await knock(said("b"), "wrong")] == [200, 401]
        for encoding in ("gzip", "deflate", "br", "zstd"):
            assert await knock(b'{"update_id": 5, "x": "%s' % os.urandom(2000), **{"Content-Encoding": encoding}) == 400
        # Not a line of the library's about what a stranger sends.
        assert [record.getMessage() for record in caplog.records if record.name.startswith("aiohttp")] == []
        async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            assert (answer.status, (await answer.json())["inbox_waiting"]) == (200, 1)
        async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200


async def test_without_a_database_the_door_says_so(database: str) -> None:
    engine = make_engine(database.replace("/kezekshi_", "/absent_"), size=1)
    async with TestServer(door(Sessions(engine), engine)) as server, ClientSession() as session:
        assert await Knocker(str(server.make_url("/")), session)(said("a")) == 503
    await engine.dispose()

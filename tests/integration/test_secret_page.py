"""The page that shows a password once, over a real server: who opens it, who does not, and what stays behind."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import unused_port
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app import run
from app.settings import load
from crm import journal
from crm.cloud import pages
from crm.cloud.pages import LIFE, Secret
from crm.db import Sessions, make_engine, transaction
from crm.wake import Waker
from tests.factories import DESK, NOW, Moment, one, opened, rows
from web.secret import LANGUAGES

ADDRESS = "https://desk.example.kz"
LOGIN, PASSWORD = "shanyraq", 'kT7-<b>&amp;"qW'
HERE = {"Sec-Fetch-Site": "same-origin"}


class Visitor:
    """A browser, or something that claims to be one."""

    def __init__(self, address: str, http: ClientSession) -> None:
        self._address, self._http = address, http

    async def __call__(self, token: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.request(method, f"{self._address}/secret/{token}", headers=sent) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def press(self, token: str) -> tuple[int, str]:
        status, words, _ = await self(token, "POST", **HERE)
        return status, words


@contextlib.asynccontextmanager
async def serving(engine: AsyncEngine, clock: Moment, **environment: str) -> AsyncIterator[Visitor]:
    """The web role, as the program starts it."""
    port = unused_port()
    settings = load(Path("absent.env"), {"WEB_PORT": str(port), **environment})
    house = run.House(settings, engine, Sessions(engine), Waker(engine), clock)
    async with contextlib.AsyncExitStack() as stack, ClientSession() as http:
        await run._start_web(house, stack)
        yield Visitor(f"http://127.0.0.1:{port}", http)


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
async def visit(engine: AsyncEngine, clock: Moment) -> AsyncIterator[Visitor]:
    async with serving(engine, clock, PAGES_URL=ADDRESS) as visitor:
        yield visitor


async def made(sessions: Sessions, language: str = "ru", ticket_id: int | None = None) -> str:
    """The token of a new page."""
    async with transaction(sessions) as session:
        secret = Secret(LOGIN, PASSWORD, ADDRESS + "/")
        url, expires_at = pages.make(session, DESK, secret, language, ticket_id, NOW)
    assert expires_at == NOW + LIFE == NOW + timedelta(minutes=15)
    assert url.startswith(f"{ADDRESS}/secret/")
    return url.rpartition("/")[2]


def shows(words: str) -> bool:
    return "kT7-&lt;b&gt;&amp;amp;&#34;qW" in words


async def test_looking_uses_nothing_up_and_a_press_shows_it_once(visit: Visitor, sessions: Sessions) -> None:
    token = await made(sessions)
    for method in ("GET", "HEAD", "GET"):
        status, words, _ = await visit(
            token, method, Sec_Purpose="prefetch", User_Agent="TelegramBot (like TwitterBot)"
        )
        assert (status, shows(words)) == (200, False)
    status, words = await visit.press(token)
    assert (status, shows(words), LOGIN in words) == (200, True, True)
    for _ in range(3):
        status, words = await visit.press(token)
        assert (status, shows(words)) == (404, False)
    assert (await visit(token))[0] == 404


async def test_of_twenty_presses_at_once_one_shows_it(visit: Visitor, sessions: Sessions) -> None:
    token = await made(sessions)
    answers = await asyncio.gather(*(visit.press(token) for _ in range(20)))
    assert sorted((status, shows(words)) for status, words in answers) == [(200, True)] + [(404, False)] * 19


async def test_after_a_quarter_of_an_hour_nobody_gets_it(visit: Visitor, sessions: Sessions, clock: Moment) -> None:
    token = await made(sessions)
    clock.move(minutes=15, microseconds=-1)
    assert (await visit(token))[0] == 200
    clock.move(microseconds=1)
    assert (await visit(token))[0] == 404
    assert (await visit.press(token))[0] == 404
    async with transaction(sessions) as session:
        assert await pages.forget(session, clock()) == 1
        assert await pages.forget(session, clock()) == 0
    clock.move(minutes=-10)
    assert (await visit.press(token))[0] == 404


async def test_used_expired_and_unknown_look_the_same(visit: Visitor, sessions: Sessions, clock: Moment) -> None:
    used, expired = await made(sessions), await made(sessions, "kk")
    await visit.press(used)
    clock.move(minutes=16)
    alive = await made(sessions)
    tokens = (used, expired, "A" * 43, "x", alive[:-1], alive + "A", "%00", "а" * 500, "';--")
    for method in ("GET", "POST"):
        answers = [await visit(token, method, **HERE) for token in tokens]
        told = {(status, words) for status, words, _ in answers}
        assert len(told) == 1, method
        assert next(iter(told))[0] == 404
        assert len({tuple(sorted((n, v) for n, v in headers.items() if n != "Date")) for _, _, headers in answers}) == 1


FOREIGN = [
    {},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": ""},
    {"Sec_Fetch_Site": "cross-site", "Origin": ADDRESS},
    {"Sec_Fetch_Site": "cross-site", "Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": ADDRESS + ".evil.example"},
    {"Origin": "http://desk.example.kz"},
    {"Origin": ""},
    {"Referer": ADDRESS},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_press_from_elsewhere_opens_nothing(
    visit: Visitor, sessions: Sessions, headers: dict[str, str]
) -> None:
    token = await made(sessions)
    status, words, _ = await visit(token, "POST", **headers)
    assert (status, shows(words)) == (403, False)
    assert (await visit.press(token))[0] == 200


@pytest.mark.parametrize("headers", [{"Origin": ADDRESS}, {"Origin": "null"}], ids=str)
async def test_a_browser_that_knows_only_origins_opens_it(
    visit: Visitor, sessions: Sessions, headers: dict[str, str]
) -> None:
    status, words, _ = await visit(await made(sessions), "POST", **headers)
    assert (status, shows(words)) == (200, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_no_other_method_opens_it(visit: Visitor, sessions: Sessions, method: str) -> None:
    token = await made(sessions)
    assert (await visit(token, method, **HERE))[0] == 405
    assert (await visit.press(token))[0] == 200


async def test_every_answer_is_kept_nowhere_and_names_no_source(visit: Visitor, sessions: Sessions) -> None:
    token = await made(sessions)
    answers = [await visit(token), await visit(token, "POST"), await visit(token, "POST", **HERE), await visit(token)]
    assert [status for status, _, _ in answers] == [200, 403, 200, 404]
    for _, words, headers in answers:
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert token not in words
        # Nothing is fetched from anywhere.
        assert re.findall(r"(?:src|href|url|action)\s*[=(]", words) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_speaks_the_persons_language(visit: Visitor, sessions: Sessions, language: str) -> None:
    token = await made(sessions, language)
    said = {"kk": ("Көрсету", "Құпиясөз"), "ru": ("Показать", "Пароль"), "en": ("Show", "Password")}[language]
    other = "en" if language == "kk" else "kk"
    _, closed, _ = await visit(token, Accept_Language=other)
    _, shown, _ = await visit(token, "POST", Accept_Language=other, **HERE)
    for word, words in zip(said, (closed, shown), strict=True):
        assert word in words
        assert f'<html lang="{language}">' in words
    # The hour is the desk's, not the server's.
    assert "14:15" in closed


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("kk-KZ,kk;q=0.9", "kk"), ("de, ru;q=0.8", "ru"), ("RU", "ru"), ("de", "en"), ("", "en"), (",;,=", "en")],
)
async def test_a_link_that_is_gone_speaks_the_browsers(visit: Visitor, wanted: str, language: str) -> None:
    _, words, _ = await visit("nothing", Accept_Language=wanted)
    assert f'<html lang="{language}">' in words


async def test_the_ticket_says_when_it_was_opened(visit: Visitor, sessions: Sessions, clock: Moment) -> None:
    async with transaction(sessions) as session:
        ticket = await opened(session, request_type="password")
    token = await made(sessions, "ru", ticket.id)
    await visit(token)
    clock.move(minutes=3)
    await visit.press(token)
    await visit.press(token)
    async with sessions() as session:
        event = await one(session, "select * from ticket_event where kind = 'secret_opened'")
        said = await one(session, "select payload, ticket_id from outbox where payload ->> 'notice' = 'secret_opened'")
        assert (event.ticket_id, event.at, event.channel, event.actor_id) == (ticket.id, clock(), "web", None)
        assert said.ticket_id == ticket.id
        assert await journal.broken_links(session, ticket.id) == []
        everything = await rows(
            session, "select data::text from ticket_event union all select payload::text from outbox"
        )
    assert not [row for row in everything if token in row[0] or PASSWORD in row[0]]


async def test_the_database_never_has_it_and_keeps_nothing_of_it(visit: Visitor, sessions: Sessions) -> None:
    token = await made(sessions)

    async def stored() -> str:
        async with sessions() as session:
            [row] = await rows(session, "select to_jsonb(p)::text, convert_from(sealed, 'LATIN1') from secret_page p")
            return f"{row[0]} {row[1]}"

    before = await stored()
    assert token not in before
    assert LOGIN not in before
    assert "kT7" not in before
    await visit.press(token)
    async with sessions() as session:
        row = await one(session, "select sealed, opened_at from secret_page")
    assert (row.sealed, row.opened_at) == (None, NOW)


async def test_a_seal_of_another_page_opens_to_nobody(visit: Visitor, sessions: Sessions) -> None:
    mine, other = await made(sessions), await made(sessions)
    async with transaction(sessions) as session:
        await session.rows("update secret_page set sealed = (select sealed from secret_page order by id limit 1)")
    status, words = await visit.press(other)
    assert (status, shows(words)) == (404, False)
    assert (await visit.press(mine))[0] == 200


@contextlib.contextmanager
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line that is logged, at any level, but of the visitor's own calls and of the test's own loop."""
    caplog.set_level(logging.DEBUG)
    lines: list[str] = []
    with capture_logs() as logs:
        yield lines
    lines += [str(line) for line in logs]
    lines += [
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if not record.name.startswith(("aiohttp.client", "asyncio"))
    ]


async def test_without_a_database_it_says_so_and_no_log_has_the_token(
    database: str, caplog: pytest.LogCaptureFixture, clock: Moment
) -> None:
    engine = make_engine(database.replace("/kezekshi_", "/absent_"), size=1)
    with told(caplog) as lines:
        async with serving(engine, clock, PAGES_URL=ADDRESS) as visit:
            assert (await visit("tell-nobody"))[0] == 503
            assert (await visit("tell-nobody", "POST", **HERE))[0] == 503
    await engine.dispose()
    assert sum("secret.not_shown" in line for line in lines) == 2
    assert "tell-nobody" not in str(lines)


async def test_nothing_of_an_opening_is_logged(
    visit: Visitor, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    token = await made(sessions)
    with told(caplog) as lines:
        for method, headers in (("GET", {}), ("POST", {}), ("POST", HERE), ("POST", HERE), ("PUT", HERE)):
            await visit(token, method, **headers)
        await visit(token, "GET", Cookie="x" * 9000)
    assert token not in str(lines)
    assert "kT7" not in str(lines)


def test_a_secret_that_is_printed_shows_no_password() -> None:
    assert PASSWORD not in repr(Secret(LOGIN, PASSWORD, ADDRESS))
    assert PASSWORD not in repr(pages.Opened(DESK, "ru", LOGIN, PASSWORD))


@pytest.mark.parametrize("webhook", [False, True])
@pytest.mark.parametrize("with_pages", [False, True])
async def test_the_program_shows_it_where_it_has_an_address(
    sessions: Sessions, engine: AsyncEngine, webhook: bool, with_pages: bool
) -> None:
    settings = {"PUBLIC_URL": ADDRESS, "WEBHOOK_SECRET": "s3cret"} if webhook else {}
    settings |= {"PAGES_URL": "https://pages.example.kz"} if with_pages else {}
    token = await made(sessions)
    async with serving(engine, Moment(), **settings) as visit:
        assert (await visit(token))[0] == (200 if webhook or with_pages else 404)

"""`kezekshi check`: what is wrong, and how to mend it. Every finding is a line; nothing is changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout
from asyncpg import PostgresError
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from app import postgres
from app.logs import configure
from app.settings import Settings, WrongSettings
from bot.admin_views import NEEDED_RIGHTS
from bot.client import Client, Outcome, Refused, Sent
from crm.db import make_engine
from web.secret import POLICY

OLDEST_SERVER = 150000
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Finding:
    good: bool
    what: str
    mend: str = ""


async def check(load: Callable[[], Settings], console: Console) -> bool:
    """Print the findings; False if one of them is bad."""
    return await told(_all(load), console)


async def told(findings: AsyncIterator[Finding], console: Console) -> bool:
    """Each as it is found, without the log in between; False if one of them is bad."""
    configure("error")
    good = True
    async for finding in findings:
        good = good and finding.good
        _say(finding, console)
    return good


def _say(finding: Finding, console: Console) -> None:
    console.print(
        f"{'✓' if finding.good else '✗'} {finding.what}",
        markup=False,
        soft_wrap=True,
        style=None if finding.good else "red",
    )
    if finding.mend:
        console.print(f"  → {finding.mend}", markup=False, soft_wrap=True)


async def _all(load: Callable[[], Settings]) -> AsyncIterator[Finding]:
    try:
        settings = load()
        settings.profiles()
    except WrongSettings as error:
        yield Finding(False, f"settings: {error}", "see .env.example")
        return
    yield Finding(True, f"settings: desks {', '.join(settings.desks)}")
    if not settings.admin_telegram_ids:
        yield Finding(
            False, "settings: ADMIN_TELEGRAM_IDS is empty", "put your own Telegram id there, or nobody can /connect"
        )
    async for finding in _pages(settings):
        yield finding
    engine = None
    try:
        url = settings.database_url or await asyncio.to_thread(postgres.start, settings.kezekshi_var)
        engine = make_engine(url)
        async for finding in _database(engine):
            yield finding
        for desk in settings.desks:
            async for finding in _telegram(settings, desk, engine):
                yield finding
    except (OSError, DBAPIError, PostgresError) as error:
        words = (str(error).splitlines() or ["no word of why"])[0]
        yield Finding(
            False,
            f"database: {type(error).__name__}: {words}",
            "check DATABASE_URL and that the server runs",
        )
    finally:
        if engine is not None:
            await engine.dispose()


async def _pages(settings: Settings) -> AsyncIterator[Finding]:
    """Where a password is shown: needed by a desk with a cloud."""
    desks = ", ".join(desk for desk in settings.desks if settings.clouds.get(desk))
    if not desks:
        return
    if not settings.pages_url:
        mend = "set PAGES_URL to the https address of the role web, or no password can be handed over"
        yield Finding(False, f"{desks}: a cloud, but no PAGES_URL", mend)
        return
    address = URL(settings.pages_url)
    if address.scheme != "https" and address.host not in LOOPBACK:
        mend = "put it behind https: a password could be read on its way, and browsers do not say who asks"
        yield Finding(False, f"PAGES_URL: {address} is not https", mend)
    problem = await _no_page(address / "secret" / "check")
    mend = "run the role web (`kezekshi run web`), and have the proxy pass /secret/ on to WEB_HOST:WEB_PORT"
    yield Finding(problem is None, f"PAGES_URL: {problem or f'{address} shows our pages'}", mend if problem else "")


async def _no_page(address: URL) -> str | None:
    """What is wrong, if it is not a page of ours that says no such link is known."""
    try:
        async with ClientSession(timeout=ClientTimeout(10)) as http, http.get(address) as answer:
            ours = answer.status == 404 and answer.headers.get("Content-Security-Policy") == POLICY
            return None if ours else f"{address.origin()} answers {answer.status}, and not with a page of this version"
    except (ClientError, TimeoutError) as error:
        return f"{address.origin()} does not answer ({type(error).__name__})"


async def _database(engine: AsyncEngine) -> AsyncIterator[Finding]:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("""select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync,
                           current_setting('synchronous_commit') as synchronous,
                           to_regclass('alembic_version') is not null as made""")
        )
        row = found.one()
    if row.version < OLDEST_SERVER:
        yield Finding(False, f"database: PostgreSQL {row.version // 10000}", "PostgreSQL 15 or newer is needed")
    if row.fsync == "off" or row.synchronous == "off":
        mend = "set fsync and synchronous_commit to on: what is acknowledged must survive a crash"
        yield Finding(False, "database: it forgets commits when it crashes", mend)
    if not row.made:
        yield Finding(False, "database: empty", "run `kezekshi migrate`, or just `kezekshi run`")
    else:
        yield Finding(True, f"database: PostgreSQL {row.version // 10000}")


async def _telegram(settings: Settings, desk: str, engine: AsyncEngine) -> AsyncIterator[Finding]:
    try:
        token = settings.token(desk)
    except WrongSettings as error:
        yield Finding(False, f"{desk}: {error}")
        return
    async with Client(token, settings.telegram_api_base) as client:
        me = await client.call("getMe", {}, timeout=10)
        if not isinstance(me, Sent) or not isinstance(me.result, dict):
            yield Finding(False, f"{desk}: {_words(me)}", _mend(me))
            return
        yield Finding(True, f"{desk}: the bot is @{me.result.get('username')}")
        async for finding in _groups(client, desk, me.result["id"], engine):
            yield finding


def _words(outcome: Outcome) -> str:
    return (
        f"Telegram says: {outcome.description}"
        if isinstance(outcome, Refused)
        else f"Telegram cannot be reached ({outcome})"
    )


def _mend(outcome: Outcome) -> str:
    if isinstance(outcome, Refused) and outcome.code == 401:
        return "the token is wrong or revoked: take the right one from @BotFather"
    return "check the network and TELEGRAM_API_BASE"


async def _groups(client: Client, desk: str, bot_id: int, engine: AsyncEngine) -> AsyncIterator[Finding]:
    async with engine.connect() as connection:
        if await connection.scalar(text("select to_regclass('desk_group')")) is None:
            return
        found = await connection.execute(
            text("select chat_id, title from desk_group where desk = :desk and state = 'connected'"), {"desk": desk}
        )
        groups = found.all()
    if not groups:
        mend = "add the bot to a supergroup with topics and send /connect there"
        yield Finding(False, f"{desk}: no group is connected; requests wait in the database", mend)
    for group in groups:
        outcome = await client.call("getChatMember", {"chat_id": group.chat_id, "user_id": bot_id}, timeout=10)
        if not isinstance(outcome, Sent) or not isinstance(outcome.result, dict):
            yield Finding(False, f"{desk}: group {group.title}: {_words(outcome)}", "is the bot still in the group?")
            continue
        missing = [right for right in NEEDED_RIGHTS if not outcome.result.get(right)]
        if missing:
            mend = f"make the bot an administrator with: {', '.join(missing)}"
            yield Finding(False, f"{desk}: group {group.title}: rights are missing", mend)
        else:
            yield Finding(True, f"{desk}: group {group.title} is connected")

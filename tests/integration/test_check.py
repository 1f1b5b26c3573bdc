"""`kezekshi check`: what is wrong, and how to mend it."""

import contextlib
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import check as checks
from app import cli, run
from app.settings import load
from crm.db import Sessions, transaction
from crm.wake import Waker
from tests.factories import ADMIN, GROUP, TOKEN, connected
from tests.integration.bot_api import BotApi, refused, serving

RIGHTS = dict.fromkeys(("can_manage_topics", "can_pin_messages", "can_delete_messages"), True)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "configure", lambda level: None)


async def looked(**environment: str) -> tuple[bool, list[str]]:
    console = Console(file=io.StringIO(), width=300)
    good = await checks.check(lambda: load(Path("absent.env"), environment), console)
    assert isinstance(console.file, io.StringIO)
    return good, console.file.getvalue().splitlines()


def result(value: object) -> Callable[[], object]:
    from aiohttp import web

    return lambda: web.json_response({"ok": True, "result": value})


@pytest.fixture
def environment(database: str, api: BotApi) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "PRODATA_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE": api.url,
        "ADMIN_TELEGRAM_IDS": str(ADMIN),
    }


async def test_a_good_desk_has_nothing_to_mend_but_the_tests_own_disk(
    sessions: Sessions, api: BotApi, environment: dict[str, str]
) -> None:
    async with transaction(sessions) as session:
        await connected(session)
    api.on("getMe", result({"id": 7, "username": "prodata_bot"}))  # type: ignore[arg-type]
    api.on("getChatMember", result({"status": "administrator", **RIGHTS}))  # type: ignore[arg-type]
    good, lines = await looked(**environment)
    bad = [line for line in lines if line.startswith("✗")]
    assert [line for line in bad if "forgets commits" not in line] == []
    assert any("@prodata_bot" in line for line in lines)
    assert any("group Инженеры is connected" in line for line in lines)
    assert good is (bad == [])
    assert api.of("getChatMember") == [{"chat_id": GROUP, "user_id": 7}]


async def test_missing_rights_are_named(sessions: Sessions, api: BotApi, environment: dict[str, str]) -> None:
    async with transaction(sessions) as session:
        await connected(session)
    api.on("getMe", result({"id": 7, "username": "b"}))  # type: ignore[arg-type]
    api.on("getChatMember", result({"status": "administrator", **RIGHTS, "can_pin_messages": False}))  # type: ignore[arg-type]
    good, lines = await looked(**environment)
    assert not good
    assert any(line.startswith("  →") and line.endswith("with: can_pin_messages") for line in lines)


async def test_no_group_is_said_with_what_to_do(api: BotApi, environment: dict[str, str]) -> None:
    api.on("getMe", result({"id": 7, "username": "b"}))  # type: ignore[arg-type]
    good, lines = await looked(**environment)
    assert not good
    assert any("/connect" in line for line in lines)


async def test_a_revoked_token_is_said_and_not_shown(api: BotApi, environment: dict[str, str]) -> None:
    api.on("getMe", lambda: refused(401, "Unauthorized"))
    good, lines = await looked(**environment)
    assert not good
    assert any("@BotFather" in line for line in lines)
    assert TOKEN not in "\n".join(lines)


async def test_a_telegram_that_cannot_be_reached_is_said(environment: dict[str, str]) -> None:
    good, lines = await looked(**environment | {"TELEGRAM_API_BASE": "http://127.0.0.1:1"})
    assert not good
    assert any("TELEGRAM_API_BASE" in line for line in lines)
    assert TOKEN not in "\n".join(lines)


async def test_a_database_that_cannot_be_reached_is_said(environment: dict[str, str]) -> None:
    good, lines = await looked(**environment | {"DATABASE_URL": "postgresql://u@127.0.0.1:1/x"})
    assert not good
    assert any("DATABASE_URL" in line for line in lines)


async def test_wrong_settings_are_said_first(environment: dict[str, str]) -> None:
    good, lines = await looked(**environment | {"WEB_PORT": "eighty"})
    assert not good
    assert len(lines) == 2
    assert "WEB_PORT" in lines[0]


async def test_without_admins_nobody_could_connect(api: BotApi, environment: dict[str, str]) -> None:
    good, lines = await looked(**environment | {"ADMIN_TELEGRAM_IDS": ""})
    assert not good
    assert any("ADMIN_TELEGRAM_IDS" in line for line in lines)


async def test_a_server_that_forgets_commits_is_found(sessions: Sessions, environment: dict[str, str]) -> None:
    async with sessions() as session:
        assert (await session.execute(text("show fsync"))).scalar() == "off"
    good, lines = await looked(**environment)
    assert not good
    assert any("forgets commits" in line for line in lines)


async def test_a_desk_without_a_cloud_needs_no_pages(environment: dict[str, str]) -> None:
    _, lines = await looked(**environment)
    assert not any("PAGES_URL" in line for line in lines)


async def test_a_cloud_without_pages_is_said_with_what_to_do(environment: dict[str, str]) -> None:
    good, lines = await looked(**environment | {"PRODATA_CLOUD": "prodata"})
    assert not good
    assert "✗ prodata: a cloud, but no PAGES_URL" in lines
    assert any(line.startswith("  →") and "no password can be handed over" in line for line in lines)


async def test_pages_are_asked_whether_they_are_ours(
    environment: dict[str, str], engine: AsyncEngine, api: BotApi
) -> None:
    port = unused_port()
    environment |= {"PRODATA_CLOUD": "prodata", "WEB_PORT": str(port), "PAGES_URL": f"http://127.0.0.1:{port}"}
    good, lines = await looked(**environment)
    assert (good, any("does not answer" in line for line in lines)) == (False, True)
    house = run.House(load(Path("absent.env"), environment), engine, Sessions(engine), Waker(engine))
    async with contextlib.AsyncExitStack() as stack:
        await run._start_web(house, stack)
        _, lines = await looked(**environment)
        assert f"✓ PAGES_URL: http://127.0.0.1:{port} shows our pages" in lines
    # Somebody else's server.
    _, lines = await looked(**environment | {"PAGES_URL": api.url})
    assert any(line.startswith(f"✗ PAGES_URL: {api.url} answers 404") for line in lines)


async def test_pages_that_anybody_on_the_way_could_read_are_no_place_for_a_password(
    environment: dict[str, str],
) -> None:
    _, lines = await looked(**environment | {"PRODATA_CLOUD": "prodata", "PAGES_URL": "http://desk.invalid"})
    assert "✗ PAGES_URL: http://desk.invalid is not https" in lines


def test_the_command_fails_if_anything_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bad(*_: object) -> bool:
        return False

    monkeypatch.setattr("app.check.check", bad)
    monkeypatch.setattr("sys.argv", ["kezekshi", "check"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1

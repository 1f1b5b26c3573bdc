"""What all tests share: one PostgreSQL server, a migrated template, a database of its own for each test."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import fasteners
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app import postgres
from app.migrate import migrate
from crm.db import Sessions, make_engine

TEMPLATE = "kezekshi_template"
_numbers = itertools.count()


def _folder(run: int) -> Path:
    """Not under pytest's own folder: that is closed to others at every start, and the server is another user."""
    return Path(tempfile.gettempdir()) / f"kezekshi-tests-{run}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run that began it tidies up; workers have gone by then."""
    if not hasattr(config, "workerinput"):
        postgres.stop()
        shutil.rmtree(_folder(os.getpid()), ignore_errors=True)


@pytest.fixture(scope="session")
def server(worker_id: str) -> str:
    """Address of the shared server, with the template made once, whoever of the workers comes first."""
    shared = _folder(os.getpid() if worker_id == "master" else os.getppid())
    shared.mkdir(exist_ok=True)
    with fasteners.InterProcessLock(shared / "postgres.lock"):
        url = postgres.start(shared)
        if not (shared / "template.made").exists():
            asyncio.run(_make_template(url))
            (shared / "template.made").touch()
    return url


async def _make_template(url: str) -> None:
    admin = await _connect(url)
    # A test that kills does not pull the plug of the machine; waiting for the disk proves nothing here.
    await admin.execute("alter system set fsync = off")
    await admin.execute("alter system set max_connections = 300")
    await admin.execute("select pg_reload_conf()")
    await admin.execute(f"create database {TEMPLATE}")
    await admin.close()
    engine = make_engine(database_url(url, TEMPLATE), size=1)
    await migrate(engine)
    await engine.dispose()


def database_url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def _connect(url: str) -> asyncpg.Connection:
    parsed = make_url(url)
    return await asyncpg.connect(
        user=parsed.username, database=parsed.database, host=parsed.query.get("host") or parsed.host, port=parsed.port
    )


@pytest.fixture
async def database(server: str) -> AsyncIterator[str]:
    """Address of an empty desk database, dropped afterwards."""
    name = f"kezekshi_{os.getpid()}_{next(_numbers)}"
    admin = await _connect(server)
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / "kezekshi-template.lock"):
        await admin.execute(f"create database {name} template {TEMPLATE}")
    yield database_url(server, name)
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database, size=4)
    yield made
    await made.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return Sessions(engine)

"""The schema: up, down, up again; and the same as what the program thinks it is."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.migrate import config, migrate
from crm.db import make_engine
from crm.models import metadata
from tests.conftest import database_url

OBJECTS = """
    select c.relname || ':' || c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relname not like 'alembic%'
    union all select p.proname || '()' from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public'
    union all select t.tgname || '!' from pg_trigger t where not t.tgisinternal
    order by 1
"""


@pytest.fixture
async def empty(server: str, worker_id: str) -> AsyncIterator[AsyncEngine]:
    """A database without anything in it."""
    name = f"kezekshi_empty_{worker_id}"
    parsed = make_url(server)
    admin = await asyncpg.connect(
        user=parsed.username,
        database=parsed.database,
        host=str(parsed.query.get("host") or parsed.host),
        port=parsed.port,
    )
    await admin.execute(f"create database {name}")
    engine = make_engine(database_url(server, name), size=2)
    yield engine
    await engine.dispose()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


async def objects(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return [str(row[0]) for row in await connection.execute(text(OBJECTS))]


def down(connection: Connection) -> None:
    command.downgrade(config(connection), "base")


async def test_up_down_and_up_again(empty: AsyncEngine) -> None:
    await migrate(empty)
    first = await objects(empty)
    assert "ticket:r" in first
    assert "ticket_event_chain!" in first
    async with empty.begin() as connection:
        await connection.run_sync(down)
    assert await objects(empty) == []
    await migrate(empty)
    assert await objects(empty) == first


OLD_PROMISE = (
    "insert into person (name, language, created_at) values ('Клиент', 'ru', now())",
    """insert into ticket (desk, reference, queue, requester_id, channel, request_type, priority, status, subject,
                           opened_at, updated_at)
       select 'prodata', 'PD-1', 'support', id, 'telegram', 'other', 'normal', 'new', 'x', now(), now() from person""",
    """insert into sla_target (ticket_id, metric, started_at, budget, due_at, stage)
       select id, 'resolution', now(), 600, now(), 2 from ticket""",
)


async def test_what_was_promised_before_keeps_its_steps(empty: AsyncEngine) -> None:
    """Two warnings were counted; each is a bit now, and counted again on the way back."""
    async with empty.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "0001"))
        for statement in OLD_PROMISE:
            await connection.execute(text(statement))
    await migrate(empty)
    async with empty.begin() as connection:
        assert await connection.scalar(text("select stage from sla_target")) == 0b011
        await connection.run_sync(lambda sync: command.downgrade(config(sync), "0001"))
        assert await connection.scalar(text("select stage from sla_target")) == 2


async def test_migrating_again_changes_nothing(engine: AsyncEngine) -> None:
    before = await objects(engine)
    await migrate(engine)
    assert await objects(engine) == before


def differences(connection: Connection) -> list[Any]:
    """What alembic would change in the tables that the ORM knows; indexes are the migrations' own matter."""

    def ours(found: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        if kind == "table":
            return name in metadata.tables
        return kind not in ("index", "unique_constraint")

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_the_program_and_the_database_mean_the_same_tables(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_difference_would_be_found(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("alter table ticket drop column rating"))
        await connection.execute(text("alter table ticket alter column subject type varchar(5)"))
        await connection.execute(text("alter table ticket alter column closed_at set not null"))
        found = await connection.run_sync(differences)
        await connection.rollback()
    flat = [change[0] if isinstance(change, tuple) else change[0][0] for change in found]
    assert sorted(flat) == ["add_column", "modify_nullable", "modify_type"]

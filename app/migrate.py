"""Bring the database to the schema of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"


def config(connection: Connection) -> Config:
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def _upgrade(connection: Connection) -> None:
    # Several processes may start at once: one migrates, the others wait and find it done.
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('kezekshi migrate'))")
    command.upgrade(config(connection), "head")


async def migrate(engine: AsyncEngine) -> None:
    # All of it or nothing; the pool itself begins no transactions.
    async with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        await connection.run_sync(_upgrade)

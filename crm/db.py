"""The database: engine, sessions, transactions, declarative base.

A service takes the session first and never commits: whoever opened the transaction ends it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import DateTime, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import BigInteger, Text


class Base(DeclarativeBase):
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        int: BigInteger,
        str: Text,
    }


def async_url(url: str) -> str:
    """Any PostgreSQL address, with the driver that the desk uses."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgres"):
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parsed.drivername}://")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


# The hand-written statements have one good plan each; planning them anew for every call costs more than running them.
# A machine that stopped or lost its network in the middle of a transaction must not hold up the others.
SERVER_SETTINGS = {
    "application_name": "kezekshi",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


# Serialization failure, deadlock, shutting down, starting up; no connection, disk or memory left; read only for now.
_PASSING = ("40001", "40P01", "57P01", "57P02", "57P03", "53300", "53100", "53200", "25006")


def make_engine(url: str, size: int = 12) -> AsyncEngine:
    """A pool that notices a restarted server before work is given to a dead connection.

    The driver knows a closed socket without asking; SQLAlchemy's own ping would cost three round trips a checkout.
    SQLAlchemy begins and ends no transaction here: `transaction` does, by the driver itself.
    """
    engine = create_async_engine(
        async_url(url),
        pool_size=size,
        max_overflow=4,
        isolation_level="AUTOCOMMIT",
        # Each connection prepares its statements for itself, so few of them should do the work.
        pool_use_lifo=True,
        connect_args={"server_settings": SERVER_SETTINGS},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _alive(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server closed the connection")

    return engine


class Session(AsyncSession):
    """SQLAlchemy's session and, on the same connection, the driver itself.

    A statement by the driver costs a third of the CPU, so what every message needs goes by `rows`, with `$1` for the
    first value (docs/decisions/0003). Without `transaction` each statement is a transaction of its own.
    """

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        super().__init__(connection, expire_on_commit=False, autoflush=False)
        self.driver = driver

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        """All rows of a statement, as the driver gives them: columns by name, JSON read."""
        found: list[Any] = await self.driver.fetch(statement, *values)
        return found

    @asynccontextmanager
    async def atomic(self) -> AsyncIterator[None]:
        """One transaction: committed if the block ends well, rolled back if not."""
        async with self.driver.transaction():
            yield
            await self.flush()


class Sessions:
    """Opens sessions on the connections of one pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Session]:
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            session = Session(connection, raw.driver_connection)
            try:
                yield session
            finally:
                if session.in_transaction():
                    await session.close()


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[Session]:
    """One transaction: committed if the block ends well, rolled back if not."""
    async with sessions() as session, session.atomic():
        yield session


def passing(error: BaseException) -> bool:
    """Whether it is nobody's fault and gone at the next try: the database is away, restarting, or could not decide."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _PASSING
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state in _PASSING or state.startswith("08")
    if isinstance(error, asyncpg.InternalClientError):
        # What a connection says that was cut off in the middle of an answer.
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, OSError | PoolTimeout)

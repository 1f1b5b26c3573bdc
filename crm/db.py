"""The database: engine, sessions, declarative base.

A service takes the session first and never commits: whoever opened the transaction ends it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import BigInteger, Text

Sessions = async_sessionmaker[AsyncSession]


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
SERVER_SETTINGS = {"application_name": "kezekshi", "jit": "off", "plan_cache_mode": "force_generic_plan"}


def make_engine(url: str, size: int = 12) -> AsyncEngine:
    """A pool that notices a restarted server before work is given to a dead connection.

    The driver knows a closed socket without asking; SQLAlchemy's own ping would cost three round trips a checkout.
    """
    engine = create_async_engine(
        async_url(url),
        pool_size=size,
        max_overflow=4,
        # Each connection prepares its statements for itself, so few of them should do the work.
        pool_use_lifo=True,
        connect_args={"server_settings": SERVER_SETTINGS},
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _alive(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server closed the connection")

    return engine


def make_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One transaction: committed if the block ends well, rolled back if not."""
    async with sessions() as session, session.begin():
        yield session

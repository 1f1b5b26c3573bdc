"""Doors for machines: is the process alive, can it work."""

import structlog
from aiohttp import web
from sqlalchemy import text

from crm.db import Sessions

log = structlog.get_logger()

SESSIONS = web.AppKey("sessions", Sessions)


async def alive(request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.Response:
    """200 with what waits in the boxes; 503 without a database."""
    try:
        async with request.app[SESSIONS]() as session:
            found = await session.execute(
                text("""
                    select (select count(*) from inbox where state in ('queued', 'parked')) as inbox_waiting,
                           (select count(*) from inbox where state = 'quarantined') as inbox_quarantined,
                           (select count(*) from outbox where state in ('queued', 'attempting')) as outbox_waiting,
                           (select count(*) from outbox where state in ('unknown', 'failed')) as outbox_troubled
                """)
            )
            return web.json_response({"ready": True, **found.one()._mapping})
    except Exception as error:
        log.error("ready.no_database", error=type(error).__name__)
        return web.json_response({"ready": False, "reason": "no database"}, status=503)


def make_app(sessions: Sessions) -> web.Application:
    """The application that everything else of the web role is mounted into."""
    app = web.Application()
    app[SESSIONS] = sessions
    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    return app

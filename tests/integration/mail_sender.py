"""A sender of mail as a process of its own, to be killed."""

import asyncio

from crm import failpoints, time
from crm.db import Sessions, make_engine
from crm.desks import load_profile
from crm.wake import Waker
from mailbridge.deliver import Post, Sender
from mailbridge.smtp import SmtpAddress


def serve(database: str, desk: str, port: int, place: str) -> None:
    """Until it is killed, by the failpoint `place` at the latest."""
    failpoints.arm(place)
    asyncio.run(_serve(database, desk, port))


async def _serve(database: str, desk: str, port: int) -> None:
    engine = make_engine(database, size=4)
    post = Post(
        load_profile(desk),
        SmtpAddress.parse(f"smtp://127.0.0.1:{port}"),
        lambda _: "support@desk.kz",
        True,
        lambda _: "a" * 26,
    )
    await Sender(post, Sessions(engine), Waker(engine), time.utcnow).run()

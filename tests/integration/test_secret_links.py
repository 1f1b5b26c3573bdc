"""The link to a secret, on its way and afterwards: to its one reader, and nowhere else."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm import outbox
from crm.changes import Changes
from crm.cloud import pages
from crm.cloud.pages import LIFE, Secret
from crm.db import Sessions, transaction
from crm.people.reach import Reach
from crm.tickets import outward
from crm.wake import Waker
from tests.factories import CUSTOMER, DESK, NOW, Moment, connected, one, opened
from tests.integration.bot_api import Post, refused, serving
from tests.integration.conftest import Command


@pytest.fixture
async def post(sessions: Sessions, engine: AsyncEngine) -> AsyncIterator[Post]:
    async with serving() as api:
        yield Post(api, sessions, Waker(engine), Moment())


async def handed_over(sessions: Sessions) -> str:
    """A page was made and its link queued, as a new password is; gives the token."""
    async with transaction(sessions) as session:
        await connected(session)
        ticket = await opened(session, request_type="password")
        url, expires_at = pages.make(session, DESK, Secret("l", "p", "https://a.kz"), "ru", ticket.id, NOW)
        reach = Reach("telegram", str(CUSTOMER), "ru", "Айгерім")
        facts: dict[str, Any] = {"reference": "PD-1", "title": "shanyraq", "url": url, "expires_at": expires_at}
        said = outward.say_to_requester(DESK, reach, ticket.id, "secret_ready", **facts)
        await Changes(outgoing=[said]).write(session, DESK, NOW)
    return url.rpartition("/")[2]


async def row_of(sessions: Sessions) -> Any:
    async with sessions() as session:
        return await one(session, "select * from outbox where payload ->> 'notice' = 'secret_ready'")


async def everything(sessions: Sessions) -> str:
    """All that the database has of it."""
    async with sessions() as session:
        found = await session.rows("select payload::text from outbox union all select data::text from ticket_event")
        return str([row[0] for row in found])


async def test_once_it_was_sent_it_is_nowhere(post: Post) -> None:
    token = await handed_over(post.sessions)
    assert token in await everything(post.sessions)
    await post.deliver_all()
    sent = [call for call in post.api.of("sendMessage") if token in json.dumps(call)]
    assert [call["chat_id"] for call in sent] == [CUSTOMER]
    # Nobody's machine looks at it before its reader does.
    assert sent[0]["link_preview_options"] == {"is_disabled": True}
    assert (await row_of(post.sessions)).state == "sent"
    assert token not in await everything(post.sessions)


async def test_a_link_that_is_dead_is_not_sent_and_the_engineer_hears_of_it(post: Post) -> None:
    token = await handed_over(post.sessions)
    post.clock.now = NOW + LIFE
    await post.deliver_all()
    assert post.api.of("sendMessage")
    assert token not in json.dumps(post.api.asked, default=str)
    row = await row_of(post.sessions)
    assert (row.state, row.error) == ("failed", "0 expired")
    [told] = [call["text"] for call in post.api.of("sendMessage") if "ссылка устарела" in call.get("text", "")]
    assert "Не доставлено" in told
    assert token not in await everything(post.sessions)


async def test_what_was_refused_is_not_sent_again_with_its_link(post: Post) -> None:
    token = await handed_over(post.sessions)
    # The acknowledgement of the request goes first, in the same chat.
    gone = [lambda: refused(403, "Forbidden: bot was blocked by the user")] * 20
    post.api.on("sendMessage", *gone)
    await post.deliver_all()
    row = await row_of(post.sessions)
    assert row.state == "failed"
    assert token not in await everything(post.sessions)
    post.api.script.clear()
    post.api.asked.clear()
    async with transaction(post.sessions) as session:
        assert await outbox.retry(session, row.id, post.clock())
    await post.deliver_all()
    assert (await row_of(post.sessions)).error == "0 expired"
    assert token not in json.dumps(post.api.asked, default=str)


async def test_a_row_that_nobody_settled_loses_its_link_when_the_page_expires(post: Post) -> None:
    token = await handed_over(post.sessions)
    async with transaction(post.sessions) as session:
        await session.execute(text("update outbox set state = 'unknown' where payload ->> 'notice' = 'secret_ready'"))
        await pages.forget(session, NOW + LIFE / 2)
        assert token in await everything(post.sessions)
        await pages.forget(session, NOW + LIFE)
    assert token not in await everything(post.sessions)


async def test_a_row_that_waits_keeps_it(post: Post) -> None:
    token = await handed_over(post.sessions)
    async with transaction(post.sessions) as session:
        await pages.forget(session, NOW + LIFE)
    assert token in await everything(post.sessions)


@pytest.mark.parametrize("state", ["queued", "unknown"])
async def test_the_command_line_shows_everything_but_the_link(desk: Command, sessions: Sessions, state: str) -> None:
    token = await handed_over(sessions)
    async with transaction(sessions) as session:
        await session.execute(text("update outbox set state = :state"), {"state": state})
    row = await row_of(sessions)
    code, out, _ = await desk("outbox", "show", str(row.id))
    assert code == 0
    assert json.loads(out)["payload"]["facts"]["url"] == "https://a.kz/secret/***"
    for words in (("outbox", "list"), ("ticket", "show", "PD-1001")):
        code, out, _ = await desk(*words)
        assert (code, token in out) == (0, False)

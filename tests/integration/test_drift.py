"""Quotas that are not as the desk granted them: told once for each change, by one scheduler, not while being raised."""

import asyncio
from typing import Any

import pytest

from app import boxes, cloud_drift
from crm import journal
from crm.cloud import actions, drift, effects, mirror, wanted
from crm.db import Sessions, transaction
from tests.factories import DESK, NOW, PROFILE, connected, engineer, minutes, opened, rows
from tests.integration.mirrored import Heaven, bound, server, swept


async def granted(sessions: Sessions) -> None:
    """Twenty processors of one cabinet were given by the desk, and the cloud has them."""
    cloud = Heaven()
    cloud.add(server(1))
    async with transaction(sessions) as session:
        await connected(session)
    await swept(sessions, cloud)
    await bound(sessions, "p1")
    async with transaction(sessions) as session:
        await effects.granted(session, DESK, "p1", {"vcpus": 20, "ram": 51_200}, NOW)


async def cloud_allows(sessions: Sessions, number: int, minute: int) -> None:
    async with transaction(sessions) as session:
        await mirror.store_quotas(session, DESK, "p1", {"vcpus": (number, 2), "routers": (3, 0)}, NOW + minutes(minute))


async def report(sessions: Sessions, minute: int) -> int:
    async with transaction(sessions) as session:
        return await drift.report(session, PROFILE, NOW + minutes(minute))


async def told(sessions: Sessions) -> list[Any]:
    async with sessions() as session:
        found = await rows(
            session,
            "select payload -> 'facts' as facts from outbox where payload ->> 'notice' = 'quota_drift' order by id",
        )
    return [row.facts for row in found]


async def test_a_difference_is_told_once_for_each_change(sessions: Sessions) -> None:
    await granted(sessions)
    assert await report(sessions, 1) == 0
    await cloud_allows(sessions, 30, 2)
    assert [await report(sessions, minute) for minute in (2, 3)] == [1, 0]
    [facts] = await told(sessions)
    [one] = facts["drifts"]
    assert (one["project"], one["organization"]) == ("cabinet p1", "АО Ромашка")
    assert (one["resource"], one["granted"], one["allowed"], facts["more"]) == ("vcpus", 20, 30, 0)
    await cloud_allows(sessions, 25, 4)
    assert [await report(sessions, minute) for minute in (4, 5)] == [1, 0]
    async with sessions() as session:
        [left] = await drift.listing(session, DESK)
    assert (left.allowed, left.drifted_at) == (25, NOW + minutes(2))


async def test_it_is_over_when_both_agree_and_may_come_again(sessions: Sessions) -> None:
    await granted(sessions)
    await cloud_allows(sessions, 30, 1)
    await report(sessions, 1)
    await cloud_allows(sessions, 20, 2)
    assert await report(sessions, 2) == 0
    async with sessions() as session:
        assert await drift.listing(session, DESK) == []
    await cloud_allows(sessions, 30, 3)
    assert await report(sessions, 3) == 1


async def test_what_is_granted_again_agrees(sessions: Sessions) -> None:
    await granted(sessions)
    await cloud_allows(sessions, 30, 1)
    await report(sessions, 1)
    async with transaction(sessions) as session:
        await effects.granted(session, DESK, "p1", {"vcpus": 40}, NOW + minutes(2))
    assert await report(sessions, 2) == 0
    # As it was when it was told: that is another change.
    await cloud_allows(sessions, 30, 3)
    assert await report(sessions, 3) == 1


async def test_what_is_being_raised_has_not_drifted(sessions: Sessions) -> None:
    await granted(sessions)
    async with transaction(sessions) as session:
        await opened(session)
        agent = await engineer(session)
        by = journal.Actor("agent", agent.id, agent.name)
        wish = wanted.quota("p1", "cabinet p1", {"vcpus": 40})
        action = await actions.plan(session, PROFILE, by, None, wish, "k", NOW)
    await cloud_allows(sessions, 40, 1)
    assert await report(sessions, 1) == 0
    async with transaction(sessions) as session:
        await actions.refuse(session, PROFILE, actions.Approver(by, ["money"]), action.id, NOW + minutes(2))
    assert await report(sessions, 2) == 1


async def test_what_differs_is_listed_by_a_command(
    sessions: Sessions, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setattr(boxes, "configure", lambda level: None)
    await granted(sessions)
    await cloud_allows(sessions, -1, 1)
    await asyncio.to_thread(cloud_drift.drift)
    assert "as they were granted" in capsys.readouterr().out
    await report(sessions, 1)
    await asyncio.to_thread(cloud_drift.drift)
    out = capsys.readouterr().out
    for words in ("АО Ромашка", "cabinet p1", "vcpus", "20", "no limit", f"{NOW + minutes(1):%Y-%m-%d %H:%M}"):
        assert words in out


async def test_two_schedulers_tell_it_once(sessions: Sessions) -> None:
    await granted(sessions)
    await cloud_allows(sessions, 30, 1)
    assert sum(await asyncio.gather(*(report(sessions, 1) for _ in range(3)))) == 1
    assert len(await told(sessions)) == 1


async def test_many_are_one_message(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await session.rows(
            """insert into cloud_quota (desk, project_id, resource, allowed, used, granted, seen_at)
               select 'prodata', 'q' || n, 'vcpus', 30, 0, 20, $1 from generate_series(1, 23) n""",
            NOW,
        )
    assert await report(sessions, 1) == 23
    [facts] = await told(sessions)
    assert (len(facts["drifts"]), facts["more"]) == (20, 3)

"""What the desk knows of a cloud: followed by few calls, never set back, and honest about a cloud that is away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm.cloud import mirror, quotas
from crm.cloud.models import CloudState
from crm.db import Sessions, transaction
from provider.port import Later, LogEntry, Project, Quota, Refused, User
from scheduler import inventory as sweeping
from scheduler.inventory import EVERY, jobs, sweep
from tests.factories import DESK, NOW, PROFILE, connected, minutes, rows
from tests.integration.mirrored import LONG_AGO, Heaven, bound, cell, known, place, server, swept

NEXT = NOW + timedelta(seconds=30)
HOUR = timedelta(hours=1)


async def alarms(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        found = await rows(
            session, "select payload ->> 'notice' as notice from outbox where kind = 'alarm' order by id"
        )
    return [row.notice for row in found]


async def allowed(sessions: Sessions, project_id: str) -> dict[str, tuple[int, int]]:
    async with sessions() as session:
        return await quotas.of_project(session, DESK, project_id)


async def test_the_first_sweep_knows_everything(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1), server(2, "p2", zone=None, status="SHUTOFF", power="shutdown", locked=True, launched_at=None))
    made = await swept(sessions, cloud)
    assert made.problem is None
    assert cloud.calls() == {"servers": 1, "zones": 1, "capacity": 1, "projects": 1}
    first, other = await known(sessions, "s1"), await known(sessions, "s2")
    assert (first.project_id, first.name, first.zone, first.status) == ("p1", "web-1", "almaty-a", "ACTIVE")
    assert (first.vcpus, first.ram, first.locked, first.launched_at) == (2, 2048, False, LONG_AGO)
    assert (other.zone, other.power, other.locked, other.launched_at) == (None, "shutdown", True, None)
    async with sessions() as session:
        state = await session.get_one(CloudState, DESK)
        assert state.zones == {"almaty-a": True, "astana-b": False}
        assert await quotas.capacity(session, DESK) == {"vcpus": (128, 40), "ram": (262_144, 65_536)}
    assert (state.swept_at, state.full_at, state.problem) == (NOW, NOW, None)


async def test_later_only_what_changed_is_asked_for(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1), server(2))
    await swept(sessions, cloud)
    cloud.calls()
    assert (await swept(sessions, cloud, NEXT)).changed == 0
    assert cloud.calls() == {"servers": 1}
    assert cloud.since == [None, NOW - sweeping.OVERLAP]
    cloud.change("s2", NEXT, status="SHUTOFF", power="shutdown")
    assert (await swept(sessions, cloud, NEXT + minutes(1))).changed == 1
    assert (await known(sessions, "s2")).status == "SHUTOFF"
    await swept(sessions, cloud, NOW + HOUR)
    assert cloud.since[-1] is None


async def test_what_has_not_changed_is_not_written(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(*(server(n) for n in range(50)))
    await swept(sessions, cloud)
    query = "select array_agg(xmin::text || ':' || xmax::text || ctid::text order by id) as versions from vm"
    async with sessions() as session:
        before = await cell(session, query)
    await swept(sessions, cloud, NOW + HOUR)
    async with sessions() as session:
        assert await cell(session, query) == before


async def test_a_machine_on_two_pages_of_the_list_is_one(sessions: Sessions) -> None:
    row = sweeping._machine(server(1))
    async with transaction(sessions) as session:
        assert await mirror.store_servers(session, DESK, [row, {**row, "status": "SHUTOFF"}], NOW) == 1
    assert (await known(sessions)).status == "SHUTOFF"


async def test_what_an_action_read_back_later_stays(sessions: Sessions) -> None:
    """The sweep's list was made before the machine was seen running again, and is stored after that."""
    cloud = Heaven()
    cloud.add(server(1), server(2))
    await swept(sessions, cloud)
    async with transaction(sessions) as session:
        await session.rows(
            "update vm set status = 'ACTIVE', seen_at = $1 where server_id = 's1'", NEXT + timedelta(seconds=2)
        )
    cloud.change("s1", NEXT, status="HARD_REBOOT", task="rebooting")
    cloud.change("s2", NEXT, status="HARD_REBOOT", task="rebooting")
    await swept(sessions, cloud, NEXT)
    assert (await known(sessions, "s1")).status == "ACTIVE"
    assert (await known(sessions, "s2")).status == "HARD_REBOOT"
    # The next one began later, and knows better.
    await swept(sessions, cloud, NEXT + minutes(1))
    assert (await known(sessions, "s1")).status == "HARD_REBOOT"


async def test_a_clock_that_was_ahead_stops_nothing(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    await swept(sessions, cloud, NOW + 2 * HOUR)
    cloud.change("s1", NOW, status="SHUTOFF")
    await swept(sessions, cloud, NOW)
    assert (await known(sessions)).status == "SHUTOFF"


# --- machines that go -----------------------------------------------------------------------------------------


async def test_a_deleted_machine_is_told_by_the_list_of_changes(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    await swept(sessions, cloud)
    cloud.change("s1", NEXT, status="DELETED", deleted_at=NEXT)
    await swept(sessions, cloud, NEXT)
    assert (await known(sessions)).deleted_at == NEXT


async def test_a_machine_that_lived_between_two_sweeps_was_there(sessions: Sessions) -> None:
    """A trial begins with the first launch, however short it was."""
    cloud = Heaven()
    await swept(sessions, cloud)
    cloud.add(server(7, launched_at=NOW, updated_at=NOW, status="DELETED"))
    await swept(sessions, cloud, NEXT)
    found = await known(sessions, "s7")
    assert (found.launched_at, found.deleted_at) == (NOW, NOW)


async def test_missing_from_the_whole_list_and_not_found_is_deleted(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1), server(2))
    await swept(sessions, cloud)
    del cloud.all["s1"]
    await swept(sessions, cloud, NEXT)
    assert (await known(sessions)).deleted_at is None
    await swept(sessions, cloud, NOW + HOUR)
    gone = await known(sessions)
    assert (gone.status, gone.task, gone.deleted_at) == ("DELETED", None, NOW + HOUR)
    assert (await known(sessions, "s2")).deleted_at is None


async def test_a_short_list_deletes_nothing(sessions: Sessions) -> None:
    """A cell of the cloud is down, and its machines are not listed; they are there."""
    cloud = Heaven()
    cloud.add(server(1), server(2), server(3))
    await swept(sessions, cloud)
    cloud.hides = {"s1", "s2"}
    cloud.calls()
    await swept(sessions, cloud, NOW + HOUR)
    assert cloud.calls()["server"] == 2
    assert (await known(sessions)).deleted_at is None
    cloud.fails["server s2"] = Refused("forbidden", "the cell is down")
    await swept(sessions, cloud, NOW + 2 * HOUR)
    assert (await known(sessions, "s2")).deleted_at is None


async def test_many_missing_ones_are_asked_for_over_several_sweeps(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MISSING", 3)
    cloud = Heaven()
    cloud.add(*(server(n) for n in range(5)))
    await swept(sessions, cloud)
    cloud.all.clear()
    await swept(sessions, cloud, NOW + HOUR)
    await swept(sessions, cloud, NOW + HOUR + minutes(1))
    async with sessions() as session:
        assert await cell(session, "select count(*) from vm where deleted_at is null") == 0
    await swept(sessions, cloud, NOW + HOUR + minutes(2))
    assert cloud.since[-3:] == [None, None, NOW + HOUR + minutes(1) - sweeping.OVERLAP]


# --- cabinets -------------------------------------------------------------------------------------------------


async def test_cabinets_of_customers_are_looked_at_and_no_others(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1), server(2, "p2"))
    cloud.people["p1"] = [User("u1", "romashka", True), User("u2", "blocked", False)]
    await swept(sessions, cloud)
    await bound(sessions, "p1")
    cloud.calls()
    await swept(sessions, cloud, NEXT)
    assert cloud.calls() == {"servers": 1, "quotas": 1, "users": 1, "log": 1}
    assert (await allowed(sessions, "p1"))["vcpus"] == (20, 2)
    assert await allowed(sessions, "p2") == {}
    async with sessions() as session:
        assert await cell(session, "select users from cloud_project where project_id = 'p1'") == {"u1": "romashka"}


async def test_a_cabinet_whose_machine_changed_comes_at_once_the_others_in_turn(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1), server(2, "p2"))
    await swept(sessions, cloud)
    await bound(sessions, "p1", "p2")
    await swept(sessions, cloud, NEXT)
    cloud.change("s2", NEXT, vcpus=8)
    cloud.limits["p2"] = {"vcpus": Quota(20, 8)}
    cloud.calls()
    await swept(sessions, cloud, NEXT + timedelta(seconds=30))
    assert (cloud.asked["quotas"], cloud.asked["users"], cloud.asked["log"]) == (1, 1, 1)
    assert (await allowed(sessions, "p2"))["vcpus"] == (20, 8)
    cloud.calls()
    await swept(sessions, cloud, NEXT + minutes(5))
    assert cloud.asked["quotas"] == 1
    await swept(sessions, cloud, NEXT + minutes(6))
    assert cloud.asked["quotas"] == 2


async def test_turns_are_bounded_and_come_round(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "IN_TURN", 2)
    cloud = Heaven()
    cloud.cabinets = {f"p{n}": Project(f"p{n}", f"cabinet {n}", True) for n in range(5)}
    await swept(sessions, cloud)
    await bound(sessions, *cloud.cabinets)
    await swept(sessions, cloud, NEXT)
    cloud.calls()
    for n in range(3):
        await swept(sessions, cloud, NEXT + minutes(10 + n))
    assert cloud.asked["quotas"] == 5
    async with sessions() as session:
        assert await cell(session, "select min(quotas_at) > :at from cloud_project", at=NEXT + minutes(9))


async def test_a_cabinet_that_is_refused_loses_its_turn_and_nobody_elses(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.cabinets = {f"p{n}": Project(f"p{n}", f"cabinet {n}", True) for n in range(3)}
    await swept(sessions, cloud)
    await bound(sessions, *cloud.cabinets)
    cloud.fails["quotas p0"] = Refused("forbidden", "not yours")
    assert (await swept(sessions, cloud, NEXT)).problem is None
    async with sessions() as session:
        assert await cell(session, "select count(distinct project_id) from cloud_quota") == 2
        assert await cell(session, "select count(*) from cloud_project where quotas_at is null") == 0


async def test_quotas_that_were_just_granted_are_not_set_back(sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await mirror.store_quotas(session, DESK, "p1", {"vcpus": (20, 4)}, NOW)
        await session.rows("update cloud_quota set allowed = 40, seen_at = $1", NOW + minutes(1))
        assert await mirror.store_quotas(session, DESK, "p1", {"vcpus": (20, 4)}, NOW + timedelta(seconds=59)) == 0
        assert (await quotas.allowed(session, DESK, "p1"))["vcpus"] == 40
        assert await mirror.store_quotas(session, DESK, "p1", {"vcpus": (30, 4)}, NOW + minutes(2)) == 1


async def test_projects_come_go_and_come_back_to_their_organization(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    await swept(sessions, cloud)
    organization_id = await bound(sessions, "p1")
    held = cloud.cabinets.pop("p1")
    query = "select name, gone_at, organization_id from cloud_project"
    await swept(sessions, cloud, NOW + minutes(5))
    async with sessions() as session:
        assert await rows(session, query) == [("cabinet p1", NOW + minutes(5), organization_id)]
    cloud.cabinets["p1"] = replace(held, name="ромашка")
    await swept(sessions, cloud, NOW + minutes(10))
    async with sessions() as session:
        assert await rows(session, query) == [("ромашка", None, organization_id)]


# --- logs -----------------------------------------------------------------------------------------------------


async def test_the_log_of_a_machine_is_read_once_for_each_change(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    done = LogEntry("r1", "reboot", LONG_AGO, LONG_AGO + minutes(1), True)
    cloud.logs["s1"] = [done]
    await swept(sessions, cloud)
    await bound(sessions, "p1")
    await swept(sessions, cloud, NEXT)
    [entry] = (await known(sessions)).log
    assert (entry["id"], entry["action"], entry["succeeded"]) == ("r1", "reboot", True)
    await swept(sessions, cloud, NEXT + minutes(1))
    assert cloud.asked["log"] == 1
    begun = NEXT + minutes(1)
    cloud.change("s1", begun, task="rebooting")
    cloud.logs["s1"] = [LogEntry("r2", "reboot", begun), done]
    await swept(sessions, cloud, NEXT + minutes(2))
    assert [line["id"] for line in (await known(sessions)).log] == ["r2", "r1"]
    # It is going on: the entry gets its end without any change of the machine.
    cloud.logs["s1"] = [LogEntry("r2", "reboot", begun, begun + minutes(1), True), done]
    await swept(sessions, cloud, NEXT + minutes(3))
    assert (await known(sessions)).log[0]["succeeded"] is True
    await swept(sessions, cloud, NEXT + minutes(4))
    assert cloud.asked["log"] == 3


async def test_an_entry_that_never_ends_is_not_looked_at_forever(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    cloud.logs["s1"] = [LogEntry("r1", "reboot", NOW)]
    await swept(sessions, cloud)
    await bound(sessions, "p1")
    for n in range(1, 16):
        await swept(sessions, cloud, NOW + minutes(n))
    assert cloud.asked["log"] == 10


async def test_a_slow_cloud_leaves_the_rest_to_the_next_sweep(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "LATE", -1.0)
    cloud = Heaven()
    cloud.add(server(1))
    await swept(sessions, cloud)
    await bound(sessions, "p1")
    assert (await swept(sessions, cloud, NEXT)).calls == {"servers": 1}
    monkeypatch.setattr(sweeping, "LATE", 20.0)
    assert (await swept(sessions, cloud, NEXT + minutes(1))).calls["log"] == 1


async def test_what_went_well_beside_a_failure_is_kept(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.cabinets = {f"p{n}": Project(f"p{n}", f"cabinet {n}", True) for n in range(9)}
    await swept(sessions, cloud)
    await bound(sessions, *cloud.cabinets)
    cloud.fails["quotas p1"] = Later("no answer")
    made = await swept(sessions, cloud, NEXT)
    assert (made.problem, made.calls["quotas"]) == ("no answer", 4)
    async with sessions() as session:
        assert await cell(session, "select count(distinct project_id) from cloud_quota") == 3


# --- away -----------------------------------------------------------------------------------------------------


async def test_a_cloud_that_is_away_is_noted_and_told_once_when_it_lasts(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    async with transaction(sessions) as session:
        await connected(session)
    await swept(sessions, cloud)
    cloud.fails["servers"] = Later("no connection")
    cloud.calls()
    assert (await swept(sessions, cloud, NEXT)).problem == "no connection"
    # It is away: nothing more is asked of it.
    assert cloud.calls() == {"servers": 1}
    async with sessions() as session:
        state = await session.get_one(CloudState, DESK)
    assert (state.problem, state.away_at, state.swept_at) == ("no connection", NEXT, NOW)
    await swept(sessions, cloud, NEXT + minutes(4))
    assert await alarms(sessions) == []
    for n in (5, 6, 7):
        await swept(sessions, cloud, NEXT + minutes(n))
    assert await alarms(sessions) == ["cloud_away"]
    # What happened meanwhile is not missed.
    cloud.change("s1", NEXT + minutes(1), status="SHUTOFF")
    cloud.fails.clear()
    await swept(sessions, cloud, NEXT + minutes(8))
    await swept(sessions, cloud, NEXT + minutes(9))
    assert await alarms(sessions) == ["cloud_away", "cloud_back"]
    assert (await known(sessions)).status == "SHUTOFF"
    async with sessions() as session:
        assert (await session.get_one(CloudState, DESK)).problem is None


async def test_a_short_absence_is_nobodys_alarm(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.fails["servers"] = Later("no connection")
    await swept(sessions, cloud)
    cloud.fails.clear()
    await swept(sessions, cloud, NOW + minutes(4))
    assert await alarms(sessions) == []


async def test_a_part_that_is_refused_stops_no_other_part(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    cloud.fails["capacity"] = Refused("forbidden", "the role may not see hosts")
    assert (await swept(sessions, cloud)).problem == "the role may not see hosts"
    async with sessions() as session:
        assert await cell(session, "select count(*) from cloud_project") == 1


async def test_an_adapter_that_breaks_is_a_cloud_that_is_away(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.fails["servers"] = KeyError("flavor")
    assert (await swept(sessions, cloud)).problem == "servers: KeyError"


# --- several --------------------------------------------------------------------------------------------------


async def test_of_several_schedulers_one_sweeps(sessions: Sessions) -> None:
    cloud = Heaven()
    made = await asyncio.gather(*(sweep(place(cloud), sessions, NOW) for _ in range(3)))
    assert len([one for one in made if one is not None]) == 1
    # Another one, whose clock ticks in between.
    assert await sweep(place(cloud), sessions, NOW + timedelta(seconds=EVERY / 2)) is None
    assert cloud.asked["servers"] == 1


async def test_the_table_of_jobs(sessions: Sessions) -> None:
    cloud = Heaven()
    cloud.add(server(1))
    assert jobs({}) == ()
    table = {job.id: job for job in jobs({DESK: place(cloud)})}
    assert set(table) == {"cloud prodata", "quota drift", "secret pages"}
    for job in table.values():
        assert await job.sweep(sessions, [PROFILE], NOW) == (2 if job.id == "cloud prodata" else 0)


def test_moments() -> None:
    assert sweeping._due(None, NOW, HOUR)
    assert not sweeping._due(NOW, NOW + minutes(59), HOUR)
    assert sweeping._due(NOW, NOW + HOUR, HOUR)
    assert sweeping._due(datetime(2030, 1, 1, tzinfo=UTC), NOW, HOUR)

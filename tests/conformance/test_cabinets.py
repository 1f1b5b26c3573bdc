"""Cabinets: quotas, links, accounts, passwords. What makes something makes it once, however often it is asked."""

import secrets
from collections.abc import AsyncIterator

import pytest

from provider.port import Account, Cloud, Opened, Refused
from tests.conformance.stage import Stage
from tests.conformance.test_reading import NOBODY
from tests.conformance.waiting import passable

LIMITS = {"instances": 2, "vcpus": 4, "ram": 4096, "networks": 3, "routers": 1, "floating_ips": 0}


@pytest.fixture
async def opened(stage: Stage) -> AsyncIterator[tuple[Account, Opened]]:
    account = Account(f"trial-{secrets.token_hex(4)}", LIMITS, "aigul@example.kz", "A trial")
    made = await stage.cloud.open_account(account)
    yield account, made
    await stage.erase(made.project.id)


async def test_quotas_are_set_and_the_others_stay(stage: Stage) -> None:
    cloud, project = stage.cloud, stage.anna.project
    before = await cloud.quotas(project)
    wanted = {"instances": before["instances"].limit + 1, "networks": before["networks"].limit + 2}
    try:
        await cloud.set_quotas(project, wanted)
        after = {name: quota.limit for name, quota in (await cloud.quotas(project)).items()}
    finally:
        await cloud.set_quotas(project, {name: before[name].limit for name in wanted})
    assert after == {name: quota.limit for name, quota in before.items()} | wanted
    assert await cloud.quotas(project) == before


@pytest.mark.parametrize(
    "wanted",
    [{"instances": 0}, {"networks": 200, "instances": 0}, {"ram": -2}, {"instances": 20, "spoons": 3}],
    ids=["below use", "half of it", "no limit", "no such quota"],
)
async def test_quotas_that_cannot_be_are_refused_whole(stage: Stage, wanted: dict[str, int]) -> None:
    before = await stage.cloud.quotas(stage.anna.project)
    with pytest.raises(Refused) as refused:
        await stage.cloud.set_quotas(stage.anna.project, wanted)
    assert refused.value.reason == "invalid"
    assert await stage.cloud.quotas(stage.anna.project) == before


async def test_quotas_of_no_project(cloud: Cloud) -> None:
    for ask in (cloud.quotas, lambda one: cloud.set_quotas(one, {"instances": 5})):
        with pytest.raises(Refused) as refused:
            await ask(NOBODY)
        assert refused.value.reason == "not_found"


async def test_a_link_between_two_zones_is_made_once(stage: Stage) -> None:
    cloud, project = stage.cloud, stage.anna.project
    assert list(await cloud.links(project)) == []
    before = await cloud.quotas(project)
    try:
        first = await cloud.link(project, "backbone", stage.zones)
        second = await cloud.link(project, "backbone", stage.zones)
        found = await passable(cloud, project)
        used = await cloud.quotas(project)
        assert list(await cloud.links(stage.boris.project)) == []
        with pytest.raises(Refused) as refused:
            await cloud.link(project, "elsewhere", (stage.zones[0], "nowhere"))
        assert refused.value.reason == "not_found"
        assert len(await cloud.links(project)) == 1
    finally:
        await stage.unlink(project)
    assert first.id == second.id == found.id
    assert (found.name, set(found.zones), set(found.networks)) == ("backbone", set(stage.zones), set(stage.zones))
    assert len(set(found.networks.values())) == 2
    assert [used[kind].used - before[kind].used for kind in ("routers", "networks")] == [1, 2]


async def test_a_link_beyond_the_quota_is_refused_before_any_part_of_it_is_made(stage: Stage) -> None:
    cloud, project = stage.cloud, stage.anna.project
    before = await cloud.quotas(project)
    await cloud.set_quotas(project, {"networks": before["networks"].used + 1})
    try:
        with pytest.raises(Refused) as refused:
            await cloud.link(project, "too-much", stage.zones)
        assert list(await cloud.links(project)) == []
    finally:
        await cloud.set_quotas(project, {"networks": before["networks"].limit})
        await stage.unlink(project)
    assert refused.value.reason == "over_quota"
    assert await cloud.quotas(project) == before


async def test_an_account_has_project_user_and_quotas(stage: Stage, opened: tuple[Account, Opened]) -> None:
    account, made = opened
    assert (made.project.name, made.user.name, made.user.email) == (account.name, account.name, "aigul@example.kz")
    assert made.project in await stage.cloud.projects()
    assert list(await stage.cloud.users(made.project.id)) == [made.user]
    quotas = await stage.cloud.quotas(made.project.id)
    assert {name: quota.limit for name, quota in quotas.items()} == LIMITS
    assert [quota.used for name, quota in quotas.items() if name in ("instances", "vcpus", "ram", "routers")] == [0] * 4


async def test_an_account_opened_twice_is_one(stage: Stage, opened: tuple[Account, Opened]) -> None:
    account, made = opened
    assert await stage.cloud.open_account(account) == made
    assert [one.id for one in await stage.cloud.projects() if one.name == account.name] == [made.project.id]


async def test_nobody_is_let_into_a_cabinet_that_is_there_already(stage: Stage) -> None:
    with pytest.raises(Refused) as refused:
        await stage.cloud.open_account(Account(stage.anna.name, {}))
    assert refused.value.reason == "conflict"
    assert [one.id for one in await stage.cloud.users(stage.anna.project)] == [stage.anna.user]


async def test_a_password_is_changed_and_taken(stage: Stage, opened: tuple[Account, Opened]) -> None:
    cloud, (_, made) = stage.cloud, opened
    first, second = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    assert not await cloud.can_log_in(made.user.id, first)
    await cloud.set_password(made.user.id, first)
    assert await cloud.can_log_in(made.user.id, first)
    await cloud.set_password(made.user.id, second)
    assert await cloud.can_log_in(made.user.id, second)
    assert not await cloud.can_log_in(made.user.id, first)
    assert await cloud.can_log_in(stage.anna.user, stage.anna.password)


async def test_a_password_of_nobody(cloud: Cloud) -> None:
    with pytest.raises(Refused) as refused:
        await cloud.set_password(NOBODY, "s3cret-of-nobody")
    assert refused.value.reason == "not_found"
    assert "s3cret" not in refused.value.text

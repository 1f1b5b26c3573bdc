"""`kezekshi cloud check|servers|quota` with a cloud of the sandbox's, and without any."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import check, cloud_look
from tests.conformance.sandbox_stage import SandboxStage, stage
from tests.integration.conftest import Command


@pytest.fixture(autouse=True)
def _logs_of_this_process_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (check, cloud_look):
        monkeypatch.setattr(module, "configure", lambda level: None)


@pytest.fixture
async def made() -> AsyncIterator[SandboxStage]:
    async with stage() as there:
        yield there


@pytest.fixture
def asked(kezekshi: Command, made: SandboxStage) -> Command:
    async def run(*words: str) -> tuple[int, str, str]:
        return await kezekshi("cloud", *words, PRODATA_CLOUD=made.address)

    return run


async def test_check_names_each_service(asked: Command, made: SandboxStage) -> None:
    code, out, err = await asked("check")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == len(await made.cloud.services())
    assert all(line.startswith("✓ prodata: ") for line in out.splitlines())


async def test_check_says_what_is_down_and_how_to_mend_it(asked: Command, made: SandboxStage) -> None:
    async with made.fault("down"):
        code, out, err = await asked("check")
    assert (code, err) == (1, "")
    assert "✗ prodata: " in out
    assert "  → look whether the service runs" in out


async def test_servers_of_all_and_of_one_project(asked: Command, made: SandboxStage) -> None:
    code, out, _ = await asked("servers")
    assert code == 0
    assert {"web-1", "web-2", "db-1", "shop-1"} <= set(out.split())
    for name in (made.boris.name, made.boris.project):
        code, out, _ = await asked("servers", "--project", name)
        assert code == 0
        assert "shop-1" in out
        assert "web-1" not in out


async def test_the_quota_of_a_project(asked: Command, made: SandboxStage) -> None:
    quotas = await made.cloud.quotas(made.anna.project)
    free = (await made.cloud.capacity())["vcpus"].free
    code, out, _ = await asked("quota", made.anna.name)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert ["vcpus", str(quotas["vcpus"].used), str(quotas["vcpus"].limit), str(free)] in rows
    assert {row[0] for row in rows} == set(quotas)
    assert "In the last 30 days" in out


async def test_a_project_that_is_not_there(asked: Command) -> None:
    for words in (["quota", "nobody"], ["servers", "--project", "nobody"]):
        code, out, err = await asked(*words)
        assert (code, out) == (2, "")
        assert "no project 'nobody'" in err


async def test_a_cloud_that_cannot_be_reached_is_one_line(asked: Command, made: SandboxStage) -> None:
    async with made.fault("down"):
        code, out, err = await asked("servers")
    assert (code, out) == (2, "")
    assert err.startswith("kezekshi: prodata: the cloud cannot say now: ")
    assert len(err.splitlines()) == 1


async def test_a_desk_without_a_cloud(kezekshi: Command) -> None:
    code, out, _ = await kezekshi("cloud", "check", PRODATA_CLOUD="")
    assert code == 1
    assert "set PRODATA_CLOUD" in out
    code, _, err = await kezekshi("cloud", "servers", PRODATA_CLOUD="")
    assert code == 2
    assert "PRODATA_CLOUD is empty" in err


async def test_an_entry_that_is_not_in_the_file(kezekshi: Command, tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {}", "utf-8")
    code, out, _ = await kezekshi("cloud", "check", PRODATA_CLOUD="kz-1", OS_CLIENT_CONFIG_FILE=str(path))
    assert code == 1
    assert "no usable entry 'kz-1'" in out
    assert "  → name an entry that is in clouds.yaml" in out

"""The worlds that the scenarios play in; what their desks said last is shown when a test fails."""

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.page import browser, desk, stand_in, url  # noqa: F401 - fixtures
from tests.e2e.processes import ROOT, nursery_command
from tests.e2e.world import World

WORLD = pytest.StashKey[World]()


@pytest.fixture(scope="session")
def nursery() -> Iterator[str]:
    """Where processes of the program are forked; its socket."""
    folder = tempfile.mkdtemp(prefix="kezekshi-")
    path = str(Path(folder) / "nursery")
    child = subprocess.Popen(nursery_command(path), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    yield path
    child.communicate()
    shutil.rmtree(folder)


@pytest.fixture
async def world(database: str, nursery: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The stand-in with its people, limits lifted; the test starts the desk."""
    made = World(database, nursery)
    request.node.stash[WORLD] = made
    await made.open()
    try:
        yield made
    finally:
        await made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    world = item.stash.get(WORLD, None)
    if world is not None and report.when == "call" and report.failed:
        for desk in world.desks[-2:]:
            report.sections.append((f"last words of {desk.name}", desk.last_words()))
    return report

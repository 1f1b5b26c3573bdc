from collections.abc import AsyncIterator

import pytest

from tests.e2e.world import World


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """The stand-in with its people, limits lifted; the test starts the desk."""
    made = World(database)
    await made.open()
    try:
        yield made
    finally:
        await made.close()

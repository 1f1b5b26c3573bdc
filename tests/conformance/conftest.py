"""Which cloud the suite is put to: the sandbox's, or with KEZEKSHI_TEST_CLOUD another one that has a stage here."""

import importlib
import os
from collections.abc import AsyncIterator

import pytest

from provider.port import Cloud
from tests.conformance.stage import Stage

NAME = os.environ.get("KEZEKSHI_TEST_CLOUD", "sandbox")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    module = importlib.import_module(f"tests.conformance.{NAME}_stage")
    async with module.stage() as made:
        yield made


@pytest.fixture
def cloud(stage: Stage) -> Cloud:
    return stage.cloud

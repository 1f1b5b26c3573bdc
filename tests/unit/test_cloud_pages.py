"""What all pages of a dialogue about the cloud have in common; `test_views` looks at their words."""

import re
from dataclasses import replace

import pytest

from bot import cloud_views
from bot.views import Look
from tests.factories import NOW, PROFILE
from tests.unit.cloud_pages import DIALOGUE, IDLE, STUCK, cloud_pages

CLOUD_PAGES = dict(cloud_pages())


@pytest.mark.parametrize("page", sorted(CLOUD_PAGES))
def test_a_page_of_a_dialogue_can_be_left(page: str) -> None:
    """Back and out; what is said when it is over has nothing to leave."""
    shown = CLOUD_PAGES[page](Look(PROFILE, "ru", NOW))
    over = ("cloud ended", "cancelled", "asked", "own with", "withdrawn", "cabinet named", "cabinet phoned")
    data = str(shown.keyboard)
    assert (f"dlg:{DIALOGUE}:cancel" in data and "Назад" in data) is not page.startswith(over)


def test_states_of_machines_are_told_in_words() -> None:
    for language in PROFILE.languages:
        look = Look(PROFILE, language, NOW)
        for machine in (IDLE, STUCK, replace(IDLE, status="SHUTOFF"), replace(IDLE, status="ERROR")):
            assert not re.search(r"ACTIVE|BUILD|SHUTOFF|ERROR", cloud_views.machine(look, machine, NOW, 1).text)
            label = str(cloud_views.machines(look, [machine], 0, False, 1).keyboard)
            assert not re.search(r"ACTIVE|BUILD|SHUTOFF|ERROR", label)

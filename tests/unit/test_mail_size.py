"""A mail of megabytes is looked at by the process that does everything else: it must not notice."""

import time
from collections.abc import Callable

import pytest

from crm.mail.shown import MOST_PARTS, dealt
from crm.tickets.thanks import only_thanks
from crm.tickets.written import subject_of
from mailbridge.answers import choice

LOOKS: tuple[Callable[[str], object], ...] = (
    dealt,
    choice,
    lambda text: subject_of({"type": "text", "text": text}),
    lambda text: only_thanks({"type": "text", "text": text}),
)


@pytest.mark.parametrize("unit", ["слово ", "ы", "a\n", "😀", "ё!", "да. ", "\n"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_text_of_megabytes_takes_no_time(look: Callable[[str], object], unit: str) -> None:
    text = unit * (3_000_000 // len(unit))
    began = time.process_time()
    look(text)
    assert time.process_time() - began < 0.5


def test_the_beginning_of_a_long_text_is_shown() -> None:
    pieces, whole = dealt("слово " * 100_000)
    assert whole
    assert len(pieces) == 1
    assert pieces[0].startswith("слово слово")
    assert dealt("слово " * 600 * MOST_PARTS)[1] is False

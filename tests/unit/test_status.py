"""The life of a ticket: every pair of action and status, written out by hand."""

from typing import get_args

import pytest

from crm.errors import WrongStatus
from crm.tickets.status import ACTIVE, REACHABLE, RUNNING, Action, Status, after, possible

STATUSES = get_args(Status)
ACTIONS = get_args(Action)

# A dash: the action means nothing there.
TABLE = """
            new       open      pending   on_hold   resolved  closed    declined
take        open      open      pending   on_hold   -         -         -
reply       open      open      pending   on_hold   resolved  -         -
hear        new       open      open      on_hold   open      open      -
ask         pending   pending   -         pending   -         -         -
hold        on_hold   on_hold   on_hold   -         -         -         -
resolve     resolved  resolved  resolved  resolved  -         -         -
confirm     -         -         -         -         closed    -         -
reject      -         -         -         -         open      -         -
lapse       -         -         -         -         closed    -         -
reopen      -         -         open      open      open      open      open
decline     declined  declined  declined  declined  -         -         -
withdraw    closed    closed    closed    closed    closed    -         -
merge       closed    closed    closed    closed    closed    -         -
"""
_head, *_lines = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(line[0], status, result) for line in _lines for status, result in zip(_head, line[1:], strict=True)]


def test_the_table_names_every_action_and_status() -> None:
    assert {action for action, _, _ in CELLS} == set(ACTIONS)
    assert {status for _, status, _ in CELLS} == set(STATUSES)


@pytest.mark.parametrize(("action", "status", "result"), CELLS)
def test_what_follows_what(action: Action, status: str, result: str) -> None:
    assert possible(action, status) is (result != "-")
    if result == "-":
        with pytest.raises(WrongStatus) as refusal:
            after(action, status)
        assert refusal.value.facts == {"status": status, "action": action}
    else:
        assert after(action, status) == result


def test_every_ticket_can_end_and_be_taken_up_again() -> None:
    for status in ACTIVE:
        assert possible("resolve", status)
        assert possible("withdraw", status)
    for status in set(STATUSES) - RUNNING:
        assert after("reopen", status) in RUNNING


def test_the_clock_runs_only_while_the_desk_is_to_act() -> None:
    assert set(RUNNING) == {"new", "open"}
    assert set(RUNNING) < set(ACTIVE) < set(REACHABLE)
    assert not REACHABLE & {"closed", "declined"}

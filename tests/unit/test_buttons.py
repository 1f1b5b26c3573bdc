"""Buttons: short enough for Telegram whatever the ids, and only those that the status admits."""

import inspect
from typing import Any, get_args

import pytest
from aiogram.filters.callback_data import CallbackData

from bot import callbacks, keyboards
from crm.cloud import amounts, choices, rules
from crm.texts import texts
from crm.tickets import status
from tests.factories import PROFILE

BIGGEST = 2**63 - 1
T = texts("ru")
KINDS = [
    found
    for _, found in inspect.getmembers(callbacks, inspect.isclass)
    if issubclass(found, CallbackData) and found is not CallbackData
]
ACTIONS = (
    "open",
    "confirm",
    "reject",
    "withdraw",
    "list",
    "priority",
    "type",
    "card",
    "over",
    *("look", "stopping", "kinds", "first", "words", "cancel", "notdone"),
    *get_args(rules.Power),
    "refuse",
    *get_args(status.Action),
)
LONGEST = {
    "code": ("kk", "ru", "en"),
    "action": ACTIONS,
    "key": tuple(kind.key for kind in PROFILE.request_types),
    "value": ("low", "normal", "high", "urgent"),
    "message": (BIGGEST,),
    "ticket": (BIGGEST,),
    "id": (BIGGEST,),
    "stars": (5,),
    "channel": ("telegram", "email", "last"),
    "item": (BIGGEST,),
    # The number of a message within its chat.
    "dialogue": (2**31 - 1,),
    "cabinet": (BIGGEST,),
    "step": ("look", "pick", "write", "check", "ask", "name"),
    "resource": rules.RESOURCES,
    "amount": (amounts.MOST,),
    **dict.fromkeys(("login", "first", "second"), (choices.mark("az-1"),)),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_callback_data_fits_with_the_biggest_ids_and_comes_back_whole(kind: type[CallbackData]) -> None:
    worst: dict[str, Any] = {name: max(LONGEST[name], key=lambda v: len(str(v))) for name in kind.model_fields}
    packed = kind(**worst).pack()
    assert len(packed.encode()) <= 64
    assert kind.unpack(packed) == kind(**worst)


def test_no_two_kinds_share_a_prefix() -> None:
    assert len({kind.__prefix__ for kind in KINDS}) == len(KINDS)


def data_of(markup: Any) -> list[str]:
    return [button.callback_data for row in markup.inline_keyboard for button in row] if markup else []


@pytest.mark.parametrize("state", get_args(status.Status))
@pytest.mark.parametrize("assigned", [True, False])
def test_a_card_offers_what_its_status_admits_and_nothing_else(state: str, assigned: bool) -> None:
    offered = {data.split(":")[1] for data in data_of(keyboards.card(T, 1, state, assigned))}
    for action in ("ask", "resolve", "reopen", "decline"):
        assert (action in offered) is status.possible(action, state), action
    assert ("take" in offered) is (not assigned and status.possible("take", state))
    assert ("over" in offered) is (assigned and status.possible("take", state))
    assert {"priority", "type"} <= offered if state in status.ACTIVE else not {"priority", "type"} & offered


@pytest.mark.parametrize("state", get_args(status.Status))
def test_an_own_ticket_offers_what_its_status_admits(state: str) -> None:
    offered = {data.split(":")[1] for data in data_of(keyboards.own_ticket(T, 1, state))}
    assert ("confirm" in offered) is status.possible("confirm", state)
    assert ("reject" in offered) is status.possible("reject", state)
    assert ("withdraw" in offered) is (state in status.ACTIVE)
    assert "list" in offered


def test_rating_has_five_stars() -> None:
    assert data_of(keyboards.stars(9)) == [f"stars:9:{n}" for n in range(1, 6)]


def test_a_question_offers_every_request_and_a_new_one() -> None:
    assert data_of(keyboards.which(T, 7, [(1, "a"), (2, "b")])) == ["place:7:1", "place:7:2", "place:7:0"]


def test_no_keyboard_has_an_empty_row() -> None:
    for state in get_args(status.Status):
        markup = keyboards.card(T, 1, state, True)
        assert markup is None or all(markup.inline_keyboard)

"""An update as an inbox item: its key, its lane, its bytes as they came."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.receive import ALLOWED_UPDATES, lane_of, received
from tests.factories import CUSTOMER, ENGINEER, GROUP, forum, in_group, message, pressed, private, said, update


def test_a_private_chat_is_one_lane_for_messages_edits_and_buttons() -> None:
    edit = update(edited_message=message("иначе", CUSTOMER, private(CUSTOMER)))
    press = pressed("rules", CUSTOMER, private(CUSTOMER))
    assert {lane_of("prodata", u) for u in (said("а"), edit, press)} == {f"prodata:{CUSTOMER}"}


def test_in_the_group_each_topic_is_a_lane() -> None:
    one, two = (lane_of("prodata", in_group("а", thread=t)) for t in (7, 8))
    assert one == f"prodata:{GROUP}:7"
    assert two == f"prodata:{GROUP}:8"
    assert lane_of("prodata", pressed("work:take:1", ENGINEER, forum(), thread=7)) == one


def test_a_thread_that_is_no_topic_makes_no_lane() -> None:
    reply = message("а", ENGINEER, forum()) | {"message_thread_id": 55}
    assert lane_of("prodata", update(message=reply)) == f"prodata:{GROUP}"


def test_desks_do_not_share_lanes() -> None:
    assert lane_of("prodata", said("а")) != lane_of("cloud", said("а"))


def test_a_button_without_a_message_is_in_the_lane_of_the_person() -> None:
    press = update(callback_query={"id": "1", "from": {"id": CUSTOMER}, "data": "x"})
    assert lane_of("prodata", press) == f"prodata:{CUSTOMER}"


def test_the_bytes_are_kept_as_they_came() -> None:
    raw = json.dumps(said("қазақша"), ensure_ascii=False, indent=1).encode()
    item = received("prodata", json.loads(raw), raw)
    assert item.payload == raw
    assert item.external_key == str(json.loads(raw)["update_id"])


def test_without_bytes_they_are_written_so_that_nothing_is_lost() -> None:
    told = said("қазақша 🔥")
    assert json.loads(received("prodata", told).payload) == told


@pytest.mark.parametrize("body", [{}, {"update_id": None}, {"update_id": "5"}, {"update_id": 5.0}, {"update_id": True}])
def test_without_an_id_it_is_no_update(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        received("prodata", body)


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "1"])
names = st.sampled_from(["chat", "from", "id", "message", "x"])
chats = scalars | st.lists(scalars, max_size=2) | st.dictionaries(names, scalars, max_size=3)
bodies = chats | st.dictionaries(names, chats, max_size=3)


@given(st.dictionaries(st.sampled_from(["message", "callback_query", "update_id", "x"]), bodies, max_size=4))
def test_whatever_comes_there_is_a_lane(body: dict[str, Any]) -> None:
    assert lane_of("prodata", body).startswith("prodata:")


def test_only_what_is_handled_is_asked_for() -> None:
    assert set(ALLOWED_UPDATES) == {"message", "edited_message", "callback_query", "my_chat_member"}

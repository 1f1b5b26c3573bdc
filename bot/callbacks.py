"""What our buttons carry. The data proves nothing: who presses and what may follow is asked anew each time."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

# What the database can hold as an id; anything else was never drawn by us.
Id = Annotated[int, Field(ge=0, lt=2**63)]


class Language(CallbackData, prefix="lang"):
    code: str


class Rules(CallbackData, prefix="rules"):
    """Accept the rules."""


class AnswersBy(CallbackData, prefix="by"):
    """Where answers go: telegram, email, or last (where the requester wrote last)."""

    channel: str


class Place(CallbackData, prefix="place"):
    """A held message belongs to that ticket; 0: to a new one."""

    message: Id
    ticket: Id


class Mine(CallbackData, prefix="mine"):
    """What a requester does with an own ticket: open, confirm, reject, withdraw, or see the list (ticket 0)."""

    action: str
    ticket: Id


class Kind(CallbackData, prefix="kind"):
    """The next message of the requester opens a request of that type."""

    key: str


class Stars(CallbackData, prefix="stars"):
    ticket: Id
    stars: int


class Work(CallbackData, prefix="work"):
    """What an agent does with a ticket from its card."""

    action: str
    ticket: Id


class Swap(CallbackData, prefix="swap"):
    """Refuse a shift that a colleague gave."""

    id: Id


class Held(CallbackData, prefix="held"):
    """A mail that is held is a request after all."""

    item: Id


class Priority(CallbackData, prefix="prio"):
    ticket: Id
    value: str


class Queue(CallbackData, prefix="queue"):
    """The ticket becomes that queue's work."""

    ticket: Id
    key: str


class Type(CallbackData, prefix="type"):
    ticket: Id
    key: str


class Trial(CallbackData, prefix="try"):
    """A customer on the way to a trial: back a question, cancel, ask for it."""

    action: str


class Judge(CallbackData, prefix="judge"):
    """An engineer decides a request for a trial: grant, refuse."""

    action: str
    ticket: Id

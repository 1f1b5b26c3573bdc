"""What our buttons carry. The data proves nothing: who presses and what may follow is asked anew each time."""

from aiogram.filters.callback_data import CallbackData


class Language(CallbackData, prefix="lang"):
    code: str


class Rules(CallbackData, prefix="rules"):
    """Accept the rules."""


class Place(CallbackData, prefix="place"):
    """A held message belongs to that ticket; 0: to a new one."""

    message: int
    ticket: int


class Mine(CallbackData, prefix="mine"):
    """What a requester does with an own ticket: open, confirm, reject, withdraw, or see the list (ticket 0)."""

    action: str
    ticket: int


class Kind(CallbackData, prefix="kind"):
    """The next message of the requester opens a request of that type."""

    key: str


class Stars(CallbackData, prefix="stars"):
    ticket: int
    stars: int


class Work(CallbackData, prefix="work"):
    """What an agent does with a ticket from its card."""

    action: str
    ticket: int


class Priority(CallbackData, prefix="prio"):
    ticket: int
    value: str


class Type(CallbackData, prefix="type"):
    ticket: int
    key: str

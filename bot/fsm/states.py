"""Dialogues with the bot: short, each with one question."""

from aiogram.fsm.state import State, StatesGroup


class Request(StatesGroup):
    """A requester chose a type (data: `kind`); the next message opens the request."""

    describing = State()


class Rejection(StatesGroup):
    """A requester said «not solved» (data: `ticket`); the next message goes to that ticket."""

    explaining = State()


class Linking(StatesGroup):
    """A requester links a mail address: the next message is the address, then the code that came there."""

    address = State()
    code = State()


class Decline(StatesGroup):
    """An agent pressed «decline» (data: `ticket`); the next message in that topic is the reason."""

    reason = State()


class Refusal(StatesGroup):
    """An agent pressed «refuse» at an action in the cloud (data: `action`, `message`); the next message is the
    reason."""

    reason = State()


class Cloud(StatesGroup):
    """A dialogue about the cloud (data: `kind`, the request type, and `dialogue`, the message in which it began).

    What is written meanwhile is a request of that type in one's own words; but for a number of `amount` (data:
    `cabinet`, `resource`), the `name` of a new cabinet or a trial, and the `phone` for it (data: `name`; then also
    `phone` and whether it is `proven`).
    """

    choosing = State()
    amount = State()
    name = State()
    phone = State()

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


class Trial(StatesGroup):
    """A requester asks for a trial: the next message is the name of the organization, then the phone; then all of it is
    confirmed (data: `organization`, `phone`, `verified`)."""

    organization = State()
    phone = State()
    confirming = State()

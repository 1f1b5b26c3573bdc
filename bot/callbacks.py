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


class Act(CallbackData, prefix="act"):
    """What an engineer decides of an action in the cloud: approve; refuse (silent: without a reason, back: not after
    all); of an unknown one done, notdone, again."""

    action: str
    id: Id


class Machine(CallbackData, prefix="vm"):
    """What an engineer wants of a machine (its row) for that ticket: show it, or a power action."""

    action: str
    ticket: Id
    id: Id


# --- a customer's dialogue about the cloud; `dialogue` is the message of the private chat in which it began -----


class Dialogue(CallbackData, prefix="dlg"):
    """Leave a page: kinds (all types), first (the first page), words (write it freely), cancel."""

    dialogue: Id
    action: str


class OwnMachine(CallbackData, prefix="own"):
    """list (`id` is where the page of the list begins), look, stopping (asks once more), or what to do with it."""

    dialogue: Id
    action: str
    id: Id


class Quota(CallbackData, prefix="q"):
    """Of that cabinet (0: not chosen yet), that resource: pick a new limit, write another, ask for it."""

    dialogue: Id
    step: str
    cabinet: Id
    resource: str
    amount: Id


class Login(CallbackData, prefix="pw"):
    """A new password for the login with that mark (`crm.cloud.choices.mark`): look, ask."""

    dialogue: Id
    step: str
    cabinet: Id
    login: str


class Zones(CallbackData, prefix="zone"):
    """Two zones by their marks, as far as they are chosen: look, ask."""

    dialogue: Id
    step: str
    cabinet: Id
    first: str
    second: str


class Cabinet(CallbackData, prefix="cab"):
    """Of a new cabinet: name (write another), ask."""

    dialogue: Id
    step: str


class Judge(CallbackData, prefix="judge"):
    """An engineer decides a request for a trial: grant, refuse."""

    action: str
    ticket: Id

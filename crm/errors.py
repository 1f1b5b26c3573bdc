"""What can go wrong in the desk, named for the fact.

DeskError                 the root; its text is rendered once per transport
├── NotFound              the ticket, message or person is not there, or not for this actor to see
├── NotAllowed            the actor may not do this
│   ├── NotAnAgent        being in the group is not authority
│   └── Anonymous         anonymous admins and channels have no identity
├── WrongStatus           the ticket's status does not admit the action
├── AlreadyTaken          a colleague answers for the ticket already
├── UnderWay              something is being done there in the cloud already
├── Expired               the plan is too old to be approved
├── OverCeiling           more than the agreement, or the cloud, has to give
├── NoCloud               the desk has no cloud, or nothing there for this person
├── HadTrial              a trial is granted once
├── CannotRelay           this kind of content does not travel
├── WrongPlace            the command was sent where it means nothing
├── WrongInput            what was written cannot be understood
├── Taken                 the name or address is somebody else's already; says whose
└── ProfileError          a desk profile is wrong; says where

Two are no errors of the desk. NotYet: the input came before what it refers to, and is parked for a while.
Unreadable: nobody can make anything of it, now or later, so that it is put aside for a person at once.
"""

from typing import Any


class DeskError(Exception):
    """A refusal that the person who caused it is told about; `facts` fill the text."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(type(self).__name__, facts)
        self.facts = facts


class NotFound(DeskError):
    pass


class NotAllowed(DeskError):
    pass


class NotAnAgent(NotAllowed):
    pass


class Anonymous(NotAllowed):
    pass


class WrongStatus(DeskError):
    pass


class AlreadyTaken(DeskError):
    pass


class UnderWay(DeskError):
    pass


class Expired(DeskError):
    pass


class OverCeiling(DeskError):
    pass


class NoCloud(DeskError):
    pass


class HadTrial(DeskError):
    pass


class CannotRelay(DeskError):
    pass


class WrongPlace(DeskError):
    pass


class WrongInput(DeskError):
    pass


class Taken(DeskError):
    pass


class ProfileError(DeskError):
    def __str__(self) -> str:
        return str(self.facts.get("text", ""))


class NotYet(Exception):
    """What this input refers to has not come yet."""


class Unreadable(Exception):
    """No attempt will ever make sense of this input; says why."""

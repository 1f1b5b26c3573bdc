"""What a mail of the inbox means: read within a budget, then taken by the desk."""

from dataclasses import dataclass, replace
from datetime import datetime

from crm.db import Session
from crm.desks import Profile
from crm.errors import DeskError, Unreadable
from crm.inbox import Item
from crm.mail import service
from crm.mail.letter import Letter
from crm.mail.service import Door
from mailbridge.answers import choice
from mailbridge.intake import HEADER_ONLY
from mailbridge.reader import Readers


class NotTaken(Exception):
    """What a mail asks for is not possible now."""


@dataclass(frozen=True, slots=True)
class Mails:
    """The handling of one mailbox's mail."""

    door: Door
    readers: Readers

    @property
    def profile(self) -> Profile:
        return self.door.profile

    async def read(self, item: Item) -> Letter:
        """Raises Unreadable for what cannot be read, and for what does not say who speaks: such mail is kept whole."""
        letter = await self.readers.read(item.payload)
        if item.external_key.startswith(HEADER_ONLY):
            letter = replace(letter, text="", reply_text="", too_big=True)
        if letter.sender is None and letter.nature == "request":
            names = ", ".join(one.address for one in letter.senders) or "nobody"
            raise Unreadable(f"it is not clear who speaks; From names {names}")
        return letter

    async def handle(self, session: Session, item: Item, what: Letter, now: datetime) -> str:
        chosen = choice(what.reply_text) if what.nature == "request" else None
        wanted = item.disposition == "wanted"
        try:
            return await service.take(session, self.door, what, chosen, item.id, now, wanted)
        except DeskError as refusal:
            # Somebody was faster, and the next look finds it otherwise; if not, a person has to see the mail.
            raise NotTaken(repr(refusal)) from refusal

    async def refuse(self, session: Session, item: Item, what: Letter, refusal: DeskError, now: datetime) -> None:
        """A mail is never refused."""

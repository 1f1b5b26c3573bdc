"""For whom something is put into words, and a notice in words: what every channel shares. Pure."""

from dataclasses import dataclass
from datetime import datetime

from crm import time
from crm.desks import Profile
from crm.texts import Texts, texts


@dataclass(frozen=True, slots=True)
class Look:
    """For whom it is drawn: whose agreement, in which language, at which moment (aware UTC)."""

    profile: Profile
    language: str
    now: datetime

    @property
    def t(self) -> Texts:
        return texts(self.language)

    def local(self, instant: datetime | str) -> str:
        at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        return time.local(at, self.profile.timezone, self.language, self.now)

    @property
    def place(self) -> str:
        return time.city(self.profile.timezone, self.language)


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in words."""

    headline: str
    lines: tuple[str, ...] = ()

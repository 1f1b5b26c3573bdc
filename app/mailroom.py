"""The mail role: what receives, reads and sends the mail of each desk that has any."""

import os
from collections.abc import Iterator

from app.mail_settings import DeskMail
from app.settings import Settings
from crm.desks import Profile
from crm.mail import tokens
from crm.mail.service import Door
from mailbridge.accounts import Mailbox
from mailbridge.deliver import Post
from mailbridge.process import Mails
from mailbridge.reader import Readers


def desks(settings: Settings) -> Iterator[tuple[Profile, DeskMail]]:
    """Those that receive or send mail."""
    for profile in settings.profiles():
        mail = settings.mail.get(profile.name)
        if mail is not None and (mail.boxes or mail.smtp):
            yield profile, mail


def mailboxes(settings: Settings) -> list[Mailbox]:
    return [
        Mailbox(profile.name, queue, account)
        for profile, mail in desks(settings)
        for queue, account in mail.boxes.items()
    ]


def readers(settings: Settings) -> dict[str, Readers]:
    """By desk: what the border of one says is not believed by another. As many at once as there are processors."""
    count = os.cpu_count() or 1
    return {profile.name: Readers(count, mail.authserv) for profile, mail in desks(settings) if mail.boxes}


def handlings(settings: Settings, key: bytes, reading: dict[str, Readers]) -> dict[str, Mails]:
    """By the sources whose items they handle."""
    made = {}
    for profile, mail in desks(settings):
        for queue, account in mail.boxes.items():
            door = Door(profile, key, queue, mail.own, mail.authserv is not None)
            made[Mailbox(profile.name, queue, account).source] = Mails(door, reading[profile.name])
    return made


def posts(settings: Settings, key: bytes) -> list[Post]:
    """Where mail goes out."""
    return [
        Post(profile, mail.smtp, mail.sender, mail.plus, lambda reference: tokens.token(key, reference))
        for profile, mail in desks(settings)
        if mail.smtp is not None
    ]

"""`kezekshi mail check`: can mail be fetched and sent as the settings say? Nothing is changed, nothing is sent."""

from collections.abc import AsyncIterator, Callable

from rich.console import Console

from app.check import Finding, told
from app.mail_settings import DeskMail, from_name, imap_name
from app.mailroom import desks
from app.settings import Settings, WrongSettings
from crm.desks import QUEUE
from mailbridge.receive import probe_imap
from mailbridge.smtp import probe


async def check(load: Callable[[], Settings], console: Console) -> bool:
    """Print the findings; False if one of them is bad."""
    return await told(_all(load), console)


async def _all(load: Callable[[], Settings]) -> AsyncIterator[Finding]:
    try:
        settings = load()
        mails = list(desks(settings))
    except WrongSettings as error:
        yield Finding(False, f"settings: {error}", "see .env.example")
        return
    if not mails:
        desk = settings.desks[0]
        mend = f"set {imap_name(desk, QUEUE)}, {desk.upper()}_SMTP_URL and {from_name(desk, QUEUE)}; see .env.example"
        yield Finding(False, "no desk has mail", mend)
    for profile, mail in mails:
        async for finding in _desk(profile.name, mail):
            yield finding


async def _desk(desk: str, mail: DeskMail) -> AsyncIterator[Finding]:
    for queue, account in mail.boxes.items():
        for found in await probe_imap(account):
            yield _of(desk, queue, Finding(*found))
    if not mail.boxes:
        yield Finding(False, f"{desk}: no mail is fetched", f"set {imap_name(desk, QUEUE)}")
    if mail.smtp is None:
        yield Finding(False, f"{desk}: no mail is sent", f"set {desk.upper()}_SMTP_URL")
        return
    for address in sorted(mail.own):
        for sent in await probe(mail.smtp, address):
            yield _of(desk, address, Finding(sent.good, sent.what, sent.mend))
    if mail.authserv is None:
        mend = f"set {desk.upper()}_MAIL_AUTHSERV to the name in the Authentication-Results of your mail server"
        yield Finding(True, f"{desk}: nobody says which senders are proven; each gets one automatic answer a day", mend)


def _of(desk: str, whose: str, finding: Finding) -> Finding:
    return Finding(finding.good, f"{desk}, {whose}: {finding.what}", finding.mend)

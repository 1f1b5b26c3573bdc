"""The demo's mailboxes: one of the desk's and one a customer, at the stand-in's own IMAP and SMTP servers."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.client import Sandbox

DESK = "support@prodata.example"
ADDRESSES = ("aigerim@kaspiy.example", "ivan@altyn.example", "emma@steppe.example")
PASSWORD = "sandbox"  # noqa: S105 - the stand-in's own


@dataclass(frozen=True, slots=True)
class DeskMail:
    """What the desk's settings need: PRODATA_IMAP_URL, PRODATA_SMTP_URL, PRODATA_MAIL_FROM, PRODATA_MAIL_AUTHSERV."""

    imap_url: str
    smtp_url: str
    mail_from: str
    authserv: str


async def open_mailboxes(sandbox: Sandbox, customers: Iterable[tuple[str, str]]) -> DeskMail:
    """A mailbox for the desk and one for each customer (name, language)."""
    await sandbox.mail.add_account(DESK, "ProData", password=PASSWORD, desk=True)
    for (name, language), address in zip(customers, ADDRESSES, strict=True):
        await sandbox.mail.add_account(address, name, password=PASSWORD, language=language)
    state = await sandbox.mail.state()
    login = f"{quote(DESK, safe='')}:{PASSWORD}"
    doors = {kind: f"{kind}://{login}@{state[kind]['host']}:{state[kind]['port']}" for kind in ("imap", "smtp")}
    return DeskMail(f"{doors['imap']}/INBOX", doors["smtp"], f"ProData <{DESK}>", state["authserv"])

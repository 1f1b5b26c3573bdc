"""The demo's mailboxes: one of the desk's and one a customer, at the stand-in's own IMAP and SMTP servers."""

from collections.abc import Iterable
from urllib.parse import quote

from sandbox.client import Sandbox

DESK = "support@prodata.example"
ADDRESSES = ("aigerim@kaspiy.example", "ivan@altyn.example", "emma@steppe.example")
PASSWORD = "sandbox"  # noqa: S105 - the stand-in's own


async def open_mailboxes(sandbox: Sandbox, customers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A mailbox for the desk and one for each customer (name, language); the answer is what the environment would say
    of the desk's."""
    await sandbox.mail.add_account(DESK, "ProData", password=PASSWORD, desk=True)
    for (name, language), address in zip(customers, ADDRESSES, strict=True):
        await sandbox.mail.add_account(address, name, password=PASSWORD, language=language)
    state = await sandbox.mail.state()
    login = f"{quote(DESK, safe='')}:{PASSWORD}"
    doors = {kind: f"{kind}://{login}@{state[kind]['host']}:{state[kind]['port']}" for kind in ("imap", "smtp")}
    return {
        "PRODATA_IMAP_URL": f"{doors['imap']}/INBOX",
        "PRODATA_SMTP_URL": doors["smtp"],
        "PRODATA_MAIL_FROM": DESK,
        "PRODATA_MAIL_AUTHSERV": state["authserv"],
        "PRODATA_MAIL_PLUS": "yes",
    }

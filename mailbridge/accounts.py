"""Where mail is fetched, as a setting says it: `imaps://user:password@host:993/INBOX?processed=Done`."""

import base64
import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

Security = Literal["tls", "starttls", "none"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORTS = {"imaps": 993, "imap": 143}
_ENCODED = re.compile(r"[^\x20-\x7e]+|&")


@dataclass(frozen=True, slots=True)
class Account:
    """A folder of a mailbox, and the one where its mail goes once it is stored. `ca`: a file with the certificates to
    trust, None for the machine's own. As text it has no password."""

    host: str
    port: int
    user: str
    password: SecretStr
    folder: str = "INBOX"
    processed: str = "Processed"
    security: Security = "tls"
    ca: str | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.folder}"


def parse_imap(url: str) -> Account:
    """A setting as an account. Raises ValueError with words that never hold the password.

    Without TLS only this machine itself is spoken to: `imap://` begins with STARTTLS anywhere else, and here too if a
    `ca` is given. User, password and folder may be percent-encoded.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError("must be like imaps://user:password@host:993/INBOX") from None
    if parts.scheme not in _PORTS or not parts.hostname or not parts.username or parts.password is None:
        raise ValueError("must be like imaps://user:password@host:993/INBOX")
    options = _options(parts.query)
    account = Account(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username),
        password=SecretStr(unquote(parts.password)),
        folder=unquote(parts.path.removeprefix("/")) or "INBOX",
        processed=options.get("processed") or "Processed",
        security=_security(parts.scheme, parts.hostname, "ca" in options),
        ca=options.get("ca"),
    )
    words = (account.host, account.user, account.password.get_secret_value(), account.folder, account.processed)
    if any(_CONTROL.search(word) for word in words):
        raise ValueError("has a control character in it")
    if account.folder == account.processed:
        raise ValueError("names the same folder for new and for processed mail")
    return account


def _options(query: str) -> dict[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError("has something unreadable after its question mark") from None
    if unknown := options.keys() - {"processed", "ca"}:
        raise ValueError(f"knows no {sorted(unknown)[0]!r}; after the question mark go processed and ca")
    return options


def _security(scheme: str, host: str, has_ca: bool) -> Security:
    if scheme == "imaps":
        return "tls"
    return "none" if is_loopback(host) and not has_ca else "starttls"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def folder_name(name: str) -> str:
    """As IMAP writes it: modified UTF-7 of RFC 3501, quoted. `Входящие` is `"&BBIERQQ+BDQETwRJBDgENQ-"`.

    Raises ValueError for a name with a line end or another control character.
    """
    if _CONTROL.search(name):
        raise ValueError("has a control character in it")
    return '"' + _ENCODED.sub(_modified, name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _modified(found: re.Match[str]) -> str:
    run = found.group()
    if run == "&":
        return "&-"
    return f"&{base64.b64encode(run.encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`key` names the queue that the mail is for."""

    desk: str
    key: str
    account: Account

    @property
    def source(self) -> str:
        """What its mail is called in the inbox."""
        return f"mail:{self.desk}:{self.key}"

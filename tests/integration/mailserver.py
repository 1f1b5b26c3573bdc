"""A real IMAP server: Dovecot on loopback, its configuration, users and certificates in a temporary folder.

Mail is put straight into the Maildir, as a delivery agent does. On the second address the server can neither move nor
idle, on the third it cannot expunge single mails either.
"""

import base64
import contextlib
import getpass
import itertools
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

from mailbridge.accounts import Account, Security, folder_name

HOST, NO_MOVE, NO_UIDPLUS = "127.0.0.1", "127.0.0.2", "127.0.0.3"
_numbers = itertools.count(1)

CONFIG = """
protocols = imap
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
default_client_limit = 5000
auth_failure_delay = 0
auth_username_chars =
auth_mechanisms = plain login
auth_verbose = yes
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{base}/server.pem
ssl_key = <{base}/server.key
ssl_dh =
mail_location = maildir:~/Maildir
mail_fsync = never
mailbox_idle_check_interval = 2 secs
first_valid_uid = 0
passdb {{
  driver = passwd-file
  args = username_format=%u {base}/users/%u
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}/mail/%u
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service imap {{
  process_min_avail = 1
  service_count = 100
}}
service anvil {{
  chroot =
  # No waiting for those whose password was wrong.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
protocol imap {{
  mail_max_userip_connections = 100
  imap_idle_notify_interval = 2 mins
  imap_logout_format =
}}
local 127.0.0.2 {{
  protocol imap {{
    imap_capability = IMAP4rev1 UIDPLUS
  }}
}}
local 127.0.0.3 {{
  protocol imap {{
    imap_capability = IMAP4rev1 IDLE
  }}
}}
"""


@dataclass
class User:
    """A mailbox of its own, with its folder on the disk."""

    server: "MailServer"
    name: str
    password: str
    home: Path

    def account(
        self, security: Security = "none", port: int | None = None, host: str = HOST, folder: str = "INBOX"
    ) -> Account:
        server = self.server
        return Account(
            host,
            port or (server.tls_port if security == "tls" else server.port),
            self.name,
            SecretStr(self.password),
            folder=folder,
            security=security,
            ca=str(server.authority),
        )

    def url(self, scheme: str = "imaps", host: str = HOST, query: str = "") -> str:
        port = self.server.tls_port if scheme == "imaps" else self.server.port
        return f"{scheme}://{quote(self.name, safe='')}:{quote(self.password, safe='')}@{host}:{port}/INBOX{query}"

    def folder(self, name: str = "INBOX") -> Path:
        return self.home / "Maildir" / ("" if name == "INBOX" else "." + folder_name(name)[1:-1].replace('\\"', '"'))

    def make(self, name: str) -> Path:
        """A folder, as the server itself would make it."""
        for part in ("tmp", "new", "cur"):
            (self.folder(name) / part).mkdir(parents=True, exist_ok=True)
        self.server.own(self.home / "Maildir")
        return self.folder(name)

    def deliver(self, *mails: bytes, folder: str = "INBOX", seen: bool = False) -> None:
        """Atomically, in this order."""
        home = self.folder(folder)
        for mail in mails:
            number = next(_numbers)
            name = f"{1_700_000_000 + number}.M{number}P{os.getpid()}.here"
            (home / "tmp" / name).write_bytes(mail)
            (home / "tmp" / name).chmod(0o666)
            self.server.own_one(home / "tmp" / name)
            (home / "tmp" / name).rename(home / "cur" / f"{name}:2,S" if seen else home / "new" / name)

    def lying(self, folder: str = "INBOX") -> list[bytes]:
        """What is in the folder, in the order of delivery."""
        home = self.folder(folder)
        while True:
            found = [path for part in ("new", "cur") for path in (home / part).glob("*")]
            # The server may rename or take one away meanwhile: then it is looked at anew.
            with contextlib.suppress(FileNotFoundError):
                return [path.read_bytes() for path in sorted(found, key=lambda path: int(path.name.split(".")[0]))]

    def forget_uids(self, folder: str = "INBOX") -> None:
        """The server has to number the mails anew, with another UIDVALIDITY: it knows the last one, and does not take
        the time of the day, which within a second is the same."""
        for path in self.folder(folder).glob("dovecot*"):
            if path.is_file() and not path.name.startswith(("dovecot-keywords", "dovecot-uidvalidity")):
                path.unlink()


class MailServer:
    def __init__(self, base: Path) -> None:
        self.base = base
        self.port, self.tls_port = _free_port(), _free_port()
        self.authority = base / "ca.pem"
        root = os.getuid() == 0
        self._owner = pwd.getpwnam("nobody" if root else getpass.getuser())
        internal = ("dovecot", "dovecot", "dovenull") if root else (self._owner.pw_name,) * 3
        base.chmod(0o755)
        (base / "mail").mkdir()
        self.own_one(base / "mail")
        make_certificates(base)
        config = base / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                base=base,
                internal=internal[0],
                internal_group=internal[1] if root else _group(self._owner.pw_gid),
                login=internal[2],
                user=self._owner.pw_uid,
                group=self._owner.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        (base / "users").mkdir()
        with (base / "dovecot.log").open("a") as log:
            self._process = subprocess.Popen([_program("dovecot"), "-F", "-c", str(config)], stderr=log)
        self._await_port()

    def user(self, name: str = "", password: str = "secret") -> User:
        name = name or f"box{next(_numbers)}"
        hidden = base64.b64encode(password.encode()).decode()
        # A file each: one that is shared is read anew after a second at the earliest.
        (self.base / "users" / name).write_text(f"{name}:{{PLAIN.B64}}{hidden}\n")
        made = User(self, name, password, self.base / "mail" / name)
        made.make("INBOX")
        self.own_one(made.home)
        return made

    def own(self, folder: Path) -> None:
        for path in [folder, *folder.rglob("*")]:
            self.own_one(path)

    def own_one(self, path: Path) -> None:
        if os.getuid() == 0:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def log(self) -> str:
        return (self.base / "dovecot.log").read_text()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        shutil.rmtree(self.base, ignore_errors=True)

    def _await_port(self) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"Dovecot ended: {self.log()}") from None
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("Dovecot does not listen")


@contextmanager
def running() -> Iterator[MailServer]:
    # Not under pytest's own folder, which is closed to the users that Dovecot works as.
    server = MailServer(Path(tempfile.mkdtemp(prefix="kezekshi-mail-")))
    try:
        yield server
    finally:
        server.stop()


def make_certificates(base: Path, host: str = "127.0.0.1") -> None:
    """An authority `ca.pem`, and `server.pem` with `server.key` signed by it for that address."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority of the tests"]
    _openssl(base, "req", "-x509", *key, *authority, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    alternatives = f"subjectAltName=IP:{host},DNS:localhost"
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=mail"]
    _openssl(
        base, "req", "-x509", *key, *signed, "-addext", alternatives, "-addext", "basicConstraints=critical,CA:FALSE"
    )
    (base / "server.key").chmod(0o644)


def _openssl(base: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=base, check=True, capture_output=True)


def server_context(base: Path) -> ssl.SSLContext:
    """For a server of the tests' own, with the certificate that was made there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(base / "server.pem", base / "server.key")
    return context


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is missing: run tests/install-mail")
    return found

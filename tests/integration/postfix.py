"""A real mail server for sending: Postfix on loopback, with configuration, queue and mail of its own in a temporary
folder. It needs root, as Postfix does."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.smtp_server import certificate

HOST = "127.0.0.1"
MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.firma.kz
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {base}/log/mail.log
maillog_file_prefixes = {base}
alias_maps =
alias_database =
local_recipient_maps =
smtputf8_enable = yes
message_size_limit = 1000000
smtpd_recipient_restrictions = check_recipient_access texthash:{base}/access, reject_unauth_destination, permit
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {base}/{host}.pem
smtpd_tls_key_file = {base}/{host}.key
smtpd_forbid_bare_newline = yes
virtual_mailbox_domains = firma.kz
virtual_mailbox_base = {base}/mail
virtual_mailbox_maps = texthash:{base}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
MASTER = """
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """`trusted`: the file to trust its certificate by."""

    base: Path
    port: int
    trusted: Path

    def delivered(self, who: str) -> list[bytes]:
        """What lies in a mailbox of firma.kz."""
        folder = self.base / "mail" / who / "new"
        return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.exists() else []

    def log(self) -> str:
        return (self.base / "log" / "mail.log").read_text("utf-8", "replace")


def missing() -> str:
    """Why it cannot run here; empty if it can."""
    if shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        return "Postfix is not installed (tests/install-mail)"
    return "" if os.geteuid() == 0 else "Postfix starts as root only"


@contextmanager
def running() -> Iterator[Postfix]:
    base = Path(tempfile.mkdtemp(prefix="kezekshi-postfix-"))
    base.chmod(0o755)
    port = _free_port()
    _, trusted = certificate(base, HOST)
    owner = pwd.getpwnam("postfix")
    facts = {"base": base, "host": HOST, "port": port, "uid": owner.pw_uid, "gid": owner.pw_gid}
    for folder in ("conf", "queue", "data", "mail", "log"):
        (base / folder).mkdir()
    for folder in ("data", "mail"):
        os.chown(base / folder, owner.pw_uid, owner.pw_gid)
    (base / "conf" / "main.cf").write_text(MAIN.format(**facts))
    (base / "conf" / "master.cf").write_text(MASTER.format(**facts))
    (base / "access").write_text("slow@firma.kz 450 4.2.1 try later\nquota@firma.kz 552 5.2.2 mailbox full\n")
    (base / "mailboxes").write_text("".join(f"{who}@firma.kz {who}/\n" for who in ("a", "b", "slow", "quota")))
    command = ["/usr/sbin/postfix", "-c", str(base / "conf"), "start-fg"]
    with (base / "log" / "started.log").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        _wait(port, process, base)
        yield Postfix(base, port, trusted)
    finally:
        subprocess.run([*command[:-1], "stop"], capture_output=True, timeout=30, check=False)
        process.wait(30)
        shutil.rmtree(base, ignore_errors=True)


def _wait(port: int, process: "subprocess.Popen[bytes]", base: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    logs = "\n".join(path.read_text("utf-8", "replace") for path in (base / "log").iterdir())
    raise RuntimeError(f"Postfix did not start: {logs}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])

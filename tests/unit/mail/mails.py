"""Mails for tests, taken apart."""

from mailbridge.parse import parse
from mailbridge.parsed import Parsed


def mail(headers: str, body: str = "Hello") -> Parsed:
    """`headers`: lines, indented as the test likes; a continuation starts with a bar."""
    lines = [line.strip() for line in headers.strip().splitlines()]
    folded = "\n".join(" " + line[1:].strip() if line.startswith("|") else line for line in lines)
    return parse(f"{folded}\n\n{body}\n".encode())


def report(*blocks: str, returned: str = "", notice: str = "Undeliverable") -> Parsed:
    """A delivery status notification, a block of fields for each recipient."""
    fields = "\n\n".join(("Reporting-MTA: dns; mx.example", *blocks))
    original = f"--b\nContent-Type: message/rfc822\n\n{returned}\n" if returned else ""
    return mail(
        """From: MAILER-DAEMON@mx.example
        To: help@desk.example
        Subject: Undelivered Mail Returned to Sender
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary=b""",
        f"--b\nContent-Type: text/plain\n\n{notice}\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n\n{original}--b--",
    )

"""Names of attachments (attack 24)."""

import pytest

from mailbridge import files


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a.txt", "a.txt"),
        ("Отчёт за март.xlsx", "Отчёт за март.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\x\\doc.txt", "doc.txt"),
        ("..", "file.pdf"),
        ("...", "file.pdf"),
        ("", "file.pdf"),
        (None, "file.pdf"),
        ("folder/", "file.pdf"),
        ("a\0.txt", "a.txt"),
        ("a\r\nBcc: x.txt", "a Bcc_ x.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\u2066\u200b.txt", "a.txt"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        (".hidden ", "hidden"),
        ("%D0%A1%D1%87%D1%91%D1%82.pdf", "Счёт.pdf"),
        ("100%25.pdf", "100%25.pdf"),
        ("%2e%2e%2fetc%2fpasswd", "passwd"),
        ("e\u0301.txt", "é.txt"),
        ("a\ud800.txt", "a\ufffd.txt"),
    ],
)
def test_a_name_is_clean(name: str | None, clean: str) -> None:
    assert files.clean_name(name, "application/pdf") == clean


def test_attack_24_a_name_of_four_kilobytes_keeps_its_kind() -> None:
    name = files.clean_name("д" * 4096 + ".pdf", "application/pdf")
    assert len(name) == files.LONGEST_NAME
    assert files.clean_name("x" * 200 + ".pdf", "application/pdf").endswith("x.pdf")
    assert len(files.clean_name("." * 5000 + "/" * 5000, "application/pdf")) <= files.LONGEST_NAME


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("image/jpeg", "image.jpg"),
        ("application/pdf", "file.pdf"),
        ("text/calendar", "file.ics"),
        ("message/rfc822", "message.eml"),
        ("application/x-unheard-of", "file.bin"),
        ("audio/ogg", "audio.ogg"),
    ],
)
def test_a_name_is_made_up_from_the_type(content_type: str, name: str) -> None:
    assert files.clean_name(None, content_type) == name

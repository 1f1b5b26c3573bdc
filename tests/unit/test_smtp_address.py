"""Where mail is handed over, as a setting says it."""

import pytest

from mailbridge.smtp import SmtpAddress


def test_the_usual_forms() -> None:
    found = SmtpAddress.parse("smtp://me%40desk.kz:p%40ss%3Aword@mail.desk.kz")
    assert (found.host, found.port, found.user, found.implicit, found.secure) == (
        "mail.desk.kz", 587, "me@desk.kz", False, True,
    )  # fmt: skip
    assert found.password is not None
    assert found.password.get_secret_value() == "p@ss:word"
    found = SmtpAddress.parse("smtps://mail.desk.kz?ca=/etc/ca.pem")
    assert (found.port, found.user, found.implicit, found.secure, found.ca) == (465, None, True, True, "/etc/ca.pem")


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("smtp://localhost:25", False),
        ("smtp://127.0.0.1:25", False),
        ("smtp://[::1]:25", False),
        ("smtp://localhost:25?ca=/ca.pem", True),
        ("smtps://localhost", True),
        ("smtp://localhost.desk.kz:25", True),
        ("smtp://10.0.0.1:25", True),
        ("smtp://127.0.0.1.desk.kz", True),
    ],
)
def test_only_this_machine_itself_is_spoken_to_without_tls(url: str, secure: bool) -> None:
    assert SmtpAddress.parse(url).secure is secure


@pytest.mark.parametrize(
    "url",
    [
        "", "mail.desk.kz", "http://x", "smtp://", "smtp://u:hush@x:99999", "smtp://u:hush@x/path", "smtp://hush@x",
        "smtp://:hush@x", "smtp://u:hush@x?tls=no", "smtp://u:hush%0d%0a@x", "smtp://u%00:hush@x", "smtp://u:hush@x:y",
        "smtp://u:hush@[::1", "smtp://u:hush@x?ca",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        SmtpAddress.parse(url)
    assert "hush" not in str(refused.value)


def test_no_text_of_it_has_the_password() -> None:
    found = SmtpAddress.parse("smtp://me:hush@mail.desk.kz")
    assert "hush" not in f"{found} {found!r}"

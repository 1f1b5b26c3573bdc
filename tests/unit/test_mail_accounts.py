"""Settings of mailboxes, names of folders, sets of UIDs, lanes and batches."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbridge.accounts import folder_name, is_loopback, parse_imap
from mailbridge.imap import uid_set
from mailbridge.intake import BATCH_BYTES, BATCH_MAILS, batches, lane_of, received


def test_the_usual_setting() -> None:
    account = parse_imap("imaps://user:canary@mail.example.kz:1993/Queue?processed=Done&ca=/etc/ca.pem")
    assert (account.host, account.port, account.user, account.folder) == ("mail.example.kz", 1993, "user", "Queue")
    assert (account.processed, account.ca, account.security) == ("Done", "/etc/ca.pem", "tls")
    assert account.password.get_secret_value() == "canary"
    assert "canary" not in f"{account} {account!r}"


def test_defaults() -> None:
    account = parse_imap("imaps://user:password@mail.example.kz")
    assert (account.port, account.folder, account.processed) == (993, "INBOX", "Processed")
    assert parse_imap("imap://user:password@mail.example.kz").port == 143


def test_anything_may_be_percent_encoded() -> None:
    account = parse_imap("imaps://a%40b.kz:p%40%3A%2F%3F%23%25@h/%D0%92%D1%85%D0%BE%D0%B4?processed=%D0%98%20%26")
    assert (account.user, account.password.get_secret_value()) == ("a@b.kz", "p@:/?#%")
    assert (account.folder, account.processed) == ("Вход", "И &")


@pytest.mark.parametrize(
    ("url", "security"),
    [
        ("imaps://u:p@127.0.0.1", "tls"),
        ("imap://u:p@127.0.0.1", "none"),
        ("imap://u:p@[::1]", "none"),
        ("imap://u:p@localhost", "none"),
        ("imap://u:p@127.0.0.1?ca=/ca.pem", "starttls"),
        ("imap://u:p@mail.example.kz", "starttls"),
        ("imap://u:p@10.0.0.1", "starttls"),
        ("imap://u:p@127.0.0.1.example.kz", "starttls"),
        ("imap://u:p@localhost.example.kz", "starttls"),
    ],
)
def test_only_this_machine_is_spoken_to_in_the_clear(url: str, security: str) -> None:
    assert parse_imap(url).security == security


@pytest.mark.parametrize(
    "url",
    [
        "",
        "imaps://",
        "https://u:secret@h/",
        "imaps://h/INBOX",
        "imaps://u@h/INBOX",
        "imaps://u:secret@/INBOX",
        "imaps://u:secret@h:port/INBOX",
        "imaps://u:secret@h:99999/INBOX",
        "imaps://u:secret@h/INBOX?verify=no",
        "imaps://u:secret@h/Processed",
        "imaps://u:secret@h/In%0d%0aA1%20LOGOUT",
        "imaps://u%00:secret@h/",
        "imaps://u:secret%0a@h/",
        "imaps://u:secret@h/?processed=a%0ab",
        "imaps://u:secret@[::1/INBOX",
        "imaps://u:secret@h/?nonsense",
    ],
)
def test_what_is_wrong_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_imap(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_loopback_is_an_address_of_this_machine() -> None:
    assert is_loopback("127.8.9.10")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", '"INBOX"'),
        ("Входящие", '"&BBIERQQ+BDQETwRJBDgENQ-"'),
        ("Q & A", '"Q &- A"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("台北", '"&U,BTFw-"'),
        ("😀", '"&2D3eAA-"'),
    ],
)
def test_folders_as_imap_writes_them(name: str, wire: str) -> None:
    assert folder_name(name) == wire


@given(st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"), max_size=30))
def test_any_name_can_be_read_back(name: str) -> None:
    wire = folder_name(name)
    assert wire.isascii()
    plain, text = wire[1:-1].replace('\\"', '"').replace("\\\\", "\\"), ""
    while plain:
        before, mark, rest = plain.partition("&")
        text += before
        if not mark:
            break
        run, _, plain = rest.partition("-")
        if run:
            padded = run.replace(",", "/") + "=" * (-len(run) % 4)
            text += base64.b64decode(padded).decode("utf-16-be")
        else:
            text += "&"
    assert text == name


@pytest.mark.parametrize(("uids", "said"), [([], ""), ([5], "5"), ([3, 1, 2], "1:3"), ([1, 2, 4, 9, 10], "1:2,4,9:10")])
def test_sets_of_uids(uids: list[int], said: str) -> None:
    assert uid_set(uids) == said


THREAD = b"Message-ID: <first@x>\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        THREAD,
        b"message-id:<first@x>\n\nbody",
        b"Message-ID: <reply@x>\r\nReferences: <first@x> <second@x>\r\n\r\n",
        b"Message-ID: <reply@x>\r\nReferences:\r\n <first@x>\r\n\t<second@x>\r\n\r\n",
        b"Message-ID: <reply@x>\r\nIn-Reply-To: <first@x>\r\n\r\n",
        b"References: <first@x>",
    ],
)
def test_a_thread_is_one_lane(raw: bytes) -> None:
    assert lane_of("prodata", raw) == lane_of("prodata", THREAD)


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: x\r\n\r\nMessage-ID: <first@x>\r\n",
        b"X-References: <first@x>\r\nMessage-ID: <other@x>\r\n\r\n",
        b"",
        b"\xff\xfe\x00",
        b"Message-ID: first@x\r\n\r\n",
    ],
)
def test_other_mail_is_in_another(raw: bytes) -> None:
    assert lane_of("prodata", raw) != lane_of("prodata", THREAD)
    assert lane_of("prodata", raw).startswith("mail:prodata:")


def test_a_mail_is_known_by_its_bytes() -> None:
    one, other = received("prodata", b"a"), received("prodata", b"b")
    assert one.external_key != other.external_key
    assert one == received("prodata", b"a")
    assert one.payload == b"a"


def test_many_small_mails_come_together_and_big_ones_alone() -> None:
    sizes = dict.fromkeys(range(1, BATCH_MAILS + 11), 100)
    sizes[5] = BATCH_BYTES + 1
    found = [list(batch) for batch in batches(sizes, lambda uid: uid == 7)]
    assert found == [[1, 2, 3, 4], [5], [6], [7], list(range(8, 8 + BATCH_MAILS)), [58, 59, 60]]


def test_a_batch_has_a_bound_in_bytes() -> None:
    found = list(batches(dict.fromkeys(range(7), BATCH_BYTES // 3), lambda _: False))
    assert [len(batch) for batch in found] == [3, 3, 1]
